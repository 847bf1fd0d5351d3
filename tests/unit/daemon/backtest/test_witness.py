"""What the books of an account make of its fills: averages, who closed what, and how it ended."""

from __future__ import annotations

import pytest

from connectors.simulated.engine.changes import Row
from daemon.backtest.record import Ending
from daemon.backtest.witness import AccountBook, Witness
from daemon.core.commands import RaiseAlert, Severity
from daemon.core.reasons import Reason


def fill(side: str, quantity: int, price: float, *, whose: str = "bot-1", kind: str = "Market", text: str = "") -> Row:
    """One execution row."""
    return {
        "execType": "Trade",
        "side": side,
        "lastQty": quantity,
        "lastPx": price,
        "execComm": 10,
        "clOrdID": whose,
        "ordType": kind,
        "text": text,
    }


def booked(*rows: Row) -> AccountBook:
    """The books after some fills, a second apart."""
    book = AccountBook(Witness(0))
    for number, row in enumerate(rows):
        book.take(row, 1_000 * number)
    return book


def test_entry_and_exit_are_averages_by_coin() -> None:
    """100 at 10,000 and 300 at 20,000 are 0.025 coins: 16,000, not the middle of the prices."""
    book = booked(
        fill("Buy", 100, 10_000), fill("Buy", 300, 20_000), fill("Sell", 200, 8_000), fill("Sell", 200, 8_000)
    )
    assert book.entry_price == pytest.approx(16_000)
    assert book.exit is not None
    assert (book.exit.price, book.exit.at_ms, book.exit.ending) == (8_000, 3_000, Ending.CLOSED)
    assert book.fees_sat == 40


def test_a_part_that_the_liquidator_took_makes_it_a_liquidation() -> None:
    """P2: whoever closes the rest, a forced part is never passed over in silence."""
    book = booked(
        fill("Buy", 300, 10_000),
        fill("Sell", 100, 9_000, whose="", text="Liquidation"),
        fill("Sell", 200, 9_100, whose="sw-1", kind="Stop"),
    )
    assert book.exit is not None
    assert book.exit.ending is Ending.LIQUIDATED
    assert (book.liquidated, book.closed_by_guard) == (100, 200)


def test_an_auto_deleveraged_position_was_not_closed_by_the_bot() -> None:
    """The exchange took it for somebody else's bankruptcy."""
    book = booked(fill("Buy", 300, 10_000), fill("Sell", 300, 12_000, whose="", kind="Limit", text="Deleverage"))
    assert book.exit is not None
    assert book.exit.ending is Ending.DELEVERAGED
    assert book.liquidated == 0


def test_alerts_that_the_report_is_made_of_are_kept_and_all_are_counted() -> None:
    """A long history may hold thousands of others; a word of a rule in shadow is not lost for them."""
    witness = Witness(0)
    witness.mark = 8_000.0
    for topic in ("tier", "shadow"):
        alert = RaiseAlert(
            reason=Reason.SHADOW,
            severity=Severity.NOTE,
            topic=topic,
            state="a",
            symbol="",
            text="b",
            alert_id="1",
            facts=(),
        )
        witness.saw_alert(alert, 5_000_000)
    assert witness.counted == {"note tier a": 1, "note shadow a": 1}
    assert [(one.topic, one.at_ms, one.mark) for one in witness.told] == [("shadow", 5, 8_000.0)]
