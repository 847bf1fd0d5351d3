"""What is left to do, and to say, when the guard's process is gone: a pure decision for `seawall last-act`.

Why: on BitMEX the dead man's switch cancels protective stops too (www.bitmex.com/api/explorer,
`order/cancelAllAfter`). A guard that died while the countdown ran leaves an account whose stops go at a known time,
and nobody left to say so. What follows is what the switch mode says: in `auto` a countdown that has nothing to sweep is
disarmed, one that has quotes to sweep is left to it; `always` is left armed; `off` is not ours.

It can ask for one request, the disarming. It never arms, places, moves or cancels anything. See
docs/decisions/0029-a-service-that-is-never-given-up.md.

Units: nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from config.alerting import Level
from config.policy import Policy, SwitchMode
from connectors.vocabulary import Order
from daemon.core.adding import may_add_exposure
from daemon.core.commands import Notify, Severity
from daemon.core.mode import Mode
from daemon.core.reasons import Reason
from daemon.core.state import GuardState, SwitchState

LOOP_WITHIN_NS: Final = 600 * 10**9
"""Deaths within this time belong together."""
LOOP_FROM: Final = 3
AGAIN_AFTER_NS: Final = 600 * 10**9
DEATHS_REMEMBERED: Final = 50
SUCCESS: Final = "success"
_GROUP: Final = "guard:death"
_RESULTS: Final = {
    "watchdog": "completed no decision cycle for too long and was ended by the watchdog",
    "oom-kill": "was killed because memory ran out",
    "timeout": "was ended because it took too long to start or to stop",
    "protocol": "did not speak to the service manager as it should",
    "resources": "could not be started: the service manager lacked something for it",
}


class SwitchLeft(Enum):
    """What holds of the dead man's switch after a death."""

    NOT_OURS = "not_ours"
    """The mode is `off`, or the guard only observed."""
    DISARMED = "disarmed"
    RAN_OUT = "ran_out"
    """The countdown was over before anybody looked: the venue has cancelled every order."""
    TO_DISARM = "to_disarm"
    """It may be armed, and there is nothing that it was armed for."""
    SWEEPS = "sweeps"
    """It may be armed, and there are orders that it was armed for."""
    ALWAYS = "always"
    """Armed by the mode's word, stops or not."""
    UNSEEN = "unseen"
    """It may be armed, and the venue could not be asked what is open."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Death:
    """How the process ended, in the words of the service manager."""

    result: str
    """`$SERVICE_RESULT`; empty when it is not known."""
    status: str = ""
    """`$EXIT_STATUS`: a number, or the name of a signal."""
    meaning: str = ""
    """What that number means, if it is one of ours."""
    at_ns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Deaths:
    """The deaths that are remembered, and what was said of them."""

    at_ns: tuple[int, ...] = ()
    told_ns: int = 0
    told_rank: int = 0

    def with_one(self, at_ns: int) -> Deaths:
        """The same and one more."""
        return Deaths(at_ns=(*self.at_ns, at_ns)[-DEATHS_REMEMBERED:], told_ns=self.told_ns, told_rank=self.told_rank)

    def recent(self, now_ns: int) -> int:
        """How many there were of late."""
        return sum(now_ns - LOOP_WITHIN_NS < each <= now_ns for each in self.at_ns)


def is_orderly(death: Death, state: GuardState | None) -> bool:
    """Whether the guard stopped in good order and has said all there is to say."""
    return death.result == SUCCESS and (state is None or state.mode is Mode.STOPPED)


def is_last(death: Death, state: GuardState | None) -> bool:
    """Whether the service manager will not start it again: a stop was asked for, as far as is known."""
    was_asked = state is not None and state.mode in {Mode.STOPPING, Mode.STOPPED}
    return death.result == SUCCESS or was_asked


def wants_picture(policy: Policy, state: GuardState | None, now_ns: int) -> bool:
    """Whether the venue has to be asked what is open, before anything is decided."""
    return switch_left(policy, state, None, now_ns) is SwitchLeft.UNSEEN


def switch_left(
    policy: Policy, state: GuardState | None, open_orders: tuple[Order, ...] | None, now_ns: int
) -> SwitchLeft:
    """Judge the switch.

    Args:
        policy: The settings' word, since a start would go by it.
        state: What the journal gave back; None: nothing.
        open_orders: Every open order as the venue shows them now; None: not asked, or no answer.
        now_ns: This moment.
    """
    if policy.observe or policy.switch.mode is SwitchMode.OFF:
        return SwitchLeft.NOT_OURS
    if state is not None and state.switch.command_id is None:
        if state.switch.state is SwitchState.DISARMED:
            return SwitchLeft.DISARMED
        if state.switch.state is SwitchState.ARMED and now_ns >= state.switch.expires_ns:
            return SwitchLeft.RAN_OUT
    if policy.switch.mode is SwitchMode.ALWAYS:
        return SwitchLeft.ALWAYS
    if open_orders is None:
        return SwitchLeft.UNSEEN
    return SwitchLeft.SWEEPS if any(map(may_add_exposure, open_orders)) else SwitchLeft.TO_DISARM


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """Everything that the last word is made of."""

    death: Death
    policy: Policy
    state: GuardState | None
    left: SwitchLeft
    is_disarmed: bool = False
    """The venue confirmed the disarming that was asked for."""
    problem: str = ""
    """Why the venue could not be asked, or did not confirm."""
    deaths: Deaths = Deaths()
    """This one included."""


def level_of(found: Findings) -> Level:
    """How loudly people are called: by what stays without cover, and for how long nobody acts."""
    bare, is_alone = _bare(found.state), is_last(found.death, found.state)
    takes_stops = found.left in {SwitchLeft.RAN_OUT, SwitchLeft.SWEEPS, SwitchLeft.ALWAYS, SwitchLeft.UNSEEN}
    takes_stops = takes_stops or (found.left is SwitchLeft.TO_DISARM and not found.is_disarmed)
    has_positions = found.state is None or bool(_open_positions(found.state))
    is_loop = found.deaths.recent(found.death.at_ns) >= LOOP_FROM
    if has_positions and (is_alone or is_loop) and (bare or takes_stops):
        return Level.EMERGENCY
    return Level.CRITICAL if is_loop or (has_positions and (bare or takes_stops or is_alone)) else Level.WARN


def is_to_be_told(found: Findings) -> bool:
    """Whether people hear of this death: not of every one in a loop, but of anything worse at once."""
    deaths, now_ns = found.deaths, found.death.at_ns
    if deaths.recent(now_ns) in {1, LOOP_FROM} or level_of(found).rank > deaths.told_rank:
        return True
    return is_last(found.death, found.state) or now_ns >= deaths.told_ns + AGAIN_AFTER_NS


def notice_of(found: Findings) -> Notify:
    """Write the message."""
    level, death, count = level_of(found), found.death, found.deaths.recent(found.death.at_ns)
    is_loop = count >= LOOP_FROM
    return Notify(
        reason=Reason.STOPPING,
        notification_id=f"{_GROUP}:{death.at_ns}",
        cause="news",
        level=level.value,
        route=level.value,
        severity=Severity.WARNING if level is Level.WARN else Severity.CRITICAL,
        group=_GROUP,
        title="The guard dies again and again" if is_loop else "The guard's process died",
        topic="mode",
        state="crash_loop" if is_loop else "died",
        symbol="",
        text=f"The guard {_how(death)}.{_again(count, is_loop=is_loop)} {_positions(found.state)}",
        did=_did(found),
        will=_will(found),
        you_can=_you_can(found),
        is_resolved=False,
        started_ns=min((each for each in found.deaths.at_ns if each > death.at_ns - LOOP_WITHIN_NS), default=0),
        count=max(1, count),
        facts=(("deaths", str(count)), ("result", death.result), ("switch", found.left.value)),
    )


# ---------------------------------------------------------------------- words


def _how(death: Death) -> str:
    if death.result in _RESULTS:
        return _RESULTS[death.result]
    if death.result == SUCCESS:
        return "ended before it could stop in good order"
    if death.status.isdecimal():
        return f"ended with exit code {death.status}" + (f" ({death.meaning})" if death.meaning else "")
    return f"was killed by SIG{death.status}" if death.status else "died"


def _again(count: int, *, is_loop: bool) -> str:
    return f" That was the death number {count} within {LOOP_WITHIN_NS // 60 // 10**9} minutes." if is_loop else ""


def _open_positions(state: GuardState) -> tuple[str, ...]:
    return tuple(sorted(symbol for symbol, each in state.positions.items() if each.position.quantity))


def _bare(state: GuardState | None) -> tuple[str, ...]:
    """Open positions whose stop was not confirmed resting."""
    if state is None:
        return ()
    return tuple(symbol for symbol in _open_positions(state) if not state.positions[symbol].covered_ns)


def _positions(state: GuardState | None) -> str:
    if state is None:
        return "What was open is not known: the journal cannot be used."
    held, bare = _open_positions(state), _bare(state)
    if not held:
        return "No position was open."
    if bare:
        return f"{len(held)} position(s) open, WITHOUT confirmed cover: {', '.join(bare)}."
    return f"{len(held)} position(s) open, each with a confirmed stop: {', '.join(held)}."


_DID: Final = {
    SwitchLeft.NOT_OURS: "Nothing was sent: the dead man's switch is not the guard's to write.",
    SwitchLeft.DISARMED: "Nothing was sent: the dead man's switch is disarmed, stops that rest go on resting.",
    SwitchLeft.RAN_OUT: (
        "Nothing was sent: the dead man's switch ran out, so the venue has cancelled every order, stops too."
    ),
    SwitchLeft.TO_DISARM: "The dead man's switch was to be disarmed, and that is not confirmed: ",
    SwitchLeft.SWEEPS: (
        "Nothing was sent: orders that may add exposure are open, and the dead man's switch is armed for them."
    ),
    SwitchLeft.ALWAYS: "Nothing was sent: in mode always the dead man's switch stays armed.",
    SwitchLeft.UNSEEN: "Nothing was sent, since what is open cannot be asked: ",
}


def _did(found: Findings) -> str:
    if found.is_disarmed:
        return "The dead man's switch was disarmed, since nothing that may add exposure is open: stops stay."
    words = _DID[found.left]
    return f"{words}{found.problem or 'no answer'}." if words.endswith(": ") else words


def _will(found: Findings) -> str:
    sweep = _sweep(found)
    if is_last(found.death, found.state):
        return f"Nobody starts it again by itself: it was asked to stop.{sweep}"
    return f"The service manager starts it again in some seconds, and it puts missing stops back.{sweep}"


def _sweep(found: Findings) -> str:
    """What the countdown does if nobody feeds it, and when."""
    takes = {SwitchLeft.SWEEPS, SwitchLeft.ALWAYS, SwitchLeft.UNSEEN}
    if found.left not in takes and (found.left is not SwitchLeft.TO_DISARM or found.is_disarmed):
        return ""
    expires_ns = 0 if found.state is None else found.state.switch.expires_ns
    left_s = (expires_ns - found.death.at_ns) // 10**9
    if expires_ns and left_s > 0:
        return f" If it is not fed by then, the venue cancels every order, stops too, in {left_s} s."
    return (
        " If the dead man's switch is armed, the venue cancels every order, stops too, at most"
        f" {found.policy.switch.timeout_s} s after the last feed."
    )


def _you_can(found: Findings) -> str:
    if found.state is None or _open_positions(found.state):
        return (
            "Look at the venue whether a reduce-only stop rests for each position, and place one by hand if not;"
            " then read the log of the service for why it died."
        )
    return "Read the log of the service for why it died."
