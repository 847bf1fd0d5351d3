"""The dead man's switch: when to feed it, when to disarm it, when to leave it alone (P6).

Why: on BitMEX it is one countdown per account that cancels every order, protective stops among them
(www.bitmex.com/api/explorer, `order/cancelAllAfter`). So in mode `auto` it is armed only while an order that may add
exposure is open, and disarmed otherwise, so that the guard's death leaves the stops in place. It is fed only while the
guard can see and act: a feed is a statement, not a timer. When it cannot see and requests still work, what may add
exposure is cancelled by id (`exposure.py`), and then the switch is disarmed, so that the stops stay. A venue that
refuses our requests (clock, key, rights) leaves a guard that sees and cannot act: that is no reason to feed either.

There is one timer per account, the last writer wins and nobody can read it back. So a disarm is repeated on a slow
cycle, and one request at a time is under way: a late feed could arm again what was just disarmed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from config.policy import SwitchMode
from daemon.core import bots
from daemon.core.alerts import tell
from daemon.core.commands import DisarmSwitch, FeedSwitch, Severity
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.emergency import exposure
from daemon.core.events import SwitchAnswered
from daemon.core.market.marks import ns
from daemon.core.memory.under_way import PendingKind
from daemon.core.mode import Mode
from daemon.core.reasons import Reason
from daemon.core.state import SwitchState

RETRY_NS: Final = 10**9
TELL_EVERY_NS: Final = 60 * 10**9
"""Changes of the switch are told at most this often; `seawall status` always shows the present state."""
TOLERANCE_NS: Final = 10**9
"""How far the venue's own two times may be from what was asked."""


def decide(draft: Draft) -> None:
    """Send what the switch needs now, or ask to be woken when it will need something."""
    _note_expiry(draft)
    _tell_change(draft)
    mode = draft.policy.switch.mode
    if draft.policy.observe or mode is SwitchMode.OFF:
        return
    if draft.switch.command_id is not None:
        return
    if draft.mode is Mode.STOPPING:
        _decide_stopping(draft)
    elif draft.pause is not None:
        # Nobody feeds it now, and unfed it would take the stops that rest.
        _keep_disarmed(draft)
    elif draft.mode is Mode.GUARDING:
        if mode is SwitchMode.ALWAYS or draft.adding:
            _feed_if_able(draft)
        else:
            _keep_disarmed(draft)
    elif exposure.is_cleared(draft):
        _disarm_cleared(draft)


def _feed_if_able(draft: Draft) -> None:
    """Feed, unless the venue refuses our requests, or a bot that must be alive is not: nothing untrue is claimed."""
    if not draft.health.misconfigured and not bots.missing(draft):
        _feed(draft)
    elif draft.now_ns < _next_feed_ns(draft):
        draft.wake(ACCOUNT, _next_feed_ns(draft))


def is_feed_overdue(draft: Draft) -> bool:
    """Whether the running countdown ought to have been fed by now."""
    return draft.switch.state is SwitchState.ARMED and draft.now_ns >= _next_feed_ns(draft)


def _next_feed_ns(draft: Draft) -> int:
    return draft.switch.sent_ns + ns(draft.policy.switch.interval_s)


def _feed(draft: Draft) -> None:
    switch, policy = draft.switch, draft.policy.switch
    running = switch.state is SwitchState.ARMED and not switch.problem and switch.is_feed
    due_ns = _next_feed_ns(draft) if running else switch.retry_at_ns
    if draft.now_ns < due_ns:
        draft.wake(ACCOUNT, due_ns)
        return
    command_id = draft.await_answer(PendingKind.FEED)
    draft.switch = replace(switch, command_id=command_id, is_feed=True, sent_ns=draft.now_ns)
    draft.emit(FeedSwitch(command_id=command_id, reason=Reason.SWITCH_FEED, timeout_ns=ns(policy.timeout_s)))


def _keep_disarmed(draft: Draft) -> None:
    switch = draft.switch
    repeat_ns = switch.confirmed_ns + ns(draft.policy.switch.redisarm_every_s)
    due_ns = repeat_ns if switch.state is SwitchState.DISARMED and not switch.problem else switch.retry_at_ns
    if draft.now_ns < due_ns:
        draft.wake(ACCOUNT, due_ns)
        return
    _disarm(draft, Reason.SWITCH_DISARM)


def _disarm(draft: Draft, reason: Reason) -> None:
    command_id = draft.await_answer(PendingKind.DISARM)
    draft.switch = replace(draft.switch, command_id=command_id, is_feed=False, sent_ns=draft.now_ns)
    draft.emit(DisarmSwitch(command_id=command_id, reason=reason))


def _disarm_cleared(draft: Draft) -> None:
    """Blind, and nothing is left that may add exposure: the countdown could only harm."""
    if draft.now_ns < draft.switch.retry_at_ns:
        draft.wake(ACCOUNT, draft.switch.retry_at_ns)
    else:
        _disarm(draft, Reason.EXPOSURE_UNWATCHED)


