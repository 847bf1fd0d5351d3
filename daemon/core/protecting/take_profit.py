"""Scale out of a position in stages: reduce-only limit orders, owned and reconciled like the stops, but after them.

Level-triggered: which rungs belong there follows from entry price, largest size and what the rungs have filled so far;
it is compared with the orders that rest, and one write at a time brings them together. Rungs are moved by cancel and
place. They never hold more than the position together: when it shrinks the far ones are cut; a rung that was filled is
not placed again in the same episode.

Protection goes first: nothing is placed before the stop is confirmed, while anything about the position is being
closed, or while a latch wants it flat; requests to place draw on what is left beside the protective reserve. A change
of size has to last a few seconds, so a bot that trades all the time costs no requests. A rung that is refused (other
reduce-only orders compete for the same contracts) or swept away is tried again with growing pauses.

A price is put on the tick toward more profit. A rung whose price the mark has passed is placed all the same, and fills
at once, at the market; but not for a position that was there at the start or before a change of policy, unless
`on_start_breach = "reduce"`: there it waits until the mark comes back.

Units: prices in quote currency, quantities in contracts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Final

from config.modes import RuleMode
from config.policy import StartBreach
from connectors.vocabulary import Instrument, Order, OrderKind, OrderStatus, Side
from daemon.core import ids
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.margin.contracts import tick_down, tick_up
from daemon.core.market.marks import usable_mark
from daemon.core.memory.orders import WriteKind
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.mode import Mode
from daemon.core.reasons import Reason
from daemon.core.restraint import latches, quiet
from daemon.core.state import Guarded, GuardState, Need
from daemon.core.stop_rules.proposal import PERCENT
from daemon.core.writes import outcomes, requests

NAME: Final = "take_profit"
SETTLED_NS: Final = 3 * 10**9
"""A size has to last this long before rungs follow it."""
CLOCK_TOLERANCE_NS: Final = 5 * 10**9
"""How far the venue's stamps may lie before the time at which the position became known to us."""
CALM_NS: Final = 60 * 10**9
"""Pauses are forgotten when nothing was refused for this long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """One stage."""

    index: int
    """0 is the nearest."""
    price: Decimal
    quantity: int
    """Contracts that belong there now, fills taken off."""


def rungs(view: Draft | GuardState, guarded: Guarded) -> tuple[Rung, ...]:
    """The stages that an open position ought to have; those that were filled, or are cut, are left out."""
    position, instrument = guarded.position, view.instruments.get(guarded.position.key.symbol)
    side, entry = position.side, position.entry_price
    if side is None or instrument is None or entry is None or entry <= 0:
        return ()
    left, found = abs(position.quantity), []
    for index, size in enumerate(_sizes(view, guarded, instrument)):
        quantity = min(max(0, size - _filled(view, guarded, side, index)), left)
        quantity -= quantity % max(1, instrument.lot_size)
        price = _price(side, entry, view.policy.take_profit.at_percent[index], instrument)
        if quantity > 0 and 0 < price < instrument.max_price:
            found.append(Rung(index=index, price=price, quantity=quantity))
            left -= quantity
    return tuple(found)


def _sizes(view: Draft | GuardState, guarded: Guarded, instrument: Instrument) -> list[int]:
    """Contracts by rung, in whole lots, of the largest size that the position had; no lot is lost in between."""
    largest, lot = max(guarded.episode.largest, abs(guarded.position.quantity)), max(1, instrument.lot_size)
    bounds, total = [0], Decimal(0)
    for share in view.policy.take_profit.share_percent:
        total += share
        contracts = int((largest * total / PERCENT).to_integral_value(rounding=ROUND_FLOOR))
        bounds.append(contracts - contracts % lot)
    return [after - before for before, after in pairwise(bounds)]


def _price(side: Side, entry: Decimal, percent: Decimal, instrument: Instrument) -> Decimal:
    """On the tick, never for less profit than asked."""
    price = entry * (1 + side.sign * percent / PERCENT)
    return tick_up(price, instrument.tick_size) if side is Side.LONG else tick_down(price, instrument.tick_size)


def _filled(view: Draft | GuardState, guarded: Guarded, side: Side, index: int) -> int:
    """Contracts that this rung's orders have filled in the episode."""
    name = ids.series(view.account, guarded.position.key.symbol, side, ids.Purpose.TAKE)
    return sum(
        amount
        for order, amount in guarded.bracket.fills.items()
        if (parsed := ids.parse(view.account, order)) is not None and parsed[0] == name and ids.rung(parsed[1]) == index
    )


