"""Order entry: placing, cancelling, and the dead man's switch.

Why: what the venue answers at once, what it refuses, and what it quietly cancels decide whether a
guard believes itself protected.

Units: prices in quote currency, quantities in contracts, times in protocol ms.
Source: www.bitmex.com/api/explorer (Order), www.bitmex.com/app/restAPIMessages.
"""

from __future__ import annotations

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.inputs import CancelAll, CancelAllAfter, CancelOrders, PlaceOrder
from connectors.simulated.engine.markets import tradable
from connectors.simulated.engine.markets.market import Market, MarketState
from connectors.simulated.engine.refusals import Refused, not_found
from connectors.simulated.engine.resting.orders import Order, OrdType
from connectors.simulated.engine.rows import iso
from connectors.simulated.engine.switches import ClientIdReuse, DisarmedAnswer
from connectors.simulated.engine.tables.order_rows import order_row
from connectors.simulated.engine.tables.reports import (
    CANCELED_BY_API,
    SWITCH_FIRED,
    cancel,
    cancel_because,
    report,
    report_reject,
)
from connectors.simulated.engine.trading import affordability, contingency, matching, pegs, shrinking, triggers
from connectors.simulated.engine.trading.bands import check_price
from connectors.simulated.engine.trading.order_checks import draft
from connectors.simulated.engine.world import World

DAY_MS = 86_400_000
NEVER_MS = 2**62
DAY_IS_OVER = "Order had timeInForce of Day"
_DISARMED: dict[DisarmedAnswer, Row] = {
    DisarmedAnswer.NULL: {"cancelTime": None},
    DisarmedAnswer.ABSENT: {},
    DisarmedAnswer.EMPTY: {"cancelTime": ""},
    DisarmedAnswer.ZERO: {"cancelTime": 0},
}
_ARGUMENT = {"orderID": "order_id", "clOrdID": "cl_ord_id"}


def place(world: World, request: PlaceOrder) -> Row:
    """Take a new order and return its row in its final state.

    Raises:
        Refused: If the venue would refuse it; nothing has changed then.
    """
    account = world.account(request.account)
    market = open_market(world, request.symbol)
    order = _accepted(world, account, market, request)
    is_due = order.ord_type.waits and not order.is_held and triggers.is_due(world, order)
    if is_due and world.switches.refuse_crossed_stops:
        raise Refused("Invalid stopPx for ordType")
    _register(world, account, order)
    if order.ord_type is OrdType.MARKET:
        order.shown_price = market.touch(order.side)  # until its fills say better
    report(world, account, order, "New", is_on_orders=not _comes_to_nothing(world, account, order))
    received = order_row(order) if world.switches.pending_answers else None
    _start(world, account, order, is_due=is_due)
    return order_row(order) if received is None else {**received, "ordStatus": "PendingNew"}


def _accepted(world: World, account: Account, market: Market, request: PlaceOrder) -> Order:
    """Return the order that a request asks for, once nothing speaks against it.

    Raises:
        Refused: If the venue would refuse it.
    """
    check_currency(account, market)
    position = world.position(account, market.contract)
    check_not_in_liquidation(position)
    order = draft(request, market.contract, held=position.quantity)
    tradable.check(market, position, order)
    pegs.start(world, order)
    check_client_id_is_new(world, account, order.cl_ord_id)
    _check_counts(world, account, order)
    contingency.check(world, account, order)
    check_price(world, order)
    order.is_held = contingency.is_to_be_held(world, account, order)
    if not order.ord_type.waits and not order.is_held:
        affordability.check(world, account, order)
    if order.is_whole and world.switches.close_shows_quantity and position.quantity:
        order.resize(abs(position.quantity))
    return order


def _comes_to_nothing(world: World, account: Account, order: Order) -> bool:
    """Return whether a post-only order would take: `order` then shows it as Canceled only, never as New."""
    if not order.instructions.is_post_only or order.is_waiting or order.is_held:
        return False
    found = matching.planned(world, account, order)
    return bool(found.matches or found.own)


def _start(world: World, account: Account, order: Order, *, is_due: bool) -> None:
    """Let a new order wait, trade or rest."""
    if order.is_held:
        return
    if is_due:
        triggers.fire(world, account, order)
    elif order.ord_type.waits:
        triggers.wait(world, order)
    elif shrinking.fit(world, account, order):
        matching.execute(world, account, order)


def open_market(world: World, symbol: str) -> Market:
    """Return a contract's market that takes orders.

    Raises:
        Refused: If it is unknown, without prices yet, or halted.
    """
    market = world.market(symbol)
    if market.state is not MarketState.OPEN:
        raise Refused("Instrument expired")
    if not market.has_prices:
        raise Refused("Instrument has no mark price")
    if market.is_halted:
        raise Refused("Market is not open")
    return market


def check_not_in_liquidation(position: Position) -> None:
    """Refuse orders while the liquidator has the position in hand.

    Raises:
        Refused: If it has.
    """
    if position.is_in_liquidation:
        raise Refused("Position is in liquidation")


def check_currency(account: Account, market: Market) -> None:
    """Refuse a contract that settles in money the account has never held.

    Raises:
        Refused: If the account has no wallet of the currency.
    """
    currency = market.contract.settl_currency
    if currency not in account.wallets:
        raise Refused(f"Account has no {currency}")


