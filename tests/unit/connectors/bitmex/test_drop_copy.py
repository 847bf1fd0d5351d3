"""Account frames to the sink, without a socket."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.bitmex.drop_copy import TOPICS, _AccountReader, _SwitchLine
from connectors.bitmex.protocol.numbers import MalformedRow
from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.bitmex.protocol.session_states import State
from connectors.bitmex.protocol.tables import TableBroken
from tests.unit.connectors.bitmex.bitmex_builders import (
    CANCEL_REJECT_ROW,
    EXECUTION_ROW,
    MARGIN_ROW,
    POSITION_ROW,
    SIGNED_IN,
    STOP_ROW,
    RememberingSink,
    change,
    partial,
    raw,
)

TIMES = SessionTimes(ping_after_s=5.0, pong_within_s=5.0)
ORDER_ID = STOP_ROW["orderID"]


class Account:
    """A reader with a sink, fed frame by frame."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self.sink = RememberingSink()
        self.reader = _AccountReader(sink=self.sink, switch=_SwitchLine(), sign_in=lambda: b"{}")
        self.connect(**rows)

    def connect(self, **rows: list[dict[str, Any]]) -> None:
        """Begin a connection and send its partials."""
        self.session: Session = self.reader.new_session(TIMES)
        self.session.opened(0.0, sign_in=self.reader.sign_in())
        self.hear(raw(SIGNED_IN), *(partial(table, rows.get(table, [])) for table in TOPICS))
        assert self.session.state is State.LIVE

    def hear(self, *frames: bytes) -> None:
        """Take frames and act on them."""
        for frame in frames:
            self.reader.read(self.session, frame, now_s=0.0, received_ns=1)
            for event in self.session.events():
                self.reader.take(event, received_ns=1)


def test_each_execution_once_across_reconnects() -> None:
    """Executions repeat in the partial of the next connection: each id is told once."""
    account = Account(execution=[EXECUTION_ROW])
    account.hear(change("execution", "insert", EXECUTION_ROW))
    account.connect(execution=[EXECUTION_ROW, {**EXECUTION_ROW, "execID": "second"}])
    assert [told.execution_id for told in account.sink.of("execution")] == [EXECUTION_ROW["execID"], "second"]


def test_execution_that_cannot_be_read_blinds_nobody() -> None:
    """An execution without an id is left out; the next one is told."""
    account = Account()
    nameless = {column: cell for column, cell in EXECUTION_ROW.items() if column != "execID"}
    account.hear(change("execution", "insert", nameless, EXECUTION_ROW))
    assert len(account.sink.of("execution")) == 1


def test_refused_request_on_the_order_table_touches_no_order() -> None:
    """A CancelReject row among the orders tells of the request; the order it names still rests."""
    account = Account(order=[STOP_ROW])
    account.hear(change("order", "update", {**CANCEL_REJECT_ROW, "orderID": ORDER_ID}))
    account.hear(change("order", "update", {"orderID": ORDER_ID, "leavesQty": 50}))
    assert account.sink.of("refused") == [("", ORDER_ID, "Invalid orderID")]
    (stop,) = account.sink.of("order")
    assert stop.is_resting_stop


@pytest.mark.parametrize(("table", "row"), [("order", STOP_ROW), ("position", POSITION_ROW)])
def test_deleted_row_is_told_by_the_whole_table(table: str, row: dict[str, Any]) -> None:
    """A row that leaves its table is not told as it last stood: what is left is."""
    account = Account(**{table: [row]})
    account.hear(change(table, "delete", row))
    assert account.sink.log[-1] == (f"{table}s", ())
    assert account.sink.of(table) == []


def test_repeated_partial_is_a_new_snapshot() -> None:
    """A partial that comes again replaces; two rows of hedge mode stay two."""
    account = Account(position=[POSITION_ROW])
    short = {**POSITION_ROW, "strategy": "Short", "currentQty": -5}
    account.hear(partial("position", [{**POSITION_ROW, "strategy": "Long"}, short]))
    assert [position.key.strategy for position in account.sink.of("positions")[-1]] == ["Long", "Short"]


def test_finished_orders_of_a_partial_are_no_open_orders() -> None:
    """A snapshot holds what may still act."""
    account = Account(order=[STOP_ROW, {**STOP_ROW, "orderID": "done", "ordStatus": "Filled"}])
    assert [order.order_id for order in account.sink.of("orders")[-1]] == [ORDER_ID]


def test_a_filled_order_may_come_back() -> None:
    """An amendment within a minute of the fill can revive an order: it is told as open again."""
    account = Account(order=[STOP_ROW])
    account.hear(change("order", "update", {"orderID": ORDER_ID, "ordStatus": "Filled", "leavesQty": 0}))
    account.hear(change("order", "update", {"orderID": ORDER_ID, "ordStatus": "New", "leavesQty": 100}))
    assert [order.is_open for order in account.sink.of("order")] == [False, True]


def test_margin_rows_of_every_currency() -> None:
    """Each currency is a row of its own; an update lays over its own."""
    account = Account(margin=[MARGIN_ROW, {**MARGIN_ROW, "currency": "USDt"}])
    account.hear(change("margin", "update", {"account": 273093, "currency": "USDt", "availableMargin": 5}))
    assert [(margin.currency, margin.available_sat) for margin in account.sink.of("margin")] == [
        ("XBt", 99000000),
        ("USDt", 99000000),
        ("USDt", 5),
    ]


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (change("order", "update", {"orderID": "unknown"}), TableBroken),
        (change("margin", "update", {"currency": "XBt"}), TableBroken),
        (change("order", "insert", {"orderID": "odd"}), MalformedRow),
        (change("position", "insert", {**POSITION_ROW, "symbol": "X", "currentQty": "many"}), MalformedRow),
    ],
)
def test_what_cannot_be_believed_is_raised(frame: bytes, error: type[Exception]) -> None:
    """Lost rows and unreadable rows are for the feed to act on."""
    with pytest.raises(error):
        Account(order=[STOP_ROW]).hear(frame)


def test_frames_of_other_tables_are_passed_over() -> None:
    """A table nobody asked for changes nothing."""
    account = Account()
    before = list(account.sink.log)
    account.hear(change("wallet", "insert", {"account": 1}))
    assert account.sink.log == before
