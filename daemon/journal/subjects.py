"""Which decision a symbol or a record's number means."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from daemon.core.commands import CancelOrders, Command, OrderCommand, PositionCommand, RaiseAlert
from daemon.journal.segments import Segment, lines_of
from daemon.journal.trail import Decision
from daemon.shell.records import Kind, Record, decode_command, decode_line

_EVENT = b'"kind":"event"'
_COMMAND = b'"kind":"command"'
_HEAD_BYTES = 200


def last_decision_about(segments: Sequence[Segment], symbol: str) -> Decision | None:
    """Return the last order or correction about a symbol; the last alert if there never was one."""
    needle = b'"symbol":' + msgspec.json.encode(symbol)
    alert: Decision | None = None
    for segment in reversed(segments):
        decisions = _decisions(segment, lambda line: needle in line)
        for decision in reversed(decisions):
            if decision.symbol == symbol and isinstance(
                decision.command, OrderCommand | PositionCommand | CancelOrders
            ):
                return decision
            if alert is None and decision.symbol == symbol and isinstance(decision.command, RaiseAlert):
                alert = decision
    return alert


def record_of(segments: Sequence[Segment], seq: int) -> Decision | Record | None:
    """Return the command with this number, the first that the event with this number led to, or that event."""
    needle = b'"seq":%d,' % seq
    holding = [segment for segment in segments if segment.first_seq is None or segment.first_seq <= seq]
    for segment in holding[-1:]:
        found = _decisions(segment, lambda line: needle in line[:_HEAD_BYTES], causes=True)
        if found:
            return found[0]
        return decode_line(next((line for line in lines_of(segment.path) if needle in line[:_HEAD_BYTES]), b""))
    return None


def _decisions(segment: Segment, is_wanted: Callable[[bytes], bool], *, causes: bool = False) -> list[Decision]:
    """The commands of a segment whose line is wanted; with `causes`, also those whose event's line is."""
    decisions: list[Decision] = []
    cause_line, cause_wanted = b"", False
    for line in lines_of(segment.path):
        head = line[:_HEAD_BYTES]
        if _EVENT in head:
            cause_line, cause_wanted = line, causes and is_wanted(line)
        elif _COMMAND in head and (cause_wanted or is_wanted(line)):
            decision = _decision(segment, decode_line(line), decode_line(cause_line))
            if decision is not None:
                decisions.append(decision)
    return decisions


def _decision(segment: Segment, record: Record | None, cause: Record | None) -> Decision | None:
    if record is None or cause is None or record.kind is not Kind.COMMAND:
        return None
    try:
        command: Command = decode_command(record)
    except msgspec.MsgspecError:
        return None
    return Decision(segment=segment, seq=record.seq, command=command, cause=cause)
