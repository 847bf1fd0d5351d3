"""The live line of `seawall exchange`: one line at the end of a terminal that says how things are.

Why: somebody who looks at the terminal wants to know whether anything happens, and what the market is.
The line is drawn over itself; what is logged meanwhile goes above it.

Units: request rates per second of real time.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import TextIO

from connectors.simulated.server.clock import iso
from connectors.simulated.server.embedded import EmbeddedExchange

_PERIOD_S = 0.5
_CLEAR = "\r\x1b[2K"
_SECONDS = len("2020-03-12T10:40:00")
_SHOWN = "XBTUSD"


class LiveLine:
    """A terminal with a last line of its own; a text stream for everybody else."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._line = ""

    def write(self, text: str) -> int:
        """Write above the line."""
        self._terminal.write(_CLEAR + text)
        if text.endswith("\n"):
            self._terminal.write(self._line)
        return len(text)

    def flush(self) -> None:
        """Flush the terminal."""
        self._terminal.flush()

    def show(self, line: str) -> None:
        """Draw the line anew."""
        self._line = line
        self._terminal.write(_CLEAR + line)
        self._terminal.flush()

    async def watch(self, exchange: EmbeddedExchange) -> None:
        """Show how the exchange is until cancelled; leave no line behind."""
        requests = exchange.request_count
        try:
            while True:
                await asyncio.sleep(_PERIOD_S)
                before, requests = requests, exchange.request_count
                self.show(_fitting(state_line(exchange, (requests - before) / _PERIOD_S)))
        finally:
            self.show("")


def state_line(exchange: EmbeddedExchange, rate: float) -> str:
    """Return the state of an exchange in one line.

    Args:
        exchange: It runs.
        rate: Requests a second.
    """
    venue = exchange.venue
    market = venue.exchange.world.markets.get(_SHOWN)
    faults = len(venue.exchange.faults().active)
    stopped = exchange.recorder.stopped_by if exchange.recorder else None
    parts = [
        "tape not begun" if venue.tape_ms is None else iso(venue.tape_ms)[:_SECONDS].replace("T", " "),
        _pace(exchange),
        f"RECORDING STOPPED: {stopped}" if stopped else "",
        _counted(faults, "fault") if faults else "",
        f"{_SHOWN} {market.mark:,.2f}" if market is not None and market.has_prices else "",
        _counted(len(venue.exchange.accounts()), "account"),
        _counted(venue.exchange.open_order_count(), "order"),
        _counted(venue.hub.listener_count(), "socket"),
        f"{rate:.0f} req/s",
    ]
    return "  ".join(part for part in parts if part)


def _pace(exchange: EmbeddedExchange) -> str:
    """Say what is out of the ordinary about the tape: as it was asked for, it needs no word."""
    tape = exchange.venue.tape
    if not tape.is_playing:
        return "paused"
    if exchange.player.has_ended:
        return "ended"
    return "" if tape.factor == 1 else f"x{tape.factor:g}"


def _fitting(line: str) -> str:
    """Return what one row of the terminal can hold of a line: more could not be drawn over."""
    return line[: shutil.get_terminal_size().columns - 1]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
