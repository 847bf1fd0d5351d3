"""The orderly stop: settle what is under way, cancel what may add exposure if asked for, then the switch, then goodbye.

Why: `SIGTERM` comes with requests in flight. A write whose outcome nobody waits for would be an unknown at the next
start, so outcomes are awaited for a stated time. Stops stay where they are: they protect without us.
"""

from __future__ import annotations

from typing import Final

from config.policy import SwitchMode
from daemon.core import switch
from daemon.core.alerts import tell
from daemon.core.commands import Exit, Severity
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.emergency import exposure
from daemon.core.folding.feeds import move
from daemon.core.mode import Mode, ModeInput
from daemon.core.reasons import Reason

SETTLE_WITHIN_NS: Final = 5 * 10**9
"""Then the process ends all the same, and the next start asks what became of the rest."""


def ask(draft: Draft) -> None:
    """An orderly stop was asked for."""
    if draft.mode not in {Mode.STOPPING, Mode.STOPPED}:
        draft.stop_asked_ns = draft.now_ns
    move(draft, ModeInput.STOP_ASKED)


def settle(draft: Draft) -> None:
    """End once nothing is under way any more, or patience is over."""
    if draft.mode is not Mode.STOPPING:
        return
    writes = sum(g.write is not None or g.reduce is not None for g in draft.positions.values())
    settled = not writes and exposure.is_settled(draft) and switch.is_settled(draft)
    due_ns = draft.stop_asked_ns + SETTLE_WITHIN_NS
    if not settled and draft.now_ns < due_ns:
        draft.wake(ACCOUNT, due_ns)
        return
    held = [g for g in draft.positions.values() if g.position.quantity]
    bare = sum(not g.covered_ns for g in held)
    loose = "" if settled else f" {writes} request(s) and the switch are left unconfirmed."
    text = f"The guard stops: {len(held)} open position(s), {bare} without confirmed cover; stops stay.{loose}"
    left = _left_open(draft) + _latched(draft)
    is_left = bool(draft.latches) or (left and exposure.is_asked_for(draft.policy))
    severity = Severity.WARNING if bare or not settled or is_left else Severity.NOTE
    tell(draft, Reason.STOPPING, severity, topic="mode", state=Mode.STOPPED.value, text=text + left)
    move(draft, ModeInput.SETTLED)
    draft.emit(Exit(reason=Reason.STOPPING))


def _left_open(draft: Draft) -> str:
    """What may still add exposure, where the switch will not take it away."""
    count = sum(draft.adding.values())
    if not count or draft.policy.switch.mode is not SwitchMode.AUTO:
        return ""
    could = " and could not be cancelled in time" if exposure.is_asked_for(draft.policy) else ""
    return f" {count} order(s) that may add exposure stay open{could}."


def _latched(draft: Draft) -> str:
    """Latches hold through the stop, and nobody acts on them until the next start."""
    if not draft.latches:
        return ""
    names = ", ".join(sorted(draft.latches))
    return f" Latched: {names}; while the guard is stopped nothing enforces it, the next start goes on."
