"""Colour for terminals, and lines that fit them. Says the same without colour: `NO_COLOR`, pipes and old terminals.

Pure but for `paint_for`, which looks at the terminal.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TextIO

_CODES: Final = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "alarm": "1;37;41",
    "warning": "1;30;43",
}
_STYLED: Final = re.compile(r"\x1b\[[0-9;]*m")
_RESET: Final = "\x1b[0m"


@dataclass(frozen=True, kw_only=True, slots=True)
class Paint:
    """How a terminal takes text."""

    has_colour: bool = False
    is_plain_text: bool = False
    """It shows letters of ASCII only."""

    def style(self, text: str, *names: str) -> str:
        """Return text in a style; as it is where there is no colour."""
        if not self.has_colour or not text or not names:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}{_RESET}"

    def bar(self, part: float, width: int, *names: str) -> str:
        """Return a bar that is filled to a part between 0 and 1.

        Example:
            >>> Paint(is_plain_text=True).bar(0.5, 8)
            '####....'
        """
        full = round(max(0.0, min(1.0, part)) * width)
        solid, empty = ("#", ".") if self.is_plain_text else ("█", "░")
        return self.style(solid * full, *names) + self.style(empty * (width - full), "dim")


def paint_for(output: TextIO, environ: Mapping[str, str] = os.environ) -> Paint:
    """Return what a stream can show (https://no-color.org)."""
    is_terminal = output.isatty() and environ.get("TERM", "") not in {"", "dumb"}
    encoding = (getattr(output, "encoding", None) or "ascii").lower().replace("-", "")
    return Paint(has_colour=is_terminal and not environ.get("NO_COLOR"), is_plain_text=not encoding.startswith("utf"))


def is_live_terminal(output: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream is a terminal on which lines can be redrawn."""
    return (output or sys.stdout).isatty() and environ.get("TERM", "") not in {"", "dumb"}


def width_of(line: str) -> int:
    """How many columns a line takes, its colours left out."""
    return len(_STYLED.sub("", line))


def cropped(line: str, width: int) -> str:
    """Return a line that takes no more columns than there are; colours count for nothing, and end with it.

    Example:
        >>> cropped("liquidation", 5)
        'liqui'
    """
    if width_of(line) <= width:
        return line
    kept, left, at = [], width, 0
    for match in [*_STYLED.finditer(line), None]:
        text = line[at : match.start() if match else len(line)]
        kept.append(text[:left])
        left -= len(text[:left])
        if match is None:
            break
        kept.append(match.group())
        at = match.end()
    return "".join(kept) + (_RESET if _STYLED.search(line) else "")


def plain(text: str) -> str:
    """Return text without what a terminal would obey; others of the account choose some of the words shown."""
    return "".join(each if each.isprintable() else "?" for each in text)
