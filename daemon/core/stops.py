"""Keep each position's stop as it is wanted: place, move, resize, replace, clear up.

    wanted -> submitted -> resting -> (amending -> resting)* -> triggered -> filled | gone

Level-triggered: every time a position is touched, the cover wanted is compared with the orders that rest and the write
that is under way, and the one next thing that is missing is asked for. Run again with nothing new, it asks for nothing.
So lost, repeated or reordered news and restarts need no paths of their own. There is one open write per position
(reductions at the market apart), so two of ours can only stand side by side in a replacement (P4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from config.modes import RuleMode
from connectors.vocabulary import Order
from daemon.core import clearing, doubts
from daemon.core.alerts import seconds, tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.emergency import flatten, reduce
from daemon.core.folding import books
from daemon.core.folding.account import is_size_agreed
from daemon.core.folding.feeds import account_is_heard
from daemon.core.market.marks import is_looser, is_through, nearer, ns, usable_mark
from daemon.core.protecting import cover as covers
from daemon.core.protecting import protection, shadows, shared, take_profit
from daemon.core.protecting.cover import Cover
from daemon.core.protecting.wanted import Wanted, nearest_valid, stepped, wanted_quantity, work_out
from daemon.core.reasons import Reason
from daemon.core.restraint import latches, observing, quiet
from daemon.core.state import Guarded, Need
from daemon.core.stop_rules import time_stop
from daemon.core.writes import outcomes, requests

FIRST_READ_NS: Final = 3 * 10**9
"""A read that does not come must not keep a position naked for longer."""
CUT_WITHIN_NS: Final = 2 * 10**9
"""So old a read may be, on which a stop is made smaller."""
VANISHING_NS: Final = 60 * 10**9
"""A stop that disappears again within this time has the same cause: somebody cancels it, or the venue does."""


def reconcile(draft: Draft, symbol: str) -> None:
    """Compare what one position needs with what is there, and ask for what is missing: protection first."""
    draft.clear_wake(symbol)
    _protect(draft, symbol)
    if symbol in draft.positions:
        take_profit.reconcile(draft, symbol)


def _protect(draft: Draft, symbol: str) -> None:
    books.end_told(draft, symbol)
    guarded = draft.positions[symbol]
    doubts.ask(draft, symbol)
    side = guarded.position.side
    if side is None:
        clearing.clear_up(draft, symbol)
        return
    ratchet = guarded.ratchet
    wanted = work_out(draft, draft.positions[symbol])
    cover = covers.judge(draft, draft.positions[symbol], side, wanted.trigger)
    _note(draft, symbol, wanted, cover)
    if draft.positions[symbol].ratchet != ratchet:
        # A stop was confirmed just now that holds what was wanted before it was known.
        wanted = work_out(draft, draft.positions[symbol])
        cover = covers.judge(draft, draft.positions[symbol], side, wanted.trigger)
    shadows.judge(draft, symbol, wanted)
    _wake_for_time(draft, symbol)
    if latches.flattening(draft, symbol) is not None:
        reduce.note_through(draft, symbol, wanted, cover)
        if flatten.close(draft, symbol):
            return
    elif reduce.consider(draft, symbol, wanted, cover):
        return
    _keep_stop(draft, symbol, wanted, cover)


# ---------------------------------------------------------------------- what is there


def _note(draft: Draft, symbol: str, wanted: Wanted, cover: Cover) -> None:
    """Remember plan, ratchet and cover; tell when a position is covered for the first time, or again."""
    guarded = draft.positions[symbol]
    if wanted.in_breach and not guarded.in_breach:
        _tell_breach(draft, guarded, wanted)
    changes: dict[str, object] = {
        "need": wanted.need,
        "ruled": wanted.ruled,
        "in_breach": wanted.in_breach,
        "ruled_by": wanted.ruled_by,
        "ruled_why": wanted.why,
        **_ratcheted(draft, guarded, cover, wanted),
        **_silences(draft, guarded, wanted),
    }
    changes |= protection.noted(cover, wanted.need)
    if cover.is_whole or wanted.need is Need.NOTHING:
        changes["uncovered_ns"] = 0
    if wanted.need is Need.NOTHING:
        changes["covered_ns"] = 0
    elif cover.is_whole:
        changes |= _covered(draft, guarded, cover, wanted)
    else:
        changes["covered_ns"] = 0
        changes["uncovered_ns"] = guarded.uncovered_ns or draft.now_ns
    if any(getattr(guarded, name) != value for name, value in changes.items()):
        draft.change(symbol, **changes)


def _wake_for_time(draft: Draft, symbol: str) -> None:
    """A time stop acts without any news."""
    guarded = draft.positions[symbol]
    due_ns = time_stop.due_ns(draft.policy.stop, guarded.known_ns)
    if draft.policy.stop.time_stop.mode is not RuleMode.OFF and draft.now_ns < due_ns:
        draft.wake(symbol, due_ns)


def _silences(draft: Draft, guarded: Guarded, wanted: Wanted) -> dict[str, object]:
    """Rules that are on and cannot speak, and since when there are any."""
    if not wanted.silences and not guarded.silences:
        return {}
    silences = tuple(f"{each.rule}: {each.why}" for each in wanted.silences)
    return {"silences": silences, "silent_ns": (guarded.silent_ns or draft.now_ns) if silences else 0}


def _ratcheted(draft: Draft, guarded: Guarded, cover: Cover, wanted: Wanted) -> dict[str, object]:
    """The ratchet; while an operator has let go of it, none holds until the stop rests as loosely as is wanted now."""
    side, keeper, released = guarded.position.side, cover.keeper, guarded.episode.released
    if released is None:
        return {"ratchet": _tightest(guarded, cover)}
    if side is None or keeper is None or keeper.stop_price is None or wanted.trigger is None:
        return {}
    allowed = nearer(side, wanted.trigger, released.price)
    if is_looser(side, allowed, keeper.stop_price) or is_looser(side, keeper.stop_price, released.price):
        return {}
    episode = replace(guarded.episode, released=None, loosened=covers.number(draft, keeper))
    return {"ratchet": keeper.stop_price, "episode": episode}


def _tightest(guarded: Guarded, cover: Cover) -> Decimal | None:
    """The ratchet (P3): the tightest trigger of ours confirmed in this episode.

    Not the keeper's alone: a stop that another guard's newer one has made one too many may have been amended meanwhile.
    """
    side, nearest = guarded.position.side, cover.nearest
    if side is None or nearest is None:
        return guarded.ratchet
    return nearest if guarded.ratchet is None else nearer(side, guarded.ratchet, nearest)


def _covered(draft: Draft, guarded: Guarded, cover: Cover, wanted: Wanted) -> dict[str, object]:
    if not guarded.was_covered or (guarded.observed == "vanished" and _is_worth_telling(guarded.vanishings)):
        _tell_covered(draft, guarded, cover)
    fired = covers.is_firing(draft, guarded)
    # A change to stops that suffice may fail too: its pause is forgotten only when nothing was tried for a while.
    tried_ns = max(guarded.placed_ns, guarded.retry_at_ns)
    settled = guarded.write is None and draft.now_ns - tried_ns >= requests.SETTLED_AFTER_NS
    return {
        "covered_ns": guarded.covered_ns or draft.now_ns,
        "was_covered": True,
        "is_from_start": guarded.is_from_start and wanted.in_breach,
        "pause_ns": 0 if settled else guarded.pause_ns,
        "retry_at_ns": 0 if settled else guarded.retry_at_ns,
        "refusal": "",
        "fired_ns": guarded.fired_ns if fired else 0,
        "cut_off_ns": 0,
        "observed": "" if guarded.observed == "vanished" else guarded.observed,
    }


def _tell_covered(draft: Draft, guarded: Guarded, cover: Cover) -> None:
    symbol = guarded.position.key.symbol
    prices = sorted(order.stop_price for order in cover.counted if order.stop_price is not None)
    shown = ", ".join(str(price) for price in prices)
    since_ns = guarded.uncovered_ns if guarded.was_covered and guarded.uncovered_ns else guarded.known_ns
    took_ns = draft.now_ns - since_ns
    what, since = (
        ("covered again", "its stop vanished") if guarded.was_covered else ("covered", "the position was known")
    )
    tell(
        draft,
        Reason.FACT,
        Severity.NOTE,
        topic="cover",
        state="covered",
        symbol=symbol,
        text=f"{symbol} {guarded.position.quantity:+d} is {what}: stop at {shown} confirmed resting,"
        f" {seconds(took_ns)} after {since}{_ruling(guarded)}.",
        facts=(
            ("stop_price", shown),
            ("rule", guarded.ruled_by or None),
            ("quantity", guarded.position.quantity),
            ("liquidation_price", guarded.liquidation.price),
            ("known_ns", since_ns),
            ("confirmed_ns", draft.now_ns),
            ("took_ms", took_ns // 1_000_000),
        ),
    )


def _ruling(guarded: Guarded) -> str:
    """Which rule put the stop there, and why."""
    return f"; {guarded.ruled_by}: {guarded.ruled_why}" if guarded.ruled_by else ""


def _tell_breach(draft: Draft, guarded: Guarded, wanted: Wanted) -> None:
    symbol = guarded.position.key.symbol
    stand_in = "no stop can help" if wanted.trigger is None else f"the nearest valid stop is at {wanted.trigger}"
    tell(
        draft,
        Reason.THROUGH_TRIGGER,
        Severity.CRITICAL,
        topic="cover",
        state="breach",
        symbol=symbol,
        text=f"{symbol} was already {wanted.breach} when first seen; {stand_in}.",
        facts=(("ruled", wanted.ruled), ("trigger", wanted.trigger), ("liquidation", guarded.liquidation.price)),
    )


# ---------------------------------------------------------------------- what is missing


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """Everything the next action hangs on."""

    guarded: Guarded
    wanted: Wanted
    cover: Cover
    is_through: bool
    """The mark is at or beyond the wanted trigger: reducing is due, not moving a stop there."""


def _keep_stop(draft: Draft, symbol: str, wanted: Wanted, cover: Cover) -> None:
    guarded = draft.positions[symbol]
    if guarded.write is not None:
        return
    if draft.now_ns < guarded.retry_at_ns:
        draft.wake(symbol, guarded.retry_at_ns)
        return
    if covers.is_firing(draft, guarded):
        draft.wake(symbol, guarded.fired_ns + ns(draft.policy.stop.stuck_after_s))
        return
    side, mark = guarded.position.side, usable_mark(draft, symbol)
    through = (
        side is not None
        and mark is not None
        and wanted.trigger is not None
        and is_through(side, wanted.trigger, mark.price)
    )
    case = _Case(guarded=guarded, wanted=wanted, cover=cover, is_through=through)
    if quiet.is_held(draft, symbol):
        observing.say(draft, symbol, _what_is_missing(case))
    elif cover.keeper is None:
        _place_first(draft, case)
    else:
        _tend(draft, case, cover.keeper)


def _what_is_missing(case: _Case) -> str:
    if case.cover.is_whole or case.wanted.need is not Need.STOP or case.is_through:
        return ""
    return f"rest a stop for {abs(case.guarded.position.quantity)} at {case.wanted.trigger}"


def _place_first(draft: Draft, case: _Case) -> None:
    """No stop of ours rests: place one, unless somebody else's is enough; one in reserve if the mark is through."""
    trigger = _bridge(draft, case) if case.is_through else case.wanted.trigger
    if trigger is None or case.wanted.need is Need.NOTHING or case.cover.is_whole:
        _clear_needless(draft, case)
        return
    if case.cover.is_doubtful or not draft.orders_known or _awaits_first_read(draft, case.guarded):
        return
    if case.cover.placed >= 2:
        _displace(draft, case)
        return
    is_any = case.cover.placed > case.cover.denied
    reason = Reason.COVER_WRONG if is_any else Reason.COVER_MISSING
    if case.guarded.was_covered and not is_any:
        _note_vanished(draft, case.guarded, trigger)
    quantity = wanted_quantity(draft, case.guarded)
    requests.place_stop(draft, case.guarded, reason, quantity=quantity, stop_price=trigger)


