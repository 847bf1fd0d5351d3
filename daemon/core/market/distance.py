"""How far a position is from liquidation, in the three units that people and tiers use.

Why: percent of the mark is what a price says, multiples of recent volatility is what it means today, and the
probability of touching within the hour is what it is worth. The estimate behind the last two may be unknown; unknown is
never "safe", so percent always counts. Tiers and bands work in percent: bounds in other units are turned into it at the
present estimate, and the widest counts.

Units: percent of the mark; volatility as one standard deviation per hour in percent of the mark; probabilities from 0
to 1, of touching within `touch.HORIZON_H`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

from config.policy import Tier, TierPolicy
from connectors.vocabulary import Side
from daemon.core.alerts import percent
from daemon.core.draft import Draft
from daemon.core.margin.liquidation import room_percent
from daemon.core.state import Guarded, GuardState
from daemon.core.touch import percent_at, touch_probability

RISING: Final = (Tier.WATCH, Tier.WARN, Tier.CRITICAL, Tier.EMERGENCY)
"""In the order of their severities, which count from 1."""
_HUNDREDTH: Final = Decimal("0.01")
_TENTH: Final = Decimal("0.1")
_PERCENT: Final = Decimal(100)


@dataclass(frozen=True, kw_only=True, slots=True)
class Distance:
    """Room before liquidation, in three units."""

    percent: Decimal
    """Zero at the liquidation price, below zero beyond it."""
    multiples: Decimal | None = None
    """In hourly volatilities, rounded down; None while volatility is unknown."""
    probability: Decimal | None = None
    """That it is used up within the hour, rounded up; None while volatility is unknown."""

    def in_words(self) -> str:
        """For people: "4.21 %, 3.1 hourly volatilities, 5.33 % to be touched within an hour"."""
        words = percent(self.percent)
        if self.multiples is not None and self.probability is not None:
            words += f", {self.multiples} hourly volatilities, "
            words += f"{percent(self.probability * _PERCENT)} to be touched within an hour"
        return words


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Where each tier begins at the present estimate: percent of the mark, from WATCH to EMERGENCY."""

    percents: tuple[Decimal, ...]
    leave_factor: Decimal
    """A tier is left when the room exceeds its bound times this."""


def hourly_percent(view: Draft | GuardState, symbol: str) -> Decimal | None:
    """One standard deviation of an hour's move, in percent of the mark.

    Returns:
        Above zero; None until enough samples were seen, which says nothing about how calm the market is.
    """
    known = view.volatility.get(symbol)
    if known is None or known.samples < view.policy.volatility.least_samples:
        return None
    return known.hourly_percent


def largest_gap_percent(view: Draft | GuardState, symbol: str) -> Decimal | None:
    """The largest jump of late, in percent of the mark: how far a mark may go past a stop before it fires.

    Of a jump that stayed it is the whole; of a steep fall it is what falls in a second.

    Returns:
        Above zero, losing half of itself per half-life; None until enough samples were seen.
    """
    known = view.volatility.get(symbol)
    if known is None or known.samples < view.policy.volatility.least_samples:
        return None
    return known.largest_percent


def distance(view: Draft | GuardState, guarded: Guarded, mark: Decimal | None) -> Distance | None:
    """The room of a position at a mark; None when it is flat, or one of the two prices is not known."""
    side, price = guarded.position.side, guarded.liquidation.price
    if side is None or price is None or mark is None or mark <= 0 or price <= 0:
        return None
    return measured(side, room_percent(side, mark, price), hourly_percent(view, guarded.position.key.symbol))


def measured(side: Side, room: Decimal, hourly: Decimal | None) -> Distance:
    """Express a room in percent in the other two units as well, as far as volatility is known."""
    if not hourly:
        return Distance(percent=room)
    return Distance(
        percent=room,
        multiples=(room / hourly).quantize(_TENTH, rounding=ROUND_DOWN),
        probability=touch_probability(side, room, hourly),
    )


def common_move_percent(guarded: Guarded, mark: Decimal) -> Decimal | None:
    """The move of all marks (or of those of one underlying) at which the account of a cross position fails.

    Returns:
        Signed percent of the mark, to two digits, rounded toward zero; None for a position that shares its account with
        no other, or where it is not known.
    """
    if guarded.common_price is None or mark <= 0:
        return None
    return ((guarded.common_price - mark) / mark * _PERCENT).quantize(_HUNDREDTH, rounding=ROUND_DOWN)


def bounds(policy: TierPolicy, side: Side, hourly: Decimal | None) -> Bounds:
    """Turn the bounds of all units into percent and take the widest of each tier.

    Args:
        policy: Bounds in up to three units.
        side: Of the position; at the same probability a short's mark goes farther.
        hourly: Volatility; None leaves percent alone.
    """
    percents: tuple[Decimal, ...]
    if hourly and has_estimated_bounds(policy):
        percents = tuple(max(_in_units(policy, tier, side, hourly).values()) for tier in RISING)
    else:
        percents = (policy.watch_percent, policy.warn_percent, policy.critical_percent, policy.emergency_percent)
    return Bounds(percents=percents, leave_factor=1 + policy.hysteresis_share)


def deciding_unit(policy: TierPolicy, tier: Tier, side: Side, hourly: Decimal | None) -> str:
    """The unit whose bound is the widest of a tier: "percent", "volatility" or "probability"; empty for CALM."""
    if tier is Tier.CALM:
        return ""
    found = _in_units(policy, tier, side, hourly)
    return max(found, key=lambda unit: found[unit])


def has_estimated_bounds(policy: TierPolicy) -> bool:
    """Whether any tier asks for volatility or probability."""
    return any(
        bound is not None
        for bound in (
            policy.watch_volatility,
            policy.warn_volatility,
            policy.critical_volatility,
            policy.emergency_volatility,
            policy.watch_probability,
            policy.warn_probability,
            policy.critical_probability,
            policy.emergency_probability,
        )
    )


def _in_units(policy: TierPolicy, tier: Tier, side: Side, hourly: Decimal | None) -> dict[str, Decimal]:
    """The bounds of one tier in percent, by the unit in which they are set."""
    found: dict[str, Decimal] = {"percent": getattr(policy, f"{tier.value}_percent")}
    multiples: Decimal | None = getattr(policy, f"{tier.value}_volatility")
    probability: Decimal | None = getattr(policy, f"{tier.value}_probability")
    if hourly and multiples is not None:
        found["volatility"] = multiples * hourly
    if hourly and probability is not None:
        found["probability"] = percent_at(side, probability, hourly)
    return found
