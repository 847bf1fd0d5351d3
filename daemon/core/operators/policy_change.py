"""A new policy for a running guard: the same knowledge, other wishes, and no stop goes for it.

What a restart with other settings does, without the restart: ratchets stay, so no stop loosens (P3), and a position
whose trigger only the new policy has passed counts as known from the start, so that it is told and not sold
(`stop.on_start_breach`). Nothing that rests is cancelled here; every position is looked at again in the same step, and
what has to move is placed, or amended toward the mark, as ever.

Only where the operator asks for it are ratchets let go of: then a stop may go back as far as the new policy asks, one
position at a time, told for each (see `given_stop.py` for the one price that a person gives).

Which settings can change at all while the daemon runs is the shell's to say (`daemon/shell/reload.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.events import PolicyChanged
from daemon.core.market.marks import is_looser, is_through, usable_mark
from daemon.core.memory.episode import Release
from daemon.core.protecting import shared
from daemon.core.protecting.wanted import Wanted, work_out
from daemon.core.reasons import Reason
from daemon.core.state import Guarded, Need

_MOST_TOLD: Final = 12
"""So many differences stand in the alert; the journal has them all."""


def take(draft: Draft, event: PolicyChanged) -> None:
    """Go on under another policy; an equal one moves nothing, unless stops are to be let go."""
    if event.policy == draft.policy and not event.may_loosen:
        if event.changes:  # of what the core does not decide by: the key
            _tell(draft, event)
        return
    before = {symbol: work_out(draft, guarded) for symbol, guarded in draft.positions.items()}
    has_other_stages = event.policy.take_profit != draft.policy.take_profit
    has_other_form = event.policy.stop.style is not draft.policy.stop.style
    draft.policy = event.policy
    for symbol, wanted in before.items():
        _note_breach(draft, symbol, wanted, has_other_stages=has_other_stages)
        if has_other_form:
            shared.want_anew(draft, symbol)
        draft.touch(symbol, reassess=True)
    _tell(draft, event)
    if event.may_loosen:
        for symbol in before:
            _let_go(draft, symbol, event.who)


def _note_breach(draft: Draft, symbol: str, before: Wanted, *, has_other_stages: bool) -> None:
    """What only the new policy wants closed, or taken as profit, was open before it."""
    guarded = draft.positions[symbol]
    is_new = _asks_to_close(draft, guarded, work_out(draft, guarded)) and not _asks_to_close(draft, guarded, before)
    if is_new or has_other_stages:
        episode = replace(guarded.episode, is_from_start=True)
        draft.change(symbol, is_from_start=guarded.is_from_start or is_new, episode=episode)


def _asks_to_close(draft: Draft, guarded: Guarded, wanted: Wanted) -> bool:
    """Whether a position would be closed at once; without a mark a trigger might be passed, so it counts."""
    if wanted.exit is not None:
        return True
    side, mark = guarded.position.side, usable_mark(draft, guarded.position.key.symbol)
    if side is None or wanted.trigger is None:
        return False
    return mark is None or is_through(side, wanted.trigger, mark.price)


def _let_go(draft: Draft, symbol: str, who: str) -> None:
    """Let one stop go back to where the new policy wants it, if that is looser than what rests."""
    guarded = draft.positions[symbol]
    side, ratchet = guarded.position.side, guarded.ratchet
    if side is None or ratchet is None:
        return
    free = replace(guarded, ratchet=None, episode=replace(guarded.episode, tightened=None))
    wanted = work_out(draft, free)
    if wanted.need is not Need.STOP or wanted.trigger is None or not is_looser(side, wanted.trigger, ratchet):
        return
    price = wanted.trigger
    released = Release(price=price, who=who, at_ns=draft.now_ns)
    draft.change(symbol, ratchet=None, episode=replace(free.episode, released=released))
    text = f"{who} reloaded the settings and let the stop of {symbol} go back from {ratchet} to {price}."
    facts = (("before", ratchet), ("trigger", price), ("who", who))
    tell(
        draft,
        Reason.STOP_LOOSENED,
        Severity.WARNING,
        topic="stop",
        state="loosened",
        symbol=symbol,
        text=text,
        facts=facts,
    )


def _tell(draft: Draft, event: PolicyChanged) -> None:
    shown = "; ".join(event.changes[:_MOST_TOLD])
    rest = len(event.changes) - _MOST_TOLD
    more = f"; and {rest} more" if rest > 0 else ""
    text = f"{event.who} changed the policy: {shown or 'nothing'}{more}. Stops stay where they rest, or move nearer."
    facts = (("who", event.who), ("changes", len(event.changes)), ("may_loosen", event.may_loosen))
    tell(draft, Reason.OPERATOR, Severity.NOTE, topic="policy", state="changed", text=text, facts=facts)
