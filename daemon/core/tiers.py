"""How near liquidation each position is, in tiers with hysteresis, and when to say so (P10).

A rise is said at once, and the highest tier reached is the one that is said. A tier is left only when the room exceeds
its bound by a share of it, so a price that flaps around a bound is one message. From WARN on, an unchanged tier is said
again after a while. A return to CALM is a note; a fall between tiers is silent. While a stop that has just fired is at
work nothing is judged: the position is about to be gone, and if it is not, the tier is told then.

Bounds in volatilities or probabilities are percent at the present estimate (`distance.bounds`); the widest counts, so a
tier is left only when every unit exceeds its bound. While the estimate is unknown, percent alone decides.

Units: room in percent of the mark price.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.policy import Tier
from daemon.core.alerts import NO_STOP_RESTS, STOP_IS_COMING, tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.margin.liquidation import room_percent
from daemon.core.market.distance import (
    RISING,
    Bounds,
    Distance,
    bounds,
    common_move_percent,
    deciding_unit,
    has_estimated_bounds,
    hourly_percent,
    measured,
)
from daemon.core.market.marks import ns, usable_mark
from daemon.core.protecting.cover import is_firing
from daemon.core.reasons import Reason
from daemon.core.restraint import quiet
from daemon.core.state import Guarded, Need

RANK: Final = {tier: tier.severity for tier in Tier}
"""Severities, worked out once: the bands ask for them at every mark."""
TELL_ANEW_NS: Final = 15 * 10**9
"""What was told of a position is not told of the one that takes its place within this time."""
_SEVERITY: Final = {
    Tier.CALM: Severity.NOTE,
    Tier.WATCH: Severity.NOTE,
    Tier.WARN: Severity.WARNING,
    Tier.CRITICAL: Severity.CRITICAL,
    Tier.EMERGENCY: Severity.CRITICAL,
}


def next_tier(limits: Bounds, present: Tier, room: Decimal) -> Tier:
    """The tier for a room in percent, given the present one.

    Example:
        >>> from config.policy import TierPolicy
        >>> limits = bounds(TierPolicy(), Side.LONG, None)
        >>> next_tier(limits, Tier.WATCH, Decimal("5.5"))
        <Tier.WATCH: 'watch'>
        >>> next_tier(limits, Tier.CALM, Decimal("1.0"))
        <Tier.CRITICAL: 'critical'>
    """
    found, present_rank = Tier.CALM, RANK[present]
    for rank, bound in enumerate(limits.percents, start=1):
        if room < bound or (rank <= present_rank and room <= bound * limits.leave_factor):
            found = RISING[rank - 1]
    return found


def judge(draft: Draft, symbol: str) -> None:
    """Judge one open position's tier; a stale mark leaves it as it is: blind is never read as safe."""
    guarded, mark = draft.positions[symbol], usable_mark(draft, symbol)
    side, price = guarded.position.side, guarded.liquidation.price
    if side is None or price is None or mark is None or not mark.is_fresh:
        return
    if is_firing(draft, guarded):
        draft.wake(symbol, guarded.fired_ns + ns(draft.policy.stop.stuck_after_s))
        return
    room = room_percent(side, mark.price, price)
    limits = bounds(draft.policy.tiers, side, hourly_percent(draft, symbol))
    tier = next_tier(limits, guarded.tier, room)
    if tier is guarded.tier:
        _repeat(draft, guarded, mark.price, room)
        return
    # A fall back into a lower tier is silent, and does not start that tier's repetition anew.
    is_news = tier is Tier.CALM or (RANK[tier] > RANK[guarded.tier] and not _was_just_told(draft, guarded, tier))
    if is_news:
        draft.change(symbol, tier=tier, tier_told=tier, tier_told_ns=draft.now_ns)
        _tell(draft, draft.positions[symbol], mark.price, room, Reason.TIER_CHANGED)
    else:
        draft.change(symbol, tier=tier)
    _wake_to_repeat(draft, draft.positions[symbol])


def _was_just_told(draft: Draft, guarded: Guarded, tier: Tier) -> bool:
    """Whether people have just heard the same of the position before this one.

    A bot that turns it round again and again is one message; what is still so a moment later is told then.
    """
    return (
        _is_of_before(guarded)
        and RANK[tier] <= RANK[guarded.tier_told]
        and draft.now_ns < guarded.tier_told_ns + TELL_ANEW_NS
    )


