"""When to read the whole account over REST, and how to fold what was read.

Why: the stream is one witness, the picture the other. A picture is wanted at the start, after each reconnect, on a
slow cycle, and whenever something hangs on a second opinion. Reads share the bots' request budget, so there is one at
a time, with a pause after failures that grows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connectors.vocabulary import Position, PositionKey
from daemon.core import ids
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.events import PictureRead
from daemon.core.folding.account import take_margin, take_positions_read
from daemon.core.folding.answers import note_success
from daemon.core.folding.books import Evidence, take_order, take_orders_listed
from daemon.core.market.marks import ns
from daemon.core.memory.witnesses import Witness
from daemon.core.reasons import Reason
from daemon.core.state import Guarded
from daemon.core.writes.requests import GROWTH_LIMIT, grown_pause, read_picture

MIN_GAP_NS: Final = 200_000_000
"""Between two pictures, however pressing."""
BLIND_EVERY_NS: Final = 5 * 10**9
"""The slow cycle while the account stream is away and pictures are the only witness."""
OVERDUE_CYCLES: Final = 3


def cycle_ns(draft: Draft) -> int:
    """How long a picture is good for."""
    every_ns = ns(draft.policy.health.reconcile_every_s)
    account = draft.health.account
    return every_ns if account.is_live and not account.doubted else min(every_ns, BLIND_EVERY_NS)


def overdue_at_ns(draft: Draft) -> int:
    """When the lack of pictures becomes a degraded state."""
    since_ns = max(draft.pictures.answered_ns, draft.started_ns)
    return since_ns + OVERDUE_CYCLES * ns(draft.policy.health.reconcile_every_s)


def ask(draft: Draft) -> None:
    """Ask for a picture if one is wanted and none is under way."""
    pictures = draft.pictures
    next_cycle_ns = max(pictures.answered_ns, pictures.asked_ns) + cycle_ns(draft)
    if not pictures.wanted_ns and draft.now_ns >= next_cycle_ns:
        draft.want_picture(Reason.RECONCILE)
        pictures = draft.pictures
    if pictures.command_id is not None:
        return
    if not pictures.wanted_ns:
        draft.wake(ACCOUNT, next_cycle_ns)
        return
    earliest_ns = max(pictures.retry_at_ns, pictures.asked_ns + MIN_GAP_NS, pictures.wanted_ns)
    if draft.now_ns < earliest_ns:
        draft.wake(ACCOUNT, earliest_ns)
        return
    read_picture(draft)


def take_picture(draft: Draft, event: PictureRead) -> None:
    """Fold a picture; one that is not awaited any more is too old to count."""
    if draft.answered(event.command_id) is None or draft.pictures.command_id != event.command_id:
        return
    note_success(draft)
    asked_ns = event.asked_ns
    for order in event.recent_orders:
        # Read before the list of those that are open, which may therefore contradict it.
        take_order(draft, order, Evidence.QUERY, asked_ns - 1)
    take_orders_listed(draft, event.open_orders, Evidence.QUERY, asked_ns)
    for margin in event.margins:
        take_margin(draft, margin)
    take_positions_read(draft, event.positions, asked_ns)
    _adopt_orphans(draft, asked_ns)
    draft.was_whole = True
    pictures = draft.pictures
    satisfied = pictures.wanted_ns <= asked_ns
    draft.pictures = replace(
        pictures,
        wanted_ns=0 if satisfied else pictures.wanted_ns,
        reason="" if satisfied else pictures.reason,
        command_id=None,
        taken_ns=max(pictures.taken_ns, asked_ns),
        margins=tuple(each for each in event.margins if each.account == draft.account),
        answered_ns=draft.now_ns,
        retry_at_ns=0,
        pause_ns=0,
    )
    for symbol in draft.positions:
        draft.touch(symbol)


def fail(draft: Draft, command_id: int, retry_after_ns: int = 0) -> None:
    """A picture could not be read: try again, later each time."""
    pictures = draft.pictures
    if pictures.command_id != command_id:
        return
    longest_ns = GROWTH_LIMIT * ns(draft.policy.stop.retry_after_s)
    pause_ns = max(min(retry_after_ns, longest_ns), grown_pause(draft, pictures.pause_ns))
    draft.pictures = replace(
        pictures,
        command_id=None,
        wanted_ns=pictures.wanted_ns or draft.now_ns,
        pause_ns=pause_ns,
        retry_at_ns=draft.now_ns + pause_ns,
    )


def _adopt_orphans(draft: Draft, asked_ns: int) -> None:
    """Stops of ours on a symbol without any position (it went while no guard ran): remember them as a flat one's."""
    for symbol, book in draft.orders.items():
        if symbol in draft.positions:
            continue
        ours = [known for known in book.values() if ids.is_stop(draft.account, known.order.client_order_id)]
        if ours:
            key = PositionKey(account=draft.account, symbol=symbol)
            flat = Guarded(position=Position(key=key, quantity=0, currency=""), taken_ns=asked_ns, flat_ns=draft.now_ns)
            listed_ns = draft.positions_listed_ns
            stream = Witness(quantity=0, at_ns=listed_ns) if listed_ns else None
            flat = replace(flat, stream=stream, query=Witness(quantity=0, at_ns=asked_ns), turned_ns=asked_ns)
            draft.put_position(symbol, flat)
            draft.touch(symbol)
