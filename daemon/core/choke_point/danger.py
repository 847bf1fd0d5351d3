"""The choke point's rule (P1): may this command leave, given the newest state?

Why: the shell asks once more, right before the wire, against whatever became known since the command was made. What it
refuses counts as not done, and the core thinks again. The rule is written apart from the code that makes commands, so
that each checks the other.

A command may only shrink a position, never loosen or remove its last cover, and in an observing guard nothing goes out.
Orders of others are never touched, with four exceptions, all for orders that may add exposure: an orderly stop with
`cancel_on_stop`, and a guard that has not guarded for half of the running countdown, which would otherwise take the
protective stops along (both in switch mode `auto`); a latch that holds for their symbol; and the silence of the bot
whose they are, or of one that must be alive (`danger_bots.py`). Once a FLATTEN is proved flat, the stops that are left
on its symbols are the one thing more: the explicit kill action.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from config.modes import RuleMode
from config.policy import ForeignStops, SwitchMode
from connectors.vocabulary import STOP_KINDS, Order, OrderSide, Side
from daemon.core import ids
from daemon.core.choke_point import danger_bots
from daemon.core.choke_point.danger_corrections import correction_refusal
from daemon.core.choke_point.danger_pause import pause_refusal
from daemon.core.commands import (
    AddMargin,
    AmendStop,
    CancelOrder,
    CancelOrders,
    DisarmSwitch,
    FeedSwitch,
    FindOrders,
    IsolatePosition,
    PlaceStop,
    PlaceTakeProfit,
    ReadPicture,
    ReduceAtMarket,
    SetLeverage,
    VenueCommand,
)
from daemon.core.market.marks import is_fresh, is_looser, is_through
from daemon.core.memory.interventions import LatchKind
from daemon.core.mode import Mode
from daemon.core.protecting.cover import is_enough, is_sound
from daemon.core.reasons import Reason
from daemon.core.state import Guarded, GuardState


def refusal(command: VenueCommand, state: GuardState) -> str | None:  # noqa: PLR0911 - one line per command
    """Say why a command must not leave.

    Args:
        command: About to be sent.
        state: The newest state.

    Returns:
        One sentence, or None if it may go.
    """
    match command:
        case FindOrders() | ReadPicture():
            return None
        case FeedSwitch() | DisarmSwitch():
            return _switch_refusal(command, state)
        case PlaceStop():
            return _order_refusal(command, state) or _price_refusal(command, command.stop_price, state)
        case AmendStop():
            return _amend_refusal(command, state)
        case ReduceAtMarket():
            return _order_refusal(command, state)
        case PlaceTakeProfit():
            return _order_refusal(command, state) or _take_profit_refusal(command, state)
        case CancelOrder():
            return _cancel_refusal(command, state)
        case CancelOrders():
            return _cancels_refusal(command, state)
        case AddMargin() | SetLeverage() | IsolatePosition():
            return correction_refusal(command, state)
        case _:
            assert_never(command)


def _switch_refusal(command: FeedSwitch | DisarmSwitch, state: GuardState) -> str | None:
    if state.policy.observe:
        return "observing only"
    if state.policy.switch.mode is SwitchMode.OFF:
        return "the switch is not ours to write"
    if state.pause is not None and isinstance(command, FeedSwitch):
        return pause_refusal(command, state)
    return _feed_refusal(command, state) if isinstance(command, FeedSwitch) else None


def _feed_refusal(command: FeedSwitch, state: GuardState) -> str | None:
    if state.mode is not Mode.GUARDING:
        return f"the switch is not fed while {state.mode.value}"
    if state.health.misconfigured:
        return "the switch is not fed while the venue refuses requests"
    if command.timeout_ns <= 0:
        return "a feed needs a time-out above zero"
    return danger_bots.feed_refusal(state)


def _common_refusal(
    command: PlaceStop | AmendStop | ReduceAtMarket | PlaceTakeProfit | CancelOrder, state: GuardState
) -> str | None:
    if state.policy.observe:
        return "observing only"
    held = pause_refusal(command, state)
    if held is not None:
        return held
    if command.key.account != state.account:
        return "another account"
    if not ids.is_ours(state.account, command.client_order_id) and not isinstance(command, CancelOrder):
        return "not an order of ours"
    return None


def _order_refusal(command: PlaceStop | AmendStop | ReduceAtMarket | PlaceTakeProfit, state: GuardState) -> str | None:
    """Only what shrinks a position that is known to be open."""
    common = _common_refusal(command, state)
    if common is not None:
        return common
    guarded = state.positions.get(command.key.symbol)
    if guarded is None or guarded.position.key != command.key or guarded.position.side is None:
        return "no such open position"
    shrinking = OrderSide.SELL if guarded.position.quantity > 0 else OrderSide.BUY
    if command.side is not shrinking:
        return f"a {command.side.value} order could grow the position"
    if command.quantity is not None and not 0 < command.quantity <= abs(guarded.position.quantity):
        return f"{command.quantity} contracts do not fit a position of {guarded.position.quantity}"
    return None


def _price_refusal(command: PlaceStop | AmendStop, price: Decimal, state: GuardState) -> str | None:
    """A trigger between mark and liquidation, and not looser than what was confirmed before."""
    guarded = state.positions[command.key.symbol]
    side = guarded.position.side
    if side is None or not price.is_finite() or price <= 0:
        return f"{price} is no trigger price"
    mark, liquidation = state.marks.get(command.key.symbol), guarded.liquidation.price
    if mark is not None and is_fresh(state, command.key.symbol) and is_through(side, price, mark.price):
        return f"the mark {mark.price} is already beyond {price}"
    if liquidation is not None and not is_looser(side, liquidation, price):
        return f"{price} is not in front of liquidation at {liquidation}"
    if guarded.ratchet is not None and is_looser(side, price, guarded.ratchet):
        if isinstance(command, PlaceStop) and _is_passed(command.key.symbol, side, guarded.ratchet, state):
            return None  # in reserve: nothing as tight can rest any more, and the close that is due has to wait
        return f"{price} is looser than the {guarded.ratchet} confirmed before"
    return None


def _is_passed(symbol: str, side: Side, trigger: Decimal, state: GuardState) -> bool:
    mark = state.marks.get(symbol)
    return mark is not None and is_fresh(state, symbol) and is_through(side, trigger, mark.price)


def _take_profit_refusal(command: PlaceTakeProfit, state: GuardState) -> str | None:
    """A rule that is on, a price, and with the others of ours no more contracts than there are."""
    if state.policy.take_profit.mode is not RuleMode.ON:
        return f"take_profit is {state.policy.take_profit.mode.value} by now"  # a reload, while it waited to be sent
    if not command.price.is_finite() or command.price <= 0:
        return f"{command.price} is no price"
    book = state.orders.get(command.key.symbol, {}).values()
    resting = sum(
        known.order.leaves_quantity
        for known in book
        if ids.is_take(state.account, known.order.client_order_id)
        and known.order.client_order_id != command.client_order_id
    )
    held = abs(state.positions[command.key.symbol].position.quantity)
    if resting + command.quantity > held:
        return f"{command.quantity} contracts and the {resting} that rest are more than the {held} there are"
    return None


def _amend_refusal(command: AmendStop, state: GuardState) -> str | None:
    refused = _order_refusal(command, state)
    if refused is not None:
        return refused
    known = state.orders.get(command.key.symbol, {}).get(command.order_id)
    if known is None or known.order.client_order_id != command.client_order_id:
        return "no such open order of ours"
    if known.order.side is not command.side:
        return "the order stands on the other side"
    looser = _looser_refusal(command, known.order, state)
    return looser or _size_refusal(command, known.order, state)


def _looser_refusal(command: AmendStop, order: Order, state: GuardState) -> str | None:
    """A trigger that is none, or farther from the mark than the one that rests without an operator's word (P3)."""
    price, rests = command.stop_price, order.stop_price
    if price is None:
        return None
    side = state.positions[command.key.symbol].position.side
    if not price.is_finite():
        return f"{price} is no trigger price"
    is_worse = side is not None and rests is not None and is_looser(side, price, rests)
    if is_worse and not _is_released(command, price, state):
        return f"{price} is looser than the {rests} that rests"
    return _price_refusal(command, price, state)


