"""Reduce at the market, when a stop is not enough.

Four causes, each with its patience:

- THROUGH_TRIGGER: the mark is beyond the wanted trigger and no stop rests there: a stop would fire at once. At once.
- STOP_STUCK: the mark is beyond a resting trigger and nothing fired for `stuck_after_s`.
- STOP_INCOMPLETE: the stop fired, and the position is still open after `stuck_after_s`; at once where the venue has
  cancelled what the stop could not fill, for then nothing is at work any more.
- RULE_EXIT: a stop rule asks for the position to be closed (its time is over). At once; the stop rests meanwhile.

Never on one message alone: a picture that was asked after the cause arose has to show the position as well. If none can
be had within a second, two witnesses that agreed on it earlier are enough. A stale mark decides nothing. One reduction
at a time; the next needs a newer picture and waits longer each time. A reduction is reduce-only and can open nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.vocabulary import Side
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.folding.account import is_agreed
from daemon.core.market.marks import is_fresh, is_through, ns, usable_mark
from daemon.core.protecting.cover import Cover, is_sound
from daemon.core.protecting.wanted import STAND_IN, Wanted, wanted_quantity
from daemon.core.reasons import Reason
from daemon.core.restraint import observing, quiet
from daemon.core.state import Guarded
from daemon.core.stop_rules import liquidation_buffer
from daemon.core.writes import requests

WITNESS_WITHIN_NS: Final = 10**9


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cause:
    """Why a reduction is due."""

    reason: Reason
    arose_ns: int
    """A picture has to be asked after this."""
    due_ns: int
    text: str = ""
    """Which rule asks for it, and why."""


def consider(draft: Draft, symbol: str, wanted: Wanted, cover: Cover) -> bool:
    """Reduce if that is due; whether the stop has to be left alone for it."""
    note_through(draft, symbol, wanted, cover)
    guarded = _note_exit(draft, symbol, wanted)
    cause = _cause(draft, guarded, cover) or _exit_cause(guarded, wanted)
    if cause is None:
        return False
    if draft.now_ns < cause.due_ns:
        _prepare(draft, symbol, cause)
        return False
    if quiet.is_quiet(draft):
        observing.say(draft, symbol, f"reduce at the market ({cause.reason.value})")
        return quiet.is_held(draft, symbol)
    return guarded.reduce is not None or _try(draft, guarded, cause, wanted)


def _is_hearsay(guarded: Guarded, wanted: Wanted, cause: _Cause) -> bool:
    """Whether the trigger passed rests on a liquidation price that one source alone names: nothing is closed for it.

    A second word is asked for, and the disagreement is told (`room.py`).
    """
    by_liquidation = wanted.ruled_by in {liquidation_buffer.NAME, STAND_IN}
    return cause.reason is Reason.THROUGH_TRIGGER and by_liquidation and not guarded.liquidation.is_sure


def _try(draft: Draft, guarded: Guarded, cause: _Cause, wanted: Wanted) -> bool:
    """Reduce, unless the pause after the last try lasts or a second witness is missing."""
    symbol = guarded.position.key.symbol
    if draft.now_ns < guarded.reduce_at_ns:
        draft.wake(symbol, guarded.reduce_at_ns)
        return False
    if not _is_witnessed(draft, guarded, cause) or _is_hearsay(guarded, wanted, cause):
        draft.want_picture(cause.reason, _evidence_from(draft, guarded, cause))
        draft.wake(symbol, max(draft.now_ns, cause.due_ns) + WITNESS_WITHIN_NS)
        return False
    _reduce(draft, guarded, cause)
    return True


def note_through(draft: Draft, symbol: str, wanted: Wanted, cover: Cover) -> Guarded:
    """Note since when a fresh mark is beyond the trigger wanted, or beyond one that rests."""
    guarded, mark = draft.positions[symbol], usable_mark(draft, symbol)
    side = guarded.position.side
    if mark is None or not mark.is_fresh or side is None:
        # What is not seen cannot be said to last.
        return draft.change(symbol, through_ns=0) if guarded.through_ns else guarded
    triggers = [order.stop_price for order in cover.counted if order.stop_price is not None]
    if wanted.trigger is not None:
        triggers.append(wanted.trigger)
    if cover.keeper is not None and cover.keeper.stop_price is not None:
        triggers.append(cover.keeper.stop_price)
    through = any(is_through(side, trigger, mark.price) for trigger in triggers)
    if through == (guarded.through_ns > 0):
        return guarded
    return draft.change(symbol, through_ns=draft.now_ns if through else 0)


def _note_exit(draft: Draft, symbol: str, wanted: Wanted) -> Guarded:
    """Note since when a rule asks, under a fresh mark, for the position to be closed."""
    guarded = draft.positions[symbol]
    asks = wanted.exit is not None and is_fresh(draft, symbol)
    if asks == (guarded.exit_ns > 0):
        return guarded
    return draft.change(symbol, exit_ns=draft.now_ns if asks else 0)


def _exit_cause(guarded: Guarded, wanted: Wanted) -> _Cause | None:
    if not guarded.exit_ns or wanted.exit is None:
        return None
    text = f"{wanted.exit.rule} asks for it: {wanted.exit.why}"
    return _Cause(reason=Reason.RULE_EXIT, arose_ns=guarded.exit_ns, due_ns=guarded.exit_ns, text=text)


def _cause(draft: Draft, guarded: Guarded, cover: Cover) -> _Cause | None:
    patience_ns = ns(draft.policy.stop.stuck_after_s)
    if guarded.fired_ns and guarded.cut_off_ns:
        at_ns = guarded.cut_off_ns
        return _Cause(reason=Reason.STOP_INCOMPLETE, arose_ns=at_ns, due_ns=at_ns)
    if guarded.fired_ns:
        due_ns = guarded.fired_ns + patience_ns
        return _Cause(reason=Reason.STOP_INCOMPLETE, arose_ns=guarded.fired_ns, due_ns=due_ns)
    if not guarded.through_ns:
        return None
    since_ns = guarded.through_ns
    if _has_trigger_passed(draft, guarded, cover):
        return _Cause(reason=Reason.STOP_STUCK, arose_ns=since_ns, due_ns=since_ns + patience_ns)
    return _Cause(reason=Reason.THROUGH_TRIGGER, arose_ns=since_ns, due_ns=since_ns)


def _has_trigger_passed(draft: Draft, guarded: Guarded, cover: Cover) -> bool:
    """Whether a stop rests whose trigger the mark has passed: the venue is about to fire it, or is stuck."""
    mark, side = usable_mark(draft, guarded.position.key.symbol), guarded.position.side
    orders = [*cover.counted, *(() if cover.keeper is None else (cover.keeper,))]
    return (
        mark is not None
        and side is not None
        and any(
            is_sound(order, side, guarded.liquidation.price)
            and order.stop_price is not None
            and is_through(side, order.stop_price, mark.price)
            for order in orders
        )
    )


def _prepare(draft: Draft, symbol: str, cause: _Cause) -> None:
    """Half-way to acting, ask for the second witness, so that it is there in time."""
    half_ns = cause.arose_ns + (cause.due_ns - cause.arose_ns) // 2
    if draft.now_ns < half_ns:
        draft.wake(symbol, half_ns)
        return
    draft.want_picture(cause.reason, cause.arose_ns)
    draft.wake(symbol, cause.due_ns)


def _evidence_from(draft: Draft, guarded: Guarded, cause: _Cause) -> int:
    """A picture has to be newer than the cause, than the last reduction, and of this process."""
    return max(cause.arose_ns, guarded.reduced_ns, draft.started_ns)


def _is_witnessed(draft: Draft, guarded: Guarded, cause: _Cause) -> bool:
    from_ns = _evidence_from(draft, guarded, cause)
    if draft.pictures.taken_ns >= from_ns:
        return guarded.query is not None and _sign(guarded.query.quantity) == _sign(guarded.position.quantity)
    return draft.now_ns >= max(cause.due_ns, from_ns) + WITNESS_WITHIN_NS and is_agreed(guarded)


def _sign(quantity: int) -> int:
    return (quantity > 0) - (quantity < 0)


def _reduce(draft: Draft, guarded: Guarded, cause: _Cause) -> None:
    symbol = guarded.position.key.symbol
    instrument = draft.instruments.get(symbol)
    quantity = wanted_quantity(draft, guarded)
    if quantity is None and instrument is not None and instrument.max_order_quantity > 0:
        most = instrument.max_order_quantity
        quantity = most if most < abs(guarded.position.quantity) else None
    pause_ns = requests.grown_pause(draft, guarded.reduce_pause_ns)
    draft.change(symbol, reduce_pause_ns=pause_ns, reduce_at_ns=draft.now_ns + pause_ns)
    _tell(draft, guarded, cause)
    requests.reduce_at_market(draft, draft.positions[symbol], cause.reason, quantity)


def _tell(draft: Draft, guarded: Guarded, cause: _Cause) -> None:
    symbol, mark = guarded.position.key.symbol, usable_mark(draft, guarded.position.key.symbol)
    causes = {
        Reason.THROUGH_TRIGGER: "the mark is beyond the wanted trigger and no stop rests there",
        Reason.STOP_STUCK: "the mark is beyond the resting trigger and the stop has not fired",
        Reason.STOP_INCOMPLETE: "the stop fired and the position is still open",
        Reason.RULE_EXIT: cause.text,
    }
    ruling = f" ({guarded.ruled_by}: {guarded.ruled_why})" if guarded.ruled_by and not cause.text else ""
    again = f", attempt {guarded.reductions + 1}" if guarded.reductions else ""
    direction = "long" if guarded.position.side is Side.LONG else "short"
    tell(
        draft,
        cause.reason,
        Severity.CRITICAL,
        topic="position",
        state="reducing",
        symbol=symbol,
        text=f"Reducing {direction} {symbol} {guarded.position.quantity:+d} at the market{again}:"
        f" {causes[cause.reason]}{ruling}.",
        facts=(
            ("quantity", guarded.position.quantity),
            ("mark", None if mark is None else mark.price),
            ("attempt", guarded.reductions + 1),
        ),
    )
