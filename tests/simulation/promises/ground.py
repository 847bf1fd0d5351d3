"""What all promises stand on: the exchange's truth, what each guard was told and heard, and when it was calm.

Why: each promise is a small object of its own. What they all need is kept once, in here, and only by the joint
`Promises`; a promise reads it and reports.

Units: seconds of virtual time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from config.bots import OnSilence
from config.policy import Policy
from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.exchange import Exchange
from connectors.vocabulary import Position
from daemon.core.commands import Command, FeedSwitch, RaiseAlert
from daemon.core.events import (
    Event,
    FeedLost,
    HealthTicked,
    PictureRead,
    PositionSeen,
    PositionsListed,
    Source,
    Started,
    SwitchAnswered,
)
from tests.simulation.faults import LineWitness, RequestFate
from tests.simulation.guard_life import SimGuard
from tests.simulation.promises.book import Book, Key
from tests.simulation.promises.latch_rules import note_latch
from tests.simulation.promises.silences import Silences
from tests.simulation.requests import Sent

WHOLE_AGAIN_S: Final = 12.0
"""So long after the last fault or interference a guard is whole again: a reconnect, a picture, an order, a retry."""
UNABLE_STATUSES: Final = frozenset({403, 408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken."""

    promise: str
    at_s: float
    text: str

    def __str__(self) -> str:
        return f"{self.promise} at {self.at_s:.3f} s: {self.text}"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it is handed to a guard."""

    verb: str
    path: str
    query: str
    status: int
    headers: Mapping[str, str]


@dataclass(slots=True)
class GuardFacts(LineWitness):
    """What one guard was told, asked for, heard and said, over all its lives."""

    guard: SimGuard
    now_s: Callable[[], float]
    commands: dict[int, Command] = field(default_factory=dict)
    latches: dict[str, str] = field(default_factory=dict)
    """What people were told that holds: the name and "freeze" or "flatten"."""
    health: HealthTicked | None = None
    fed_s: float = 0.0
    """When it last decided to feed the switch."""
    counted_s: float = 0.0
    """When the last feed that it knows to have been taken was sent: its countdown runs from here."""
    fed_at_s: dict[int, float] = field(default_factory=dict)
    started_s: float = inf
    """When this life began; infinity while it is dead."""
    trouble_s: float = 0.0
    """When last something of its own went wrong: a request, a stream, its start."""
    heard_s: dict[str, float] = field(default_factory=dict)
    """By table, "" for pongs and answers: when the last frame of it reached the guard."""
    told_sizes: dict[tuple[Source, str], int] = field(default_factory=dict)
    """Signed contracts of each symbol, as the stream and a read last said."""
    listed: set[Source] = field(default_factory=set)
    """Sources that have told a whole table."""
    streams_lost_s: float = 0.0
    silent: set[str] = field(default_factory=set)
    """Bots that people were told are silent."""
    silences: Silences = field(default_factory=Silences)
    """Those that are, by our own count."""
    paused_s: float = 0.0
    """When it was last seen paused by a person."""
    active: set[tuple[str, str]] = field(default_factory=set)
    """Degraded states and symbols that people were told of and that have not ended."""
    over_s: dict[str, float] = field(default_factory=dict)
    """When people were last told that a degraded state is over."""
    spoken_to: Callable[[GuardFacts, str], Callable[[], None] | None] = lambda _facts, _text: None
    """Who wants to see a frame of its own before the exchange takes it."""
    answered_to: Callable[[GuardFacts, Answered], None] = lambda _facts, _answer: None
    """Who wants to see the answers that reach it."""

    @property
    def policy(self) -> Policy:
        """What it was set to do."""
        return self.guard.policy

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.guard.is_alive and self.started_s < inf

    @property
    def is_paused(self) -> bool:
        """Whether a person has it do nothing of its own."""
        return self.guard.state is not None and self.guard.state.pause is not None

    @property
    def free_s(self) -> float:
        """For how long nothing of its own went wrong."""
        return self.now_s() - max(self.trouble_s, self.started_s) if self.is_alive else 0.0

    def take_event(self, event: Event) -> None:
        """Learn what it was told."""
        self.silences.take(event, self.policy.bots)
        if self.is_paused:
            self.paused_s = self.trouble_s = self.now_s()
        match event:
            case Started():
                self.started_s = self.trouble_s = self.now_s()
                self.heard_s.clear()
                self.health = None
                self.active = set(self._remembered())
            case HealthTicked():
                self.health = event
            case PositionSeen(position=position, source=source):
                self.told_sizes[source, position.key.symbol] = position.quantity
            case PositionsListed(positions=positions):
                self._take_sizes(Source.STREAM, positions)
            case PictureRead(positions=positions):
                self._take_sizes(Source.QUERY, positions)
            case SwitchAnswered(command_id=command_id, timeout_ns=timeout_ns) if timeout_ns:
                self.counted_s = self.fed_at_s.get(command_id, self.counted_s)
            case FeedLost():
                self.trouble_s = self.streams_lost_s = self.now_s()
            case _:
                pass

    def _remembered(self) -> Iterator[tuple[str, str]]:
        """Degraded states that a new process still knows of: it will not tell a second time that they began."""
        state = self.guard.state
        if state is None:
            return
        yield from ((name, "") for name in state.degraded)
        for symbol, guarded in state.positions.items():
            yield from ((each.value, symbol) for each in guarded.degraded)

    def _take_sizes(self, source: Source, positions: Sequence[Position]) -> None:
        """A whole table: what is not in it is flat, by this witness."""
        self.listed.add(source)
        self.told_sizes = {name: 0 if name[0] is source else size for name, size in self.told_sizes.items()}
        self.told_sizes |= {(source, position.key.symbol): position.quantity for position in positions}

    def is_misled(self, symbol: str, quantity: int) -> bool:
        """Whether stream and read both told that a position is flat, or of the other side: no guard can know better."""
        told = [self.told_sizes.get((source, symbol), 0 if source in self.listed else quantity) for source in Source]
        return all(size * quantity <= 0 for size in told)

    def take_command(self, command: Command) -> None:
        """Learn what it decided."""
        match command:
            case RaiseAlert():
                note_latch(self.latches, command)
                self._note_bot(command)
                self._note_degraded(command)
            case FeedSwitch():
                self.fed_s = self.fed_at_s[command.command_id] = self.now_s()
                self.commands[command.command_id] = command
            case _ if hasattr(command, "command_id"):
                self.commands[command.command_id] = command
            case _:
                pass

    def _note_bot(self, alert: RaiseAlert) -> None:
        if alert.topic == "bot":
            name = dict(alert.facts).get("bot", "")
            (self.silent.add if alert.state == "silent" else self.silent.discard)(name)

    def missing(self) -> set[str]:
        """Bots that must be alive, and of which people were told that they are silent."""
        return {name for name in self.silent if name in self.policy.bots and self.policy.bots[name].must_be_alive}

    def may_cancel_of_bot(self, client_order_id: str) -> bool:
        """Whether an order may go because the bot that placed it, or one that must be alive, is silent."""
        bots = self.policy.bots
        silent = {name for name in self.silent | self.silences.names if name in bots}
        acting = {name for name in silent if bots[name].on_silence is not OnSilence.ALERT}
        owner = next(
            (name for name, bot in bots.items() if bot.id_prefix and client_order_id.startswith(bot.id_prefix)), ""
        )
        nameless = next((name for name, bot in bots.items() if not bot.id_prefix), "")
        return any(bots[name].must_be_alive for name in silent) or (owner or nameless) in acting

    def _note_degraded(self, alert: RaiseAlert) -> None:
        if alert.topic != "degraded":
            return
        if dict(alert.facts).get("phase") == "ended":
            self.active.discard((alert.state, alert.symbol))
            self.over_s[alert.state] = self.now_s()
            self.trouble_s = self.trouble_s if alert.symbol else self.now_s()
        else:
            self.active.add((alert.state, alert.symbol))

    def says(self, *states: str) -> bool:
        """Whether people were told that one of these states lasts."""
        return any(state in states for state, _ in self.active)

    def has_said(self, states: Iterable[str], since_s: float) -> bool:
        """Whether people were told of one of these at any time since then."""
        return self.says(*states) or any(self.over_s.get(state, -inf) >= since_s for state in states)

    # ------------------------------------------------------------ the line

    def frame_arrived(self, table: str) -> None:
        self.heard_s[table] = self.now_s()

    def spoken(self, text: str) -> Callable[[], None] | None:
        return self.spoken_to(self, text)

    def answered(self, verb: str, path: str, query: str, status: int, headers: Mapping[str, str]) -> None:
        if status in UNABLE_STATUSES:
            self.trouble_s = self.now_s()
        self.answered_to(self, Answered(verb, path, query, status, headers))

    def note_sent(self, sent: Sent) -> None:
        """A request of its own left, and may have gone wrong."""
        if sent.fate is not RequestFate.ANSWERED:
            self.trouble_s = self.now_s()

    def die(self, *, is_memory_lost: bool) -> None:
        """The process is gone."""
        self.started_s = inf
        self.health = None
        if is_memory_lost:
            self.latches.clear()
            self.silent.clear()
            self.silences.names.clear()


@dataclass(kw_only=True)
class Ground:
    """What every promise may look at."""

    exchange: Exchange
    now_s: Callable[[], float]
    book: Book
    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    guards: dict[str, GuardFacts] = field(default_factory=dict)
    judged: frozenset[int] | None = None
    """Accounts that a guard is held to; None for all."""
    undisturbed_s: float = 0.0
    """When the last fault or interference ended, pauses left aside; infinity while one lasts."""
    trouble_ended_s: float = 0.0
    """When the last fault ended, what bots do left aside; infinity while one lasts."""
    sent_s: dict[tuple[str, bytes], float] = field(default_factory=dict)
    """When a request with this path and body last left."""
    set_by_guard: dict[int, int | None] = field(default_factory=dict)
    """By account: the switch's timer as the last write of a guard left it."""

    def broken(self, promise: str, text: str) -> None:
        """Note that a promise does not hold."""
        self.violations.append(Violation(promise, self.now_s(), text))

    def is_judged(self, account: object) -> bool:
        """Whether somebody has promised anything about this account."""
        return self.judged is None or account in self.judged

    @property
    def quiet_since_s(self) -> float:
        """When the last fault, interference or pause ended; infinity while one lasts."""
        return max(self.undisturbed_s, *(facts.paused_s for facts in self.guards.values()), 0.0)

    @property
    def calm_s(self) -> float:
        """For how long nobody has disturbed anything; below zero while something lasts."""
        return self.now_s() - self.quiet_since_s

    def of(self, guard: SimGuard) -> GuardFacts:
        """What is known of a guard."""
        known = self.guards.get(guard.name)
        if known is None:
            known = self.guards[guard.name] = GuardFacts(guard=guard, now_s=self.now_s)
            guard.line.told = known
        return known

    def guards_of(self, account: int) -> list[GuardFacts]:
        """The guards of one account."""
        return [facts for facts in self.guards.values() if facts.guard.account == account]

    def free_s(self, account: int) -> float:
        """For how long the luckiest guard of an account had no trouble of its own."""
        return max((facts.free_s for facts in self.guards_of(account)), default=0.0)

    def is_misled(self, key: Key) -> bool:
        """Whether a guard of this account was told wrong things of a position by both its sources."""
        quantity = self.book.size(key)
        return any(facts.is_misled(key[1], quantity) for facts in self.guards_of(key[0]))

    def is_flattening(self) -> bool:
        """Whether people were told that a flatten holds."""
        return any("flatten" in facts.latches.values() for facts in self.guards.values())


