"""What is proved of each request of ours that changes something: accepted, refused, or neither yet (P5).

    MAY_EXIST ──the order, or its effect, is seen──────────────────────────> PROVED_ACCEPTED
        │
        ├──the venue refuses this very request, or it never left───────────> PROVED_REFUSED
        ├──not found by a question asked after it could no longer arrive───> PROVED_REFUSED
        └──silence; not found by an earlier question; time──> MAY_EXIST

Why: a request may be on its way while the venue is asked for it. "Not found" then says nothing, and what is taken for
lost arrives a moment later. So time alone never ends MAY_EXIST; two words of the venue together do. Every request
carries the time at which its signature expires (`api-expires`), which the venue compares when it arrives, by its own
clock (www.bitmex.com/app/apiKeysUsage). Once that clock has passed it, the request can be accepted no more; and a
question asked after that shows whether it was accepted before. The venue's clock is known as ours plus the skew
measured, with the whole tolerance for skew on top, and time for a request that had arrived and waits for the engine.

What MAY_EXIST holds back, and what not. A placement or reduction is repeated at once under the *same* client order id,
so that whichever comes first is the only one: protection never waits. No take-profit order is placed while one may
still arrive: there is time, and a venue that takes an id again once its order is over would fill both. An amend is
repeated with the same figures only; other figures go into a second stop, since a late amend could undo them (P3). A
stop whose cancel may still arrive covers nothing. A flat position is not forgotten.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Final

from connectors.vocabulary import Order
from daemon.core import ids
from daemon.core.draft import Draft
from daemon.core.market.marks import ns
from daemon.core.memory.orders import WriteInput, WriteKind
from daemon.core.memory.under_way import Pending, Unproved, Write
from daemon.core.state import GuardState

EXPIRES_AFTER_NS: Final = 10 * 10**9
"""How long the signature of a request is good for, by our clock when it was signed (`expires_after_s` of the venue)."""
ENGINE_NS: Final = 5 * 10**9
"""The expiry is looked at on arrival only; what has arrived may wait this long for the engine."""

_BY_NAME: Final = frozenset({WriteKind.PLACE, WriteKind.REDUCE, WriteKind.TAKE})
"""These make an order of a name that can exist once; the others change one that exists."""
_CANCELS: Final = frozenset({WriteKind.CANCEL, WriteKind.DROP})


class Outcome(Enum):
    """What is proved of a request."""

    MAY_EXIST = "may_exist"
    PROVED_ACCEPTED = "proved_accepted"
    PROVED_REFUSED = "proved_refused"


class Word(Enum):
    """What can be heard of a request."""

    SILENCE = "silence"
    """No verdict: a time-out, a lost connection, an overload that says nothing, or the process died."""
    TIME = "time"
    """More time passed."""
    ANSWERED = "answered"
    """The venue answered this request with an order row."""
    SEEN = "seen"
    """The stream or a query shows the order, or the change."""
    REFUSED = "refused"
    """The venue said no to this very request."""
    NOT_SENT = "not_sent"
    """It never left."""
    ABSENT = "absent"
    """A question does not show it, and it may still be on its way."""
    ABSENT_AFTER_EXPIRY = "absent_after_expiry"
    """A question asked after it could no longer arrive does not show it."""


_AFTER: Final = {
    Word.SILENCE: Outcome.MAY_EXIST,
    Word.TIME: Outcome.MAY_EXIST,
    Word.ABSENT: Outcome.MAY_EXIST,
    Word.ANSWERED: Outcome.PROVED_ACCEPTED,
    Word.SEEN: Outcome.PROVED_ACCEPTED,
    Word.REFUSED: Outcome.PROVED_REFUSED,
    Word.NOT_SENT: Outcome.PROVED_REFUSED,
    Word.ABSENT_AFTER_EXPIRY: Outcome.PROVED_REFUSED,
}
TABLE: Final[dict[tuple[Outcome, Word], Outcome]] = (
    {(Outcome.MAY_EXIST, word): after for word, after in _AFTER.items()}
    # It was there once: that an ended order is no longer shown, or its echo is refused, changes nothing.
    | {(Outcome.PROVED_ACCEPTED, word): Outcome.PROVED_ACCEPTED for word in Word}
    | {(Outcome.PROVED_REFUSED, word): Outcome.PROVED_REFUSED for word in Word}
    # Against its own expiry a venue accepted it: what is seen is there.
    | {(Outcome.PROVED_REFUSED, word): Outcome.PROVED_ACCEPTED for word in (Word.ANSWERED, Word.SEEN)}
)


def next_outcome(outcome: Outcome, word: Word) -> Outcome:
    """What is proved after `word`; every pair is in the table."""
    return TABLE[outcome, word]


# ---------------------------------------------------------------------- what was heard

_WORDS: Final = {
    WriteInput.ANSWERED_OPEN: Word.ANSWERED,
    WriteInput.ANSWERED_FINAL: Word.ANSWERED,
    WriteInput.REFUSED: Word.REFUSED,
    WriteInput.NOT_SENT: Word.NOT_SENT,
    WriteInput.UNANSWERED: Word.SILENCE,
    WriteInput.LATE: Word.SILENCE,
}
"""News that speaks of one request. What rows and questions show is taken from them (`take_row`, `take_question`); a
refusal as a duplicate proves nothing of the earlier request that has the name."""


def note(draft: Draft, symbol: str, write: Write, news: WriteInput) -> None:
    """Remember what is heard of one request."""
    word = _WORDS.get(news)
    if word is None:
        return
    key = _key(write.kind, write.order_id, write.client_order_id)
    if next_outcome(Outcome.MAY_EXIST, word) is Outcome.MAY_EXIST:
        _remember(draft, key, symbol, write)
        return
    known = draft.unproved.get(key)
    # A verdict on one request is none on an earlier one, unless both want the one order of that name.
    is_of_name = word is Word.ANSWERED and write.kind in _BY_NAME
    if known is not None and (is_of_name or (known.command_id == write.command_id and not known.is_repeated)):
        draft.remove("unproved", key)


def _remember(draft: Draft, key: str, symbol: str, write: Write) -> None:
    known = draft.unproved.get(key)
    if known is not None and known.command_id == write.command_id:
        known = replace(known, since_ns=draft.now_ns, behind_ns=max(known.behind_ns, _behind_ns(draft)))
        draft.put("unproved", key, known)
        return
    entry = Unproved(
        command_id=write.command_id,
        kind=write.kind,
        symbol=symbol,
        client_order_id=write.client_order_id,
        order_id=write.order_id,
        side=write.side,
        quantity=write.quantity,
        stop_price=write.stop_price,
        first_ns=write.sent_ns if known is None else known.first_ns,
        since_ns=draft.now_ns,
        behind_ns=max(_behind_ns(draft), 0 if known is None else known.behind_ns),
        is_repeated=known is not None,
    )
    draft.put("unproved", key, entry)
    draft.wake(symbol, expired_ns(draft, entry))


def note_repeat(draft: Draft, order: Order) -> None:
    """The same amend goes out once more: from now on seeing its figures does not tell which of the two did it."""
    key = _key(WriteKind.AMEND, order.order_id, "")
    known = draft.unproved.get(key)
    if known is not None and not known.is_repeated:
        draft.put("unproved", key, replace(known, is_repeated=True))


def take_row(draft: Draft, order: Order) -> None:
    """A believed row of an order of ours: it proves what it shows."""
    for key, entry in list(draft.unproved.items()):
        if entry.symbol == order.symbol and _is_proved_by(entry, order):
            draft.remove("unproved", key)


def _is_proved_by(entry: Unproved, order: Order) -> bool:
    if entry.kind in _BY_NAME:
        return order.client_order_id == entry.client_order_id
    if order.order_id != entry.order_id:
        return False
    if order.status.is_final:
        return True
    return entry.kind is WriteKind.AMEND and not entry.is_repeated and _has_figures(entry, order)


def _has_figures(entry: Unproved, order: Order) -> bool:
    priced = entry.stop_price is None or order.stop_price == entry.stop_price
    return priced and (entry.quantity is None or order.quantity == entry.quantity)


def take_question(draft: Draft, pending: Pending) -> None:
    """The venue answered a question about these names: what it does not show, and cannot arrive any more, never was."""
    for key, entry in list(draft.unproved.items()):
        if entry.client_order_id in pending.ids and pending.sent_ns >= expired_ns(draft, entry):
            draft.remove("unproved", key)


def note_skew(draft: Draft) -> None:
    """Remember how far the venue's clock was seen behind ours, while anything hangs on it."""
    behind_ns = _behind_ns(draft)
    for key, entry in list(draft.unproved.items()):
        if behind_ns > entry.behind_ns:
            draft.put("unproved", key, replace(entry, behind_ns=behind_ns))


