"""A stream that answers pings and does not tell what happens (see `ledger.py`), and the request budget as it stands.

Why by evidence: the account's tables speak only when something happens, so nobody can say how often they have to. But a
read over REST that shows a position as the venue changed it well after the stream's newest row of it, or an order that
the stream never told although it was there before the stream last had the chance, proves that something was kept back.

A mute account stream counts as stale, and is opened anew (`renewal.py`). The evidence ends when the stream tells the
table whole, or a newer row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from daemon.core.alerts import seconds
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.events import LedgerRead
from daemon.core.ledger import Ledger
from daemon.core.market.marks import ns
from daemon.core.state import Guarded

POSITION: Final = "position"
ORDER: Final = "order"
ENOUGH_AGAIN: Final = 10
"""The budget counts as drained until one part in so many stands above the reserve: a bot at the limit is one alarm."""


def take_ledger(draft: Draft, event: LedgerRead) -> None:
    """Remember what the streams last said when, and the budget."""
    draft.ledger = Ledger(at_ns=draft.now_ns, market=event.market, account=event.account, budget=event.budget)


def judge(draft: Draft) -> None:
    """Work out which of the account's topics kept something back. After a picture, and while any is known to."""
    topics = tuple(topic for topic in (POSITION, ORDER) if _is_kept_back(draft, topic))
    account = draft.health.account
    if topics != account.mute:
        since_ns = (account.mute_ns or draft.now_ns) if topics else 0
        draft.health = replace(draft.health, account=replace(account, mute=topics, mute_ns=since_ns))


def _is_kept_back(draft: Draft, topic: str) -> bool:
    if not draft.health.account.is_live:
        return False
    late_ns = ns(draft.policy.health.stale_after_s)
    if topic == POSITION:
        return any(_is_row_kept_back(guarded, late_ns) for guarded in draft.positions.values())
    return _is_order_kept_back(draft, late_ns)


def _is_row_kept_back(guarded: Guarded, late_ns: int) -> bool:
    """Whether a read shows a row younger than the stream's by that much, and the stream had that long to tell it."""
    stream, query = guarded.stream, guarded.query
    if stream is None or query is None or not guarded.position.quantity or not (stream.stamp_ns and query.stamp_ns):
        return False
    return query.stamp_ns - stream.stamp_ns > late_ns and query.at_ns - stream.at_ns > late_ns


def _is_order_kept_back(draft: Draft, late_ns: int) -> bool:
    told_ns = draft.ledger.account.topics.get(ORDER, 0)
    if not told_ns:
        return False
    skew_ns = draft.health.clock_skew_ns
    for book in draft.orders.values():
        for known in book.values():
            changed_ns = known.order.timestamp_ns - skew_ns
            is_by_read_alone = known.seen_by == "query" and not known.is_told
            if is_by_read_alone and changed_ns > told_ns + late_ns and known.seen_ns > changed_ns + late_ns:
                return True
    return False


def told(draft: Draft) -> None:
    """The account stream told something: what it kept back may have been that."""
    if draft.health.account.mute:
        judge(draft)


def in_words(draft: Draft) -> str:
    """Why the account stream counts as mute; empty if it does not."""
    mute = draft.health.account.mute
    if not mute:
        return ""
    return f"the account stream answers pings and keeps back what a read shows ({', '.join(mute)}); it is opened anew"


# ---------------------------------------------------------------------- the budget


def banned(draft: Draft) -> str:
    """For how long the venue refuses this address; empty if it does not."""
    budget = draft.ledger.budget
    if budget is None or not budget.is_banned or draft.now_ns >= budget.paused_until_ns:
        return ""
    draft.wake(ACCOUNT, budget.paused_until_ns)
    left = seconds(budget.paused_until_ns - draft.now_ns)
    return (
        f"the venue refuses this address; nothing is sent for {left}, and what rests on the exchange is what protects"
    )


def drained(draft: Draft, *, was_drained: bool) -> str:
    """That no more than the reserve is left of the budget; empty while there is more."""
    budget = draft.ledger.budget
    if budget is None:
        return ""
    least = budget.reserve + (budget.capacity // ENOUGH_AGAIN if was_drained else 0)
    if budget.tokens >= min(least, budget.capacity):
        return ""
    return (
        f"{budget.tokens} of {budget.capacity} requests a minute are left, and {budget.reserve} are kept for what"
        " protects: the account is not read meanwhile; somebody else of this account uses them"
    )
