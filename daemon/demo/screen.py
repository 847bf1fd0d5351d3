"""What the demo shows while it runs: a table that redraws itself in a terminal, plain lines anywhere else.

The screen knows nothing of sockets: `run.py` hands it a `Snapshot` some times a second. Output goes to the stream it is
given (standard error with `--json`, so that standard output stays one object).
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from typing import Protocol, TextIO

from daemon.demo.words import clock_time, money_text, price_text

CLEAR_BELOW = "\x1b[J"
BOLD, DIM, RED, GREEN, YELLOW, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
_COLOUR = re.compile(r"(\x1b\[\d+m)")
ALERTS_SHOWN = 6
BAR_CELLS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One position, on both accounts."""

    title: str
    mark: float | None
    liquidation: float | None
    stop: float | None
    guarded: str
    """"held", "stopped at 58,800.0", "LIQUIDATED", or "waiting"."""
    unguarded: str

    @property
    def room_percent(self) -> float | None:
        """Distance from mark to liquidation in percent of the mark."""
        if self.mark is None or self.liquidation is None or self.mark <= 0:
            return None
        return abs(self.mark - self.liquidation) / self.mark * 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One moment of the demo."""

    tape_ms: int | None
    progress: float
    """0 to 1."""
    lines: tuple[Line, ...]
    mode: str
    """The guard's mode, or "starting again" while its process is away."""
    switch: str
    equity: tuple[int, int] | None
    """XBt: guarded, unguarded."""
    alerts: tuple[str, ...]


class Screen(Protocol):
    """Somewhere to show the demo."""

    def say(self, text: str) -> None:
        """Show one line that stays."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the present state."""


def choose_screen(stream: TextIO | None = None, *, plain: bool = False) -> Screen:
    """Return the live table for a terminal and plain lines for anything else."""
    out = stream or sys.stdout
    return PlainScreen(out) if plain or not out.isatty() else LiveScreen(out)


class PlainScreen:
    """A line whenever something changed: a position's fate, the guard's mode, an alert."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._fates: dict[str, tuple[str, str]] = {}
        self._mode = ""
        self._alerts_said = 0

    def say(self, text: str) -> None:
        """Print the line."""
        print(text, file=self._out, flush=True)

    def show(self, snapshot: Snapshot) -> None:
        """Print what changed since the last call."""
        stamp = clock_time(snapshot.tape_ms) if snapshot.tape_ms is not None else "--"
        if snapshot.mode != self._mode:
            self._mode = snapshot.mode
            self.say(f"{stamp}  guard is {snapshot.mode}; dead man's switch {snapshot.switch}")
        for line in snapshot.lines:
            fate = (line.guarded, line.unguarded)
            if self._fates.get(line.title) != fate:
                self._fates[line.title] = fate
                self.say(f"{stamp}  {line.title}: guarded {line.guarded}; unguarded {line.unguarded}")
        for alert in snapshot.alerts[self._alerts_said :]:
            self.say(f"{stamp}  alert: {alert}")
        self._alerts_said = max(self._alerts_said, len(snapshot.alerts))


class LiveScreen:
    """A table redrawn in place."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._height = 0

    def say(self, text: str) -> None:
        """Print the line above the table."""
        self._rewind()
        self._out.write(CLEAR_BELOW + text + "\n")
        self._height = 0
        self._out.flush()

    def show(self, snapshot: Snapshot) -> None:
        """Redraw the table."""
        width = shutil.get_terminal_size().columns
        rows = [fit(row, width) for row in render(snapshot)]
        self._rewind()
        self._out.write(CLEAR_BELOW + "\n".join(rows) + "\n")
        self._height = len(rows)
        self._out.flush()

    def _rewind(self) -> None:
        if self._height:
            self._out.write(f"\x1b[{self._height}A\r")


def render(snapshot: Snapshot) -> list[str]:
    """Return the rows of the live table."""
    filled = int(snapshot.progress * BAR_CELLS)
    bar = "█" * filled + "░" * (BAR_CELLS - filled)
    stamp = clock_time(snapshot.tape_ms) if snapshot.tape_ms is not None else "waiting"
    rows = [
        f"{BOLD}tape {stamp}{PLAIN}  {bar} {snapshot.progress:4.0%}",
        f"guard {snapshot.mode}, dead man's switch {snapshot.switch}",
        f"{DIM}{'position':<15}{'mark':>10}{'stop':>10}{'liquidation':>12}{'room':>8}  with guard / without{PLAIN}",
    ]
    rows.extend(_position_row(line) for line in snapshot.lines)
    if snapshot.equity:
        with_guard, without = snapshot.equity
        rows.append(f"equity: with guard {money_text(with_guard)}, without {money_text(without)}")
    rows.extend(f"{YELLOW}!{PLAIN} {alert}" for alert in snapshot.alerts[-ALERTS_SHOWN:])
    return rows


def fit(row: str, width: int) -> str:
    """Return the row cut to `width` visible characters, colours kept: a wrapped row could not be drawn over."""
    left, parts = width, []
    for part in _COLOUR.split(row):
        shown = part if part.startswith("\x1b") else part[:left]
        left -= 0 if part.startswith("\x1b") else len(shown)
        parts.append(shown)
    return "".join(parts)


def _position_row(line: Line) -> str:
    room = f"{line.room_percent:.2f}%" if line.room_percent is not None else ""
    cells = f"{_price(line.mark):>10}{_price(line.stop):>10}{_price(line.liquidation):>12}{room:>8}"
    return f"{line.title:<15}{cells}  {_fate(line.guarded)} / {_fate(line.unguarded)}"


def _price(price: float | None) -> str:
    return "" if price is None else price_text(price)


def _fate(words: str) -> str:
    """The first word, in its colour: prices follow in the closing table, and a row fits 80 columns."""
    word = words.partition(" ")[0]
    colour = {"LIQUIDATED": RED, "stopped": GREEN}.get(word)
    return f"{colour}{word}{PLAIN}" if colour else word
