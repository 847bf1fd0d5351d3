"""Close positions while a FLATTEN latch holds, and prove that they are gone.

The order of things: what may add exposure is cancelled (`freezing.py`), the position is closed here, our stop rests
meanwhile; flat is two pictures in a row, asked after the last change, that agree with the stream; only then are stops
cancelled. See docs/decisions/0019-latches-and-flatten.md.

A close is a market order that can only shrink: a Close where one order can hold the position (it follows the size and
passes the venue's overload), else pieces of the largest order, each sent as soon as the rows show the last one's
effect. One that changed nothing is asked about and tried again after pauses that grow. A close leaves only when two
messages say that the position is open, and while it is under way the stop is left alone.

A position that is opened again and again is closed after pauses that grow as well, with a stop at rest meanwhile; where
none can rest, so near is liquidation, it is closed at once.

Units: times in nanoseconds since 1970 UTC, quantities in contracts, money in minor units of the settlement currency.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from connectors.vocabulary import Side
from daemon.core.alerts import seconds, tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.folding.account import is_agreed
from daemon.core.folding.feeds import account_is_fresh
from daemon.core.market.marks import newest_mark, ns, usable_mark
from daemon.core.memory.interventions import Closing, Latch
from daemon.core.protecting.wanted import nearest_valid
from daemon.core.reasons import Reason
from daemon.core.restraint import latches, observing, quiet
from daemon.core.state import Guarded
from daemon.core.writes import requests

WITNESS_WITHIN_NS: Final = 10**9
STREAM_ALONE_NS: Final = 5 * 10**9
"""Where no picture can be had for this long, two rows of a fresh stream are enough."""
PIECE_GAP_NS: Final = 100_000_000
"""Between two pieces: the venue takes ten orders a second, and the bots' cancels are among them."""
FREE_ROUNDS: Final = 2
"""A position that comes back once under the latch is closed at once: it may have been on its way."""
LONGEST_PAUSE_NS: Final = 60 * 10**9


def close(draft: Draft, symbol: str) -> bool:
    """Bring one open position nearer to flat, if a latch asks for that.

    Returns:
        Whether its stop is to be left alone now: a close left a moment ago, or would have.
    """
    latch = latches.flattening(draft, symbol)
    if latch is None:
        return False
    closing = _closing(draft, symbol, latch)
    if not quiet.may_close(draft, symbol):
        observing.say(draft, symbol, f"flatten ({latch.name})")
        return quiet.is_held(draft, symbol)
    guarded = draft.positions[symbol]
    if guarded.reduce is not None:
        return _awaits(draft, symbol, guarded.reduce.sent_ns)
    if draft.now_ns < closing.due_ns and not guarded.covered_ns:
        closing = _spared_pause(draft, guarded, closing)
    due_ns = max(closing.due_ns, guarded.reduce_at_ns)
    if draft.now_ns < due_ns:
        draft.wake(symbol, due_ns)
        return False
    if not _is_witnessed(draft, guarded, closing):
        return False
    _send(draft, guarded, closing)
    return True


def _awaits(draft: Draft, symbol: str, sent_ns: int) -> bool:
    until_ns = sent_ns + ns(draft.policy.stop.stuck_after_s)
    if draft.now_ns >= until_ns:
        return False
    draft.wake(symbol, until_ns)
    return True


# ---------------------------------------------------------------------- progress


def _closing(draft: Draft, symbol: str, latch: Latch) -> Closing:
    """The memory of this closing; a position that was not there before begins a round of its own."""
    guarded, closing = draft.positions[symbol], draft.closings.get(symbol)
    if closing is None or closing.since_ns < guarded.known_ns:
        return _begin_round(draft, symbol, closing, latch)
    if closing.sent_quantity and abs(guarded.position.quantity) < abs(closing.sent_quantity):
        closing = replace(closing, sent_quantity=0, has_moved=True, tries=0, refusal="")
        draft.put("closings", symbol, closing)
        if guarded.reduce_pause_ns:
            draft.change(symbol, reduce_pause_ns=0)
    return closing


def _begin_round(draft: Draft, symbol: str, before: Closing | None, latch: Latch) -> Closing:
    rounds = 1 if before is None else before.rounds + 1
    pause_ns = _pause_ns(rounds) if latch.since_ns < draft.now_ns else 0
    mark = usable_mark(draft, symbol)
    closing = replace(
        before or Closing(since_ns=draft.now_ns, due_ns=draft.now_ns),
        since_ns=draft.now_ns,
        due_ns=draft.now_ns + pause_ns,
        sent_quantity=0,
        has_moved=False,
        tries=0,
        rounds=rounds,
        mark_price=None if mark is None else mark.price,
    )
    draft.put("closings", symbol, closing)
    latches.note(draft, latch.name, clean_reads=0, read_ns=0, proven_ns=0, stuck_from_ns=closing.due_ns)
    if rounds > 1 or draft.positions[symbol].known_ns > latch.since_ns:
        _tell_again(draft, symbol, closing, latch)
    return closing


def _pause_ns(rounds: int) -> int:
    """The pause before a position that comes back is closed again.

    Example:
        >>> [_pause_ns(rounds) // 10**9 for rounds in (1, 2, 3, 4, 5, 20)]
        [0, 0, 1, 2, 4, 60]
    """
    if rounds <= FREE_ROUNDS:
        return 0
    return min(LONGEST_PAUSE_NS, (1 << min(rounds - FREE_ROUNDS - 1, 10)) * 10**9)


