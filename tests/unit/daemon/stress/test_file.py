"""Accounts out of files: whole rows, a few typed figures, and what is wrong with a wrong file."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from daemon.stress.file import account_of, read_account
from daemon.wire_rows import RowsUnusable
from tests.unit.daemon.calc.calling import answer, refused

D = Decimal
LONG = {"symbol": "XBTUSD", "currentQty": 10_000, "avgEntryPrice": 60_000, "leverage": 10}
XBT = {"currency": "XBt", "walletBalance": 10_000_000}


def a_document(**changes: Any) -> dict[str, Any]:
    """The smallest account: one position, its wallet, its mark."""
    return {"positions": [LONG], "margins": [XBT], "marks": {"XBTUSD": 60_000}, **changes}


def test_a_few_figures_are_enough() -> None:
    """Costs and margins are worked out as `calc liquidation` does, and the account says so."""
    account = account_of(a_document(), "typed")
    position = account.rows.positions["XBTUSD"]
    found = answer("calc liquidation --symbol XBTUSD --side long --contracts 10000 --entry 60000 --leverage 10")
    assert position.margin_sat == found["margin_sat"]
    assert position.maintenance_sat == found["maintenance_sat"]
    assert any("worked out" in note for note in account.notes)
    assert any("figures of May 2026" in note for note in account.notes)


def test_a_mark_comes_from_marks_then_instrument_then_position() -> None:
    """The nearest to the reader wins."""
    instrument = {
        "symbol": "XBTUSD",
        "settlCurrency": "XBt",
        "multiplier": -100_000_000,
        "isInverse": True,
        "lotSize": 100,
        "tickSize": D("0.1"),
        "maxPrice": 1_000_000,
        "maxOrderQty": 10_000_000,
        "initMargin": D("0.01"),
        "maintMargin": D("0.005"),
        "markPrice": 59_000,
    }
    positions = [{**LONG, "markPrice": 58_000}]
    document = a_document(instruments=[instrument], positions=positions)
    assert account_of(document, "typed").rows.marks["XBTUSD"] == 60_000
    del document["marks"]
    assert account_of(document, "typed").rows.marks["XBTUSD"] == 59_000
    del document["instruments"]
    assert account_of(document, "typed").rows.marks["XBTUSD"] == 58_000


def test_flat_positions_and_finished_orders_are_left_out() -> None:
    """Saved tables are full of both."""
    flat = {"symbol": "ETHUSD", "currentQty": 0}
    done = {"symbol": "XBTUSD", "side": "Sell", "ordType": "Stop", "stopPx": 59_000, "ordStatus": "Filled"}
    account = account_of(a_document(positions=[LONG, flat], orders=[done]), "typed")
    assert list(account.rows.positions) == ["XBTUSD"]
    assert account.orders == ()


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ([], "must be an object"),
        ({"positions": []}, "margins is missing"),
        (a_document(extra=1), "unknown key 'extra'"),
        (a_document(positions="none"), "positions must be a list"),
        (a_document(positions=[1]), "positions: row 1 is not an object"),
        (a_document(positions=[{"currentQty": 1}]), "position 1: symbol is missing"),
        (a_document(positions=[{**LONG, "currentQty": "many"}]), "position 1 (XBTUSD): currentQty is not a number"),
        (a_document(positions=[LONG, LONG]), "position 2 (XBTUSD): stands twice"),
        (a_document(positions=[{**LONG, "symbol": "NOPE"}]), "position 1 (NOPE): instruments has no row"),
        (a_document(positions=[{**LONG, "symbol": "XBTUSDT"}]), "margins has no row for USDt"),
        (a_document(positions=[{**LONG, "leverage": 0}]), "needs posMargin and posMaint, or leverage"),
        (a_document(positions=[{**LONG, "leverage": 1000}]), "leverage 1000 is above the most"),
        (a_document(positions=[{**LONG, "avgEntryPrice": None}]), "avgEntryPrice is missing"),
        (a_document(margins=[XBT, XBT]), "margin: XBt stands twice"),
        (a_document(margins=[{"currency": "XBt"}]), "margin 1 (XBt): amount is missing"),
        (a_document(marks={"XBTUSD": -1}), "marks: XBTUSD is not a price above 0"),
        (a_document(marks={"XBTUSD": True}), "marks: XBTUSD is not a price above 0"),
        (a_document(marks=[]), "marks must be an object"),
        (a_document(marks={}), "no mark price"),
        (a_document(orders=[{"symbol": "XBTUSD"}]), "order 1 (XBTUSD): side is neither"),
        (a_document(instruments=[{"symbol": "XBTUSD", "settlCurrency": 5}]), "settlCurrency is not text"),
    ],
)
def test_a_wrong_file_gets_one_line_with_its_place(document: object, named: str) -> None:
    """Where it is wrong, and what is wrong there."""
    with pytest.raises(RowsUnusable) as refusal:
        account_of(document, "account.json")
    assert str(refusal.value).startswith("account.json")
    assert named in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_command_says_it_in_one_line(tmp_path: Path) -> None:
    """A file that is missing, is no JSON, or holds nothing to move."""
    file = tmp_path / "account.json"
    assert "cannot be read" in refused(f"stress --file {file}")
    file.write_text("{")
    assert "is not JSON" in refused(f"stress --file {file}")
    file.write_text(json.dumps({"positions": [], "margins": [XBT]}))
    assert "no open position" in refused(f"stress --file {file}")
    file.write_text(json.dumps(a_document()))
    assert "--symbol ETHUSD: no open position; open are XBTUSD" in refused(f"stress --file {file} --symbol ETHUSD")
    assert "--underlying X: no open position; open are .BXBT" in refused(f"stress --file {file} --underlying X")
    assert "--live needs --config" in refused(f"stress --file {file} --live")
    assert "--step" in refused(f"stress --file {file} --step 0")
    assert "cannot be written" in refused(f"stress --file {file} --html {tmp_path}/no/where.html")
    assert read_account(file).rows.marks == {"XBTUSD": 60_000}