def _size_refusal(command: AmendStop, order: Order, state: GuardState) -> str | None:
    """A stop that is cut may not leave less cover than the position needs; a Close without a quantity holds all."""
    guarded = state.positions[command.key.symbol]
    side, quantity = guarded.position.side, command.quantity
    if side is None or quantity is None or (order.quantity is not None and quantity >= order.quantity):
        return None
    protecting = _protecting(state, guarded, side)
    others = [each for each in protecting if each.order_id != order.order_id]
    cut = replace(order, quantity=quantity, leaves_quantity=max(0, quantity - order.filled_quantity))
    held = guarded.position.quantity
    if len(others) == len(protecting) or is_enough([*others, cut], held):
        return None
    return f"{quantity} contracts would leave a part of {held} without cover"


def _is_released(command: AmendStop, price: Decimal, state: GuardState) -> bool:
    """Whether an operator let the stop go as far as this price: the one way in which a stop loosens (P3)."""
    guarded = state.positions[command.key.symbol]
    side, release = guarded.position.side, guarded.episode.released
    if side is None or release is None or command.reason is not Reason.STOP_LOOSENED:
        return False
    return not is_looser(side, price, release.price)


def _cancel_refusal(command: CancelOrder, state: GuardState) -> str | None:
    """A cancel may not take away cover: what stays must hold the whole position, if it did before."""
    common = _common_refusal(command, state)
    if common is not None:
        return common
    if not ids.is_ours(state.account, command.client_order_id):
        return _foreign_cancel_refusal(command, state)
    guarded = state.positions.get(command.key.symbol)
    if guarded is None or guarded.position.side is None:
        return None
    side = guarded.position.side
    protecting = _protecting(state, guarded, side)
    if all(order.order_id != command.order_id for order in protecting):
        return None
    rest = [order for order in protecting if order.order_id != command.order_id]
    if is_enough(rest, guarded.position.quantity):
        return None
    return "it would remove cover of an open position"


