"""What guard and messenger say to each other: one JSON object a line, errands to the messenger, answers back. Pure.

The address is a part of the errand: it travels over a pipe that nobody else can read, never as an argument.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec

LONGEST_LINE = 1_000_000
HIDDEN = "(hidden)"
_SHORTEST_PART = 4
_PARTS = re.compile(r"[/:@?&=,;#]+")


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a chart: the mark price, the stop, the liquidation price. None: there was none at that time."""

    name: str
    prices: tuple[float | None, ...]


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, at one place of the time axis."""

    at_s: float
    text: str


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture shows. Prices as floats: they are drawn, not decided on."""

    title: str
    times_s: tuple[float, ...]
    """Seconds since 1970 UTC, of every track alike, rising."""
    tracks: tuple[Track, ...]
    marks: tuple[Mark, ...] = ()


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one address."""

    number: int
    address: str
    title: str
    text: str
    kind: str
    """"info", "success", "warning" or "failure": the colour or sign that some services show."""
    timeout_s: float
    chart: Chart | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an errand; number 0: the messenger is ready, or says why it cannot work."""

    number: int
    is_delivered: bool = False
    is_refused: bool = False
    """Trying again cannot help: the address makes no sense to the library."""
    why: str = ""
    has_picture: bool = False


def without_address(text: str, address: str) -> str:
    """Return a text in which no part of an address is left, as it stands or decoded."""
    whole = {address, unquote(address)}
    parts = {part for each in whole for part in _PARTS.split(each) if len(part) >= _SHORTEST_PART}
    scheme = address.partition(":")[0]
    for part in sorted((whole | parts | {unquote(part) for part in parts}) - {scheme, ""}, key=len, reverse=True):
        text = text.replace(part, HIDDEN)
    return text