def _awaits_first_read(draft: Draft, guarded: Guarded) -> bool:
    """Whether the first picture of this process is still awaited, which shows the ids that were used lately.

    A journal may have lost its end, or everything, and not every venue refuses the id of an order that is finished.
    """
    due_ns = draft.started_ns + FIRST_READ_NS
    if draft.pictures.taken_ns >= draft.started_ns or draft.now_ns >= due_ns:
        return False
    draft.wake(guarded.position.key.symbol, due_ns)
    return True


def _bridge(draft: Draft, case: _Case) -> Decimal | None:
    """The mark is through already, and the close that is due waits: for a pause, a witness, a venue that refuses.

    After the time that a stop may take the nearest valid one rests meanwhile: in reserve, where a tighter one that was
    confirmed before cannot rest any more (P3 is kept: the close at the market is still what is wanted).
    """
    guarded, side = case.guarded, case.guarded.position.side
    if not guarded.through_ns or side is None:
        return None
    due_ns = guarded.through_ns + ns(draft.policy.stop.confirm_within_s)
    if draft.now_ns < due_ns:
        draft.wake(guarded.position.key.symbol, due_ns)
        return None
    price, mark = nearest_valid(draft, guarded), usable_mark(draft, guarded.position.key.symbol)
    released = guarded.episode.released
    for bound in (guarded.ratchet, None if released is None else released.price):
        if price is not None and mark is not None and bound is not None and not is_through(side, bound, mark.price):
            return nearer(side, price, bound)  # A person let it go back so far, and no further.
    return price


