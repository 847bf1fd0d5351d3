"""Answers as bytes: JSON in either row style, and on request CSV or XML.

Why: the venue renders any answer as `?_format=csv` or `xml`, spreadsheets ask for it. CSV quotes every
text and leaves empty cells empty; XML wraps a list's members in `result` elements.

Source: www.bitmex.com/api/explorer ("Return Types"); the exact text of the two is our reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from connectors.simulated.engine.changes import Row
from connectors.simulated.server.fates import JSON_TYPE
from connectors.simulated.server.json_text import dump, plain
from connectors.simulated.server.rest.call import Answer
from connectors.simulated.server.settings import RowStyle
from connectors.simulated.server.wire import styled

_CSV_TYPE = "text/csv; charset=utf-8"
_XML_TYPE = "application/xml; charset=utf-8"
_INDENT = "  "


def rendered(answer: Answer, *, form: str | None, style: RowStyle) -> tuple[bytes, str]:
    """Return an answer's body and its content type.

    Args:
        answer: A row, a list of rows, or a document.
        form: `csv` or `xml`; anything else is JSON.
        style: How empty columns of rows are written in JSON.
    """
    match form:
        case "csv":
            return _csv(answer).encode(), _CSV_TYPE
        case "xml":
            return _xml(answer).encode(), _XML_TYPE
        case _:
            return dump(_shaped(answer, style)), JSON_TYPE


def _shaped(answer: Answer, style: RowStyle) -> Answer:
    if style is RowStyle.FULL:
        return answer
    if isinstance(answer, list):
        return [_sparse(row) if isinstance(row, dict) else row for row in answer]
    return _sparse(answer) if isinstance(answer, dict) else answer


def _sparse(row: Row) -> Row:
    """Return a row without empty columns; those of orders come in alphabetical order, as since 2025.

    The answer of the dead man's switch is no row: how it says that it is off is a choice of its own.
    """
    if "cancelTime" in row:
        return row
    kept = styled(row, RowStyle.SPARSE)
    is_order = kept.keys() >= {"orderID", "transactTime"} and "execID" not in kept
    return dict(sorted(kept.items())) if is_order else kept


def _csv(answer: Answer) -> str:
    rows = [row for row in (answer if isinstance(answer, list) else [answer]) if isinstance(row, dict)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(_quoted(name) for name in columns)]
    lines += [",".join(_csv_cell(row.get(name)) for name in columns) for row in rows]
    return "\n".join(lines) + "\n"


def _csv_cell(cell: object) -> str:
    if cell is None:
        return ""
    return _quoted(cell) if isinstance(cell, str) else _text(cell)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _xml(answer: Answer) -> str:
    inside = {"result": answer} if isinstance(answer, list) else answer
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', *_elements("response", inside, "")]
    return "\n".join(lines) + "\n"


def _elements(name: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _elements(name, one, indent)
    elif isinstance(value, dict) and value:
        yield f"{indent}<{name}>"
        for inner, one in value.items():
            yield from _elements(inner, one, indent + _INDENT)
        yield f"{indent}</{name}>"
    else:
        text = _xml_text(value)
        yield f"{indent}<{name}>{text}</{name}>" if text else f"{indent}<{name}/>"


def _xml_text(value: object) -> str:
    if value is None or value == {}:
        return ""
    text = value if isinstance(value, str) else _text(value)
    return escape("".join(one for one in text if one.isprintable() or one in "\t\n"))


def _text(value: object) -> str:
    return dump(plain(value)).decode()
