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
_COLON: Final = re.compile(r"^\s*[\w.\-]+\s*:")
_KEY: Final = re.compile(r"^\s*[\w.\-\"']+\s*[=:]")
_HEADER: Final = re.compile(r"^\s*\[[^\]]*$")
_TWICE: Final = ("Cannot overwrite", "Cannot declare", "Duplicate")


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
            found = _PLACE.search(str(error))
            if found is None or not lines[int(found[1]) - 1].strip():
                return Mended(tables={}, problems=(*problems, f"is not valid TOML: {error}"), is_sure=False)
            number = int(found[1])
            line = lines[number - 1]
            problems.append(f"line {number} is not valid TOML: {_PLACE.sub('', str(error))}{_hint(line, str(error))}")
            is_sure = is_sure and _KEY.match(line) is not None
            lines[number - 1] = ""
        else:
            return Mended(tables=tables, problems=tuple(problems), is_sure=is_sure)
    return Mended(tables={}, problems=tuple(problems), is_sure=False)


def _hint(line: str, error: str) -> str:
    key = line.partition("=")[0].strip()
    if error.startswith(_TWICE):
        return ": it is written twice, keep one of them"
    if _COLON.match(line) and "=" not in line:
        return ": write = between key and value"
    if _HEADER.match(line):
        return ": a table's name ends with ]"
    meant = _OTHER_CASE.search(line)
    if meant is not None:
        word = "true" if meant[1].lower() in {"true", "yes", "on"} else "false"
        return f": write {key} = {word}"
    return f': text stands in quotes, as in {key} = "..."' if _BARE_WORD.match(line) else ""
