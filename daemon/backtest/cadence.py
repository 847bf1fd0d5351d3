"""How often a guard does what the daemon does by the clock, while nothing is under way.

Why: a decision costs a fraction of a millisecond, and a day has 86,400 seconds. Between two prices of the tape nothing
changes for a guard that has nothing under way, so most of its ticks would decide nothing.

Units: nanoseconds, milliseconds and seconds of the history played; moves are shares of the price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from config.policy import Policy

_S: Final = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Cadence:
    """What a quiet guard waits for."""

    quiet_ns: int
    """Between two ticks (health and account rules),"""
    quiet_move: float
    """unless the mark has moved this far."""
    mark_ns: int
    """Between two repeats of a mark inside its band."""
    refresh_ms: int
    """Between two rows of a position and its margin that only prices moved,"""
    refresh_move: float
    """unless the mark has moved this far."""
    reconcile_s: Decimal
    """Least time between two pictures of the slow cycle; a policy's own counts where it is longer."""

    def slowed(self, policy: Policy) -> Policy:
        """Return the policy with the slow cycle of this cadence."""
        every_s = max(self.reconcile_s, policy.health.reconcile_every_s)
        return replace(policy, health=replace(policy.health, reconcile_every_s=every_s))


FAST: Final = Cadence(
    quiet_ns=60 * _S,
    quiet_move=0.0025,
    mark_ns=40 * _S,
    refresh_ms=300_000,
    refresh_move=0.005,
    reconcile_s=Decimal(600),
)
EXACT: Final = Cadence(
    quiet_ns=_S, quiet_move=1.0, mark_ns=10 * _S, refresh_ms=5_000, refresh_move=1.0, reconcile_s=Decimal(0)
)
"""The daemon's own, and the exchange's."""
