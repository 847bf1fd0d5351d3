"""What in a policy cannot work, however the market moves: said before the start, with what to write instead.

Why apart from `advice`: advice is about disappointments, this is about protection that would not be there. Values that
are wrong by themselves never get here: they are refused where they are made.

Pure: no input or output. Units: as in the policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.ladder import Step
from config.modes import RuleMode
from config.policy import Policy, SwitchMode
from config.venue import VenueSettings

_TIERS: Final = ("watch", "warn", "critical", "emergency")
_HUNDRED: Final = Decimal(100)
_RETRY_S: Final = Decimal(1)
"""Between a feed that failed and the next try."""
_MOST_LEVERAGE: Final = 100
_LONGEST_S: Final = {
    "stop.confirm_within_s": 30,
    "stop.stuck_after_s": 60,
    "stop.retry_after_s": 10,
    "health.stale_after_s": 60,
    "health.max_loop_lag_s": 30,
    "health.reconcile_every_s": 3600,
}
"""Beyond these nobody waits on purpose: a stop that is not there, or a stream that is dead, would go unnoticed."""
_LEAST_RECONCILE_S: Final = 2
"""Each comparison takes some requests of the 120 a minute that the whole account has."""
_STRENGTH: Final = {Step.TRIM: 1, Step.FLATTEN: 2}
"""Steps that end a position, in part or whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractFacts:
    """What of a contract a distance in percent has to be held against."""

    symbol: str
    tick_size: Decimal
    price: Decimal


def impossible(policy: Policy, venue: VenueSettings) -> tuple[str, ...]:
    """Return what cannot work, each in one line that names its keys.

    Example:
        >>> from config.venue import Environment, venue_settings
        >>> impossible(Policy(), venue_settings(Environment.TESTNET))
        ()
    """
    return (
        *_switch(policy, Decimal(str(venue.request_timeout_s))),
        *_no_room(policy),
        *_ladder(policy),
        *_naked(policy),
        *_times(policy, venue),
    )


def below_a_tick(policy: Policy, contract: ContractFacts) -> tuple[str, ...]:
    """Return the distances that are nearer than a tick at today's price: the exchange has no such stop."""
    tick_percent = contract.tick_size / contract.price * _HUNDRED
    distances = {"stop.buffer_percent": policy.stop.buffer_percent, "stop.floor_percent": policy.stop.floor_percent}
    if policy.stop.trailing.mode is not RuleMode.OFF:
        distances |= {
            "stop.trailing.distance_percent": policy.stop.trailing.distance_percent,
            "stop.trailing.step_percent": policy.stop.trailing.step_percent,
        }
    if policy.stop.break_even.mode is not RuleMode.OFF:
        distances["stop.break_even.after_percent"] = policy.stop.break_even.after_percent
    return tuple(
        f"{place} = {percent:f} is nearer than one tick of {contract.symbol} ({contract.tick_size:f}, which is"
        f" {tick_percent:.4f} % of {contract.price:f}): write {_shown(tick_percent)} or more"
        for place, percent in distances.items()
        if percent < tick_percent
    )


def _switch(policy: Policy, request_s: Decimal) -> Iterator[str]:
    """One feed may get lost; the next one has to arrive in time."""
    switch = policy.switch
    if switch.mode is SwitchMode.OFF or policy.observe:
        return
    needed = switch.interval_s + request_s + _RETRY_S + request_s
    if switch.timeout_s < needed:
        least = (request_s + _RETRY_S + request_s) / (1 - Decimal("0.25"))
        yield (
            f"switch.timeout_s = {switch.timeout_s:f} is shorter than two feeds: one that is lost after {request_s:f} s"
            f" and the next come {needed:f} s after the last good one: write {_shown(least)} or more"
        )
    if switch.timeout_s <= policy.health.stale_after_s:
        yield (
            f"switch.timeout_s = {switch.timeout_s:f} runs out before a silent stream counts as stale"
            f" (health.stale_after_s = {policy.health.stale_after_s:f}): the countdown would be the first to notice"
        )


