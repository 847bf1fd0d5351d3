"""Where a calculator's contract figures come from."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.daemon.calc.calling import answer, refused

TRADE = "--side long --contracts 100 --entry 60000 --exit 61000"


def an_instruments_file(folder: Path, **changes: object) -> Path:
    """A saved reply of GET /instrument with XBTUSD in it, and an index that is no contract."""
    row = {
        "symbol": "XBTUSD",
        "typ": "FFWCSX",
        "state": "Open",
        "settlCurrency": "XBt",
        "multiplier": -100000000,
        "isInverse": True,
        "lotSize": 100,
        "tickSize": 0.5,
        "maxPrice": 1000000,
        "maxOrderQty": 10000000,
        "initMargin": 0.01,
        "maintMargin": 0.005,
        "takerFee": 0.00075,
        "makerFee": -0.00025,
        "markPrice": 60123.45,
    }
    file = folder / "instruments.json"
    file.write_text(json.dumps([{**row, **changes}, {"symbol": ".BXBT", "typ": "MRCXXX", "state": "Unlisted"}]))
    return file


def test_a_saved_reply_of_the_exchange_gives_the_figures(tmp_path: Path) -> None:
    """The file's fees count, and the answer names the file."""
    file = an_instruments_file(tmp_path)
    found = answer(f"calc pnl --symbol XBTUSD --instruments {file} {TRADE}")
    assert found["entry_fee_sat"] == 126
    assert found["source"] == str(file)


def test_csv_gives_the_same(tmp_path: Path) -> None:
    """A table with a header, as a spreadsheet saves it."""
    header = "symbol,settlCurrency,multiplier,isInverse,lotSize,tickSize,maxPrice,maxOrderQty,initMargin,maintMargin"
    file = tmp_path / "instruments.csv"
    file.write_text(f"{header},takerFee\nXBTUSD,XBt,-100000000,true,100,0.5,1000000,10000000,0.01,0.005,0.00075\n")
    assert answer(f"calc pnl --symbol XBTUSD --instruments {file} {TRADE}")["entry_fee_sat"] == 126


def test_typed_fees_go_before_those_that_were_looked_up(tmp_path: Path) -> None:
    """An account with better fees types them; the answer says so."""
    found = answer(f"calc pnl --symbol XBTUSD --instruments {an_instruments_file(tmp_path)} {TRADE} --taker-fee 0")
    assert found["entry_fee_sat"] == 0
    assert "typed: taker fee" in found["source"]


def test_the_built_in_table_names_itself_and_its_date() -> None:
    """Without a source the figures are those of the embedded exchange."""
    assert "May 2026" in answer(f"calc pnl --symbol XBTUSD {TRADE}")["source"]


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ("--symbol NOPE", "--symbol NOPE is not a contract in"),
        ("--symbol XBTUSD --kind linear", "--kind contradicts --symbol"),
        ("--symbol XBTUSD --tick-size 1", "--tick-size contradicts --symbol"),
        ("", "--kind, --multiplier, --tick-size missing"),
        ("--kind inverse --multiplier 100 --tick-size 0.1", "--multiplier is below 0"),
        ("--kind linear --multiplier -1 --tick-size 0.1", "--multiplier is below 0"),
        ("--kind linear --multiplier 1 --tick-size 10 --max-price 5", "--tick-size must be below --max-price"),
        ("--url http://127.0.0.1:1", "--url needs --symbol"),
        ("--symbol XBTUSD --instruments missing.json", "missing.json: cannot be read"),
        ("--symbol XBTUSD --url http://127.0.0.1:1", "no exchange answers"),
        ("--symbol XBTUSD --url nonsense", "no exchange answers"),
        ("--symbol XBTUSD --config missing.toml", "missing.toml"),
    ],
)
def test_contradictions_and_missing_sources_are_one_line(flags: str, named: str) -> None:
    """The line names the flag or the place."""
    assert named in refused(f"calc pnl {TRADE} {flags}")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "no table of instruments"),
        ("[", "is not JSON"),
        ('[{"symbol": "XBTUSD"}]', "is not a contract in"),
        ("[1]", "row 1 is not an object"),
        ("a,b\n1,2\n", "no table of instruments"),
    ],
)
def test_a_file_that_is_none_is_named_with_what_is_wrong(tmp_path: Path, content: str, named: str) -> None:
    """Place and reason, in one line."""
    file = tmp_path / "instruments.json"
    file.write_text(content)
    assert named in refused(f"calc pnl --symbol XBTUSD --instruments {file} {TRADE}")


def test_a_row_that_cannot_be_is_named(tmp_path: Path) -> None:
    """An inverse contract with a multiplier above zero makes no sense."""
    line = refused(f"calc pnl --symbol XBTUSD --instruments {an_instruments_file(tmp_path, multiplier=100)} {TRADE}")
    assert "instrument 1 (XBTUSD)" in line


@pytest.mark.parametrize(("typed", "meant"), [("xbtusd", "XBTUSD"), ("BTC/USDT", "XBTUSDT"), ("ETH-USD", "ETHUSD")])
def test_a_symbol_as_other_places_write_it_is_told_as_it_is_here(typed: str, meant: str) -> None:
    """Never taken for what it may mean, but said."""
    line = f"calc pnl --symbol {typed} --side long --contracts 100 --entry 1 --exit 2"
    assert refused(line).endswith(f"; {meant} is\n")


def test_json_holds_the_figures_of_the_contract() -> None:
    """Whoever reads the answer by program sees what it was computed with, as the text shows it."""
    found = answer("calc pnl --symbol XBTUSD --side long --contracts 100 --entry 60000 --exit 61000 --taker-fee 0.03%")
    names = ("multiplier", "lot_size", "initial_margin_ratio", "maintenance_margin_ratio", "taker_fee")
    assert [found[name] for name in names] == [-100_000_000, 100, Decimal("0.01"), Decimal("0.005"), Decimal("0.0003")]