def _note_vanished(draft: Draft, guarded: Guarded, trigger: Decimal) -> None:
    """Count that a stop is gone; people hear at the first, second, fourth, eighth ... time within a minute."""
    symbol = guarded.position.key.symbol
    if guarded.observed == "vanished":
        return
    is_again = guarded.vanished_ns > 0 and draft.now_ns < guarded.vanished_ns + VANISHING_NS
    count = guarded.vanishings + 1 if is_again else 1
    draft.change(symbol, observed="vanished", vanishings=count, vanished_ns=draft.now_ns)
    if not _is_worth_telling(count):
        return
    again = "" if count == 1 else f", time {count} in a row"
    tell(
        draft,
        Reason.COVER_MISSING,
        Severity.WARNING,
        topic="cover",
        state="vanished",
        symbol=symbol,
        text=f"The stop of {symbol} disappeared without firing{again}; it is put back at {trigger}.",
        facts=(("trigger", trigger), ("time", count)),
    )


def _is_worth_telling(count: int) -> bool:
    return count & (count - 1) == 0


def _displace(draft: Draft, case: _Case) -> None:
    """Two of ours rest and neither is sound: make room for one that is."""
    book = draft.orders[case.guarded.position.key.symbol]
    unsound = [each for each in case.cover.others if not each.is_triggered and not book[each.order_id].denied_ns]
    if unsound:
        requests.cancel_order(draft, case.guarded, unsound[0], Reason.COVER_WRONG)