def own_takes(view: Draft | GuardState, symbol: str) -> list[KnownOrder]:
    """All open take-profit orders of ours on a symbol."""
    book = view.orders.get(symbol, {}).values()
    return [known for known in book if ids.is_take(view.account, known.order.client_order_id)]


# ---------------------------------------------------------------------- at work


def reconcile(draft: Draft, symbol: str) -> None:
    """Bring the rungs of one position together with what belongs there: one write at most."""
    guarded, resting = draft.positions[symbol], own_takes(draft, symbol)
    mode = draft.policy.take_profit.mode
    if (mode is RuleMode.OFF and not resting) or guarded.bracket.write is not None:
        return
    if quiet.is_quiet(draft) and not quiet.may_close(draft, symbol):
        return
    if mode is RuleMode.SHADOW:
        _tell_shadow(draft, guarded)
    if draft.now_ns < guarded.bracket.retry_at_ns:
        draft.wake(symbol, guarded.bracket.retry_at_ns)
        return
    if not all(known.is_settled for known in resting) or not draft.orders_known:
        return
    side, settled_ns = guarded.position.side, guarded.episode.sized_ns + SETTLED_NS
    is_wanted = mode is RuleMode.ON and side is not None and latches.flattening(draft, symbol) is None
    if is_wanted and draft.now_ns < settled_ns:
        draft.wake(symbol, settled_ns)
        return
    wanted = rungs(draft, guarded) if is_wanted else ()
    orders = [known.order for known in resting]
    surplus = next((order for order in orders if not _fits(draft, order, side, wanted)), None)
    if surplus is not None:
        requests.drop_take_profit(draft, guarded, surplus)
        return
    present = {_index(draft, order) for order in orders}
    missing = next((rung for rung in wanted if rung.index not in present), None)
    if missing is None:
        _calm_down(draft, guarded)
    elif _may_place(draft, guarded):
        _place(draft, guarded, wanted, present)


def _place(draft: Draft, guarded: Guarded, wanted: tuple[Rung, ...], present: set[int | None]) -> None:
    for rung in wanted:
        if rung.index not in present and not _is_passed(draft, guarded, rung):
            requests.place_take_profit(draft, guarded, rung.index, quantity=rung.quantity, price=rung.price)
            return


def _may_place(draft: Draft, guarded: Guarded) -> bool:
    """Only where the stop rests, if any is needed, nothing is being closed, and no lost order may still come."""
    is_covered = guarded.covered_ns > 0 or guarded.need is Need.NOTHING
    is_closing = guarded.reduce is not None or guarded.through_ns or guarded.fired_ns or guarded.exit_ns
    is_alone = not outcomes.may_take_come(draft, guarded.position.key.symbol)
    return draft.mode is Mode.GUARDING and is_covered and is_alone and guarded.write is None and not is_closing


def _is_passed(draft: Draft, guarded: Guarded, rung: Rung) -> bool:
    """Whether the mark was there already, for a position in which the guard shall close nothing by itself."""
    if not guarded.episode.is_from_start or draft.policy.stop.on_start_breach is not StartBreach.ALERT:
        return False
    mark, side = usable_mark(draft, guarded.position.key.symbol), guarded.position.side
    return mark is None or side is None or side.sign * (mark.price - rung.price) >= 0


def _fits(draft: Draft, order: Order, side: Side | None, wanted: tuple[Rung, ...]) -> bool:
    """Whether a resting order of ours is one of the stages: side, price and what is left of it."""
    if side is None or order.side is not ids.closing_side(side) or order.kind is not OrderKind.LIMIT:
        return False
    if not order.is_reduce_only:
        return False
    index = _index(draft, order)
    return any(
        rung.index == index and rung.price == order.price and rung.quantity == order.leaves_quantity for rung in wanted
    )