def _spared_pause(draft: Draft, guarded: Guarded, closing: Closing) -> Closing:
    """Let the pause between rounds lapse where no stop can rest meanwhile: its fees are less than a liquidation's."""
    symbol = guarded.position.key.symbol
    if usable_mark(draft, symbol) is None or symbol not in draft.instruments:
        return closing
    if nearest_valid(draft, guarded) is not None:
        draft.wake(symbol, draft.now_ns + WITNESS_WITHIN_NS)
        return closing
    closing = replace(closing, due_ns=draft.now_ns)
    draft.put("closings", symbol, closing)
    return closing


def _tell_again(draft: Draft, symbol: str, closing: Closing, latch: Latch) -> None:
    quantity, pause_ns = draft.positions[symbol].position.quantity, closing.due_ns - draft.now_ns
    when = f"in {seconds(pause_ns)}" if pause_ns else "at once"
    tell(
        draft,
        Reason.FLATTEN,
        Severity.CRITICAL,
        topic="latch",
        state="reopened",
        symbol=symbol,
        text=f"{symbol} {quantity:+d} was opened although {latch.name} keeps it flat (time {closing.rounds}): it is"
        f" closed again {when}. Stop what trades; each time costs fees.",
        facts=(("latch", latch.name), ("quantity", quantity), ("time", closing.rounds)),
    )


def note_refusal(draft: Draft, symbol: str, reason: str) -> None:
    """A request about a symbol that is being closed was not carried out: remember the words for people."""
    closing = draft.closings.get(symbol)
    if closing is not None and reason:
        draft.put("closings", symbol, replace(closing, refusal=reason))


# ---------------------------------------------------------------------- witnesses


def _is_witnessed(draft: Draft, guarded: Guarded, closing: Closing) -> bool:
    """Whether two messages say that the position is open, after the last close and on this side; else ask."""
    symbol, sign = guarded.position.key.symbol, _sign(guarded.position.quantity)
    since_ns = max(closing.since_ns, guarded.reduced_ns, draft.started_ns)
    if closing.has_moved and draft.pictures.taken_ns >= draft.started_ns:
        # The last piece was carried out, and a row shows what it left.
        return True
    query, stream = guarded.query, guarded.stream
    if query is not None and query.at_ns >= since_ns and query.at_ns > guarded.turned_ns:
        return _sign(query.quantity) == sign
    draft.want_picture(Reason.FLATTEN, max(since_ns, guarded.turned_ns + 1))
    patience_ns = max(closing.due_ns, since_ns) + WITNESS_WITHIN_NS
    alone_ns = patience_ns - WITNESS_WITHIN_NS + STREAM_ALONE_NS
    draft.wake(symbol, patience_ns if draft.now_ns < patience_ns else max(alone_ns, draft.now_ns + WITNESS_WITHIN_NS))
    if draft.now_ns < patience_ns:
        return False
    if is_agreed(guarded):
        return True
    is_told_twice = stream is not None and stream.at_ns > since_ns and _sign(stream.quantity) == sign
    return draft.now_ns >= alone_ns and is_told_twice and account_is_fresh(draft)


def _sign(quantity: int) -> int:
    return (quantity > 0) - (quantity < 0)


# ---------------------------------------------------------------------- the close


def _send(draft: Draft, guarded: Guarded, closing: Closing) -> None:
    symbol = guarded.position.key.symbol
    tries = closing.tries + 1 if closing.sent_quantity else 0
    pause_ns = requests.grown_pause(draft, guarded.reduce_pause_ns) if tries else 0
    draft.change(symbol, reduce_pause_ns=pause_ns, reduce_at_ns=draft.now_ns + max(pause_ns, PIECE_GAP_NS))
    closing = replace(
        closing,
        sent_quantity=guarded.position.quantity,
        has_moved=False,
        tries=tries,
        mark_price=newest_mark(draft, symbol) or closing.mark_price,
    )
    draft.put("closings", symbol, closing)
    if not guarded.reductions or (tries and tries & (tries - 1) == 0):
        # Of one cause, people hear at the first, second, fourth, eighth ... try.
        _tell_closing(draft, guarded, closing)
    requests.reduce_at_market(draft, draft.positions[symbol], Reason.FLATTEN, _piece(draft, guarded))


def _piece(draft: Draft, guarded: Guarded) -> int | None:
    """Contracts of the next order; None: a Close of all that is there."""
    instrument = draft.instruments.get(guarded.position.key.symbol)
    if instrument is None or not 0 < instrument.max_order_quantity < abs(guarded.position.quantity):
        return None
    return instrument.max_order_quantity


def _tell_closing(draft: Draft, guarded: Guarded, closing: Closing) -> None:
    symbol, mark = guarded.position.key.symbol, usable_mark(draft, guarded.position.key.symbol)
    direction = "long" if guarded.position.side is Side.LONG else "short"
    again = f", try {closing.tries + 1}: the last close changed nothing" if closing.tries else ""
    tell(
        draft,
        Reason.FLATTEN,
        Severity.CRITICAL,
        topic="position",
        state="reducing",
        symbol=symbol,
        text=f"Closing {direction} {symbol} {guarded.position.quantity:+d} at the market{again}.",
        facts=(
            ("quantity", guarded.position.quantity),
            ("mark", None if mark is None else mark.price),
            ("attempt", closing.tries + 1),
        ),
    )
