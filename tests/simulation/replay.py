"""P9 over the journal of a simulated guard: the same events through the same code give the same commands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import msgspec

from daemon.core.state import GuardState
from daemon.core.step import step
from daemon.shell.records import Kind, Record, decode_checkpoint, decode_command, decode_event
from tests.segments import records_in
from tests.simulation.memory_disk import MemoryDisk


def check_replay(disk: MemoryDisk) -> Iterator[str]:
    """Yield what differs, for every segment that is on the disk."""
    for number, content in disk.segments().items():
        records = list(records_in(content, origin=f"segment {number}"))
        if records:
            yield from _differences(records)


def _differences(records: list[Record]) -> Iterator[str]:
    state = msgspec.json.decode(decode_checkpoint(records[0]).state, type=GuardState)
    waiting: list[object] = []
    for record in records[1:]:
        match record.kind:
            case Kind.EVENT:
                if waiting:
                    yield f"before record {record.seq}: {len(waiting)} commands were not written, {waiting[0]}"
                event = decode_event(record)
                outcome = step(state, event)
                state, waiting = outcome.state, list(outcome.commands)
            case Kind.COMMAND:
                expected = waiting.pop(0) if waiting else None
                if type(expected).__name__ != record.name or msgspec.json.encode(expected) != bytes(record.body):
                    written = decode_command(record)
                    if written != expected:  # else the same in other words: a journal of another build
                        yield f"record {record.seq}: {_first_difference(written, expected)}"
            case Kind.CHECKPOINT:
                yield f"record {record.seq}: a checkpoint in the middle"


def _first_difference(written: object, expected: object) -> str:
    return next((f"{one!r} was written, {other!r} comes now" for one, other in zip_longest([written], [expected])), "")
