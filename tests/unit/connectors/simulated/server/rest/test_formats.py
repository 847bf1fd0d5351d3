"""Answers as JSON, CSV and XML."""

from __future__ import annotations

from decimal import Decimal

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
