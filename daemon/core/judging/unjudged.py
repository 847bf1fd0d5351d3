"""What keeps account rules from judging, and since when.

Why: a limit that cannot be judged is no limit, and nobody may learn of it only when it was needed (P12). A figure is
often missing for a moment (a new position, a deposit between two messages), so it is told once it has lasted. What
keeps every rule from judging is the account's own blindness, which is told as that.
"""

from __future__ import annotations

from typing import Final

from config.modes import RuleMode
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.market.marks import market_is_fresh

EVERY_RULE: Final = "*"
"""Key of what keeps all rules from being judged, among `unjudged`."""
PATIENCE_NS: Final = 60 * 10**9


def note(draft: Draft, found: dict[str, str]) -> None:
    """Keep what was found now: rule to reason."""
    for name in [name for name in draft.unjudged if name not in found]:
        draft.remove("unjudged", name)
        draft.remove("unjudged_ns", name)
    for name, text in found.items():
        if name not in draft.unjudged:
            draft.put("unjudged_ns", name, draft.now_ns)
        if draft.unjudged.get(name) != text:
            draft.put("unjudged", name, text)


def lasting(draft: Draft) -> str:
    """Which rules that are on have not been able to judge for long, and why; empty if there is none."""
    if EVERY_RULE in draft.unjudged or not market_is_fresh(draft):
        return ""
    late = []
    for name, text in draft.unjudged.items():
        due_ns = draft.unjudged_ns.get(name, draft.now_ns) + PATIENCE_NS
        if getattr(draft.policy.account, name).mode is not RuleMode.ON:
            continue
        if draft.now_ns >= due_ns:
            late.append(f"the rule {name} cannot judge: {text}")
        else:
            draft.wake(ACCOUNT, due_ns)
    return "; ".join(late)
