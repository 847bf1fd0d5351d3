"""The proof that a position is protected, and what follows while there is none (P2).

A position is *proved* covered by naming the resting orders that do it: which, on which side, at which trigger, for how
many contracts, and which witness showed each of them when: the account's stream, or a question that was asked. An
answer to our own request is no witness, and no order counts that a request under way may still end. Everything else is
*naked*, and timed from the moment at which the proof was gone:

| stage | begins | what happens |
|---|---|---|
| repairing | at once | the stop is placed, amended or put back (`stops.py`), as often as it takes |
| late | `stop.confirm_within_s` | `uncovered` is told, as a warning; critically where liquidation is near |
| grave | five times that, 10 s at least | told again, critically, and again while it lasts |
| by policy | the rule `naked`, its `for_s` | what its `action` says: alert, freeze the bots, or flatten |

Times: nanoseconds since 1970 UTC. Pure reading, but for `judge`, which tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from config.policy import Policy, Tier
from connectors.vocabulary import OrderSide
from daemon.core import ids
from daemon.core.alerts import seconds, tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.market.marks import ns
from daemon.core.protecting.cover import Cover
from daemon.core.reasons import Reason
from daemon.core.state import Guarded, GuardState, Need

GRAVE_AFTER: Final = 5
"""Times the patience for a confirmation."""
GRAVE_AFTER_NS: Final = 10 * 10**9
"""At the least."""
AGAIN_NS: Final = 60 * 10**9
"""A position that stays naked is told this often."""
_NEAR: Final = frozenset({Tier.CRITICAL, Tier.EMERGENCY})


class Stage(Enum):
    """How far a position is from being proved covered. Ordered as time passes without a proof."""

    NOT_NEEDED = "not_needed"
    """Flat, or no price can liquidate it and no rule asks for a stop."""
    PROVED = "proved"
    REPAIRING = "repairing"
    LATE = "late"
    GRAVE = "grave"


@dataclass(frozen=True, kw_only=True, slots=True)
class Protector:
    """One resting stop that counts, and who saw it."""

    order_id: str
    client_order_id: str
    is_ours: bool
    side: OrderSide
    trigger: Decimal
    quantity: int | None
    """Contracts; None: a Close stop, which holds everything."""
    seen_ns: int
    """When the witness showed it last."""
    seen_by: str
    """"stream" or "query"."""


def noted(cover: Cover, need: Need) -> dict[str, object]:
    """The change of a position that remembers which orders prove its cover."""
    if need is Need.NOTHING:
        return {"protected_by": (), "naked_told_ns": 0}
    if not cover.is_whole:
        return {"protected_by": ()}
    return {"protected_by": tuple([order.order_id for order in cover.counted]), "naked_told_ns": 0}


def proof(view: Draft | GuardState, guarded: Guarded) -> tuple[Protector, ...]:
    """The resting stops that together cover a position now, as their witnesses showed them; empty while it is naked."""
    if not guarded.covered_ns:
        return ()
    book = view.orders.get(guarded.position.key.symbol, {})
    found = []
    for order_id in guarded.protected_by:
        known = book.get(order_id)
        if known is None or known.order.stop_price is None:
            continue
        order = known.order
        found.append(
            Protector(
                order_id=order_id,
                client_order_id=order.client_order_id,
                is_ours=ids.is_ours(view.account, order.client_order_id),
                side=order.side,
                trigger=known.order.stop_price,
                quantity=order.quantity,
                seen_ns=known.seen_ns,
                seen_by=known.seen_by,
            )
        )
    return tuple(found)


def stage(view: Draft | GuardState, guarded: Guarded) -> Stage:
    """Where a position stands at this moment."""
    if not guarded.position.quantity or guarded.need is Need.NOTHING:
        return Stage.NOT_NEEDED
    if guarded.covered_ns:
        return Stage.PROVED
    naked_ns = view.now_ns - (guarded.uncovered_ns or view.now_ns)
    if naked_ns >= grave_after_ns(view.policy):
        return Stage.GRAVE
    return Stage.LATE if naked_ns >= ns(view.policy.stop.confirm_within_s) else Stage.REPAIRING


def grave_after_ns(policy: Policy) -> int:
    """How long a position may be naked before that is said critically."""
    return max(GRAVE_AFTER_NS, GRAVE_AFTER * ns(policy.stop.confirm_within_s))


def severity(guarded: Guarded) -> Severity:
    """How loudly a position is said to be uncovered at first."""
    return Severity.CRITICAL if guarded.tier in _NEAR else Severity.WARNING


def judge(draft: Draft, symbol: str) -> None:
    """Say, louder than before, that a position is still naked; asks to be woken for it."""
    guarded = draft.positions[symbol]
    if (
        draft.policy.observe
        or guarded.covered_ns
        or not guarded.uncovered_ns
        or not guarded.position.quantity
        or guarded.need is Need.NOTHING
    ):
        return
    grave_ns = guarded.uncovered_ns + grave_after_ns(draft.policy)
    due_ns = max(grave_ns, guarded.naked_told_ns + AGAIN_NS) if guarded.naked_told_ns else grave_ns
    if draft.now_ns < due_ns:
        draft.wake(symbol, due_ns)
        return
    draft.change(symbol, naked_told_ns=draft.now_ns)
    draft.wake(symbol, draft.now_ns + AGAIN_NS)
    _tell(draft, guarded)


def _tell(draft: Draft, guarded: Guarded) -> None:
    symbol, for_ns = guarded.position.key.symbol, draft.now_ns - guarded.uncovered_ns
    why = f" ({guarded.refusal})" if guarded.refusal else ""
    at = "" if guarded.ruled is None else f", wanted at {guarded.ruled}"
    tell(
        draft,
        Reason.COVER_MISSING,
        Severity.CRITICAL,
        topic="cover",
        state="still_naked",
        symbol=symbol,
        text=f"{symbol} {guarded.position.quantity:+d} is still without a confirmed stop after {seconds(for_ns)}"
        f"{at}{why}; nothing on the exchange protects it. The guard goes on trying.",
        facts=(
            ("quantity", guarded.position.quantity),
            ("naked_since_ns", guarded.uncovered_ns),
            ("need", guarded.need.value),
        ),
    )
