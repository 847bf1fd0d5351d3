"""The price bands of the core, compared with every mark price that arrives.

Why: marks arrive by the thousand and a decision is due a few times a day. Inside its band a price costs one lookup and
one comparison in binary floats; the core sets bands a tick on the cautious side, so the float can only report too
early, never too late. Outside, or when the core's own picture of the mark grows old, the price is reported.

Units: prices as floats in the quote currency, times in nanoseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from daemon.core.commands import SetBand

REFRESH_AFTER_NS = 10_000_000_000
"""A mark inside its band is still reported this often, so that the core can tell an unchanged mark from a dead one."""


@dataclass(slots=True)
class _Band:
    low: float
    high: float
    refresh_at_ns: int = 0


LatestMark = tuple[float, bytes]
"""The newest mark of a symbol: the float for comparing, and the frame for reading it exactly. A bare tuple, because one
is made for every frame."""


class Bands:
    """What the shell knows about marks: the newest of each symbol, and the band of each symbol that matters."""

    def __init__(self, *, refresh_after_ns: int = REFRESH_AFTER_NS) -> None:
        self._refresh_after_ns = refresh_after_ns
        self._bands: dict[str, _Band] = {}
        self._latest: dict[str, LatestMark] = {}

    def is_worth_telling(self, symbol: str, price: float, frame: bytes, received_ns: int) -> bool:
        """Remember the price and say whether the core must hear of it. The hot path: keep it this short."""
        self._latest[symbol] = (price, frame)
        band = self._bands.get(symbol)
        if band is None or (band.low < price < band.high and received_ns < band.refresh_at_ns):
            return False
        band.refresh_at_ns = received_ns + self._refresh_after_ns
        return True

    def set_band(self, command: SetBand) -> LatestMark | None:
        """Put a band in force; return the newest mark if it is already outside, or was never told."""
        known = self._bands.get(command.symbol)
        band = _Band(
            low=-math.inf if command.low is None else float(command.low),
            high=math.inf if command.high is None else float(command.high),
            refresh_at_ns=0 if known is None else known.refresh_at_ns,
        )
        self._bands[command.symbol] = band
        latest = self._latest.get(command.symbol)
        if latest is None or (band.refresh_at_ns > 0 and band.low < latest[0] < band.high):
            return None
        return latest

    def told(self, symbol: str, at_ns: int) -> None:
        """Note that the core was told the mark of a symbol by another way than a frame."""
        band = self._bands.get(symbol)
        if band is not None:
            band.refresh_at_ns = at_ns + self._refresh_after_ns

    def clear_band(self, symbol: str) -> None:
        """Report this symbol no more."""
        self._bands.pop(symbol, None)

    def has(self, symbol: str) -> bool:
        """Whether a band of this symbol is in force."""
        return symbol in self._bands

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols with a band in force."""
        return tuple(self._bands)

    def forget_marks(self) -> None:
        """Drop the newest marks: the stream was lost, so they may be old."""
        self._latest.clear()
        for band in self._bands.values():
            band.refresh_at_ns = 0
