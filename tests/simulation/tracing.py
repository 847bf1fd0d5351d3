"""What happened, in order, for whoever has to understand a failure; and how much, for whoever asks what a run is worth.

Why: the promises only say what broke. The last events, decisions, requests and changes before it tell why. They are
kept as they come and put into words only when somebody wants to read them.

An hour of a guard counts only when enough happened in it (`LEAST_*`). A world that is shorter, and the rest of a longer
one, is held to its share of that, and to one fault at least.

Units: seconds of virtual time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from connectors.simulated.engine.changes import Change
from daemon.core.commands import (
    ClearBand,
    Command,
    FeedSwitch,
    FindOrders,
    RaiseAlert,
    ReadPicture,
    SetBand,
    SetTimer,
)
from daemon.core.events import Event, HealthTicked, MarkSeen, TimerFired
from tests.simulation.guard_life import SimGuard, Witness
from tests.simulation.promises import Promises
from tests.simulation.requests import Sent

LAST = 24
"""So many lines before a failure are shown."""
HOUR_S = 3600.0
LEAST_FRAMES = 200
LEAST_DECISIONS = 20
LEAST_FAULTS = 3
ROUTINE = (RaiseAlert, SetTimer, SetBand, ClearBand, ReadPicture, FindOrders, FeedSwitch)
"""Commands that are no decision: they ask, tell, wait or go on as before."""
_TABLES = frozenset({"order", "position", "execution"})
_COLUMNS = (
    "clOrdID", "ordType", "ordStatus", "side", "orderQty", "leavesQty", "stopPx", "price", "triggered", "execType",
    "lastQty", "lastPx", "currentQty", "liquidationPrice", "markPrice", "leverage", "text",
)  # fmt: skip


@dataclass(slots=True)
class Stretch:
    """What happened to one guard in one hour, or in what there was of it."""

    alive_s: float = 0.0
    frames: int = 0
    decisions: int = 0
    faults: int = 0

    @property
    def is_dense(self) -> bool:
        """Whether it counts."""
        share = self.alive_s / HOUR_S
        return (
            self.frames >= LEAST_FRAMES * share
            and self.decisions >= LEAST_DECISIONS * share
            and self.faults >= max(1.0, LEAST_FAULTS * share)
        )


@dataclass(slots=True)
class Density:
    """What happened to all guards of a world, or of many."""

    lived_s: float = 0.0
    counted_s: float = 0.0
    """The part of it that is dense enough."""
    frames: int = 0
    decisions: int = 0
    faults: int = 0

    def add(self, other: Density | Stretch) -> None:
        """Add what happened elsewhere."""
        self.frames += other.frames
        self.decisions += other.decisions
        self.faults += other.faults
        if isinstance(other, Density):
            self.lived_s += other.lived_s
            self.counted_s += other.counted_s
        else:
            self.lived_s += other.alive_s
            self.counted_s += other.alive_s if other.is_dense else 0.0

    def __str__(self) -> str:
        hours = max(self.lived_s / HOUR_S, 1e-9)
        rates = ((self.frames, "frames"), (self.decisions, "decisions"), (self.faults, "faults"))
        had = ", ".join(f"{count / hours:.0f} {what}" for count, what in rates)
        return f"{self.counted_s / HOUR_S:.2f} guard-hours that count of {hours:.2f} lived; an hour had {had}"


Line = tuple[float, str, Any]


@dataclass(kw_only=True)
class Tracer(Witness):
    """Sees everything first, keeps the newest of it, and hands it on to the promises."""

    promises: Promises
    now_s: Callable[[], float]
    show: Callable[[str], None] | None = None
    """Where each line goes as it happens; None to keep the last ones only."""
    stretches: dict[tuple[str, int], Stretch] = field(default_factory=dict)
    """By guard and hour."""
    before_failure: list[str] = field(default_factory=list)
    """The last lines when the first promise broke."""
    _kept: deque[Line] = field(default_factory=lambda: deque(maxlen=LAST))
    _event: tuple[str, Event] | None = None
    _frames: dict[str, int] = field(default_factory=dict)
    _shown: int = 0

    # ------------------------------------------------------------ what is handed on

    def on_event(self, guard: SimGuard, event: Event) -> None:
        """An event is about to be decided on. It is worth a line when it is no mere beat, or something follows."""
        if isinstance(event, HealthTicked | MarkSeen | TimerFired):
            self._event = (guard.name, event)
        else:
            self._event = None
            self._keep(f"{guard.name} event", event)
        self.promises.on_event(guard, event)
        self.look()

    def on_commands(self, guard: SimGuard, commands: Sequence[Command]) -> None:
        """This was decided."""
        if commands and self._event is not None:
            self._keep(f"{self._event[0]} event", self._event[1])
            self._event = None
        for command in commands:
            if not isinstance(command, SetTimer):
                self._keep(f"{guard.name} command", command)
        if any(not isinstance(command, ROUTINE) for command in commands):
            self._stretch(guard.name).decisions += 1
        self.promises.on_commands(guard, commands)
        self.look()

    def on_sent(self, sent: Sent) -> None:
        """A request left a guard."""
        self._keep(f"{sent.guard} sends", sent)
        self.promises.on_sent(sent)
        self.look()

    def on_arrival(self, path: str, body: bytes) -> Callable[[], None] | None:
        """A request is about to be carried out."""
        return self.promises.on_arrival(path, body)

    def watch(self, changes: Sequence[Change]) -> None:
        """Something changed at the exchange."""
        for change in changes:
            if change.table in _TABLES and not change.is_refresh:
                self._keep("exchange", change)
        self.promises.watch(changes)
        self.look()

    def note(self, text: str) -> None:
        """Something was done to the world."""
        self._keep("agenda", text)

    def look(self) -> None:
        """Keep what led to the first broken promise, once there is one."""
        if self.promises.violations and not self.before_failure:
            self.before_failure = [in_words(line) for line in self._kept]
            self.before_failure.append(f"BROKEN {self.promises.violations[0]}")
        if self.show is not None and self.promises.violations:
            shown = len(self.promises.violations)
            for violation in self.promises.violations[self._shown : shown]:
                self.show(f"BROKEN {violation}")
            self._shown = shown

    def _keep(self, who: str, what: object) -> None:
        line = (self.now_s(), who, what)
        self._kept.append(line)
        if self.show is not None:
            self.show(in_words(line))

    # ------------------------------------------------------------ density

    def _stretch(self, guard: str) -> Stretch:
        return self.stretches.setdefault((guard, int(self.now_s() // HOUR_S)), Stretch())

    def live(self, guard: SimGuard, seconds: float) -> None:
        """Some time passed; whatever arrived in it belongs to this hour."""
        arrived = _frames(guard) - self._frames.get(guard.name, 0)
        self._frames[guard.name] = _frames(guard)
        if guard.is_alive:
            stretch = self._stretch(guard.name)
            stretch.alive_s += seconds
            stretch.frames += arrived

    def density(self, faults: Sequence[tuple[str, float]]) -> Density:
        """Add up what happened; `faults` names whom each struck, and when."""
        together = Density()
        struck = [self.stretches.get((guard, int(at_s // HOUR_S))) for guard, at_s in faults]
        for stretch in struck:
            if stretch is not None:
                stretch.faults += 1
        for stretch in self.stretches.values():
            together.add(stretch)
        return together


def _frames(guard: SimGuard) -> int:
    return getattr(guard.line, "frames", 0)


def in_words(line: Line) -> str:
    """Put one line into words."""
    at_s, who, what = line
    return f"{at_s:10.3f}  {who:15}  {_told(what)}"


def _told(what: object) -> str:
    if isinstance(what, str):
        return what
    if isinstance(what, Change):
        cells = [f"{name}={what.row[name]}" for name in _COLUMNS if what.row.get(name) not in {None, ""}]
        return f"{what.table} {' '.join(cells)}".replace("\n", " / ")
    if isinstance(what, Sent):
        return f"{what.verb} {what.path} {what.body.decode(errors='replace')} -> {what.fate.value}"
    return _short(repr(what) if not hasattr(what, "__dataclass_fields__") else _of_fields(what))


def _of_fields(what: Any) -> str:
    told = [f"{each.name}={getattr(what, each.name)}" for each in fields(what) if each.name != "at_ns"]
    return f"{type(what).__name__} {' '.join(told)}"


def _short(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[:most]} ..."
