"""When the account stream is to be opened anew although it lives.

Why: a stream that has lost a row goes on testifying by its silence, and no read over REST outvotes it (`account.py`);
such a dispute heals only with a fresh picture of its tables, which only a new connection gives. The same goes for one
that has gone mute: it answers pings, and reads show what it kept back (`mute.py`). A new connection makes
the guard blind for a moment, and helps nothing where it is the read that is wrong; so it waits until the dispute has
lasted, and tries again after ever longer pauses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from daemon.core.commands import RenewAccountStream
from daemon.core.draft import Draft
from daemon.core.market.marks import ns
from daemon.core.mode import Mode
from daemon.core.protecting.cover import own_stops
from daemon.core.reasons import Reason
from daemon.core.state import Guarded, Renewal

FIRST_PAUSE_NS: Final = 30 * 10**9
LONGEST_PAUSE_NS: Final = 15 * 60 * 10**9
_GROWTH: Final = 2


def _disputed_ns(draft: Draft, guarded: Guarded) -> int:
    """Since when a read, or the margin row, contradicts what the stream says of a position or its stops; 0: none."""
    stops = own_stops(draft, guarded.position.key.symbol)
    denied_ns = min((known.denied_ns for known in stops if known.denied_ns), default=0)
    return guarded.disputed_ns or guarded.denied_ns or denied_ns


def decide(draft: Draft) -> None:
    """Ask for a new account stream while a position is disputed, or it is mute. It looks at all, once a second."""
    if draft.mode in {Mode.STOPPING, Mode.STOPPED} or not draft.health.account.is_live:
        return
    since_ns = min((at_ns for each in draft.positions.values() if (at_ns := _disputed_ns(draft, each))), default=0)
    if draft.health.account.mute_ns:
        # What a read proves has lasted already.
        since_ns = min(since_ns or draft.now_ns, draft.health.account.mute_ns - ns(draft.policy.health.stale_after_s))
    known = draft.renewal
    if not since_ns:
        # A dispute that comes back right after a renewal is the same one: its pauses go on growing.
        if known.pause_ns and draft.now_ns >= known.asked_ns + _GROWTH * known.pause_ns:
            draft.renewal = Renewal()
        return
    lasted_ns = ns(draft.policy.health.stale_after_s)
    if draft.now_ns < max(since_ns + lasted_ns, known.asked_ns + known.pause_ns):
        return
    pause_ns = min(LONGEST_PAUSE_NS, _GROWTH * known.pause_ns) if known.pause_ns else FIRST_PAUSE_NS
    draft.renewal = replace(known, asked_ns=draft.now_ns, pause_ns=pause_ns)
    draft.emit(RenewAccountStream(reason=Reason.DOUBT))
