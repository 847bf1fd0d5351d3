"""The last hour of each position in memory: mark price, stop and liquidation price, for the charts in messages.

Why here: a chart is for people and decides nothing, so it is neither in the state nor in the journal; after a restart
it begins anew. Sampled on a slow cycle from what the core knows, bounded by positions and samples.

Units: seconds since 1970 UTC; prices as floats.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from daemon.core.state import Guarded, GuardState
from daemon.messenger.wire import Chart, Mark, Track
from daemon.shell.alerts.message import Alert

SAMPLE_EVERY_S = 5.0
MOST_SAMPLES = 720
MOST_SYMBOLS = 50
MOST_MARKS = 20
NAMES = ("mark", "stop", "liquidation", "entry")

Sample = tuple[float | None, ...]
"""One figure for each of `NAMES`."""


@dataclass(kw_only=True, slots=True)
class _Line:
    times_s: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_SAMPLES))
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=MOST_SAMPLES))
    marks: deque[Mark] = field(default_factory=lambda: deque(maxlen=MOST_MARKS))


class Trail:
    """Remembers and draws up charts; drawing them is the messenger's work."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._look: Callable[[], GuardState] | None = None

    async def run(self, state: Callable[[], GuardState]) -> None:
        """Sample until cancelled."""
        self._look = state
        while True:
            self.sample(state())
            await asyncio.sleep(SAMPLE_EVERY_S)

    def sample(self, state: GuardState) -> None:
        """Take one sample of every position."""
        for guarded in state.positions.values():
            symbol = guarded.position.key.symbol
            known = self._lines.get(symbol)
            if guarded.position.quantity or (known is not None and known.times_s):
                self._add(symbol, state.now_ns / 1e9, _sample(state, guarded))

    def _add(self, symbol: str, at_s: float, sample: Sample) -> None:
        line = self._line(symbol)
        if line is not None and (not line.times_s or at_s > line.times_s[-1]):
            line.times_s.append(at_s)
            line.samples.append(sample)

    def _line(self, symbol: str) -> _Line | None:
        if symbol not in self._lines and len(self._lines) >= MOST_SYMBOLS:
            return None
        return self._lines.setdefault(symbol, _Line())

    def note(self, alert: Alert) -> None:
        """Remember what was done about a position, as the alert says it."""
        line = self._line(alert.symbol) if alert.symbol else None
        if line is not None:
            line.marks.append(Mark(at_s=alert.raised_ns / 1e9, text=alert.did or alert.text))

    def chart(self, alert: Alert) -> Chart | None:
        """Return the picture that belongs to an alert, up to now; None where there is nothing to show."""
        if self._look is not None:
            self.sample(self._look())
        line = self._lines.get(alert.symbol)
        if line is None or not line.times_s:
            return None
        columns = zip(NAMES, zip(*line.samples, strict=True), strict=True)
        tracks = tuple(Track(name=name, prices=prices) for name, prices in columns if any(prices))
        if not tracks:
            return None
        title = f"{alert.symbol}, account {alert.account}"
        begun_s = line.times_s[0]
        marks = tuple(mark for mark in line.marks if mark.at_s >= begun_s)
        return Chart(title=title, times_s=tuple(line.times_s), tracks=tracks, marks=marks)


def _sample(state: GuardState, guarded: Guarded) -> Sample:
    mark = state.marks.get(guarded.position.key.symbol)
    is_open = bool(guarded.position.quantity)
    return (
        None if mark is None else float(mark.price),
        _float(guarded.ratchet if is_open else None),
        _float(guarded.liquidation.price if is_open else None),
        _float(guarded.position.entry_price if is_open else None),
    )


def _float(price: Decimal | None) -> float | None:
    return None if price is None else float(price)
