"""Prints of the indices on the `trade` table."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.engine.inputs import ListContracts
from connectors.simulated.listing.opening import venue_catalogue
from tests.unit.connectors.simulated.engine.desk import TAPE_MS, Desk, prices


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


def test_rates_are_printed_at_the_funding_exchange() -> None:
    """Interest of both currencies and the premium: three prints of each perpetual, once in eight hours."""
    desk = Desk()
    table = venue_catalogue().table
    names = (XBTUSD.funding_base_symbol, XBTUSD.funding_quote_symbol, XBTUSD.funding_premium_symbol)
    desk.apply(ListContracts(contracts=(), indices=tuple(one for one in table.indices if one.symbol in names)))
    desk.exchange.take_changes()
    desk.at_ms += 8 * 3_600_000
    changes = desk.move(prices(index=49_950), tape_ms=TAPE_MS + 4 * 3_600_000 + 1)
    printed = {name: row["price"] for name in names for row in prints(changes, str(name))}
    assert printed == {
        ".XBTBON8H": Decimal("0.0003"),
        ".USDBON8H": Decimal("0.0006"),
        ".XBTUSDPI8H": desk.exchange.instrument_rows(".XBTUSDPI8H")[0]["lastPrice"],
    }
    assert not [row for name in names for row in prints(desk.move(prices(index=49_900)), str(name))]


def test_an_average_stands_until_its_time() -> None:
    """`.BXBT30M` is published every four hours; in between its row and its prints stand still."""
    desk = Desk()
    before = desk.exchange.instrument_rows(".BXBT30M")[0]["lastPrice"]
    desk.move(prices("XBTH27", 52_000))
    assert desk.exchange.instrument_rows(".BXBT30M")[0]["lastPrice"] == before
    desk.at_ms += 4 * 3_600_000
    desk.move(prices("XBTH27", 53_000))
    assert desk.exchange.instrument_rows(".BXBT30M")[0]["lastPrice"] == 53_000
