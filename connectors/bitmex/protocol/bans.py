"""How long to stay away after a page of 403: longer each time, until anything else is answered.

Why: a ban lasts about an hour and each request may prolong it, so one try in two minutes is enough. But one such page
may be a slip of whatever stands before the venue, and while it is believed no stop can be placed (P2, P8).

Times are seconds on any one steady clock, passed in.

Source: www.bitmex.com/app/restAPI, "Request Rate Limits".
"""

from __future__ import annotations

from typing import Final

from connectors.bitmex.protocol.refusals import BAN_PAUSE_S, FIRST_BAN_PAUSE_S

_MOST_COUNTED: Final = 10


class Bans:
    """The pages in a row, and until when they keep us away."""

    def __init__(self) -> None:
        self._count = 0
        self._until_s = float("-inf")

    def page(self, now_s: float) -> float:
        """Take a page of 403; return for how long to stay away. Several that were under way at once count as one."""
        if now_s >= self._until_s:
            self._until_s = now_s + min(BAN_PAUSE_S, FIRST_BAN_PAUSE_S * 2.0**self._count)
            self._count = min(self._count + 1, _MOST_COUNTED)
        return self._until_s - now_s

    def over(self) -> None:
        """Something else was answered."""
        self._count = 0
