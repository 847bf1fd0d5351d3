"""Fold the signs of life of streams and process, and move the guard's mode by them (P6).

Why: the guard may call itself able to see and act only while both streams are fresh, the loop is not stalled, the clock
is within tolerance and pictures are not overdue. Everything is judged from event times and reported ages; no clock is
read here.
"""

from __future__ import annotations

from dataclasses import replace

from daemon.core.alerts import tell
from daemon.core.altered import altered
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.events import FeedLive, FeedLost, FeedName, HealthTicked, TableDoubted
from daemon.core.folding.pictures import overdue_at_ns
from daemon.core.market.marks import market_is_fresh, ns
from daemon.core.mode import Mode, ModeInput, next_mode
from daemon.core.reasons import Reason
from daemon.core.state import Feed
from daemon.core.writes import outcomes


def take_live(draft: Draft, event: FeedLive) -> None:
    """A stream is complete again."""
    before = draft.health.feed(event.feed)
    _put(draft, event.feed, _revived(before, draft.now_ns))
    if event.feed is FeedName.ACCOUNT:
        draft.want_picture(Reason.RECONCILE)


def _revived(before: Feed, now_ns: int) -> Feed:
    return replace(before, is_live=True, since_ns=now_ns, reason="", age_ns=0, data_age_ns=0, mute=(), mute_ns=0)


def take_lost(draft: Draft, event: FeedLost) -> None:
    """A stream broke: what it said stays known, and is no longer fresh."""
    before = draft.health.feed(event.feed)
    since_ns = before.since_ns if not before.is_live and before.since_ns else draft.now_ns
    _put(
        draft,
        event.feed,
        replace(before, is_live=False, since_ns=since_ns, reason=event.reason, doubted=(), mute=(), mute_ns=0),
    )
    if event.feed is FeedName.ACCOUNT:
        draft.positions_listed_ns = 0
        draft.want_picture(Reason.RECONCILE)


def take_doubt(draft: Draft, event: TableDoubted) -> None:
    """A table cannot be believed, or is whole again. Its stream counts as stale meanwhile, however lively it is."""
    before = draft.health.feed(event.feed)
    others = tuple(each for each in before.doubted if each[0] != event.table)
    doubted = (*others, (event.table, event.problem)) if event.problem else others
    _put(draft, event.feed, replace(before, doubted=doubted, unreadable=event.unreadable))
    if event.feed is FeedName.ACCOUNT:
        if event.problem and event.table == "position":
            draft.positions_listed_ns = 0
        draft.want_picture(Reason.RECONCILE)


def take_health(draft: Draft, event: HealthTicked) -> None:
    """The second's report on streams and process."""
    health = draft.health
    draft.health = altered(
        health,
        market=_aged(health.market, event.market_age_ns, event.market_data_age_ns),
        account=_aged(health.account, event.account_age_ns, 0),
        loop_lag_ns=event.loop_lag_ns,
        clock_skew_ns=event.clock_skew_ns,
        is_journal_ok=event.journal_ok,
        last_tick_ns=draft.now_ns,
        zone_offset_s=event.zone_offset_s,
    )
    if draft.unproved:
        outcomes.note_skew(draft)


def _aged(feed: Feed, age_ns: int, data_age_ns: int) -> Feed:
    if feed.age_ns == age_ns and feed.data_age_ns == data_age_ns:
        return feed
    return replace(feed, age_ns=age_ns, data_age_ns=data_age_ns)


def _put(draft: Draft, name: FeedName, feed: Feed) -> None:
    if name is FeedName.MARKET:
        draft.health = replace(draft.health, market=feed)
        for symbol in draft.positions:
            draft.touch(symbol)
    else:
        draft.health = replace(draft.health, account=feed)


def account_is_fresh(draft: Draft) -> bool:
    """Whether the account stream is heard, each of its tables can be believed, and none keeps anything back."""
    return account_is_heard(draft) and not draft.health.account.doubted and not draft.health.account.mute


def account_is_heard(draft: Draft) -> bool:
    """Whether the account stream is live and gave a sign of life lately."""
    account = draft.health.account
    return account.is_live and account.age_ns <= ns(draft.policy.health.stale_after_s)


def loop_is_stalled(draft: Draft) -> bool:
    """Whether the process was held up for longer than allowed."""
    return draft.health.loop_lag_ns > ns(draft.policy.health.max_loop_lag_s)


def clock_is_off(draft: Draft) -> bool:
    """Whether our clock and the venue's differ by more than allowed."""
    return abs(draft.health.clock_skew_ns) > ns(draft.policy.health.max_clock_skew_s)


def can_see(draft: Draft) -> bool:
    """Whether the guard can see and act."""
    return (
        market_is_fresh(draft)
        and account_is_fresh(draft)
        and not loop_is_stalled(draft)
        and not clock_is_off(draft)
        and draft.now_ns < overdue_at_ns(draft)
    )


def settle_mode(draft: Draft) -> None:
    """Move the mode by what is known now."""
    if draft.mode is Mode.STOPPING:
        return
    move(draft, ModeInput.CAN_SEE if can_see(draft) else ModeInput.CANNOT_SEE)
    if draft.mode is not Mode.SYNCING:
        return
    if draft.pictures.taken_ns >= draft.mode_since_ns:
        move(draft, ModeInput.PICTURE_TAKEN)
    else:
        draft.want_picture(Reason.RECONCILE, draft.mode_since_ns)


def move(draft: Draft, moved_by: ModeInput) -> None:
    """Change the mode along its table; tell people when the guard begins to guard."""
    mode = next_mode(draft.mode, moved_by)
    if mode is draft.mode:
        return
    before, draft.mode, draft.mode_since_ns = draft.mode, mode, draft.now_ns
    draft.unguarded_ns = 0 if mode is Mode.GUARDING else draft.unguarded_ns or draft.now_ns
    if mode is Mode.GUARDING:
        held = sum(guarded.position.quantity != 0 for guarded in draft.positions.values())
        text = f"Guarding account {draft.account}: {held} open position{'' if held == 1 else 's'}."
        if draft.policy.observe:
            text += " Observing only: nothing is sent."
        facts = (("from", before.value), ("positions", held))
        tell(draft, Reason.FACT, Severity.NOTE, topic="mode", state=mode.value, text=text, facts=facts)