def _tend(draft: Draft, case: _Case, keeper: Order) -> None:
    """A stop of ours rests: make it right, then clear up around it."""
    if _replace(draft, case, keeper) or _amend(draft, case, keeper):
        return
    if _is_seen(draft, keeper) and _cancel_surplus(draft, case, keeper):
        return
    _clear_needless(draft, case)


def _is_seen(draft: Draft, order: Order) -> bool:
    """Whether a witness showed a stop of ours to this process.

    The journal may have lost its end: what it tells of a stop may be of before that was moved, or of one that is gone.
    """
    known = draft.orders[order.symbol][order.order_id]
    return max(known.taken_ns, known.seen_ns) >= draft.started_ns


def _replace(draft: Draft, case: _Case, keeper: Order) -> bool:
    """Place a second stop where an amend cannot do: the form is another. The old one goes once this rests."""
    if covers.has_right_form(draft, case.guarded, keeper) or shared.is_as_somebody_wants(draft, case.guarded, keeper):
        return False
    if not _place_beside(draft, case, Reason.COVER_WRONG):
        return False
    shared.note_put_right(draft, keeper.symbol)
    return True


def _place_beside(draft: Draft, case: _Case, reason: Reason) -> bool:
    trigger = case.wanted.trigger
    if trigger is None or case.is_through:
        return False
    if case.cover.placed >= 2 or case.cover.is_doubtful:
        return False
    quantity = wanted_quantity(draft, case.guarded)
    requests.place_stop(draft, case.guarded, reason, quantity=quantity, stop_price=trigger)
    return True


