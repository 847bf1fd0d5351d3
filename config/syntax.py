"""Lines that are no TOML: all of them at once, each with what is usually meant.

Why: the TOML reader ends at the first mistake. Here the line is left out and the reading goes on, so that somebody who
forgot quotes in three places hears of three. No value is repeated: it may be a credential in the wrong place.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

_MOST: Final = 20
_PLACE: Final = re.compile(r" \(at line (\d+), column \d+\)$")
_BARE_WORD: Final = re.compile(r"^\s*[\w.\-\"']+\s*=\s*[A-Za-z][\w./:-]*\s*(#.*)?$")
_OTHER_CASE: Final = re.compile(r"=\s*(true|false|yes|no|on|off)\b", re.IGNORECASE)
_MODE: Final = "mode"
"""Every key of this name takes "on" or "off" as text; no other one does."""
_KEY: Final = re.compile(r"^\s*[\w.\-\"']+\s*[=:]")
_TWICE: Final = ("Cannot overwrite", "Cannot declare", "Duplicate")
_AT_END: Final = " (at end of document)"
_USUAL: Final = (
    (re.compile(r"^\s*[\w.\-]+\s*:[^=]*$"), "write = between key and value"),
    (re.compile(r"^\s*\[[^\]]*$"), "a table's name ends with ]"),
    (
        re.compile("[\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb]"),
        'quotes are " and nothing else: a program has changed them',
    ),
    (re.compile(r"^\s*[\w.\-]+\s*$"), "a key has a value: KEY = VALUE"),
    (re.compile(r"=\s*(#.*)?$"), "the value is missing"),
    (re.compile(r"=\s*-?\d+,\d+\s*(#.*)?$"), "a number has a point, not a comma"),
    (re.compile(r"=\s*\d{1,2}:\d\d\s*(#.*)?$"), 'a time of day stands in quotes, as in "22:30"'),
    (re.compile(r"=\s*-?[\d._]+\s*(%|[A-Za-z]+)\s*(#.*)?$"), "write the number alone: the key's name says its unit"),
    (re.compile(r"=\s*\[\s*[A-Za-z]"), "each text in a list stands in quotes"),
    (re.compile(r"^\s*\{"), "this is no TOML but perhaps JSON: write [TABLE], and KEY = VALUE below it"),
)
"""A line that looks like this, and what to do about it. The first one counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mended:
    """What of a text could be read."""

    tables: dict[str, Any]
    problems: tuple[str, ...]
    """Each with its line and what to write instead; empty when nothing was wrong."""
    is_sure: bool
    """What is left means what it says: no line was left out that the ones below it hang on."""


def read_toml(text: str) -> Mended:
    """Read a text, leaving out lines that are no TOML.

    Raises:
        ValueError: If it holds a value too long, or lists too deep, to be read at all.
        RecursionError: Likewise.
    """
    lines, is_sure = text.split("\n"), True
    problems: list[str] = []
    for _ in range(_MOST):
        try:
            tables = tomllib.loads("\n".join(lines), parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            number = _line_of(str(error), lines)
            if number is None:
                return Mended(tables={}, problems=(*problems, f"is not valid TOML: {error}"), is_sure=False)
            line, what = lines[number - 1], _PLACE.sub("", str(error)).removesuffix(_AT_END)
            problems.append(f"line {number} is not valid TOML: {what}{_hint(line, what)}")
            is_sure = is_sure and _KEY.match(line) is not None
            lines[number - 1] = ""
        else:
            return Mended(tables=tables, problems=tuple(problems), is_sure=is_sure)
    return Mended(tables={}, problems=tuple(problems), is_sure=False)


def _line_of(error: str, lines: list[str]) -> int | None:
    """Return which line is meant, counted from 1; None where leaving a line out would mend nothing."""
    found = _PLACE.search(error)
    if found is not None:
        number = int(found[1])
        return number if lines[number - 1].strip() else None
    if error.startswith("Expected") and error.endswith(_AT_END):
        return max((number for number, line in enumerate(lines, start=1) if line.strip()), default=None)
    return None  # a list or a long text without an end, which began anywhere


def _hint(line: str, error: str) -> str:
    key = line.partition("=")[0].strip()
    if error.startswith(_TWICE):
        return ": it is written twice, keep one of them"
    meant = _OTHER_CASE.search(line)
    if meant is not None:
        return f": write {key} = {_meant(key, is_on=meant[1].lower() in {'true', 'yes', 'on'})}"
    if _BARE_WORD.match(line):
        return f': text stands in quotes, as in {key} = "..."'
    if error.startswith(("Illegal character '\\n'", 'Expected "\'"')):
        return ": the text has no quote at its end"
    return next((f": {words}" for looks, words in _USUAL if looks.search(line)), "")


def _meant(key: str, *, is_on: bool) -> str:
    if key.rpartition(".")[2] == _MODE:
        return '"on"' if is_on else '"off"'
    return "true" if is_on else "false"
