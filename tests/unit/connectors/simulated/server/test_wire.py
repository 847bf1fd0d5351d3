"""Changes to frames: insert, update, delete, and what a partial holds."""

from __future__ import annotations

import json
from decimal import Decimal

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.server.settings import RowStyle
from connectors.simulated.server.tables import ORDER, TABLES
from connectors.simulated.server.wire import Action, Mirror, partial_message


def an_order(**columns: object) -> Row:
    """Return a waiting stop with some columns changed."""
    row: Row = {
        "orderID": "1",
        "clOrdID": None,
        "account": 7,
        "symbol": "XBTUSD",
        "price": None,
        "stopPx": Decimal(50_000),
        "ordStatus": "New",
        "workingIndicator": False,
        "leavesQty": 100,
        "text": "Submitted via API.",
        "timestamp": "2026-07-01T00:00:00.000Z",
    }
    row.update(columns)  # type: ignore[arg-type]
    return row


def change(row: Row, table: str = "order", *, is_delete: bool = False, is_refresh: bool = False) -> Change:
    """Return a change of account 7's row, or of a public one."""
    account = row.get("account")
    owner = account if isinstance(account, int) else None
    return Change(table=table, account=owner, row=row, is_delete=is_delete, is_refresh=is_refresh)


def test_first_a_whole_row_then_what_changed() -> None:
    """An update carries the key, the changed columns and those BitMEX always repeats."""
    mirror = Mirror(RowStyle.FULL)
    (first,) = mirror.frames([change(an_order())])
    assert first.action is Action.INSERT
    (row,) = json.loads(first.message().payload)["data"]
    assert list(row) == list(ORDER.types)  # all columns, empty ones as null
    assert (row["stopPx"], row["pegOffsetValue"]) == (50_000, None)
    (second,) = mirror.frames([change(an_order(stopPx=Decimal(51_000), timestamp="2026-07-01T00:00:01.000Z"))])
    assert json.loads(second.message().payload) == {
        "table": "order",
        "action": "update",
        "data": [
            {
                "orderID": "1",
                "clOrdID": None,
                "account": 7,
                "symbol": "XBTUSD",
                "stopPx": 51_000,
                "timestamp": "2026-07-01T00:00:01.000Z",
            }
        ],
    }


def test_cancel_of_a_waiting_stop_says_that_it_does_not_work() -> None:
    """`workingIndicator` was false all along and is still in the frame, as clients expect."""
    mirror = Mirror(RowStyle.FULL)
    mirror.frames([change(an_order())])
    (frame,) = mirror.frames([change(an_order(ordStatus="Canceled", leavesQty=0))])
    (row,) = json.loads(frame.message().payload)["data"]
    assert (row["ordStatus"], row["leavesQty"], row["workingIndicator"]) == ("Canceled", 0, False)


def test_finished_orders_are_not_in_a_partial() -> None:
    """A partial holds open orders of one account only."""
    mirror = Mirror(RowStyle.FULL)
    mirror.frames(
        [
            change(an_order(orderID="1")),
            change(an_order(orderID="2", ordStatus="Filled")),
            change(an_order(orderID="3", account=8)),
        ]
    )
    assert [row["orderID"] for row in mirror.rows("order", 7)] == ["1"]


