"""The trail of one order or alert through a journal: what was decided about it, what became of it.

A journal is long and an order is in few of its lines, so lines are looked through as bytes and only those that name it
are read. An order has two names, ours and the exchange's; a row that carries both teaches the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from connectors.vocabulary import Execution, Order
from daemon.core.commands import CancelOrders, Command, FindOrders, Notify, RaiseAlert, ReadPicture
from daemon.core.events import (
    Event,
    ExecutionSeen,
    OrdersCancelled,
    OrderSeen,
    OrdersFound,
    OrdersListed,
    PictureRead,
    RequestAnswered,
)
from daemon.journal.fills import Fills, fills_of
from daemon.journal.segments import Segment, at_ns_of, lines_of
from daemon.journal.words import GUARD, VENUE, command_words, event_words, speaker
from daemon.shell.records import Record, decode_command, decode_event, decode_line

MOST_ENTRIES: Final = 400
"""Of one trail: an order that was amended for weeks is told from its beginning."""
_EVENT: Final = b'"kind":"event"'
_CHECKPOINT: Final = b'"kind":"checkpoint"'
_COMMAND_ID: Final = re.compile(rb'"command_id":(\d+)')
_HEAD_BYTES: Final = 200
"""The kind of a record stands within these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One thing that was decided or learned."""

    seq: int
    at_ns: int
    words: str
    by: str
    """Who says or does it: "guard", "venue", "person", or "here" for what this process saw of itself and its lines."""
    reason: str = ""
    times: int = 1
    """How often in a row."""
    fills: Fills | None = None
    """If it tells of nothing else."""

    @property
    def is_ours(self) -> bool:
        """Decided by the guard."""
        return self.by == GUARD


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A command, and the event that led to it."""

    segment: Segment
    seq: int
    command: Command
    cause: Record
    """The event."""

    @property
    def at_ns(self) -> int:
        """When it was decided."""
        return at_ns_of(self.cause)

    @property
    def symbol(self) -> str:
        """The contract that it is about; empty when it is about the account."""
        if isinstance(self.command, CancelOrders):
            return self.command.orders[0].symbol if self.command.orders else ""
        key = getattr(self.command, "key", None)
        return str(getattr(self.command, "symbol", "")) if key is None else str(key.symbol)


