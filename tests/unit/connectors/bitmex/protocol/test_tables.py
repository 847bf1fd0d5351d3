"""The table protocol."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.bitmex.protocol.tables import (
    FINISHED_REMEMBERED,
    Action,
    OrderTable,
    PositionTable,
    Seen,
    Table,
    TableBroken,
)

KEYS = ("account", "symbol")


def a_table(*rows: dict[str, Any]) -> Table:
    """Return a table after a partial of these rows."""
    table = Table("position")
    table.apply(Action.PARTIAL, rows, keys=KEYS)
    return table


def row(symbol: str = "XBTUSD", **cells: Any) -> dict[str, Any]:
    """Return a row with its key."""
    return {"account": 1, "symbol": symbol, **cells}


def test_changes_before_the_partial_are_dropped() -> None:
    """Nothing is believed before the partial."""
    table = Table("position")
    assert table.apply(Action.INSERT, [row()]) == []
    assert table.apply(Action.UPDATE, [row()]) == []
    assert table.apply(Action.DELETE, [row()]) == []
    assert not table.is_known


def test_update_keeps_what_it_does_not_name() -> None:
    """An absent column is not a null; an explicit null is one."""
    table = a_table(row(a=1, b=2))
    assert table.apply(Action.UPDATE, [row(b=None)]) == [row(a=1, b=None)]


def test_empty_partial_means_nothing_is_there() -> None:
    """An empty partial ends the waiting and forgets."""
    table = a_table(row())
    table.apply(Action.PARTIAL, [], keys=KEYS)
    assert table.rows() == []
    assert table.is_known


def test_repeated_partial_replaces() -> None:
    """A partial may come again at any time: it replaces, it does not add."""
    table = a_table(row("A"), row("B"))
    table.apply(Action.PARTIAL, [row("C")], keys=KEYS, covered={})
    assert table.rows() == [row("C")]


def test_partial_covers_rows_that_lack_its_column() -> None:
    """A sparse row without the column of the filter does not outlive the picture that replaces it."""
    table = Table("order")
    table.apply(Action.PARTIAL, [{"orderID": "a", "account": None}], keys=["orderID"], covered={"account": 1})
    table.apply(Action.INSERT, [{"orderID": "b"}])
    table.apply(Action.PARTIAL, [], covered={"account": 1})
    assert table.rows() == []


def test_filtered_partial_replaces_only_what_it_covers() -> None:
    """Two subscriptions of one table give two partials; each replaces its own rows."""
    table = a_table(row("A", x=1), row("B", x=1))
    table.apply(Action.PARTIAL, [row("A", x=2)], keys=KEYS, covered={"symbol": "A"})
    assert sorted(table.rows(), key=str) == [row("A", x=2), row("B", x=1)]
    table.apply(Action.PARTIAL, [], keys=KEYS, covered={"symbol": "B"})
    assert table.rows() == [row("A", x=2)]


def test_keys_come_from_the_partial() -> None:
    """Since strategy is a key, one symbol may have two rows; an update must name it."""
    table = Table("position")
    keys = ("account", "symbol", "strategy")
    table.apply(Action.PARTIAL, [row(strategy="Long", q=1), row(strategy="Short", q=2)], keys=keys)
    assert table.apply(Action.UPDATE, [row(strategy="Short", q=3)]) == [row(strategy="Short", q=3)]
    with pytest.raises(TableBroken, match="strategy"):
        table.apply(Action.UPDATE, [row(q=4)])


@pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE])
def test_change_of_an_unknown_row_breaks_the_table(action: Action) -> None:
    """A change that matches no row means that something was lost."""
    with pytest.raises(TableBroken, match="not known"):
        a_table(row("A")).apply(action, [row("B")])


@pytest.mark.parametrize("action", [Action.INSERT, Action.UPDATE, Action.DELETE])
def test_row_without_a_key_column_breaks_the_table(action: Action) -> None:
    """A row that lacks a key column is not guessed to be any."""
    with pytest.raises(TableBroken, match="symbol"):
        a_table(row("A")).apply(action, [{"account": 1}])


def test_first_partial_must_name_its_keys() -> None:
    """Keys have changed over the years and are never assumed."""
    with pytest.raises(TableBroken, match="no keys"):
        Table("position").apply(Action.PARTIAL, [row()])


def test_delete_forgets() -> None:
    """A deleted row is gone, and a second delete finds nothing."""
    table = a_table(row("A"))
    assert table.apply(Action.DELETE, [row("A")]) == [row("A")]
    assert table.rows() == []


def test_remembers_only_the_wanted_columns() -> None:
    """A table of every instrument keeps what is read of it."""
    table = Table("instrument", columns={"symbol", "state"})
    table.apply(Action.PARTIAL, [{"symbol": "A", "state": "Open", "volume": 5}], keys=("symbol",))
    table.apply(Action.UPDATE, [{"symbol": "A", "volume": 6}])
    assert table.rows() == [{"symbol": "A", "state": "Open"}]


def test_keyless_table_is_all_inserts() -> None:
    """Executions have no key: rows pass through and nothing is kept."""
    table = Table("execution")
    table.apply(Action.PARTIAL, [{"execID": "1"}], keys=())
    assert table.apply(Action.INSERT, [{"execID": "2"}]) == [{"execID": "2"}]
    assert table.rows() == []


def a_position(**cells: Any) -> PositionTable:
    """Return the position table after a partial of one row."""
    table = PositionTable("position")
    table.apply(Action.PARTIAL, [row(**cells)], keys=KEYS)
    return table


@pytest.mark.parametrize("flat", [{"currentQty": 0}, {"isOpen": False}])
def test_prices_do_not_outlive_the_position(flat: dict[str, Any]) -> None:
    """A sparse engine may clear nothing when a position closes; its old liquidation price must not come back."""
    table = a_position(currentQty=100, isOpen=True, liquidationPrice=90)
    table.apply(Action.UPDATE, [row(**flat)])
    (reopened,) = table.apply(Action.UPDATE, [row(currentQty=50, isOpen=True)])
    assert "liquidationPrice" not in reopened


def test_prices_do_not_survive_a_change_of_sides() -> None:
    """A long's liquidation price says nothing about the short that it became."""
    table = a_position(currentQty=100, isOpen=True, liquidationPrice=90, avgEntryPrice=100)
    (turned,) = table.apply(Action.UPDATE, [row(currentQty=-100, avgEntryPrice=101)])
    assert "liquidationPrice" not in turned
    assert turned["avgEntryPrice"] == 101


