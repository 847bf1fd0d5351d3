"""The protocol clock: milliseconds that never run backwards, of real time or of the tape.

Why: every row the exchange publishes is stamped with it and every timer runs on it. Real time is
what a client expects, whatever day the tape plays. The tape's time moves with its steps only, so
that the same steps and requests give the same bytes at any speed, and nothing happens between
steps. The clock is passed in, so tests can stand still and a replay cannot be disturbed.

Units: milliseconds since 1970 UTC.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
_NS_PER_MS = 1_000_000
_MS_PER_S = 1_000


def system_clock() -> int:
    """Return real time in milliseconds since 1970 UTC."""
    return time.time_ns() // _NS_PER_MS


class MonotonicClock:
    """A clock that never steps back, whatever the one below it does."""

    def __init__(self, source: Clock, *, not_before_ms: int = 0) -> None:
        self._source = source
        self._last_ms = not_before_ms

    def __call__(self) -> int:
        """Return the later of now and the last answer."""
        self._last_ms = max(self._last_ms, self._source())
        return self._last_ms

    def advance_to(self, at_ms: int) -> None:
        """Never answer with less than this from now on (the end of a replayed journal)."""
        self._last_ms = max(self._last_ms, at_ms)


def standing_clock() -> int:
    """Return the beginning of time: a `MonotonicClock` over it moves when it is told to, and only then."""
    return 0


def iso(at_ms: int) -> str:
    """Return the venue's form of a time: ISO 8601, UTC, milliseconds, `Z`.

    Example:
        >>> iso(1_518_064_236_007)
        '2018-02-08T04:30:36.007Z'
    """
    seconds, millis = divmod(at_ms, _MS_PER_S)
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def parse_iso(text: str) -> int:
    """Return the milliseconds since 1970 of an ISO 8601 time; UTC where no zone is given.

    Raises:
        ValueError: If the text is not a time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * _MS_PER_S)
