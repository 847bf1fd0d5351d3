"""A person takes the wheel for a while: the guard sends nothing of its own, and says so until it guards again.

What a pause must never keep back: reading and judging, every alert, the requests of people, and the disarming of the
dead man's switch, since a countdown that nobody feeds would take the stops that rest. What it does keep back stands in
`quiet.py`. It is bounded in time, survives a restart, is a named degraded state (so the halt flag is up), is said again
while it lasts, louder when a position has no confirmed stop, and ends by itself: then everything is looked at anew.

A shadow is the same, and keeps back the requests of people as well: what would be done is said (`observing.py`).

Units: times in nanoseconds since 1970 UTC, lengths in seconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.memory.interventions import LatchKind, Pause, PauseKind
from daemon.core.reasons import Reason
from daemon.core.state import GuardState, Need

LONGEST_S: Final = 4 * 3_600
REMIND_NS: Final = 5 * 60 * 10**9
_NS: Final = 10**9


def refusal(view: Draft | GuardState, length_s: int) -> str:
    """Why there can be no pause of this length, in words; empty if there can.

    Example:
        >>> from config.policy import Policy
        >>> from daemon.core.state import initial_state
        >>> refusal(initial_state(7, Policy()), 0)
        'a pause lasts from 1 s to 14400 s; ask again when it is over'
    """
    if view.policy.observe:
        return "the guard only observes: there is nothing to pause"
    if not 1 <= length_s <= LONGEST_S:
        return f"a pause lasts from 1 s to {LONGEST_S} s; ask again when it is over"
    return ""


def begin(draft: Draft, kind: PauseKind, length_s: int, who: str) -> None:
    """Send nothing from now on; a pause that holds is replaced by the new one, and stops given in it stay given."""
    if refusal(draft, length_s):
        return
    given = () if draft.pause is None else draft.pause.stops
    draft.pause = Pause(
        kind=kind,
        who=who,
        since_ns=draft.now_ns,
        until_ns=draft.now_ns + length_s * _NS,
        told_ns=draft.now_ns,
        stops=given,
    )
    _look_anew(draft)


def end(draft: Draft, cause: str) -> None:
    """Guard again, and catch up with whatever was left undone."""
    pause = draft.pause
    if pause is None:
        return
    draft.pause = None
    for latch in list(draft.latches.values()):
        if latch.kind is LatchKind.FLATTEN and latch.stuck_from_ns:
            draft.put("latches", latch.name, replace(latch, stuck_from_ns=draft.now_ns))
    for symbol, guarded in list(draft.positions.items()):
        if guarded.observed != "vanished":
            draft.change(symbol, observed="")
    _look_anew(draft)
    what = "paused" if pause.kind is PauseKind.PAUSE else "in shadow"
    text = f"The guard acts again after {_length(draft.now_ns - pause.since_ns)} {what} ({cause}){_bare(draft)}."
    facts = (("who", pause.who), ("since_ns", pause.since_ns))
    tell(draft, Reason.OPERATOR, Severity.WARNING, topic="pause", state="ended", text=text, facts=facts)


def restart(draft: Draft) -> None:
    """A process began: it is paused as the one before was, and says so at once."""
    if draft.pause is not None:
        draft.pause = replace(draft.pause, told_ns=0)


def pass_time(draft: Draft) -> None:
    """End what is over, before the positions are looked at."""
    if draft.pause is not None and draft.now_ns >= draft.pause.until_ns:
        end(draft, "its time is over")


def settle(draft: Draft) -> None:
    """Say again what holds, and ask to be woken for the next word and for the end."""
    pause = draft.pause
    if pause is None:
        return
    if draft.now_ns >= pause.told_ns + REMIND_NS:
        pause = replace(pause, told_ns=draft.now_ns)
        draft.pause = pause
        severity = Severity.CRITICAL if _uncovered(draft) else Severity.WARNING
        text = f"Still {in_words(draft)}."
        tell(draft, Reason.OPERATOR, severity, topic="pause", state=pause.kind.value, text=text)
    draft.wake(ACCOUNT, min(pause.until_ns, pause.told_ns + REMIND_NS))


def note_given(draft: Draft, symbol: str) -> None:
    """A person gave a stop a price: it is brought there although the guard is paused."""
    if draft.pause is not None and symbol not in draft.pause.stops:
        draft.pause = replace(draft.pause, stops=(*draft.pause.stops, symbol))


def in_words(draft: Draft) -> str:
    """What holds, for people; empty while nothing does."""
    pause = draft.pause
    if pause is None:
        return ""
    left = _length(pause.until_ns - draft.now_ns)
    if pause.kind is PauseKind.SHADOW:
        what = f"in shadow by {pause.who} for {left} more: nothing is sent, what would be done is said"
    else:
        what = f"paused by {pause.who} for {left} more: only what a person asks for is sent; stops that rest stay"
    return f"{what}; the dead man's switch is disarmed{_bare(draft)}"


def _uncovered(draft: Draft) -> list[str]:
    return sorted(
        symbol
        for symbol, each in draft.positions.items()
        if each.position.quantity and not each.covered_ns and each.need is not Need.NOTHING
    )


def _bare(draft: Draft) -> str:
    bare = _uncovered(draft)
    return f"; WITHOUT a confirmed stop: {', '.join(bare)}" if bare else ""


def _length(length_ns: int) -> str:
    """A length for people.

    Example:
        >>> _length(754 * 10**9)
        '12 min 34 s'
    """
    minutes, seconds = divmod(max(0, length_ns) // _NS, 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _look_anew(draft: Draft) -> None:
    for symbol in draft.positions:
        draft.touch(symbol, reassess=True)