class Trail:
    """Gathers what a journal says of an order or alert, by any of its names."""

    def __init__(self, *names: str) -> None:
        self.ids = set(names)
        self.decision: Decision | None = None
        self.entries: list[Entry] = []
        self._needles = {_quoted(name) for name in names}
        self._open: set[int] = set()
        """Commands whose outcome is awaited."""
        self._told: dict[str, str] = {}
        """What each source said last."""
        self._cause: bytes = b""
        """The newest event's line."""

    def follow(self, segments: Sequence[Segment]) -> None:
        """Look through segments, oldest first."""
        for segment in segments:
            for line in lines_of(segment.path):
                self._take(segment, line)
                if len(self.entries) >= MOST_ENTRIES:
                    return

    def _take(self, segment: Segment, line: bytes) -> None:
        head = line[:_HEAD_BYTES]
        is_event = _EVENT in head
        if is_event:
            self._cause = line
        if _CHECKPOINT in head or not (self._is_named(line) or (is_event and self._is_outcome(line))):
            return
        record = decode_line(line)
        if record is not None:
            self._take_record(segment, record, is_event=is_event)

    def _is_named(self, line: bytes) -> bool:
        for needle in self._needles:  # noqa: SIM110 - read for every line of a journal, and `any` costs three times as much
            if needle in line:
                return True
        return False

    def _is_outcome(self, line: bytes) -> bool:
        found = _COMMAND_ID.search(line) if self._open else None
        return found is not None and int(found[1]) in self._open

    def _take_record(self, segment: Segment, record: Record, *, is_event: bool) -> None:
        try:
            if is_event:
                self._take_event(record, decode_event(record))
            else:
                self._take_command(segment, record, decode_command(record))
        except msgspec.MsgspecError:  # of another build: that it names the order is all that can be said
            by = VENUE if is_event else GUARD
            self._add(Entry(seq=record.seq, at_ns=at_ns_of(record), words=record.name, by=by))

    def _take_event(self, record: Record, event: Event) -> None:
        for row in rows_of(event):
            if not self.ids.isdisjoint((row.order_id, row.client_order_id)):
                self._learn(row.order_id, row.client_order_id)
        command_id = getattr(event, "command_id", None)
        if command_id is not None and command_id in self._open:
            self._open.discard(command_id)
        elif command_id is not None and not self._concerns(event):  # it only shares the number of a command
            return
        words = event_words(event, frozenset(self.ids))
        if words:
            self._add(entry_of_event(record.seq, event, words))

    def _concerns(self, event: Event) -> bool:
        return any(not self.ids.isdisjoint((row.order_id, row.client_order_id)) for row in rows_of(event))

    def _take_command(self, segment: Segment, record: Record, command: Command) -> None:
        if not self.ids.intersection(names_of(command)):
            return
        cause = decode_line(self._cause)
        at_ns = 0 if cause is None else at_ns_of(cause)
        if self.decision is None and cause is not None and not isinstance(command, FindOrders | ReadPicture):
            self.decision = Decision(segment=segment, seq=record.seq, command=command, cause=cause)
        command_id = getattr(command, "command_id", None)
        if command_id is not None:
            self._open.add(command_id)
        self._add(entry_of(record.seq, at_ns, command))

    def _add(self, entry: Entry) -> None:
        """Say the same thing once: every read of the account tells of every order again."""
        last = self.entries[-1] if self.entries else None
        if last is not None and entry.is_ours and (last.words, last.reason) == (entry.words, entry.reason):
            self.entries[-1] = replace(last, times=last.times + 1)
            return
        one = None if last is None else folded(last, entry)
        if one is not None:
            self.entries[-1] = one
            return
        source = entry.words.partition(":")[0]
        if entry.is_ours or self._told.get(source) != entry.words:
            self._told[source] = entry.words
            self.entries.append(entry)

    def _learn(self, *names: str) -> None:
        for name in names:
            if name and name not in self.ids:
                self.ids.add(name)
                self._needles.add(_quoted(name))


def entry_of_event(seq: int, event: Event, words: str) -> Entry:
    """Return what an event says."""
    return Entry(seq=seq, at_ns=event.at_ns, words=words, by=speaker(event), fills=fills_of(seq, event))


def folded(entry: Entry, later: Entry) -> Entry | None:
    """Return two entries about fills of one order as one; None if they are not that."""
    fills = None if entry.fills is None else entry.fills.and_then(later.fills)
    if fills is None:
        return None
    return replace(entry, fills=fills, words=fills.words if fills.executions > 1 else later.words)


def entry_of(seq: int, at_ns: int, command: Command) -> Entry:
    """Return what a command says of itself."""
    reason = getattr(command, "reason", None)
    return Entry(
        seq=seq, at_ns=at_ns, words=command_words(command), by=GUARD, reason="" if reason is None else reason.value
    )


def names_of(command: Command) -> Iterator[str]:
    """Every id that a command carries."""
    match command:
        case CancelOrders(orders=orders):
            for order in orders:
                yield from (order.order_id, order.client_order_id)
        case FindOrders(client_order_ids=ids):
            yield from ids
        case RaiseAlert(alert_id=alert_id):
            yield alert_id
        case Notify(notification_id=notification_id):
            yield notification_id
        case _:
            for field in ("client_order_id", "order_id"):
                name = getattr(command, field, "")
                if name:
                    yield name


def rows_of(event: Event) -> tuple[Order | Execution, ...]:
    """Every order and execution row that an event carries."""
    match event:
        case OrderSeen(order=order):
            return (order,)
        case RequestAnswered(order=order):
            return () if order is None else (order,)
        case OrdersFound(orders=orders) | OrdersListed(orders=orders) | OrdersCancelled(orders=orders):
            return orders
        case PictureRead():
            return event.open_orders + event.recent_orders
        case ExecutionSeen(execution=execution):
            return (execution,)
        case _:
            return ()


def _quoted(name: str) -> bytes:
    return msgspec.json.encode(name)
