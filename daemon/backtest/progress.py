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
    """Shows how far it is, at most a few times a second: a time of the history, or how many of something are done."""

    def __init__(self, kind: str, *, start_ms: int, end_ms: int, output: TextIO, counts: str = "") -> None:
        self._is_json = kind == "json"
        self._span_ms = max(1, end_ms - start_ms)
        self._start_ms = start_ms
        self._output = output
        self._counts = counts
        self._shown_s = -EVERY_S
        self._began_s = monotonic()

    def __call__(self, at_ms: int) -> None:
        """Take the time that the run has come to, or the number of what is done."""
        now_s = monotonic()
        if not self._counts and now_s - self._shown_s < EVERY_S:
            return
        self._shown_s = now_s
        self._show(at_ms, min(1.0, (at_ms - self._start_ms) / self._span_ms))

    def _show(self, at_ms: int, share: float) -> None:
        if self._is_json:
            said = {self._counts: at_ms, "of": self._span_ms} if self._counts else {"at": iso_time(at_ms)}
            self._output.write(json.dumps({"progress": round(share, 4), **said}) + "\n")
        else:
            bar = "#" * int(share * _WIDTH)
            where = f"{at_ms} of {self._span_ms} {self._counts}" if self._counts else clock_time(at_ms)
            left_s = (monotonic() - self._began_s) * (1 - share) / share if share > 0 else None
            text = f"{share:>4.0%} [{bar:<{_WIDTH}}] {where}{'' if left_s is None else f'  {left_s:.0f} s left'}"
            self._output.write(f"\r\x1b[K{text}"[:130])
        self._output.flush()

    def end(self) -> None:
        """Take the line away."""
        if not self._is_json:
            self._output.write("\r\x1b[K")
            self._output.flush()


def shown_progress(
    kind: str, *, start_ms: int, end_ms: int, output: TextIO | None = None, counts: str = ""
) -> ProgressShown | None:
    """Return what shows the progress; None where nobody would see it.

    Args:
        kind: "auto", "line", "json" or "none".
        start_ms: First time of the history; 0 where things are counted.
        end_ms: Last time of the history, or how many things there are.
        output: Where to; None: standard error.
        counts: What is counted, in the plural; empty: times of the history are shown.
    """
    stream = output or sys.stderr
    if kind == "none" or (kind == "auto" and not stream.isatty()):
        return None
    return ProgressShown(kind, start_ms=start_ms, end_ms=end_ms, output=stream, counts=counts)


Progress = Callable[[int], None]