def _amend(draft: Draft, case: _Case, keeper: Order) -> bool:
    """Move the stop toward the mark, or follow the position's size; what the venue refuses to change is replaced."""
    guarded, side, price = case.guarded, case.guarded.position.side, keeper.stop_price
    if side is None or price is None:
        return False
    trigger = case.wanted.trigger if _is_seen(draft, keeper) else None
    moved, reason = None, Reason.COVER_TOO_SMALL
    released = guarded.episode.released
    if trigger is not None and is_looser(side, price, trigger) and not case.is_through:
        moved, reason = stepped(draft, guarded, trigger), Reason.COVER_TOO_FAR
    elif trigger is not None and released is not None and is_looser(side, trigger, price):
        allowed = nearer(side, trigger, released.price)
        if is_looser(side, allowed, price):
            moved, reason = allowed, Reason.STOP_LOOSENED
    sized = _new_size(draft, case, keeper)
    mark = usable_mark(draft, guarded.position.key.symbol)
    about_to_fire = mark is not None and is_through(side, price, mark.price)
    if about_to_fire or (moved is None and sized is None):
        return False
    if draft.unproved and not outcomes.may_amend(draft, keeper, quantity=sized, stop_price=moved):
        return _place_beside(draft, case, reason)
    if guarded.unamendable == keeper.order_id and _place_beside(draft, case, reason):
        return True
    requests.amend_stop(draft, guarded, keeper, reason, quantity=sized, stop_price=moved)
    return True


def _new_size(draft: Draft, case: _Case, keeper: Order) -> int | None:
    """The quantity to amend to; None while the present one does.

    A stop that is larger than its position is harmless, since it can only shrink it, and the venue cuts it down by
    itself; only one that stays too large for a whole slow cycle is corrected, right after a read that says so too: the
    position may have grown since, with a stream that tells nothing.
    """
    guarded, amount = case.guarded, abs(case.guarded.position.quantity)
    if keeper.quantity is None or wanted_quantity(draft, case.guarded) is None or keeper.quantity == amount:
        return None
    if keeper.quantity < amount:
        return amount
    # Rows come with every move of the mark: what counts is how long the size has stood, not how old the row is.
    settled_ns = max(guarded.sized_ns, keeper.timestamp_ns) + ns(draft.policy.health.reconcile_every_s)
    if draft.now_ns < settled_ns or not case.cover.is_whole or not is_size_agreed(guarded):
        return None
    return amount if guarded.query is not None and draft.now_ns - guarded.query.at_ns <= CUT_WITHIN_NS else None


def _cancel_surplus(draft: Draft, case: _Case, keeper: Order) -> bool:
    """One of ours is enough: cancel the others once the kept one holds everything that they do."""
    if not case.cover.others or not _is_enough_without(case, keeper, case.cover.others[0]):
        return False
    if not account_is_heard(draft):
        return False  # the position may have grown since: what is one too many is not known
    if draft.orders[keeper.symbol][keeper.order_id].is_left_out:
        return False  # a read may come from a copy that lags behind: the others are no surplus on its word
    other = case.cover.others[0]
    due_ns = shared.may_go_ns(draft, case.guarded, keeper, other)
    if due_ns is None:
        return False
    if draft.now_ns < due_ns:
        draft.wake(keeper.symbol, due_ns)
        return False
    requests.cancel_order(draft, case.guarded, other, Reason.COVER_SURPLUS)
    return True


def _is_enough_without(case: _Case, keeper: Order, other: Order) -> bool:
    """Whether the kept one holds the whole position, where it is wanted or at least no farther off than the other."""
    side, price = case.guarded.position.side, keeper.stop_price
    if side is None or price is None or not covers.is_enough([keeper], case.guarded.position.quantity):
        return False
    trigger = case.wanted.trigger
    if trigger is not None and not is_looser(side, price, trigger):
        return True
    return other.stop_price is not None and not is_looser(side, price, other.stop_price)


def _clear_needless(draft: Draft, case: _Case) -> None:
    """Cancel stops of ours that a turned position left behind, once both witnesses agree on its direction."""
    if case.cover.needless and clearing.is_needless(draft, case.guarded, case.cover.needless[0]):
        requests.cancel_order(draft, case.guarded, case.cover.needless[0], Reason.COVER_NEEDLESS)
