"""The freshness ledger: what each stream and topic last said when, and what is left of the request budget.

Why: that a socket is open, that pings are answered and that data arrives are three facts, and only the last one is
sight. A venue's front-end may keep the first two up for hours while it has stopped telling what happens; so each is
noted apart, and data for each topic apart.

What counts as mute is decided by evidence, not by patience alone. The market stream tells prices all the time: no data
for `health.stale_after_s` is mute. The account's topics speak only when something happens, so their silence says
nothing by itself; but when a read over REST shows a row that the venue changed well after the newest row of the stream,
the stream has kept something back: the topic is mute until it is told anew, and the connection is renewed
(`renewal.py`).

Times: nanoseconds since 1970 UTC, 0 for "never". Values only, and the reading of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamFacts:
    """Three facts about one stream, and its topics one by one."""

    connected_ns: int = 0
    """Since when a socket is open; 0: none is."""
    pong_ns: int = 0
    """When a ping was last answered."""
    data_ns: int = 0
    """When a frame that is no pong last arrived, on this connection or on one before; 0: never."""
    topics: dict[str, int] = field(default_factory=dict)
    """When each topic last told a row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetFacts:
    """The account's request budget, as our count corrected by the venue's headers has it."""

    tokens: int
    """Requests left in the bucket of a minute."""
    capacity: int
    reserve: int
    """Kept for what protects; reads stop here."""
    paused_until_ns: int = 0
    """Nothing is sent before: the venue said so, or refuses this address."""
    is_banned: bool = False
    """It refuses this address."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """The newest of all that."""

    at_ns: int = 0
    market: StreamFacts = field(default_factory=StreamFacts)
    account: StreamFacts = field(default_factory=StreamFacts)
    budget: BudgetFacts | None = None
