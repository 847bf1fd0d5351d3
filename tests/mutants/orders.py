"""Breaks of what the guard asks the venue for: stops, cancels, closes, and what became of each request."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

_CORE: Final = "daemon/core"
_WIRE: Final = "connectors/bitmex/protocol"
_T_CORE: Final = "tests/unit/daemon/core"
_T_WIRE: Final = "tests/unit/connectors/bitmex/protocol"

_ADDS_DANGER: Final = (
    Mutant(
        name="stop-that-may-open",
        promise="P1",
        what="A stop leaves without the word that forbids it to grow a position.",
        path=f"{_WIRE}/requests.py",
        before='"execInst": f"MarkPrice,{restraint}"',
        after='"execInst": "MarkPrice"',
        caught_by=(f"{_T_WIRE}/test_requests.py",),
    ),
    Mutant(
        name="no-side-check",
        promise="P1",
        what="The choke point lets an order through on the side that grows the position.",
        path=f"{_CORE}/choke_point/danger.py",
        before="if command.side is not shrinking:",
        after="if False:",
        caught_by=(f"{_T_CORE}/choke_point/test_danger.py",),
    ),
    Mutant(
        name="cancels-the-last-cover",
        promise="P1",
        what="The choke point lets a cancel take the only stop of an open position.",
        path=f"{_CORE}/choke_point/danger.py",
        before='    return "it would remove cover of an open position"',
        after="    return None",
        caught_by=(f"{_T_CORE}/choke_point/test_danger.py", f"{_T_CORE}/test_stops.py"),
    ),
    Mutant(
        name="cancels-for-what-has-just-come",
        promise="P1",
        what="A stop is cancelled the moment its replacement is told as resting, which the venue may still reject.",
        path=f"{_CORE}/protecting/shared.py",
        before="STANDS_NS: Final = 500 * 10**6",
        after="STANDS_NS: Final = 0",
        caught_by=(f"{_T_CORE}/folding/test_books.py",),
    ),
    Mutant(
        name="margin-that-brings-it-nearer",
        promise="P1",
        what="A leverage or margin change is not held against the liquidations before and after.",
        path=f"{_CORE}/choke_point/danger_corrections.py",
        before="return f\"it would bring liquidation nearer: {', '.join(nearer)}\" if nearer else None",
        after="return None",
        caught_by=(f"{_T_CORE}/emergency/test_corrections.py",),
    ),
    Mutant(
        name="cancels-a-bots-stop",
        promise="P1",
        what="Clearing up before the countdown takes a bot's plain stop that may be all a position has.",
        path=f"{_CORE}/emergency/exposure.py",
        before="if is_others and may_add_exposure(known.order) and not might_protect(draft, known.order):",
        after="if is_others and may_add_exposure(known.order):",
        caught_by=(f"{_T_CORE}/emergency/test_exposure.py",),
    ),
)

_COVER: Final = (
    Mutant(
        name="answered-is-covered",
        promise="P2",
        what="A stop counts as resting when the request was answered, before stream or query showed it.",
        path=f"{_CORE}/folding/books.py",
        before="confirmed = known is not None and known.is_confirmed",
        after="confirmed = True",
        caught_by=(f"{_T_CORE}/test_stops.py",),
    ),
    Mutant(
        name="last-price-counts",
        promise="P2",
        what="A stop that is triggered by the last price counts as cover.",
        path=f"{_CORE}/protecting/cover.py",
        before="if order.trigger is not Trigger.MARK or order.side is not ids.closing_side(side):",
        after="if order.side is not ids.closing_side(side):",
        caught_by=(f"{_T_CORE}/protecting/test_cover.py",),
    ),
    Mutant(
        name="part-is-enough",
        promise="P2",
        what="Any stop covers the whole position, whatever its size.",
        path=f"{_CORE}/protecting/cover.py",
        before="return total >= abs(quantity)",
        after="return total > 0",
        caught_by=(f"{_T_CORE}/protecting/test_cover.py",),
    ),
    Mutant(
        name="behind-liquidation",
        promise="P2",
        what="A stop that stands behind the liquidation price counts as cover.",
        path=f"{_CORE}/protecting/cover.py",
        before="return liquidation_price is None or is_looser(side, liquidation_price, order.stop_price)",
        after="return True",
        caught_by=(f"{_T_CORE}/protecting/test_cover.py",),
    ),
    Mutant(
        name="tick-away-from-the-mark",
        promise="P2",
        what="Triggers are rounded to the tick away from the mark.",
        path=f"{_CORE}/margin/contracts.py",
        before="return tick_up(price, tick_size) if side is Side.LONG else tick_down(price, tick_size)",
        after="return tick_down(price, tick_size) if side is Side.LONG else tick_up(price, tick_size)",
        caught_by=(f"{_T_CORE}/margin/test_contracts.py",),
    ),
    Mutant(
        name="no-floor",
        promise="P2",
        what="A stop may stand so near to liquidation that one jump of the mark carries it away.",
        path=f"{_CORE}/protecting/wanted.py",
        before="on_tick = tick_toward_mark(kept(side, each.price, floor), instrument.tick_size, side)",
        after="on_tick = tick_toward_mark(each.price, instrument.tick_size, side)",
        caught_by=(f"{_T_CORE}/market/test_floor.py",),
    ),
    Mutant(
        name="waits-for-a-fresh-market",
        promise="P2",
        what="A new position is left alone while the public stream is stale.",
        path=f"{_CORE}/stops.py",
        before="if case.cover.is_doubtful or not draft.orders_known or",
        after="if case.cover.is_doubtful or not (draft.orders_known and draft.health.market.is_live) or",
        caught_by=(f"{_T_CORE}/folding/test_books.py",),
    ),
)

_RATCHET: Final = (
    Mutant(
        name="no-ratchet",
        promise="P3",
        what="The tightest trigger that rested is forgotten, so a stop follows policy away from the mark.",
        path=f"{_CORE}/protecting/wanted.py",
        before="trigger = price if ratchet is None else nearer(side, price, ratchet)",
        after="trigger = price",
        caught_by=(f"{_T_CORE}/test_stops.py", f"{_T_CORE}/protecting/test_wanted.py"),
    ),
    Mutant(
        name="loosening-without-a-word",
        promise="P3",
        what="The choke point lets an amend move a stop away from the mark without an operator's word.",
        path=f"{_CORE}/choke_point/danger.py",
        before="    if is_worse and not _is_released(command, price, state):",
        after="    if False:",
        caught_by=(f"{_T_CORE}/choke_point/test_danger.py", f"{_T_CORE}/protecting/test_given_stop.py"),
    ),
)

_ONE_STOP: Final = (
    Mutant(
        name="profit-order-beside-a-lost-one",
        promise="P4",
        what="A take-profit order is placed again while the one that was lost may still arrive and be filled.",
        path=f"{_CORE}/protecting/take_profit.py",
        before="is_alone = not outcomes.may_take_come(draft, guarded.position.key.symbol)",
        after="is_alone = True",
        caught_by=(f"{_T_CORE}/protecting/test_take_profit.py",),
    ),
    Mutant(
        name="id-used-again",
        promise="P4",
        what="The next order takes the number of the one before.",
        path=f"{_CORE}/writes/requests.py",
        before='return f"{name}{draft.numbers.get(name, 0) + 1}"',
        after='return f"{name}{max(1, draft.numbers.get(name, 0))}"',
        caught_by=(f"{_T_CORE}/test_stops.py",),
    ),
    Mutant(
        name="duplicate-is-protection",
        promise="P4",
        what="A placement refused as a duplicate counts as placed.",
        path=f"{_CORE}/folding/answers.py",
        before="_move(draft, guarded, replace(write, probe=ids.PROBES), WriteInput.DUPLICATE)",
        after="_move(draft, guarded, write, WriteInput.SEEN)",
        caught_by=(f"{_T_CORE}/test_stops.py",),
    ),
    Mutant(
        name="places-beside-a-doubt",
        promise="P4",
        what="A second stop is placed while nobody knows whether the first one rests.",
        path=f"{_CORE}/stops.py",
        before="if case.cover.is_doubtful or not draft.orders_known or",
        after="if not draft.orders_known or",
        caught_by=(f"{_T_CORE}/test_stops.py", f"{_T_CORE}/test_doubts.py"),
    ),
    Mutant(
        name="keeps-the-oldest",
        promise="P4",
        what="Of two stops the older one stays, which another guard may be clearing up at this moment.",
        path=f"{_CORE}/protecting/cover.py",
        before="return is_useless, -number(view, order)",
        after="return is_useless, number(view, order)",
        caught_by=(f"{_T_CORE}/protecting/test_cover.py", f"{_T_CORE}/protecting/test_shared.py"),
    ),
    Mutant(
        name="puts-the-form-right-for-ever",
        promise="P4",
        what="Two guards of different styles replace each other's stop without end.",
        path=f"{_CORE}/protecting/shared.py",
        before="return put_right > 0 and covers.number(draft, keeper) > put_right",
        after="return False",
        caught_by=(f"{_T_CORE}/protecting/test_shared.py", f"{_T_CORE}/test_judgement.py"),
    ),
    Mutant(
        name="clears-up-while-blind",
        promise="P1",
        what="A stop is cancelled as one too many for a position that was last heard of before the stream broke.",
        path=f"{_CORE}/stops.py",
        before="    if not account_is_heard(draft):\n        return False  # the position may have grown",
        after="    if False:\n        return False  # the position may have grown",
        caught_by=(f"{_T_CORE}/protecting/test_shared.py",),
    ),
)

_UNKNOWN: Final = (
    Mutant(
        name="unknown-is-failed",
        promise="P5",
        what="A request without an answer counts as not carried out.",
        path=f"{_CORE}/folding/answers.py",
        before="        case RequestUnanswered():\n            _move(draft, guarded, write, WriteInput.UNANSWERED)",
        after="        case RequestUnanswered():\n            _move(draft, guarded, write, WriteInput.NOT_SENT)",
        caught_by=(f"{_T_CORE}/test_stops.py",),
    ),
    Mutant(
        name="server-error-is-a-no",
        promise="P5",
        what="A server error after a write counts as not carried out.",
        path=f"{_WIRE}/refusals.py",
        before="    if is_write:\n        return OutcomeUnknown(reason, status=status)",
        after="    if False:\n        return OutcomeUnknown(reason, status=status)",
        caught_by=(f"{_T_WIRE}/test_refusals.py",),
    ),
    Mutant(
        name="not-found-yet-is-never",
        promise="P5",
        what="A write that is still under way counts as never carried out when a question does not find it.",
        path=f"{_CORE}/memory/orders.py",
        before="(WriteState.IN_FLIGHT, WriteInput.NOT_FOUND): WriteState.IN_FLIGHT,",
        after="(WriteState.IN_FLIGHT, WriteInput.NOT_FOUND): WriteState.SETTLED,",
        caught_by=(
            f"{_T_CORE}/memory/test_orders.py",
            f"{_T_CORE}/writes/test_outcomes.py",
            f"{_T_CORE}/folding/test_answers.py",
        ),
    ),
    Mutant(
        name="asks-for-ever",
        promise="P2",
        what="A lost placement waits for the answer to a question for as long as reads fail.",
        path=f"{_CORE}/doubts.py",
        before="    if not write.unanswered or write.probe or not account_is_fresh(draft):",
        after="    if True:",
        caught_by=(f"{_T_CORE}/test_doubts.py",),
    ),
)

_MAY_EXIST: Final = (
    Mutant(
        name="time-ends-a-doubt",
        promise="P5",
        what="A request that may still arrive counts as refused as soon as a question does not show it.",
        path=f"{_CORE}/writes/outcomes.py",
        before="if entry.client_order_id in pending.ids and pending.sent_ns >= expired_ns(draft, entry):",
        after="if entry.client_order_id in pending.ids:",
        caught_by=("tests/property/test_outcomes.py", f"{_T_CORE}/writes/test_outcomes.py"),
    ),
    Mutant(
        name="amends-over-a-late-amend",
        promise="P3",
        what="Other figures are amended in while an earlier amend may still arrive and undo them.",
        path=f"{_CORE}/writes/outcomes.py",
        before="return late is None or (late.quantity, late.stop_price) == (quantity, stop_price)",
        after="return True",
        caught_by=("tests/property/test_outcomes.py", f"{_T_CORE}/writes/test_outcomes.py"),
    ),
    Mutant(
        name="counts-a-doomed-stop",
        promise="P2",
        what="A stop whose cancel may still arrive counts as cover.",
        path=f"{_CORE}/writes/outcomes.py",
        before='return any(_key(kind, order.order_id, "") in view.unproved for kind in _CANCELS)',
        after="return False",
        caught_by=(f"{_T_CORE}/writes/test_outcomes.py", f"{_T_CORE}/protecting/test_cover.py"),
    ),
)

_LIFE: Final = (
    Mutant(
        name="stuck-stop-is-waited-for",
        promise="P2",
        what="A stop that does not fire although the mark is beyond it is waited for without end.",
        path=f"{_CORE}/emergency/reduce.py",
        before="return _Cause(reason=Reason.STOP_STUCK, arose_ns=since_ns, due_ns=since_ns + patience_ns)",
        after="return None",
        caught_by=(f"{_T_CORE}/emergency/test_reduce.py",),
    ),
    Mutant(
        name="closes-on-hearsay",
        promise="P2",
        what="A position is closed at the market on one message alone.",
        path=f"{_CORE}/emergency/reduce.py",
        before="if not _is_witnessed(draft, guarded, cause) or _is_hearsay(guarded, wanted, cause):",
        after="if False:",
        caught_by=(f"{_T_CORE}/emergency/test_reduce.py",),
    ),
    Mutant(
        name="flat-by-one-witness",
        promise="P2",
        what="A position is over as soon as one source leaves it out.",
        path=f"{_CORE}/folding/account.py",
        before="    if agreed or guarded.position.quantity == 0:",
        after="    if True:",
        caught_by=(f"{_T_CORE}/folding/test_account.py",),
    ),
    Mutant(
        name="waits-beside-liquidation",
        promise="P2",
        what="What was opened again under a flatten waits for its turn where no stop can rest.",
        path=f"{_CORE}/emergency/flatten.py",
        before="if draft.now_ns < closing.due_ns and not guarded.covered_ns:",
        after="if False:",
        caught_by=(f"{_T_CORE}/emergency/test_flatten.py",),
    ),
)

MUTANTS_OF_ORDERS: Final[tuple[Mutant, ...]] = (
    *_ADDS_DANGER,
    *_COVER,
    *_RATCHET,
    *_ONE_STOP,
    *_UNKNOWN,
    *_MAY_EXIST,
    *_LIFE,
)
