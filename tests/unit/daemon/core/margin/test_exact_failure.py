"""The place on the common move at which an account fails, to the tick of its marks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from daemon.core.margin.account_failure import FailureMove, account_failure_move
from daemon.core.margin.exact_failure import exact_failure_move, fails_at
from daemon.core.margin.own_liquidation import NotComputable, own_price
from tests.unit.daemon.core.margin.test_what_if import inverse_cross, linear_long, rows_of

D = Decimal


def test_one_position_fails_at_its_own_price() -> None:
    """The move found is the one to the liquidation price, within a tick."""
    rows = rows_of(inverse_cross())
    price = own_price(inverse_cross(), rows.instruments["XBTUSD"], rows.margins["XBt"]).price
    found = exact_failure_move(rows, "XBt")
    assert price is not None
    assert found.down is not None
    assert abs(D(50_000) * (1 + found.down) - price) < D("0.1")
    assert found.up is None
    assert fails_at(rows, "XBt", {"XBTUSD": price})
    assert not fails_at(rows, "XBt", {"XBTUSD": price + D("0.1")})


def test_the_quick_answer_is_on_the_cautious_side() -> None:
    """Nearer to the present, by ticks."""
    second = replace(inverse_cross(-40_000), key=replace(inverse_cross().key, symbol="XBTM26"))
    rows = rows_of(inverse_cross(), second, wallet=40_000_000)
    quick = account_failure_move(rows.held("XBt"), rows.instruments, rows.margins["XBt"], rows.marks)
    found = exact_failure_move(rows, "XBt", mark_tick=D("0.01"))
    assert quick.down is not None
    assert found.down is not None
    assert 0 <= quick.down - found.down < D("0.0001")


def test_what_has_no_answer_keeps_its_reason() -> None:
    """No margin row, an account that fails already, balances of other currencies, and one that nothing makes fail."""
    rows = rows_of(inverse_cross())
    assert exact_failure_move(replace(rows, margins={}), "XBt") == FailureMove()
    gone = rows_of(inverse_cross(), wallet=1_000_000)
    assert exact_failure_move(gone, "XBt") == FailureMove(down=D(0), up=D(0))
    mixed = replace(rows, margins={"XBt": replace(rows.margins["XBt"], is_multi_asset=True)})
    assert exact_failure_move(mixed, "XBt").reason is NotComputable.MULTI_ASSET
    assert exact_failure_move(rows_of(linear_long()), "USDt") == FailureMove()


def test_marks_of_others_may_stand_still() -> None:
    """One leg of a hedge alone makes the account fail earlier than both."""
    second = replace(inverse_cross(-40_000), key=replace(inverse_cross().key, symbol="XBTM26"))
    rows = rows_of(inverse_cross(), second, wallet=40_000_000)
    alone, together = exact_failure_move(rows, "XBt", moving={"XBTUSD"}), exact_failure_move(rows, "XBt")
    assert alone.down is not None
    assert together.down is not None
    assert together.down < alone.down < 0