def test_prices_stay_while_the_side_stays() -> None:
    """An update that names no liquidation price leaves the known one."""
    table = a_position(currentQty=100, isOpen=True, liquidationPrice=90)
    (grown,) = table.apply(Action.UPDATE, [row(currentQty=200)])
    assert grown["liquidationPrice"] == 90


def an_order(order_id: str = "a", status: str = "New") -> dict[str, Any]:
    """Return an order row."""
    return {"orderID": order_id, "ordStatus": status}


def an_order_table(*orders: dict[str, Any]) -> OrderTable:
    """Return the order table after a partial of these orders."""
    table = OrderTable()
    table.apply(Action.PARTIAL, orders, keys=("orderID",))
    return table


def test_finished_orders_leave_the_table() -> None:
    """The venue never deletes finished orders: they are dropped once they have been told."""
    table = an_order_table(an_order("a"), an_order("b"))
    table.apply(Action.UPDATE, [an_order("a", "Filled")])
    assert len(table.rows()) == 2
    table.settle()
    assert table.rows() == [an_order("b")]


def test_late_word_about_a_finished_order_finds_its_row() -> None:
    """A filled order may come back for a minute, and gets late updates: neither breaks the table."""
    table = an_order_table(an_order("a") | {"side": "Sell"})
    table.apply(Action.UPDATE, [an_order("a", "Filled")])
    table.settle()
    (revived,) = table.apply(Action.UPDATE, [an_order("a", "New")])
    assert revived["side"] == "Sell"
    table.settle()
    assert len(table.rows()) == 1


