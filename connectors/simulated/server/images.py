"""When partials are ready: at once, or at the venue's next tick.

Why: the venue prepares the images of its big market tables every 2.5 s and hands them to everyone
who has subscribed since; clients have to wait for them, and keep what they do meanwhile apart.

Units: milliseconds. Source: blog.bitmex.com, "Update to our realtime API's image delivery"; the
recorded sessions of 2021 show quotes and trades waiting as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PREPARED = frozenset({"instrument", "orderBookL2", "orderBookL2_25", "orderBook10", "quote", "trade"})
_MS_PER_S = 1_000


class Images:
    """Hands out partials, those of the prepared tables at the tick."""

    def __init__(self, period_ms: int) -> None:
        """Start without anyone waiting.

        Args:
            period_ms: Time between two ticks, 0 for partials at once.
        """
        self._period_s = period_ms / _MS_PER_S
        self._waiting: list[Callable[[], None]] = []

    def when_ready(self, table: str, deliver: Callable[[], None]) -> None:
        """Call back when the image of this table can be sent, in the order of asking."""
        if not self._period_s or table not in PREPARED:
            deliver()
            return
        if not self._waiting:
            loop = asyncio.get_running_loop()
            now_s = loop.time()
            loop.call_at(now_s + self._period_s - now_s % self._period_s, self._deliver)
        self._waiting.append(deliver)

    def _deliver(self) -> None:
        waiting, self._waiting = self._waiting, []
        for deliver in waiting:
            deliver()