# ---------------------------------------------------------------------- what hangs on it


def expired_ns(view: Draft | GuardState, entry: Unproved) -> int:
    """From when on, by our clock, the venue can accept it no more.

    Args:
        view: The account; its tolerance for skew counts in full, since a measurement may be a minute old.
        entry: The request; what may be under way was signed before `since_ns`.
    """
    return entry.since_ns + life_ns(view, entry.behind_ns)


def life_ns(view: Draft | GuardState, behind_ns: int = 0) -> int:
    """For how long after it was given up a request may still take effect, the venue's clock being that far behind."""
    tolerance_ns = ns(view.policy.health.max_clock_skew_s)
    return EXPIRES_AFTER_NS + max(behind_ns, _behind_ns(view)) + tolerance_ns + ENGINE_NS


def due_names(draft: Draft, symbol: str) -> tuple[str, ...]:
    """Names to ask for, since the answer would prove something now; asks to be woken for those that come later."""
    due: dict[str, None] = {}
    for entry in draft.unproved.values():
        if entry.symbol != symbol:
            continue
        at_ns = expired_ns(draft, entry)
        if draft.now_ns >= at_ns:
            due[entry.client_order_id] = None
        else:
            draft.wake(symbol, at_ns)
    return tuple(due)


def is_any(view: Draft | GuardState, symbol: str) -> bool:
    """Whether anything of a symbol may still take effect."""
    return any(entry.symbol == symbol for entry in view.unproved.values())


