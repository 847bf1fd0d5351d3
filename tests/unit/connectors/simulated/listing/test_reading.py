"""Files of instruments: what is read, and what is said about those that cannot be."""

from __future__ import annotations

import csv
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.listing.reading import ListingError, contract_of, read_file


def own_row(symbol: str = "XBTUSD", **changes: Any) -> dict[str, Any]:
    """Return a row of our own table, open, with some cells changed."""
    text = resources.files("connectors.simulated.listing").joinpath("contracts.csv").read_text("utf-8")
    row = next(row for row in csv.DictReader(text.splitlines()) if row["symbol"] == symbol)
    return {**row, "state": "Open", **changes}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    """Return a file with these rows as JSON."""
    path = folder / "instruments.json"
    path.write_text(json.dumps(rows))
    return path


def test_a_reply_of_the_venue(tmp_path: Path) -> None:
    """Contracts that are open are listed with an index for each name they need; the others are not."""
    path = written(tmp_path, own_row(), own_row("ETHUSD", state="Settled"), own_row("SOLUSDT", lastPrice=80.5))
    listing = read_file(path)
    assert listing.contracts[0] == XBTUSD
    assert [one.symbol for one in listing.contracts] == ["XBTUSD", "SOLUSDT"]
    assert {one.symbol for one in listing.indices} >= {".BXBT", ".BSOLT", ".SOLUSDTPI8H", ".USDTBON8H"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lotSize": 0}, "XBTUSD: lotSize has to be above zero"),
        ({"tickSize": "much"}, "XBTUSD: tickSize 'much' is not a number"),
        ({"multiplier": 1}, "XBTUSD: multiplier 1 does not fit a contract of its kind"),
        ({"lotSize": 1.5, "maxOrderQty": None}, "XBTUSD: maxOrderQty has to be above zero"),
        ({"riskLimit": "0.5"}, "XBTUSD: riskLimit 0.5 is not a whole number"),
        ({"listing": ""}, "XBTUSD: no listing"),
        ({"state": "Settled"}, "lists no open XBTUSD"),
    ],
)
def test_a_row_that_makes_no_sense(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    """The text names file, symbol and column."""
    path = written(tmp_path, own_row(**changes))
    with pytest.raises(ListingError, match=message) as caught:
        read_file(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no rows with a symbol"),
        (b"[1]", "neither the JSON nor the CSV"),
        (b'{"error": {}}', "neither the JSON nor the CSV"),
        (b"\xff\xfe", "neither the JSON nor the CSV"),
        (b"\x1f\x8bcut", "gzip data is damaged"),
        (b"a,b\n1,2\n", "has no rows with a symbol"),
    ],
)
def test_what_is_no_listing(tmp_path: Path, content: bytes, message: str) -> None:
    """Each kind of wrong file has a text of its own."""
    path = tmp_path / "wrong"
    path.write_bytes(content)
    with pytest.raises(ListingError, match=message):
        read_file(path)


def test_a_missing_file(tmp_path: Path) -> None:
    """It is named, with the reason."""
    with pytest.raises(ListingError, match="No such file"):
        read_file(tmp_path / "none.json")


def test_empty_cells_of_json_and_csv_mean_the_same() -> None:
    """None, an empty text and a missing column are one."""
    row = own_row("XBT_USDT")
    assert contract_of(row) == contract_of({name: cell or None for name, cell in row.items()})
    assert contract_of(row) == contract_of({name: cell for name, cell in row.items() if cell})
