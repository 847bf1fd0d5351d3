"""`[ladder]`: what each tier of danger does, in order.

Pure: no input or output, importable by the core.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from config.checks import require
from config.modes import Lift, RuleMode


class Step(Enum):
    """One step of the ladder, from the gentlest to the strongest."""

    ALERT = "alert"
    FREEZE = "freeze"
    """Cancel the orders that may add exposure, and every new one, until lifted."""
    TIGHTEN = "tighten"
    """Move the stop nearer to the mark."""
    TRIM = "trim"
    """Close a share of the position whose closing brings the most room, at the market."""
    ADD_MARGIN = "add_margin"
    """Move margin to an isolated position, within a budget, where that brings no other liquidation nearer."""
    FLATTEN = "flatten"
    """Close everything, verify, and stay latched until an operator lifts it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LadderPolicy:
    """Steps by tier, and their sizes. A tier's steps are taken in the order in which they are written."""

    mode: RuleMode = RuleMode.ON
    watch: tuple[Step, ...] = (Step.ALERT,)
    warn: tuple[Step, ...] = (Step.ALERT,)
    critical: tuple[Step, ...] = (Step.ALERT,)
    emergency: tuple[Step, ...] = (Step.ALERT, Step.FREEZE)
    """What the tier does, in this order."""
    freeze_until: Lift = Lift.CLEARED
    """CLEARED: until every position is CALM again, or gone."""
    tighten_share: Decimal = Decimal("0.5")
    """The stop moves this share of the way from where it is to the mark."""
    trim_percent: Decimal = Decimal(25)
    """Of the position, each time."""
    trim_slippage_percent: Decimal = Decimal("0.1")
    """Expected, for the cost that is shown beforehand."""
    margin_budget_percent: Decimal = Decimal(10)
    """Of equity: what may be added to isolated positions in all, within a day."""
    margin_step_percent: Decimal = Decimal(2)
    """Of equity: what is added at a time."""
    cool_down_s: Decimal = Decimal(60)
    """Before the same step is taken again for the same position while its tier lasts."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("watch", "warn", "critical", "emergency"):
            steps = getattr(self, name)
            require(len(set(steps)) == len(steps), f"ladder.{name}", "must name each step once")
        require(0 < self.tighten_share < 1, "ladder.tighten_share", "must be above 0 and below 1")
        require(0 < self.trim_percent <= 100, "ladder.trim_percent", "must be above 0 and at most 100")
        require(0 <= self.trim_slippage_percent < 10, "ladder.trim_slippage_percent", "must be from 0 to below 10")
        require(
            0 < self.margin_step_percent <= self.margin_budget_percent <= 100,
            "ladder.margin_step_percent",
            "must be above 0 and at most margin_budget_percent, and that at most 100",
        )
        require(self.cool_down_s > 0, "ladder.cool_down_s", "must be above 0")
        require(self.freeze_until is not Lift.NEXT_DAY, "ladder.freeze_until", 'must be "operator" or "cleared"')
