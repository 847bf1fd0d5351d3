"""P5: while nobody knows what became of a placement, nothing is placed for the same purpose; the guard asks first.

Twice: by what the core was told (an event that says "unknown", then a placement of the same series), and at the wire:
a placement left, neither its answer nor any word of it reached the guard, and the next of its series leaves.

A series is what a client order id says but its number: account, symbol, side, purpose.

One exception: a stop that left long ago, and was asked for in vain, may be sent once more under the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from daemon.core.commands import Command, FindOrders, PlaceStop, PlaceTakeProfit, ReduceAtMarket
from daemon.core.doubts import REPEAT_AFTER_NS
from daemon.core.events import (
    Event,
    ExecutionSeen,
    OrdersFound,
    PictureRead,
    RequestAnswered,
    RequestMisconfigured,
    RequestNotSent,
    RequestRefused,
    RequestUnanswered,
    Started,
)
from tests.simulation.faults import RequestFate
from tests.simulation.promises.ground import Ground, GuardFacts, Promise
from tests.simulation.promises.sightings import Unknown, orders_of, series
from tests.simulation.requests import Sent

KNOWN_NOT_DONE: Final = frozenset({"unreachable", "refused", "limited", "limited_bare", "forbidden"})
"""Fates of a request that tell its sender that nothing was done."""


@dataclass(slots=True)
class _Told:
    """What one guard knows of its placements."""

    unknown: dict[str, Unknown] = field(default_factory=dict)
    """By series: placements that the core was told are unknown."""
    under_way: dict[str, str] = field(default_factory=dict)
    """By series: the client order id of a placement that left, and of which no word has come back."""
    sighted: set[str] = field(default_factory=set)
    """Client order ids seen since they were last asked for: an answer that is missing then says nothing new."""
    placed_ns: dict[str, int] = field(default_factory=dict)
    """When a stop of this name was last asked for."""
    questions: set[str] = field(default_factory=set)
    """Names asked about since then."""
    repeats: set[str] = field(default_factory=set)
    """Names that may leave again until there is word of them, since nobody answers what became of them."""


class UnknownIsNotFailed(Promise):
    """Follows every placement from the wire to the first word of it."""

    name = "P5"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._told: dict[str, _Told] = {}

    def _of(self, facts: GuardFacts) -> _Told:
        return self._told.setdefault(facts.guard.name, _Told())

    # ------------------------------------------------------------ at the wire

    def on_sent(self, facts: GuardFacts | None, sent: Sent, body: Mapping[str, object]) -> None:
        """A placement leaves: is there another of its series of which nothing is known?"""
        name = str(body.get("clOrdID", ""))
        if facts is None or sent.verb != "POST" or not sent.path.endswith("/order") or not name:
            return
        told, kind = self._of(facts), series(name)
        before = told.under_way.get(kind)
        if before is not None and not (before == name and name in told.repeats):
            self._broken(f"{name} leaves while no word came back of {before}")
        if sent.fate.value not in KNOWN_NOT_DONE and name not in told.sighted:
            told.under_way[kind] = name
        if sent.fate is not RequestFate.ANSWERED:
            self.checked += 1

    # ------------------------------------------------------------ what the core was told

    def on_event(self, facts: GuardFacts, event: Event) -> None:
        """Learn what is unknown, and what no longer is."""
        told = self._of(facts)
        match event:
            case RequestUnanswered(command_id=command_id) | RequestRefused(command_id=command_id, is_duplicate=True):
                self._note_unknown(facts, command_id, event.at_ns)
            case (
                RequestRefused(command_id=command_id)
                | RequestAnswered(command_id=command_id)
                | RequestNotSent(command_id=command_id)
                | RequestMisconfigured(command_id=command_id)
            ):
                self._note_answered(facts, command_id)
            case Started(unanswered=unanswered):
                for command_id in unanswered:
                    self._note_unknown(facts, command_id, event.at_ns)
            case OrdersFound(command_id=command_id):
                command = facts.commands.get(command_id)
                if isinstance(command, FindOrders):
                    self._resolve(told, command.client_order_ids)
            case ExecutionSeen(execution=execution):
                self._resolve(told, (execution.client_order_id,))
            case PictureRead(asked_ns=asked_ns):
                self._take_picture(told, asked_ns)
            case _:
                pass
        self._resolve(told, [order.client_order_id for order in orders_of(event)])

    def _note_unknown(self, facts: GuardFacts, command_id: int, at_ns: int) -> None:
        command, told = facts.commands.get(command_id), self._of(facts)
        if isinstance(command, PlaceStop | ReduceAtMarket) and command.client_order_id not in told.sighted:
            told.unknown[series(command.client_order_id)] = Unknown(command.client_order_id, at_ns)

    def _note_answered(self, facts: GuardFacts, command_id: int) -> None:
        """An answer that says what became of it, a refusal at the door included."""
        command, told = facts.commands.get(command_id), self._of(facts)
        if isinstance(command, PlaceStop | ReduceAtMarket | PlaceTakeProfit):
            told.under_way.pop(series(command.client_order_id), None)

    def _take_picture(self, told: _Told, asked_ns: int) -> None:
        """A read of the whole account that was asked for later says what became of everything before it."""
        told.under_way = {kind: name for kind, name in told.under_way.items() if kind in told.unknown}
        gone = [kind for kind, each in told.unknown.items() if each.since_ns <= asked_ns]
        for kind in gone:
            del told.unknown[kind]
            told.under_way.pop(kind, None)

    def _resolve(self, told: _Told, names: Iterable[str]) -> None:
        known = set(names)
        told.sighted |= known
        told.repeats -= known
        if told.unknown:
            told.unknown = {kind: each for kind, each in told.unknown.items() if each.client_order_id not in known}
        if told.under_way:
            told.under_way = {kind: name for kind, name in told.under_way.items() if name not in known}

    # ------------------------------------------------------------ what it asks for

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """Nothing is placed for a purpose whose last placement is unknown."""
        told = self._of(facts)
        for command in commands:
            if isinstance(command, FindOrders):
                told.questions.update(command.client_order_ids)
            elif isinstance(command, PlaceStop):
                self._note_repeat(told, command.client_order_id, facts.guard.clock.now_ns())
                self._check(told, command.client_order_id)
            elif isinstance(command, ReduceAtMarket):
                self._check(told, command.client_order_id)

    def _note_repeat(self, told: _Told, name: str, now_ns: int) -> None:
        """A stop that left long ago and was asked for since: the same one again is a question too."""
        is_long_ago = now_ns >= told.placed_ns.get(name, now_ns) + REPEAT_AFTER_NS
        if is_long_ago and name in told.questions:
            told.repeats.add(name)
        told.placed_ns[name] = now_ns
        told.questions.discard(name)

    def _check(self, told: _Told, name: str) -> None:
        unknown = told.unknown.get(series(name))
        if unknown is not None and not (unknown.client_order_id == name and name in told.repeats):
            self._broken(f"{name} is placed while nobody knows what became of {unknown.client_order_id}")
        told.sighted.discard(name)

    def forget(self, facts: GuardFacts, *, is_memory_lost: bool) -> None:
        """A new life begins with a read of everything."""
        told = self._of(facts)
        told.unknown.clear()
        told.under_way.clear()