def _foreign_cancel_refusal(command: CancelOrder, state: GuardState) -> str | None:
    """Somebody else's order: only at the two times stated above, and only if it may add exposure."""
    policy = state.policy.switch
    at_stop = state.mode is Mode.STOPPING and policy.cancel_on_stop
    if policy.mode is not SwitchMode.AUTO or not (at_stop or _is_countdown_half_over(state)):
        return "not an order of ours"
    known = state.orders.get(command.key.symbol, {}).get(command.order_id)
    if known is None:
        return "no such open order"
    if known.order.is_reduce_only or known.order.is_close:
        return "it can only shrink a position, and is not ours"
    return _plain_stop_refusal(known.order, state) if known.order.kind in STOP_KINDS else None


def _cancels_refusal(command: CancelOrders, state: GuardState) -> str | None:
    """Many orders of others: only under a latch about their symbol, or for a silent bot, and only what that is for.

    One that has ended since the command was made is no danger; one that is not known at all might be.
    """
    if state.policy.observe:
        return "observing only"
    held = pause_refusal(command, state)
    if held is not None:
        return held
    for named in command.orders:
        if ids.is_ours(state.account, named.client_order_id):
            return f"{named.client_order_id} is an order of ours"
        known = state.orders.get(named.symbol, {}).get(named.order_id)
        if known is None and named.order_id not in state.finished:
            return f"{named.order_id} is not known"
        refused = None if known is None else _latched_cancel_refusal(known.order, state)
        if refused is not None:
            return f"{named.order_id}: {refused}"
    return None


def _latched_cancel_refusal(order: Order, state: GuardState) -> str | None:
    held = [latch for latch in state.latches.values() if latch.concerns(order.symbol)]
    if not held and not danger_bots.may_cancel(order, state):
        return "no latch holds for it, and no bot's silence asks for it"
    if order.kind in STOP_KINDS and not _is_read_since(order, state):
        return "what it protects may not be known: no picture was asked for since it was first seen"
    guarded = state.positions.get(order.symbol)
    is_flat = guarded is None or guarded.position.quantity == 0
    if is_flat and any(latch.kind is LatchKind.FLATTEN and latch.proven_ns for latch in held):
        return None
    if order.is_reduce_only or order.is_close:
        return "it can only shrink a position, and is not ours"
    return _plain_stop_refusal(order, state) if order.kind in STOP_KINDS else None


def _is_read_since(order: Order, state: GuardState) -> bool:
    frozen = state.frozen_orders.get(order.order_id)
    return frozen is not None and state.pictures.taken_ns > frozen.seen_ns


def _is_countdown_half_over(state: GuardState) -> bool:
    """Whether the guard has not guarded for half of what was left of the countdown, and was answered since."""
    if state.mode not in {Mode.BLIND, Mode.STARTING} or not state.unguarded_ns:
        return False
    half_ns = (state.unguarded_ns + state.switch.expires_ns) // 2
    return half_ns <= state.pictures.taken_ns <= state.now_ns < state.switch.expires_ns


def _plain_stop_refusal(order: Order, state: GuardState) -> str | None:
    """A stop that could open a position could close one as well, and may be all that it has."""
    if not state.was_whole and not state.positions_listed_ns:
        return "it might protect a position that is not known yet"
    guarded = state.positions.get(order.symbol)
    side = None if guarded is None else guarded.position.side
    if guarded is None or side is None or order.side is not ids.closing_side(side) or guarded.covered_ns:
        return None
    return "it might protect a position that has no confirmed cover"


def _protecting(state: GuardState, guarded: Guarded, side: Side) -> list[Order]:
    adopt = state.policy.stop.foreign is ForeignStops.ADOPT
    return [
        known.order
        for known in state.orders.get(guarded.position.key.symbol, {}).values()
        if known.is_settled
        and is_sound(known.order, side, guarded.liquidation.price)
        and (adopt or ids.is_ours(state.account, known.order.client_order_id))
    ]