def _is_of_before(guarded: Guarded) -> bool:
    """Whether what was told last was told of an earlier life of the position."""
    return 0 < guarded.tier_told_ns < guarded.known_ns


def _repeat(draft: Draft, guarded: Guarded, mark: Decimal, room: Decimal) -> None:
    if guarded.tier is not Tier.CALM and _is_of_before(guarded):
        if draft.now_ns >= guarded.tier_told_ns + TELL_ANEW_NS:
            draft.change(guarded.position.key.symbol, tier_told=guarded.tier, tier_told_ns=draft.now_ns)
            _tell(draft, guarded, mark, room, Reason.TIER_CHANGED)
        _wake_to_repeat(draft, draft.positions[guarded.position.key.symbol])
        return
    if RANK[guarded.tier] < RANK[Tier.WARN]:
        return
    if draft.now_ns >= guarded.tier_told_ns + ns(draft.policy.tiers.repeat_after_s):
        draft.change(guarded.position.key.symbol, tier_told_ns=draft.now_ns)
        _tell(draft, guarded, mark, room, Reason.TIER_REPEATED)
    _wake_to_repeat(draft, draft.positions[guarded.position.key.symbol])


def _wake_to_repeat(draft: Draft, guarded: Guarded) -> None:
    if guarded.tier is not Tier.CALM and _is_of_before(guarded):
        draft.wake(guarded.position.key.symbol, guarded.tier_told_ns + TELL_ANEW_NS)
    elif RANK[guarded.tier] >= RANK[Tier.WARN]:
        due_ns = guarded.tier_told_ns + ns(draft.policy.tiers.repeat_after_s)
        draft.wake(guarded.position.key.symbol, due_ns)


def _tell(draft: Draft, guarded: Guarded, mark: Decimal, room: Decimal, reason: Reason) -> None:
    symbol, tier, side = guarded.position.key.symbol, guarded.tier, guarded.position.side
    if side is None:
        return
    hourly = hourly_percent(draft, symbol)
    far = measured(side, room, hourly)
    unit = deciding_unit(draft.policy.tiers, tier, side, hourly)
    by = f" (by {unit})" if unit and has_estimated_bounds(draft.policy.tiers) else ""
    still = " still" if reason is Reason.TIER_REPEATED else ""
    tell(
        draft,
        reason,
        _SEVERITY[tier],
        topic="tier",
        state=tier.value,
        symbol=symbol,
        text=f"{symbol} {side.value} is{still} {tier.value.upper()}{by}: mark {mark},"
        f" liquidation {guarded.liquidation.price}, room {far.in_words()}{_common(guarded, mark)};"
        f" {_stop(draft, guarded)}.",
        facts=(
            ("mark", mark),
            ("liquidation_price", guarded.liquidation.price),
            *_figures(far),
            ("hourly_volatility_percent", hourly),
            ("tier_by", unit or None),
            ("common_move_percent", common_move_percent(guarded, mark)),
            ("quantity", guarded.position.quantity),
            ("covered", bool(guarded.covered_ns)),
        ),
    )


def _figures(far: Distance) -> tuple[tuple[str, object], ...]:
    return (
        ("room_percent", f"{far.percent:.4f}"),
        ("room_volatilities", far.multiples),
        ("touch_probability", far.probability),
    )


def _common(guarded: Guarded, mark: Decimal) -> str:
    """In cross margin the account is what fails: the move of all its marks at which it does."""
    move = common_move_percent(guarded, mark)
    return "" if move is None else f", the account fails when its marks move {move:+.2f} % together"


def _stop(draft: Draft, guarded: Guarded) -> str:
    """What people want to know beside the room. A tier is often reached by opening, before any stop can rest."""
    if guarded.covered_ns:
        return f"stop at {guarded.ratchet or 'the price of another'}"
    is_held = quiet.is_held(draft, guarded.position.key.symbol)
    wants_one = guarded.need is Need.STOP and not guarded.through_ns and not is_held
    is_new = not guarded.was_covered and draft.now_ns < guarded.known_ns + ns(draft.policy.stop.confirm_within_s)
    is_coming = guarded.write is not None or is_new or not draft.orders_known
    return STOP_IS_COMING if wants_one and is_coming else NO_STOP_RESTS
