"""Prints of the indices on the `trade` table."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.changes import Change, Row
from tests.unit.connectors.simulated.engine.desk import Desk, prices


def prints(changes: list[Change], symbol: str = ".BXBT") -> list[Row]:
    """Return the index's rows among the trades."""
    return [change.row for change in changes if change.table == "trade" and change.row["symbol"] == symbol]


def test_a_step_prints_each_index_it_names() -> None:
    """Size 0, Referential, the index price (not the mark), and nothing that only a match has."""
    desk = Desk()
    (row,) = prints(desk.move(prices(mark=50_000, index=50_100)))
    assert (row["size"], row["price"], row["trdType"], row["side"]) == (0, 50_100, "Referential", "Buy")
    assert row["tickDirection"] == "PlusTick"
    assert [row[name] for name in ("trdMatchID", "grossValue", "homeNotional", "foreignNotional")] == [None] * 4
    assert desk.exchange.trade_rows(".BXBT")[-1] == row


def test_a_standing_price_is_printed_too() -> None:
    """The index goes on printing while nothing moves."""
    desk = Desk()
    desk.move(prices())
    (row,) = prints(desk.move(prices()))
    assert (row["price"], row["tickDirection"]) == (50_000, "ZeroPlusTick")


def test_one_print_a_second() -> None:
    """A fast tape moves prices many times a second; the index prints once."""
    desk = Desk()
    found = prints(desk.move(prices(index=50_001)))
    desk.at_ms -= 1_000 - 10
    found += prints(desk.move(prices(index=50_002)))
    desk.at_ms += 5
    assert [row["price"] for row in found] == [Decimal(50_001)]
    assert len(prints(desk.move(prices(index=50_003)))) == 1
