"""How far a run has come, on standard error: a live line for people, lines of JSON for machines, or nothing.

Units: milliseconds of the history played; real seconds for the pace of the line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import monotonic
from typing import Final, TextIO

from daemon.backtest.words import clock_time, iso_time

EVERY_S: Final = 0.2
_WIDTH: Final = 30


class ProgressShown:
    """Shows how far it is, at most a few times a second."""

    def __init__(self, kind: str, *, start_ms: int, end_ms: int, output: TextIO, name: str = "") -> None:
        self._is_json = kind == "json"
        self._span_ms = max(1, end_ms - start_ms)
        self._start_ms = start_ms
        self._output = output
        self._name = name
        self._shown_s = -EVERY_S
        self._began_s = monotonic()

    def __call__(self, at_ms: int) -> None:
        """Take the time that the run has come to."""
        now_s = monotonic()
        if now_s - self._shown_s < EVERY_S:
            return
        self._shown_s = now_s
        self._show(at_ms, min(1.0, (at_ms - self._start_ms) / self._span_ms))

    def _show(self, at_ms: int, share: float) -> None:
        if self._is_json:
            said = {"progress": round(share, 4), "at": iso_time(at_ms)} | ({"cell": self._name} if self._name else {})
            self._output.write(json.dumps(said) + "\n")
        else:
            bar = "#" * int(share * _WIDTH)
            left_s = (monotonic() - self._began_s) * (1 - share) / max(share, 1e-6)
            text = f"{share:>4.0%} [{bar:<{_WIDTH}}] {clock_time(at_ms)}  {left_s:.0f} s left {self._name}"
            self._output.write(f"\r\x1b[K{text}"[:130])
        self._output.flush()

    def end(self) -> None:
        """Take the line away."""
        if not self._is_json:
            self._output.write("\r\x1b[K")
            self._output.flush()


def shown_progress(kind: str, *, start_ms: int, end_ms: int, output: TextIO | None = None) -> ProgressShown | None:
    """Return what shows the progress; None where nobody would see it."""
    stream = output or sys.stderr
    if kind == "none" or (kind == "auto" and not stream.isatty()):
        return None
    return ProgressShown(kind, start_ms=start_ms, end_ms=end_ms, output=stream)


Progress = Callable[[int], None]
