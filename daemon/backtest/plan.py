"""What is to be played: which positions, on how many accounts, when, and under which policy.

A *lane* is one kind of position, say a long at 10x with isolated margin. Each lane has two accounts, one guarded and
one not, and the same bot trades both. A *round* is one position of a lane, from the entry until both accounts are out
of it or its time is over.

Units: times in milliseconds of the history played, money in satoshi, contracts are contracts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from config.policy import Policy
from connectors.vocabulary import Side
from daemon.backtest.cadence import FAST, Cadence

SAT: int = 100_000_000
MINUTE_MS: int = 60_000
HOUR_MS: int = 3_600_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """One kind of position, opened again and again, or once at a given time."""

    side: Side
    leverage: Decimal
    is_cross: bool = False
    contracts: int | None = None
    """None: sized by the plan's share of equity."""
    at_ms: int | None = None
    """The one time of entry; None: after the warm-up, and again after each end."""
    until_ms: int | None = None
    """When the bot closes what is left of that one; None: never before the end."""

    @property
    def name(self) -> str:
        """What people call it."""
        margin = "cross" if self.is_cross else "isolated"
        return f"{self.side.value} {self.leverage.normalize():f}x {margin}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Everything that a run depends on beside the candles."""

    lanes: tuple[Lane, ...]
    policy: Policy = field(default_factory=Policy)
    seed: int = 1
    equity_sat: int = SAT
    """Of every account at the start of each round: what was lost is put back in, what was won is taken out."""
    margin_share: Decimal = Decimal("0.2")
    """Of equity, behind each isolated position. A cross one is backed by the whole account."""
    warm_up_ms: int = 5 * MINUTE_MS
    hold_ms: int = 24 * HOUR_MS
    """The bot closes a position after this long."""
    again_after_ms: int = HOUR_MS
    """From the end of a round in which somebody was forced out to the next entry."""
    latency_ms: int = 50
    """Mean time of any message, one way."""
    cadence: Cadence = FAST
    lift_after_ms: int = 0
    """A person lifts every latch this long after it was set; 0: nobody does."""