class Promise:
    """One promise: what it wants to see, how often it had something to say, and what broke it.

    `checked` counts how often its precondition was true: a promise that was never put to the test proves nothing.
    """

    name = ""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.checked = 0

    @property
    def _now_s(self) -> float:
        return self._ground.now_s()

    @property
    def _book(self) -> Book:
        return self._ground.book

    def _broken(self, text: str) -> None:
        self._ground.broken(self.name, text)

    def before_changes(self, changes: Sequence[Change]) -> None:
        """The exchange changed; the book does not say so yet."""

    def on_changes(self, changes: Sequence[Change]) -> None:
        """The exchange changed, and the book says so."""

    def on_event(self, facts: GuardFacts, event: Event) -> None:
        """An event is about to be decided on."""

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """This was decided."""

    def on_sent(self, facts: GuardFacts | None, sent: Sent, body: Mapping[str, object]) -> None:
        """A request leaves a guard; `body` is what it says, empty for a read."""

    def on_arrival(self, path: str, body: bytes) -> Callable[[], None] | None:
        """A request of a guard is about to be carried out; what is returned is called right after."""

    def on_answer(self, facts: GuardFacts, answer: Answered) -> None:
        """An answer is handed to a guard."""

    def on_spoken(self, facts: GuardFacts, text: str) -> None:
        """A frame of a guard is about to be taken by the exchange."""

    def on_second(self, *, is_strict: bool) -> None:
        """A second passed."""

    def forget(self, facts: GuardFacts, *, is_memory_lost: bool) -> None:
        """The guard was killed, and remembers or not."""

    def at_end(self, facts: GuardFacts) -> None:
        """The world is over, and this guard dead."""
