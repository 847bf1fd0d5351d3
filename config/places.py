"""Where in a settings file each key stands, so that a complaint can name its line.

Why: the TOML reader gives values without places. This looks for headers and keys line by line; what it does not
recognise (a key inside an inline table) has the line of the table around it, or none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_NAME = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[{{1,2}}[ \t]*({_NAME})[ \t]*\]{{1,2}}")
_KEY = re.compile(rf"[ \t]*({_NAME})[ \t]*=")
_PARTS = re.compile(_PART)
_LONGEST_LINE = 1_000
"""A longer line is no key that anybody wrote by hand."""
_LONGEST_COMPLAINT = 1_000


def lines_of(text: str) -> dict[str, int]:
    """Return the line, counted from 1, at which each dotted place is written first."""
    lines: dict[str, int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        beginning = line[:_LONGEST_LINE]
        header = _HEADER.match(beginning)
        if header is not None:
            table = _parts(header[1])
            _note(lines, table, number)
            continue
        key = _KEY.match(beginning)
        if key is not None:
            _note(lines, (*table, *_parts(key[1])), number)
    return lines


def line_of(lines: Mapping[str, int], place: str) -> int | None:
    """Return the line of a place, else of the nearest table around it; None if there is none."""
    parts = place.split(".")
    for length in range(len(parts), 0, -1):
        found = lines.get(".".join(parts[:length]))
        if found is not None:
            return found
    return None


def plain(problem: str) -> str:
    """Return a complaint fit for a terminal: one line, no control signs, of a length that can be read."""
    line = "".join(sign if sign.isprintable() else "?" for sign in problem)
    return line if len(line) <= _LONGEST_COMPLAINT else f"{line[: _LONGEST_COMPLAINT - 3]}..."


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PARTS.findall(name))


def _note(lines: dict[str, int], place: tuple[str, ...], number: int) -> None:
    for length in range(1, len(place) + 1):
        lines.setdefault(".".join(place[:length]), number)