def check_client_id_is_new(world: World, account: Account, cl_ord_id: str) -> None:
    """Refuse a client order id the account has used before.

    Raises:
        Refused: With the text `Duplicate clOrdID`.
    """
    used = account.client_ids.get(cl_ord_id) if cl_ord_id else None
    if used is None and cl_ord_id not in account.burnt_ids:
        return
    if (used is not None and used.is_open) or world.switches.client_id_reuse is ClientIdReuse.NEVER:
        raise Refused("Duplicate clOrdID")


def _check_counts(world: World, account: Account, order: Order) -> None:
    """Refuse the order that would be one too many of its contract."""
    others = account.open_orders.get(order.contract.symbol, {})
    if len(others) >= world.switches.max_open_orders:
        raise Refused("Too many open orders")
    if not order.ord_type.waits:
        return
    if sum(other.is_waiting for other in others.values()) >= world.switches.max_stop_orders:
        raise Refused("Too many stop orders")


def _register(world: World, account: Account, order: Order) -> None:
    order.order_id = world.new_id("order")
    order.sequence = world.ids
    order.transact_ms = order.changed_ms = world.at_ms
    account.orders[order.order_id] = order
    account.open(order)
    if order.cl_ord_id:
        account.client_ids[order.cl_ord_id] = order
    if order.time_in_force == "Day":
        order.expires_ms = (world.at_ms // DAY_MS + 1) * DAY_MS
        world.day_orders[order.order_id] = order


def cancel_orders(world: World, request: CancelOrders) -> list[Row]:
    """Cancel orders by id; each answers with its own row, with `error` where that failed.

    Raises:
        Refused: If no id was given, or (by switch) one names nothing.
    """
    account = world.account(request.account)
    if not request.order_ids and not request.cl_ord_ids:
        raise Refused("orderID or origClOrdID must be sent.")
    wanted = [(key, account.orders.get(key), "orderID") for key in request.order_ids]
    wanted += [(key, account.client_ids.get(key), "clOrdID") for key in request.cl_ord_ids]
    if world.switches.unknown_cancel_is_404 and any(order is None for _, order, _ in wanted):
        raise not_found()
    return [
        _cancel_one(world, account, order, request.text) if order is not None else _unknown(world, account, column, key)
        for key, order, column in wanted
    ]


def _cancel_one(world: World, account: Account, order: Order, text: str) -> Row:
    if not order.is_open:
        error = f"Unable to cancel order due to existing state: {order.status.value}"
        report_reject(world, account, "CancelReject", error, order_id=order.order_id, cl_ord_id=order.cl_ord_id)
        return {**order_row(order), "error": error}
    before = order_row(order) if world.switches.pending_answers else None
    cancel(world, account, order, f"Canceled\n{text or CANCELED_BY_API}")
    return order_row(order) if before is None else {**before, "ordStatus": "PendingCancel"}


def _unknown(world: World, account: Account, column: str, key: str) -> Row:
    reason = f"Invalid {column}"
    report_reject(world, account, "CancelReject", reason, **{_ARGUMENT[column]: key})
    now = iso(world.at_ms)
    return {
        "account": account.number,
        "error": "Unable to cancel order",
        column: key,
        "timestamp": now,
        "transactTime": now,
        "workingIndicator": False,
    }


def cancel_all(world: World, request: CancelAll) -> list[Row]:
    """Cancel the account's open orders, waiting stops included, and return their rows.

    Raises:
        Refused: If the symbol is unknown.
    """
    account = world.account(request.account)
    symbol = world.market(request.symbol).contract.symbol if request.symbol else None
    orders = account.open_in(symbol) if symbol else account.all_open()
    if request.order_ids is not None:
        named = set(request.order_ids)
        orders = [order for order in orders if order.order_id in named]
    return [_cancel_one(world, account, order, request.text) for order in orders]


def cancel_all_after(world: World, request: CancelAllAfter) -> Row:
    """Start, restart or (0) switch off the account's dead man's switch.

    Raises:
        Refused: If the time-out is negative.
    """
    account = world.account(request.account)
    if request.timeout_ms < 0:
        raise Refused("Invalid timeout")
    due = world.at_ms + request.timeout_ms if request.timeout_ms else None
    account.cancel_at_ms = due
    if due is not None and world.switches_due_ms is not None:
        world.switches_due_ms = min(world.switches_due_ms, due)
    shown = _DISARMED[world.switches.disarmed_answer] if due is None else {"cancelTime": iso(due)}
    return {"now": iso(world.at_ms), **shown}


def fire_timers(world: World) -> None:
    """Let the dead man's switches and the day's orders that are due go off."""
    fire_switches(world)
    due = [order for order in world.day_orders.values() if (order.expires_ms or 0) <= world.at_ms]
    for order in due:
        if order.is_open:
            cancel_because(world, world.accounts[order.account], order, DAY_IS_OVER)


def fire_switches(world: World) -> None:
    """Cancel every open order of each account whose dead man's switch has run out."""
    if world.switches_due_ms is not None and world.at_ms < world.switches_due_ms:
        return
    for account in world.accounts.values():
        due = account.cancel_at_ms
        if due is None or due > world.at_ms:
            continue
        account.cancel_at_ms = None
        for order in account.all_open():
            cancel(world, account, order, f"Canceled\n{SWITCH_FIRED}")
    armed = (account.cancel_at_ms for account in world.accounts.values())
    world.switches_due_ms = min((due for due in armed if due is not None), default=NEVER_MS)