def _decide_stopping(draft: Draft) -> None:
    """The orderly stop: `auto` disarms and awaits the reply, `always` leaves armed and says so.

    Where the stop cancels what may add exposure, that comes first: as long as it lasts the countdown is a backstop.
    """
    switch = draft.switch
    if switch.is_settled or not exposure.is_settled(draft):
        return
    if draft.policy.switch.mode is SwitchMode.ALWAYS and draft.pause is None:
        draft.switch = replace(switch, is_settled=True)
        text = "The guard stops and leaves the dead man's switch armed: every order, stops too, goes at the time-out."
        tell(draft, Reason.STOPPING, Severity.CRITICAL, topic="switch", state="left_armed", text=text)
    elif switch.state is SwitchState.DISARMED and switch.confirmed_ns >= draft.stop_asked_ns:
        draft.switch = replace(switch, is_settled=True)
    elif draft.now_ns < switch.retry_at_ns:
        draft.wake(ACCOUNT, switch.retry_at_ns)
    else:
        _disarm(draft, Reason.STOPPING)


def is_settled(draft: Draft) -> bool:
    """Whether an orderly stop has nothing more to do about the switch."""
    if draft.policy.observe or draft.policy.switch.mode is SwitchMode.OFF:
        return True
    return draft.switch.is_settled and draft.switch.command_id is None


def take_answer(draft: Draft, event: SwitchAnswered) -> None:
    """The venue confirmed; what its own two times say has to be what was asked."""
    draft.answered(event.command_id)
    switch = draft.switch
    if switch.command_id != event.command_id:
        return
    asked_ns = ns(draft.policy.switch.timeout_s) if switch.is_feed else 0
    problem = ""
    if abs(event.timeout_ns - asked_ns) > (TOLERANCE_NS if switch.is_feed else 0):
        problem = f"the venue set the switch to {event.timeout_ns} ns where {asked_ns} ns was asked"
    armed = event.timeout_ns > 0
    state = SwitchState.ARMED if armed else SwitchState.DISARMED
    if switch.clearing_ns and not armed:
        exposure.tell_cleared(draft)
        switch = replace(switch, told=state, told_ns=draft.now_ns)
    draft.switch = replace(
        switch,
        state=state,
        command_id=None,
        confirmed_ns=draft.now_ns,
        expires_ns=event.sent_ns + event.timeout_ns if armed else 0,
        retry_at_ns=draft.now_ns + RETRY_NS if problem else 0,
        problem=problem,
    )


def _tell_change(draft: Draft) -> None:
    """Say what the switch is now, when that is news; a bot that quotes and cancels all day is told once a minute."""
    switch = draft.switch
    known = switch.state in {SwitchState.ARMED, SwitchState.DISARMED}
    if not known or switch.state is switch.told or (switch.told_ns and draft.now_ns < switch.told_ns + TELL_EVERY_NS):
        return
    armed = f"armed: every order, stops too, goes {draft.policy.switch.timeout_s} s after the last feed"
    what = armed if switch.state is SwitchState.ARMED else "disarmed: orders and stops outlive the guard"
    text = f"The dead man's switch is {what}."
    tell(draft, Reason.FACT, Severity.NOTE, topic="switch", state=switch.state.value, text=text)
    draft.switch = replace(switch, told=switch.state, told_ns=draft.now_ns)


def fail(draft: Draft, command_id: int, reason: str, *, is_unknown: bool) -> None:
    """A request about the switch failed; sending it again is harmless, so nothing has to be asked first."""
    switch = draft.switch
    if switch.command_id != command_id:
        return
    unsure = is_unknown and (switch.state is SwitchState.DISARMED or not switch.is_feed)
    what = "feed" if switch.is_feed else "disarm"
    draft.switch = replace(
        switch,
        command_id=None,
        state=SwitchState.UNKNOWN if unsure else switch.state,
        retry_at_ns=draft.now_ns + RETRY_NS,
        problem=f"a {what} of the dead man's switch was not confirmed: {reason or 'no answer'}",
    )


def _note_expiry(draft: Draft) -> None:
    """The countdown ran out while we could not feed it: the venue has cancelled everything, or will."""
    switch = draft.switch
    if switch.state is SwitchState.DISARMED or not switch.expires_ns:
        return
    if draft.now_ns < switch.expires_ns:
        draft.wake(ACCOUNT, switch.expires_ns)
        return
    draft.switch = replace(switch, state=SwitchState.UNKNOWN, expires_ns=0)
    draft.want_picture(Reason.RECONCILE)
    text = "The dead man's switch ran out unfed: the venue cancels every order, stops too; they will be put back."
    tell(draft, Reason.SWITCH_FEED, Severity.CRITICAL, topic="switch", state="expired", text=text)