def may_take_come(view: Draft | GuardState, symbol: str) -> bool:
    """Whether a take-profit order of a symbol that was given up may still arrive."""
    return any(entry.symbol == symbol and entry.kind is WriteKind.TAKE for entry in view.unproved.values())


def is_doomed(view: Draft | GuardState, order: Order) -> bool:
    """Whether a cancel of this order may still arrive."""
    return any(_key(kind, order.order_id, "") in view.unproved for kind in _CANCELS)


def may_amend(view: Draft | GuardState, order: Order, *, quantity: int | None, stop_price: Decimal | None) -> bool:
    """Whether an amend to these figures is safe: none may arrive after it that says otherwise, nor a cancel."""
    if is_doomed(view, order):
        return False
    late = amend_of(view, order)
    return late is None or (late.quantity, late.stop_price) == (quantity, stop_price)


def amend_of(view: Draft | GuardState, order: Order) -> Unproved | None:
    """The amend of this order that may still arrive."""
    return view.unproved.get(_key(WriteKind.AMEND, order.order_id, ""))


def is_unsettled(view: Draft | GuardState, order: Order) -> bool:
    """Whether a request that may still arrive would change or end this order."""
    return bool(view.unproved) and (amend_of(view, order) is not None or is_doomed(view, order))


def unseen_stops(view: Draft | GuardState, symbol: str, series: str) -> int:
    """Stops that may exist under names that are no longer the next to be used, so that no repeat can meet them."""
    used = view.numbers.get(series, 0)
    book = {known.order.client_order_id for known in view.orders.get(symbol, {}).values()}
    return sum(
        entry.kind is WriteKind.PLACE and entry.client_order_id not in book and _is_passed(view, entry, series, used)
        for entry in view.unproved.values()
    )


def _is_passed(view: Draft | GuardState, entry: Unproved, series: str, used: int) -> bool:
    parsed = ids.parse(view.account, entry.client_order_id)
    return parsed is not None and parsed[0] == series and parsed[1] <= used


def _key(kind: WriteKind, order_id: str, client_order_id: str) -> str:
    return f"{kind.value}:{client_order_id if kind in _BY_NAME else order_id}"


def _behind_ns(view: Draft | GuardState) -> int:
    return max(0, -view.health.clock_skew_ns)
