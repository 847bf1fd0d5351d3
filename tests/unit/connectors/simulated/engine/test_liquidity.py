"""The modelled book, predicted by hand."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.engine.liquidity import MAX_LEVELS, levels, plan
from connectors.simulated.engine.market import Market
from connectors.simulated.engine.orders import Side
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
