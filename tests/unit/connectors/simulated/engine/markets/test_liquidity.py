"""The modelled book, predicted by hand."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import Any

import pytest

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.engine.markets.liquidity import MAX_LEVELS, is_book, levels, plan
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.resting.orders import Side
from tests.unit.connectors.simulated.engine.desk import prices


def a_market(**fields: object) -> Market:
    """Return a market at 50,000 with levels every 10."""
    market = Market(contract=XBTUSD)
    market.take(prices(**{"half_spread": 10, "depth": 1_050} | fields))
    return market


def test_levels_stand_half_spread_apart() -> None:
    """First level half a spread away, each further one the same beyond; whole lots only."""
    asks = [(m.price, m.quantity) for m in islice(levels(a_market(), Side.BUY), 3)]
    assert asks == [(50_010, 1_000), (50_020, 1_000), (50_030, 1_000)]
    bids = [m.price for m in islice(levels(a_market(), Side.SELL), 3)]
    assert bids == [49_990, 49_980, 49_970]


def test_levels_never_share_a_price() -> None:
    """With no spread at all the levels are a tick apart."""
    found = [m.price for m in islice(levels(a_market(half_spread=0), Side.BUY), 3)]
    assert found == [50_000, Decimal("50000.1"), Decimal("50000.2")]


def test_taken_liquidity_is_skipped() -> None:
    """1,300 used up: the first level is gone, the second has 700 left."""
    market = a_market()
    market.taken[Side.BUY] = 1_300
    first = next(levels(market, Side.BUY))
    assert (first.price, first.quantity) == (50_020, 700)
    assert next(levels(market, Side.SELL)).quantity == 1_000


def test_book_ends() -> None:
    """No depth, no levels; far down the bids end above zero; there are never endless levels."""
    assert list(levels(a_market(depth=0), Side.BUY)) == []
    assert all(m.price > 0 for m in levels(a_market(half_spread=10_000), Side.SELL))
    assert len(list(levels(a_market(), Side.BUY))) == MAX_LEVELS


def test_plan_stops_at_the_bound() -> None:
    """A taker with a worst price takes what is at least as good."""
    found = plan(a_market(), taker=Side.SELL, quantity=5_000, bound=Decimal(49_980))
    assert [match.price for match in found.matches] == [49_990, 49_980]


def test_thinning_takes_a_share_off_each_further_level() -> None:
    """Half less each time, in whole lots, until nothing is left."""
    market = a_market(depth=1_000, thinning=Decimal("0.5"))
    assert [m.quantity for m in levels(market, Side.BUY)] == [1_000, 500, 200, 100]


def test_gaps_are_drawn_from_the_seed_and_leave_the_touch() -> None:
    """The same seed gives the same holes, another one others; the first level is always there."""

    def found(seed: int) -> list[Decimal]:
        market = a_market(gaps=Decimal("0.4"), gap_seed=seed)
        return [m.price for m in levels(market, Side.SELL)]

    assert found(1) == found(1) != found(2)
    assert found(1)[0] == found(2)[0] == 49_990
    assert MAX_LEVELS * 0.5 < len(found(1)) < MAX_LEVELS * 0.7


def test_recorded_levels_stand_instead_of_modelled_ones() -> None:
    """Both sides are as recorded until the next step, and used up from the best."""
    bids, asks = ((Decimal(49_995), 300), (Decimal(49_900), 200)), ((Decimal(50_005), 100),)
    market = a_market(bids=bids, asks=asks)
    assert [(m.price, m.quantity) for m in levels(market, Side.SELL)] == list(bids)
    assert (market.bid, market.ask) == (49_995, 50_005)
    market.taken[Side.SELL] = 400
    assert [(m.price, m.quantity) for m in levels(market, Side.SELL)] == [(49_900, 100)]
    market.take(prices(half_spread=10, depth=1_050))
    assert next(levels(market, Side.SELL)).price == 49_990


def test_one_recorded_side_is_a_book_without_the_other() -> None:
    """No asks recorded means that nobody offers; the touch shown stays above the bid."""
    market = a_market(bids=((Decimal(50_020), 300),))
    assert list(levels(market, Side.BUY)) == []
    assert market.bid == 50_020 < market.ask


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        (((50_000, 100),), ((50_000, 100),)),
        (((49_990, 100), (49_995, 100)), ()),
        ((), ((50_010, 100), (50_005, 100))),
        (((49_990, 0),), ()),
        (((-1, 100),), ()),
    ],
)
def test_levels_that_make_no_book(bids: Any, asks: Any) -> None:
    """Crossed, not best first, empty, below zero."""
    assert not is_book(*(tuple((Decimal(price), size) for price, size in side) for side in (bids, asks)))


def test_no_levels_in_a_halt() -> None:
    """Whatever depth the tape names."""
    assert list(levels(a_market(halted=True), Side.BUY)) == []
