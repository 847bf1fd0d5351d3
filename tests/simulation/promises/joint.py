"""All promises together, as everything else in the simulation knows them.

Why one object: whoever watches the exchange, the guards and the wire calls one thing, in one order: what a promise has
to see before the books are brought up to date, then the books, then what it judges.

Checked after every step: every change at the exchange, every event, every decision, every request that leaves or
arrives; and once a second what only time can break.

Units: seconds of virtual time, prices `Decimal`, quantities contracts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import inf

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.exchange import Exchange
from daemon.core.commands import Command
from daemon.core.events import Event
from tests.simulation.guard_life import SimGuard, Witness
from tests.simulation.promises.book import Book, Key
from tests.simulation.promises.ground import Answered, Ground, GuardFacts, Promise, Violation
from tests.simulation.promises.p01_never_adds_danger import NeverAddsDanger, body_of
from tests.simulation.promises.p02_covers_every_position import CoversEveryPosition
from tests.simulation.promises.p03_never_loosens import NeverLoosens
from tests.simulation.promises.p04_one_stop_per_position import OneStopPerPosition
from tests.simulation.promises.p05_unknown_is_not_failed import UnknownIsNotFailed
from tests.simulation.promises.p06_a_feed_is_a_statement import SWITCH_VERB, FeedIsStatement
from tests.simulation.promises.p07_nothing_is_lost import NothingIsLost
from tests.simulation.promises.p08_protection_comes_first import ProtectionComesFirst
from tests.simulation.promises.p09_repeats import Repeats
from tests.simulation.promises.p10_people_hear import PeopleHear
from tests.simulation.promises.p11_no_secret_leaves import NoSecretLeaves
from tests.simulation.promises.p12_says_what_it_cannot import SaysWhatItCannot
from tests.simulation.promises.stop_life import StopLife
from tests.simulation.promises.whole_again import WholeAgain
from tests.simulation.requests import Sent


class Promises(Witness):
    """Checks, and remembers what did not hold."""

    def __init__(self, exchange: Exchange, now_s: Callable[[], float]) -> None:
        book = Book(exchange=exchange, now_s=now_s)
        self.ground = Ground(exchange=exchange, now_s=now_s, book=book)
        ground = self.ground
        self.danger, self.cover, self.latches = (
            NeverAddsDanger(ground),
            CoversEveryPosition(ground),
            NothingIsLost(ground),
        )
        self.switch, self.secrets = FeedIsStatement(ground), NoSecretLeaves(ground)
        self.repeats = Repeats(ground)
        self.each: tuple[Promise, ...] = (
            self.danger,
            self.cover,
            NeverLoosens(ground),
            OneStopPerPosition(ground),
            UnknownIsNotFailed(ground),
            self.switch,
            self.latches,
            ProtectionComesFirst(ground),
            self.repeats,
            PeopleHear(ground),
            self.secrets,
            SaysWhatItCannot(ground),
            StopLife(ground),
            WholeAgain(ground),
        )

    # ------------------------------------------------------------ what others ask

    @property
    def violations(self) -> list[Violation]:
        """What did not hold."""
        return self.ground.violations

    @property
    def counts(self) -> Counter[str]:
        """What happened how often."""
        return self.ground.counts

    @property
    def checked(self) -> Counter[str]:
        """How often each promise was put to the test."""
        return Counter({promise.name: promise.checked for promise in self.each})

    @property
    def orders(self) -> dict[str, Row]:
        """Open orders of everybody."""
        return self.ground.book.orders

    @property
    def quiet_since_s(self) -> float:
        """When the last fault or interference ended; infinity while one lasts."""
        return self.ground.quiet_since_s

    @quiet_since_s.setter
    def quiet_since_s(self, at_s: float) -> None:
        self.ground.undisturbed_s = at_s
        self.ground.trouble_ended_s = inf if at_s == inf else self.ground.now_s()

    def broken(self, promise: str, text: str) -> None:
        """Note that a promise does not hold."""
        self.ground.broken(promise, text)

    def only(self, account: int) -> None:
        """Judge one account alone: the others have no guard."""
        self.ground.judged = frozenset({account})

    def disturb(self) -> None:
        """Something happened that the guard needs time to answer."""
        self.ground.undisturbed_s = max(self.ground.undisturbed_s, self.ground.now_s())

    def size(self, key: Key) -> int:
        """Signed contracts."""
        return self.ground.book.size(key)

    def our_stops(self, key: Key) -> list[Row]:
        """Our resting stops of one position."""
        return self.ground.book.our_stops(key)

    def meet(self, guard: SimGuard) -> None:
        """A guard is about to live: listen to its line, and look out for its key."""
        facts = self._of(guard)
        facts.answered_to, facts.spoken_to = self._take_answer, self._take_spoken
        self.secrets.plant(guard.ports.key.secret)

    def _of(self, guard: SimGuard) -> GuardFacts:
        return self.ground.of(guard)

    # ------------------------------------------------------------ the exchange and the wire

    def watch(self, changes: Sequence[Change]) -> None:
        """Look at what just changed."""
        for promise in self.each:
            promise.before_changes(changes)
        self.ground.book.take(changes)
        for promise in self.each:
            promise.on_changes(changes)

    def on_sent(self, sent: Sent) -> None:
        """Check a request of ours at the moment it leaves."""
        self.counts[f"{sent.verb} {sent.fate.value}"] += 1
        facts, body = self.ground.guards.get(sent.guard), body_of(sent)
        self.ground.sent_s[sent.path, sent.body] = sent.at_s
        for promise in self.each:
            promise.on_sent(facts, sent, body)
        if facts is not None:
            facts.note_sent(sent)

    def on_arrival(self, path: str, body: bytes) -> Callable[[], None]:
        """A request of ours is about to be carried out; call the answer right after."""
        compares = [compare for promise in self.each if (compare := promise.on_arrival(path, body)) is not None]
        return self._carried_out(compares)

    def _carried_out(self, compares: Sequence[Callable[[], None]]) -> Callable[[], None]:
        self.ground.book.is_guards_doing = True

        def finish() -> None:
            self.ground.book.is_guards_doing = False
            for compare in compares:
                compare()

        return finish

    def _take_answer(self, facts: GuardFacts, answer: Answered) -> None:
        for promise in self.each:
            promise.on_answer(facts, answer)

    def _take_spoken(self, facts: GuardFacts, text: str) -> Callable[[], None]:
        for promise in self.each:
            promise.on_spoken(facts, text)
        return self._carried_out([self.switch.note_timer] if SWITCH_VERB in text else [])

    # ------------------------------------------------------------ the guard's decisions

    def on_event(self, guard: SimGuard, event: Event) -> None:
        """Learn what a guard was told."""
        self.counts["events"] += 1
        facts = self._of(guard)
        facts.take_event(event)
        for promise in self.each:
            promise.on_event(facts, event)

    def on_commands(self, guard: SimGuard, commands: Sequence[Command]) -> None:
        """Check what a guard decided."""
        facts = self._of(guard)
        for command in commands:
            self.counts[type(command).__name__] += 1
            facts.take_command(command)
        for promise in self.each:
            promise.on_commands(facts, commands)

    def forget(self, guard: SimGuard, *, is_memory_lost: bool) -> None:
        """The guard was killed; without its memory what was confirmed to it counts no more."""
        facts = self._of(guard)
        for promise in self.each:
            promise.forget(facts, is_memory_lost=is_memory_lost)
        facts.die(is_memory_lost=is_memory_lost)

    # ------------------------------------------------------------ as time passes

    def audit(self, *, is_strict: bool = False) -> list[str]:
        """Look at everything; return what is uncovered now.

        Args:
            is_strict: Report whatever is uncovered, however recent, and whoever is not whole.
        """
        for promise in self.each:
            promise.on_second(is_strict=is_strict)
        return self.cover.uncovered

    def look(self, guard: SimGuard) -> None:
        """Compare a guard's latches with those it had."""
        self.latches.look(self._of(guard))

    def at_end(self, guard: SimGuard) -> None:
        """The world is over, and this guard dead."""
        facts = self._of(guard)
        for promise in self.each:
            promise.at_end(facts)