def test_reinserted_order_is_not_mixed_with_its_finished_self() -> None:
    """An insert of a remembered id starts a row of its own."""
    table = an_order_table(an_order("a", "Filled") | {"old": True})
    table.settle()
    table.apply(Action.INSERT, [an_order("a", "New")])
    (updated,) = table.apply(Action.UPDATE, [{"orderID": "a", "leavesQty": 1}])
    assert updated == {"orderID": "a", "ordStatus": "New", "leavesQty": 1}


def test_memory_of_finished_orders_is_bounded() -> None:
    """Old finished orders are forgotten; a word about one of them breaks the table, as about any unknown."""
    table = an_order_table(*(an_order(str(number), "Filled") for number in range(FINISHED_REMEMBERED + 1)))
    table.settle()
    with pytest.raises(TableBroken):
        table.apply(Action.UPDATE, [an_order("0", "New")])
    table.apply(Action.UPDATE, [an_order("1", "New")])


def test_each_execution_once() -> None:
    """Repeats after a reconnect are recognised, within a bounded memory."""
    seen = Seen(remembered=2)
    assert [seen.is_new(identity) for identity in ("a", "b", "a", "c", "a")] == [True, True, False, True, True]


def test_only_what_was_touched_is_looked_at() -> None:
    """An account of a thousand orders is not searched for every change; a row touched twice settles once."""
    table = OrderTable()
    rows = [{"orderID": name, "ordStatus": "New"} for name in ("a", "b")]
    table.apply(Action.PARTIAL, rows, keys=["orderID"])
    touched = table.apply(Action.UPDATE, [{"orderID": "a", "leavesQty": 0}, {"orderID": "a", "ordStatus": "Filled"}])
    table.settle(touched)
    assert [row["orderID"] for row in table.rows()] == ["b"]
    assert table.apply(Action.UPDATE, [{"orderID": "a", "avgPx": 1}])[0]["ordStatus"] == "Filled"


def test_a_finished_order_that_was_inserted_and_deleted_since_does_not_come_back() -> None:
    """What it was once is no row that a change could be laid over."""
    table = OrderTable()
    table.apply(Action.PARTIAL, [], keys=("orderID",))
    table.settle(table.apply(Action.INSERT, [{"orderID": "a", "ordStatus": "Filled"}]))
    table.apply(Action.INSERT, [{"orderID": "a", "ordStatus": "New"}])
    table.apply(Action.DELETE, [{"orderID": "a"}])
    with pytest.raises(TableBroken, match="not known"):
        table.apply(Action.UPDATE, [{"orderID": "a", "leavesQty": 1}])


def test_a_forgotten_table_knows_nothing_until_its_partial() -> None:
    """A table in doubt takes no change, open and finished rows alike."""
    table = OrderTable()
    table.apply(
        Action.PARTIAL,
        [{"orderID": "a", "ordStatus": "New"}, {"orderID": "b", "ordStatus": "Filled"}],
        keys=("orderID",),
    )
    table.settle()
    table.forget()
    assert not table.is_known
    assert table.apply(Action.UPDATE, [{"orderID": "a"}]) == []
    table.apply(Action.PARTIAL, [], keys=("orderID",))
    with pytest.raises(TableBroken, match="not known"):
        table.apply(Action.UPDATE, [{"orderID": "b"}])


@pytest.mark.parametrize(("keys", "why"), [((), "no keys"), (("account",), "do not tell apart")])
def test_keys_that_tell_too_little_are_not_believed(keys: tuple[str, ...], why: str) -> None:
    """P2: with one row standing for two, a position would be gone without a word."""
    rows = [{"account": 1, "symbol": "XBTUSD"}, {"account": 1, "symbol": "ETHUSD"}]
    with pytest.raises(TableBroken, match=why):
        PositionTable("position").apply(Action.PARTIAL, rows, keys=keys)
