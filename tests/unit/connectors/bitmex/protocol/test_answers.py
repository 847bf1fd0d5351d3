"""A 200 read back before it is believed."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.bitmex.protocol import answers
from connectors.bitmex.protocol.numbers import MalformedRow
from connectors.bitmex.protocol.refusals import Answer
from connectors.vocabulary import OrderStatus, Trigger
from tests.unit.connectors.bitmex.bitmex_builders import STOP_ROW, raw
from tests.unit.connectors.bitmex.protocol.test_requests import a_reduction, a_stop


def stop_answer(**changed: Any) -> bytes:
    """Return the answer to a stop, with changes; ... takes a column away."""
    return raw({column: cell for column, cell in (STOP_ROW | changed).items() if cell is not ...})


def test_stop_as_asked() -> None:
    """P1: trigger and restraint are read back."""
    order = answers.placed_stop(stop_answer(), a_stop())
    assert order.trigger is Trigger.MARK
    assert order.is_reduce_only


@pytest.mark.parametrize("status", ["Canceled", "Rejected", "PendingNew"])
def test_cancelled_row_is_returned_as_it_is(status: str) -> None:
    """A 200 may carry a cancelled row: that is an answer, and the core judges it."""
    order = answers.placed_stop(stop_answer(ordStatus=status), a_stop())
    assert order.status in {OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.PENDING}


def test_sparse_row_is_no_contradiction() -> None:
    """A row that leaves execInst out says nothing against it; the stream will tell."""
    assert answers.placed_stop(stop_answer(execInst=...), a_stop()).trigger is None


@pytest.mark.parametrize(
    "changed",
    [
        {"execInst": "LastPrice,ReduceOnly"},
        {"execInst": "ReduceOnly"},
        {"execInst": "MarkPrice"},
        {"ordType": "Limit"},
        {"side": "Buy"},
        {"symbol": "ETHUSD"},
        {"clOrdID": "sw-9"},
        {"orderID": ""},
    ],
)
def test_something_else_than_asked(changed: dict[str, Any]) -> None:
    """P1: a row that contradicts the request is no success."""
    with pytest.raises(MalformedRow):
        answers.placed_stop(stop_answer(**changed), a_stop())


def test_reduction_as_asked() -> None:
    """P1: a market order that came back without its restraint is no success."""
    row = {"ordType": "Market", "side": "Buy", "clOrdID": "sw-2", "execInst": "Close", "ordStatus": "Filled"}
    assert answers.placed_reduction(stop_answer(**row), a_reduction()).is_close
    with pytest.raises(MalformedRow, match="add to the position"):
        answers.placed_reduction(stop_answer(**row | {"execInst": "LastPrice"}), a_reduction())


def test_amended_order_is_the_one_amended() -> None:
    """An answer about another order is no success."""
    order_id = str(STOP_ROW["orderID"])
    assert answers.amended_order(stop_answer(stopPx=49000), order_id).stop_price == 49000
    with pytest.raises(MalformedRow):
        answers.amended_order(stop_answer(), "another")


@pytest.mark.parametrize(
    "rows",
    [
        [{"account": 1, "error": "Unable to cancel order", "orderID": "o", "workingIndicator": False}],
        [{**STOP_ROW, "orderID": "o", "error": "Unable to cancel order due to existing state: Canceled"}],
        [],
    ],
)
def test_nothing_left_to_cancel(rows: list[dict[str, Any]]) -> None:
    """Cancel failures are rows of a 200: each means that there was nothing left to cancel."""
    assert answers.cancelled_order(raw(rows), "o") is None


@pytest.mark.parametrize("rows", [[{**STOP_ROW, "orderID": "another", "ordStatus": "Canceled"}], {}, {"error": "odd"}])
def test_answer_about_something_else_says_nothing_of_the_cancel(rows: Any) -> None:
    """P12: rows, and none of this order: whether it is gone is not known."""
    with pytest.raises(MalformedRow):
        answers.cancelled_order(raw(rows), "o")


def test_cancelled_row_among_others() -> None:
    """Each row stands for itself."""
    rows = [{"orderID": "x", "error": "Unable to cancel order"}, {**STOP_ROW, "orderID": "o", "ordStatus": "Canceled"}]
    cancelled = answers.cancelled_order(raw(rows), "o")
    assert cancelled is not None
    assert cancelled.status is OrderStatus.CANCELED


@pytest.mark.parametrize("body", [b"", b"7", b"<html>", b"[1]", b'["a"]', b"\xff", b'[{"a":1},{"b":2}]'])
def test_unreadable_answers(body: bytes) -> None:
    """A 200 whose body is no row is no success."""
    with pytest.raises(MalformedRow):
        answers.row_of(body)


@pytest.mark.parametrize(
    ("body", "headers", "time_ns"),
    [
        (b'{"name":"BitMEX API","timestamp":1718000000123}', {}, 1718000000123_000_000),
        (b"<html>", {"date": "Thu, 01 Jan 1970 00:00:10 GMT"}, 10_500_000_000),
    ],
)
def test_venue_clock(body: bytes, headers: dict[str, str], time_ns: int) -> None:
    """Milliseconds of the body, or the middle of the second that the Date header names."""
    assert answers.venue_time_ns(Answer(status=200, headers=headers, body=body)) == time_ns


def test_no_clock() -> None:
    """An answer without a time is not read as one."""
    with pytest.raises(MalformedRow):
        answers.venue_time_ns(Answer(status=200, headers={}, body=b"{}"))


def test_each_row_of_a_cancel_of_many_stands_for_itself() -> None:
    """One was cancelled, one had ended: only the first comes back; a row of another order is no answer to us."""
    gone = {**STOP_ROW, "orderID": "a", "ordStatus": "Canceled"}
    ended = {**STOP_ROW, "orderID": "b", "ordStatus": "Filled", "error": "Unable to cancel order due to existing state"}
    (order,) = answers.cancelled_orders(raw([gone, ended]), ["a", "b"])
    assert (order.order_id, order.status) == ("a", OrderStatus.CANCELED)
    with pytest.raises(MalformedRow):
        answers.cancelled_orders(raw([gone]), ["b"])


def test_a_changed_position_has_to_be_the_one_that_was_meant() -> None:
    """P12: an answer about another symbol leaves the outcome unknown."""
    answers.position_changed(raw({"symbol": "XBTUSD"}), "XBTUSD")
    with pytest.raises(MalformedRow):
        answers.position_changed(raw({"symbol": "ETHUSD"}), "XBTUSD")