def test_neighbouring_rows_share_a_frame_but_accounts_do_not() -> None:
    """Executions of one order come in one frame; another account's never do."""
    mirror = Mirror(RowStyle.FULL)
    rows: list[Row] = [{"execID": str(number), "account": 7 + number // 2, "symbol": "XBTUSD"} for number in range(4)]
    frames = mirror.frames([change(row, "execution") for row in rows])
    assert [(frame.account, len(frame.rows)) for frame in frames] == [(7, 2), (8, 2)]


def test_sparse_rows_leave_out_what_is_empty_but_updates_clear_it() -> None:
    """In sparse style an insert has no nulls, and an update still says that a column became empty."""
    mirror = Mirror(RowStyle.SPARSE)
    (first,) = mirror.frames([change(an_order())])
    assert "price" not in json.loads(first.message().payload)["data"][0]
    (second,) = mirror.frames([change(an_order(stopPx=None))])
    assert json.loads(second.message().payload)["data"][0]["stopPx"] is None


def test_sparse_updates_repeat_nothing_that_is_empty() -> None:
    """An order without a client id does not get a null for one with every change."""
    mirror = Mirror(RowStyle.SPARSE)
    mirror.frames([change(an_order())])
    (frame,) = mirror.frames([change(an_order(leavesQty=50))])
    row = {"orderID": "1", "leavesQty": 50, "account": 7, "symbol": "XBTUSD", "timestamp": "2026-07-01T00:00:00.000Z"}
    assert json.loads(frame.message().payload)["data"] == [row]


def test_market_orders_have_no_price_in_sparse_rows() -> None:
    """As the venue writes them in 2026, what they traded at is in `avgPx`; whole rows show a price as they used to."""
    told: dict[RowStyle, list[Row]] = {}
    for style in RowStyle:
        mirror = Mirror(style)
        rows = (an_order(ordType="Market", price=Decimal(price)) for price in (5, 6))
        frames = [frame for row in rows for frame in mirror.frames([change(row)])]
        told[style] = [json.loads(frame.message().payload)["data"][0] for frame in frames]
    assert [row["price"] for row in told[RowStyle.FULL]] == [5, 6]
    assert all("price" not in row for row in told[RowStyle.SPARSE])


def test_a_deleted_row_leaves_the_partial() -> None:
    """A delete carries the key and the symbol, and the row is gone; seen again it is an insert."""
    mirror = Mirror(RowStyle.FULL)
    row: Row = {"orderID": "9", "symbol": "XBTUSD", "side": "Sell", "price": Decimal(1), "leavesQty": 5}
    mirror.frames([change(row, "liquidation")])
    (gone,) = mirror.frames([change(row, "liquidation", is_delete=True)])
    gone_row = {"orderID": "9", "symbol": "XBTUSD"}
    assert json.loads(gone.message().payload) == {"table": "liquidation", "action": "delete", "data": [gone_row]}
    assert mirror.rows("liquidation", None) == []
    (again,) = mirror.frames([change(row, "liquidation")])
    assert again.action is Action.INSERT


def test_a_refresh_that_moved_nothing_is_not_sent() -> None:
    """Merged position rows are silent while their mark price stands still."""
    mirror = Mirror(RowStyle.FULL)
    row: Row = {"account": 7, "symbol": "XBTUSD", "strategy": "OneWay", "markPrice": Decimal(1), "timestamp": "a"}
    mirror.frames([change(row, "position")])
    assert mirror.frames([change({**row, "timestamp": "b"}, "position", is_refresh=True)]) == []
    assert len(mirror.frames([change({**row, "timestamp": "c"}, "position")])) == 1


def test_an_empty_partial_still_names_the_account() -> None:
    """Keys, types, hints and filter are there even when there are no rows."""
    message = partial_message(ORDER, [], account=7, symbol=None, style=RowStyle.FULL)
    body = json.loads(message.payload)
    assert list(body) == ["table", "action", "keys", "types", "foreignKeys", "attributes", "filter", "data"]
    assert (body["action"], body["keys"], body["filter"], body["data"]) == ("partial", ["orderID"], {"account": 7}, [])
    assert body["types"]["stopPx"] == "float"
    assert body["attributes"]["workingIndicator"] == "grouped"
    assert (message.table, message.account, message.action) == ("order", 7, Action.PARTIAL)


def test_partials_of_the_new_form_have_no_hints() -> None:
    """With sparse rows a partial is as the venue's of 2024: no `foreignKeys`, no `attributes`."""
    message = partial_message(ORDER, [], account=7, symbol="XBTUSD", style=RowStyle.SPARSE)
    body = json.loads(message.payload)
    assert list(body) == ["table", "action", "keys", "types", "filter", "data"]
    assert body["filter"] == {"account": 7, "symbol": "XBTUSD"}


def test_the_symbol_of_liquidations_is_not_in_their_filter() -> None:
    """Recorded in 2024: `liquidation:XBTUSD` is answered with an empty filter."""
    message = partial_message(TABLES["liquidation"], [], account=None, symbol="XBTUSD", style=RowStyle.SPARSE)
    assert json.loads(message.payload)["filter"] == {}


def test_liquidations_repeat_their_symbol() -> None:
    """An update of a liquidation names order, symbol and what changed, as recorded."""
    mirror = Mirror(RowStyle.SPARSE)
    row: Row = {"orderID": "9", "symbol": "XBTUSD", "side": "Buy", "price": Decimal("88225.6"), "leavesQty": 15_800}
    mirror.frames([change(row, "liquidation")])
    (moved,) = mirror.frames([change({**row, "price": Decimal("88234.5")}, "liquidation")])
    assert moved.rows == ({"orderID": "9", "symbol": "XBTUSD", "price": Decimal("88234.5")},)
