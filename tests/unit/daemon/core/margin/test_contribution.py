"""Who brings the account nearest to failure, and what closing a part buys."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.vocabulary import ContractKind
from daemon.core.margin.contribution import best_trim, contributions, relief, room_of, trimmed
from daemon.core.margin.what_if import AccountRows
from tests.unit.daemon.core.margin.test_what_if import inverse_cross, linear_long, rows_of
from tests.unit.daemon.core.margin_builders import a_position, an_instrument

D = Decimal
HEDGE = replace(inverse_cross(-40_000), key=replace(inverse_cross().key, symbol="XBTM26"))


def two_longs(big: int = 90_000, small: int = 10_000, *, wallet: int = 40_000_000) -> AccountRows:
    """Two cross longs on one coin, of which one is nine times the other."""
    second = replace(inverse_cross(small), key=replace(inverse_cross().key, symbol="XBTM26"))
    return rows_of(inverse_cross(big), second, wallet=wallet)


def test_the_larger_of_two_longs_contributes_most() -> None:
    """Nine tenths of the loss on the way to failure are the larger one's."""
    first, second = contributions(two_longs(), "XBt")
    assert (first.symbol, second.symbol) == ("XBTUSD", "XBTM26")
    assert abs(first.share - D("0.9")) < D("1e-6")
    assert abs(first.share + second.share - 1) < D("1e-20")
    assert first.loss_sat > second.loss_sat > 0


def test_a_hedge_gains_on_the_way() -> None:
    """The short leg's loss is below zero and the long's share above one."""
    long, hedge = contributions(rows_of(inverse_cross(), HEDGE, wallet=40_000_000), "XBt")
    assert (long.symbol, hedge.symbol) == ("XBTUSD", "XBTM26")
    assert long.share > 1
    assert hedge.loss_sat < 0


def test_without_a_failure_in_range_a_small_move_is_measured() -> None:
    """A covered short loses as the mark rises; that much is said of it though nothing liquidates it."""
    rows = rows_of(inverse_cross(-1_000), wallet=10**10)
    (only,) = contributions(rows, "XBt")
    assert (only.share, only.loss_sat > 0) == (D(1), True)


def test_nothing_is_said_of_what_has_no_mark() -> None:
    """No mark, no contribution; no cross position, none either."""
    assert contributions(rows_of(inverse_cross(), marks={"ETHUSDT": D(1)}), "XBt") == ()
    assert contributions(rows_of(linear_long()), "USDt") == ()


def test_closing_half_of_one_cross_position_buys_room() -> None:
    """Half as much at risk with the same balance: more than twice the room, for the fee."""
    rows = rows_of(inverse_cross())
    found = relief(rows, "XBTUSD", 50_000)
    assert found.is_known
    assert found.room_before is not None
    assert found.room_after is not None
    assert found.room_after > found.room_before * D("1.8")
    assert found.cost_sat == 50_000
    assert found.gain == found.room_after - found.room_before


def test_a_price_worse_than_the_mark_is_a_cost() -> None:
    """Closing one percent below the mark gives away one percent more."""
    rows = rows_of(inverse_cross())
    assert relief(rows, "XBTUSD", 50_000, price=D(49_500)).cost_sat > 1_000_000


def test_closing_everything_takes_the_account_out_of_range() -> None:
    """Nothing is left that could be liquidated."""
    found = relief(rows_of(inverse_cross()), "XBTUSD", 100_000)
    assert (found.room_after, found.is_known) == (None, True)
    assert found.gain > 50


def test_trimming_an_isolated_position_buys_nothing() -> None:
    """Its margin shrinks with it."""
    found = relief(rows_of(linear_long()), "ETHUSDT", 2000)
    assert found.gain == 0


def test_the_best_trim_is_the_one_that_buys_most_room() -> None:
    """A third of the large long, not of the small one; and never a part of the hedge."""
    found = best_trim(two_longs(), "XBt", D("0.3"))
    assert found is not None
    assert (found.symbol, found.contracts) == ("XBTUSD", 27_000)
    hedged = best_trim(rows_of(inverse_cross(), HEDGE, wallet=40_000_000), "XBt", D("0.5"))
    assert hedged is not None
    assert hedged.symbol == "XBTUSD"


def test_no_trim_where_nothing_is_known() -> None:
    """P12: without a margin row nothing can be promised."""
    rows = replace(two_longs(), margins={})
    assert best_trim(rows, "XBt", D("0.5")) is None
    assert room_of(rows, "XBTUSD") == (None, False)
    assert not relief(rows, "XBTUSD", 100).is_known
    assert relief(rows, "GONE", 100).contracts == 0


@pytest.mark.parametrize(("share", "contracts"), [("0.5", 500), ("0.001", 100), ("0.55", 600), ("1", 1000)])
def test_a_share_is_made_whole_lots_upward(share: str, contracts: int) -> None:
    """Lots of 100."""
    assert trimmed(a_position(an_instrument(), -1000), an_instrument(), D(share)) == contracts


def test_a_broken_lot_is_never_exceeded() -> None:
    """50 contracts of lots of 1000: all of them."""
    instrument = an_instrument(ContractKind.LINEAR)
    assert trimmed(a_position(instrument, 50), instrument, D("0.5")) == 50