def _no_room(policy: Policy) -> Iterator[str]:
    """From some leverage on, half of the way is nearer to liquidation than the floor: no stop may stand there."""
    stop = policy.stop
    highest = stop.max_room_share * _HUNDRED / stop.floor_percent
    if highest < _MOST_LEVERAGE:
        yield (
            f"stop.floor_percent = {stop.floor_percent:f} leaves positions above {highest:.0f}x without any stop:"
            f" stop.max_room_share = {stop.max_room_share:f} of their way to liquidation is less than the floor;"
            f" write {_shown(stop.max_room_share * _HUNDRED / _MOST_LEVERAGE, up=False)} or less"
        )


def _ladder(policy: Policy) -> Iterator[str]:
    """A stronger step at a milder tier: what is written for the graver one is never reached."""
    if policy.ladder.mode is RuleMode.OFF:
        return
    for mild, grave in ((a, b) for i, a in enumerate(_TIERS) for b in _TIERS[i + 1 :]):
        mild_steps, grave_steps = getattr(policy.ladder, mild), getattr(policy.ladder, grave)
        if _strongest(mild_steps) == _STRENGTH[Step.FLATTEN] and set(grave_steps) & {
            Step.TIGHTEN,
            Step.TRIM,
            Step.ADD_MARGIN,
        }:
            words = ", ".join(step.value for step in grave_steps)
            yield f"ladder.{mild} flattens, so ladder.{grave} ({words}) finds no position: put the gentler step first"


def _strongest(steps: tuple[Step, ...]) -> int:
    return max((_STRENGTH.get(step, 0) for step in steps), default=0)


def _naked(policy: Policy) -> Iterator[str]:
    naked = policy.account.naked
    if naked.mode is RuleMode.ON and naked.for_s <= policy.stop.confirm_within_s:
        yield (
            f"account.naked.for_s = {naked.for_s:f} is over before a stop has had its time to be confirmed"
            f" (stop.confirm_within_s = {policy.stop.confirm_within_s:f}): every position would break the rule"
        )


def _times(policy: Policy, venue: VenueSettings) -> Iterator[str]:
    """Times that no venue keeps, or that make the guard deaf."""
    health, ping_s = policy.health, Decimal(str(venue.ping_after_s)).normalize()
    if health.stale_after_s <= ping_s:
        yield (
            f"health.stale_after_s = {health.stale_after_s:f} is over before a silent stream is asked for a sign of"
            f" life ({ping_s:f} s): every quiet minute would count as blind; write {ping_s * 2 + 2:f}"
        )
    if health.max_clock_skew_s >= venue.expires_after_s:
        yield (
            f"health.max_clock_skew_s = {health.max_clock_skew_s:f} lets the clock be off by as long as a signature"
            f" holds ({venue.expires_after_s} s): every request would be refused; write 3"
        )
    if health.reconcile_every_s < _LEAST_RECONCILE_S:
        yield (
            f"health.reconcile_every_s = {health.reconcile_every_s:f} asks more often than the request budget"
            f" ({venue.requests_per_minute} a minute) allows: write {_LEAST_RECONCILE_S} or more"
        )
    for place, most_s in _LONGEST_S.items():
        table, _, name = place.partition(".")
        seconds = getattr(getattr(policy, table), name)
        if seconds > most_s:
            yield f"{place} = {seconds:f} is so long that the guard would not notice in time: write {most_s} or less"


def _shown(number: Decimal, *, up: bool = True) -> str:
    """A number to write: three digits, on the safe side."""
    step = Decimal(1).scaleb(number.adjusted() - 2) if number else Decimal(1)
    rounded = (number / step).to_integral_value(rounding="ROUND_CEILING" if up else "ROUND_FLOOR") * step
    return f"{rounded.normalize():f}"
