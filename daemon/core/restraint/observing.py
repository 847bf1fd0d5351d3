"""Say what would be done, for a guard that only observes.

Why: `observe` sends nothing, ever, but people shall see what it would do. Each intention is said once, and again only
when it changes in kind, not with every tick of its figures.
"""

from __future__ import annotations

from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.reasons import Reason
from daemon.core.restraint import quiet


def say(draft: Draft, symbol: str, intention: str) -> None:
    """Tell what would be done; an empty intention forgets the last one."""
    guarded = draft.positions[symbol]
    kind = intention.split(" ", 1)[0]
    if guarded.observed == kind:
        return
    draft.change(symbol, observed=kind)
    if intention:
        tell(
            draft,
            Reason.COVER_MISSING,
            Severity.WARNING,
            topic="cover",
            state="observed",
            symbol=symbol,
            text=f"{symbol}: {quiet.words(draft)}; would {intention}.",
            facts=(("would", intention),),
        )
