"""Answers as JSON, CSV and XML."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from connectors.simulated.server.rest.formats import rendered
from connectors.simulated.server.settings import RowStyle

ROWS = [
    {"symbol": "XBTUSD", "price": Decimal("50000.5"), "size": Decimal(100), "side": None, "text": 'a "b", c'},
    {"symbol": "ETHUSD", "isOpen": True},
]


def text(answer: object, form: str | None = None, style: RowStyle = RowStyle.FULL) -> str:
    """Return the body."""
    return rendered(answer, form=form, style=style)[0].decode()


def test_json_in_both_styles() -> None:
    """Empty columns are null, or absent."""
    assert '"side":null' in text(ROWS)
    assert "side" not in text(ROWS, style=RowStyle.SPARSE)
    assert text("an address") == '"an address"'


def test_sparse_orders_are_written_as_the_venue_writes_them(real_data: Path) -> None:
    """Recorded replies of 2025 have the columns of orders in alphabetical order; so have ours."""
    lines = (real_data / "rest" / "bitmex-rest-order-replies-2025.jsonl").read_text().splitlines()
    replies = [reply for line in lines if "error" not in (reply := json.loads(line)) or isinstance(reply, list)]
    for recorded in replies:
        rows = recorded if isinstance(recorded, list) else [recorded]
        mixed = [dict(reversed(row.items())) for row in rows]
        ours = json.loads(text(mixed, style=RowStyle.SPARSE))
        assert [list(row) for row in ours] == [list(row) for row in rows]
    assert len(replies) > 4


def test_csv_has_a_line_of_columns_and_quotes_texts() -> None:
    """All columns of all rows; what a row lacks is an empty cell."""
    head, first, second = text(ROWS, "csv").splitlines()
    assert head == '"symbol","price","size","side","text","isOpen"'
    assert first == '"XBTUSD",50000.5,100,,"a ""b"", c",'
    assert second == '"ETHUSD",,,,,true'
    assert text([], "csv") == "\n"


def test_xml_wraps_rows_in_results() -> None:
    """One element a row, markup escaped, what XML cannot hold left out."""
    body = text([{"symbol": "XBTUSD", "text": "<a>\x00", "price": None}], "xml")
    assert body == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<response>\n  <result>\n    <symbol>XBTUSD</symbol>\n'
        "    <text>&lt;a&gt;</text>\n    <price/>\n  </result>\n</response>\n"
    )
    assert rendered({}, form="xml", style=RowStyle.FULL)[1].startswith("application/xml")
