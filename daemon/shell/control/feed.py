"""Records of the journal as they are made, for those who follow them; nobody who reads slowly is waited for.

Each follower has a bounded queue. One that does not keep up is dropped: it reconnects, and asks the journal for what it
missed. With no follower a record costs one comparison.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from daemon.shell.records import Record

MOST_FOLLOWERS: Final = 8
MOST_WAITING: Final = 2_000
"""Records; more means that the follower does not keep up."""
MOST_WAITING_BYTES: Final = 2 * 1024 * 1024
_NOISE: Final = frozenset(
    {
        "MarkSeen",
        "HealthTicked",
        "SpreadSeen",
        "TimerFired",
        "SetTimer",
        "SetBand",
        "LedgerRead",
        "InsuranceSeen",
        "Checkpoint",
    }
)


def is_noise(name: str) -> bool:
    """Whether a record only says that time passes or a price moves."""
    return name in _NOISE


class TooSlow(Exception):
    """A follower did not keep up and is let go."""


class Gone(Exception):
    """A follower went away."""


class Follower:
    """One who follows, and what waits for it."""

    def __init__(self, *, every: bool) -> None:
        self.every = every
        self._frames: list[bytes] = []
        self._bytes = 0
        self._is_late = False
        self._is_gone = False
        self._news = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Leave one frame for it."""
        self._news.set()
        self._is_late |= len(self._frames) >= MOST_WAITING or self._bytes + len(frame) > MOST_WAITING_BYTES
        if not self._is_late:
            self._bytes += len(frame)
            self._frames.append(frame)

    def leave(self) -> None:
        """Note that nobody is there any more."""
        self._is_gone = True
        self._news.set()

    async def take(self) -> bytes:
        """Wait for the next frames, several at once if they wait already.

        Raises:
            TooSlow: If frames had to be left out.
            Gone: If nobody is there any more.
        """
        await self._news.wait()
        self._news.clear()
        if self._is_gone:
            raise Gone
        if self._is_late:
            raise TooSlow
        frames, self._frames, self._bytes = self._frames, [], 0
        return b"".join(frames)


class RecordFeed:
    """Hands each record to whoever follows."""

    def __init__(self) -> None:
        self._followers: set[Follower] = set()

    def offer(self, line: bytes) -> None:
        """Take one line of the journal, as it was encoded."""
        if not self._followers:
            return
        record = msgspec.json.decode(line, type=Record)
        quiet = is_noise(record.name)
        frame = frame_of(record)
        for follower in self._followers:
            if follower.every or not quiet:
                follower.put(frame)

    @property
    def is_followed(self) -> bool:
        """Whether anybody is there."""
        return bool(self._followers)

    @property
    def is_full(self) -> bool:
        """Whether nobody more is taken."""
        return len(self._followers) >= MOST_FOLLOWERS

    @contextmanager
    def following(self, *, every: bool) -> Iterator[Follower]:
        """Follow from now on."""
        follower = Follower(every=every)
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)


def frame_of(record: Record) -> bytes:
    """Return one server-sent event: number, name, and the record as JSON on one line."""
    body = b"{}" if record.name == "Checkpoint" else bytes(record.body)
    kind, name = record.kind.value.encode(), record.name.encode()
    head = b'{"seq":%d,"kind":"%b","name":"%b","body":' % (record.seq, kind, name)
    return b"id: %d\nevent: %b\ndata: %b%b}\n\n" % (record.seq, name, head, body)