def _index(draft: Draft, order: Order) -> int | None:
    parsed = ids.parse(draft.account, order.client_order_id)
    return None if parsed is None else ids.rung(parsed[1])


def _calm_down(draft: Draft, guarded: Guarded) -> None:
    bracket = guarded.bracket
    if bracket.pause_ns and draft.now_ns >= bracket.retry_at_ns + CALM_NS:
        draft.change(guarded.position.key.symbol, bracket=replace(bracket, pause_ns=0, refusal=""))


# ---------------------------------------------------------------------- in shadow


def _tell_shadow(draft: Draft, guarded: Guarded) -> None:
    """Say once of each stage that the mark has reached it: its order would have been filled."""
    symbol, mark = guarded.position.key.symbol, usable_mark(draft, guarded.position.key.symbol)
    side, told = guarded.position.side, guarded.bracket.shadowed
    if side is None or mark is None or not mark.is_fresh:
        return
    for rung in rungs(draft, guarded):
        if rung.index in told or side.sign * (mark.price - rung.price) < 0:
            continue
        told = (*told, rung.index)
        if not guarded.episode.is_from_start:
            _tell_would_fill(draft, guarded, rung, mark.price)
    if told != guarded.bracket.shadowed:
        draft.change(symbol, bracket=replace(draft.positions[symbol].bracket, shadowed=told))


def _tell_would_fill(draft: Draft, guarded: Guarded, rung: Rung, mark: Decimal) -> None:
    symbol = guarded.position.key.symbol
    tell(
        draft,
        Reason.SHADOW,
        Severity.NOTE,
        topic="shadow",
        state="would_fire",
        symbol=symbol,
        text=f"{symbol} {guarded.position.quantity:+d}: {NAME} (in shadow) would have closed {rung.quantity}"
        f" at {rung.price}, mark {mark}.",
        facts=(("rule", NAME), ("price", rung.price), ("mark", mark), ("quantity", rung.quantity)),
    )


def decision_marks(view: Draft | GuardState, guarded: Guarded) -> tuple[Decimal, ...]:
    """In shadow the guard has to hear of a mark that reaches a stage; real orders need nobody to watch."""
    if view.policy.take_profit.mode is not RuleMode.SHADOW:
        return ()
    return tuple(rung.price for rung in rungs(view, guarded) if rung.index not in guarded.bracket.shadowed)


# ---------------------------------------------------------------------- what became of them


def take_row(draft: Draft, order: Order, *, is_asked: bool) -> None:
    """Fold a believed row of a take-profit order of ours: what it filled in this episode, and an unasked end."""
    guarded, parsed = draft.positions.get(order.symbol), ids.parse(draft.account, order.client_order_id)
    if guarded is None or parsed is None or parsed[1] <= guarded.bracket.numbers_from:
        return
    side, bracket = guarded.position.side, guarded.bracket
    is_of_old = 0 < order.timestamp_ns < guarded.known_ns - CLOCK_TOLERANCE_NS
    if is_of_old or (side is not None and order.side is not ids.closing_side(side)):
        return
    before = bracket.fills.get(order.client_order_id, 0)
    if order.filled_quantity > before:
        fills = {**bracket.fills, order.client_order_id: order.filled_quantity}
        draft.change(order.symbol, bracket=replace(bracket, fills=fills))
        _tell_filled(draft, order, order.filled_quantity - before)
    if order.status in {OrderStatus.CANCELED, OrderStatus.REJECTED} and not is_asked:
        requests.pause(draft, order.symbol, WriteKind.TAKE)


def _tell_filled(draft: Draft, order: Order, contracts: int) -> None:
    tell(
        draft,
        Reason.TAKE_PROFIT,
        Severity.NOTE,
        topic=NAME,
        state="filled",
        symbol=order.symbol,
        text=f"{contracts} contracts of {order.symbol} were closed at a profit by the order at {order.price}.",
        facts=(("price", order.price), ("quantity", contracts), ("order", order.client_order_id)),
    )
