"""Matching: takers against the book, resting orders against a moving market.

Why: what a protective order achieves in a crash is decided here: a market order walks the levels
of a thin book, stops at the account's bankruptcy price and leaves the rest cancelled.

Units: quantities in contracts, prices in quote currency, money in minor units.
Source: www.bitmex.com/app/orderTypes.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import takewhile

from msgspec.structs import replace

from connectors.simulated.engine.equity.standing import closing_bound
from connectors.simulated.engine.holdings.ledger import Account, add
from connectors.simulated.engine.markets.liquidity import Match, Plan, is_at_least_as_good, levels, plan
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.resting.book import resting_price
from connectors.simulated.engine.resting.orders import Order, Side
from connectors.simulated.engine.rows import notionals
from connectors.simulated.engine.switches import SelfTrade
from connectors.simulated.engine.tables.order_rows import FillFigures, order_row
from connectors.simulated.engine.tables.public_rows import trade_row, turnover_of
from connectors.simulated.engine.tables.reports import (
    OWN_ORDER,
    POST_ONLY,
    cancel_because,
    forget_if_done,
    report,
)
from connectors.simulated.engine.trading import contingency, shrinking
from connectors.simulated.engine.trading.bands import impact_price
from connectors.simulated.engine.world import World

NO_LIQUIDITY = "Order had ordType of {}"
NOT_AT_ONCE = "Order had timeInForce of {}"


def worst_price(world: World, account: Account, order: Order) -> Decimal | None:
    """Return the worst price an order may trade at, None for any.

    Limit orders name it. A market order goes no further than the venue lets slips of a finger go,
    and one that shrinks a position stops where that would be bankrupt, its fee included.
    """
    if order.ord_type.has_limit:
        return order.price
    allowed = impact_price(world, order.contract.symbol, order.side)
    bankrupt = _bankruptcy_price(world, account, order)
    if allowed is None or bankrupt is None:
        return bankrupt if allowed is None else allowed
    return min(allowed, bankrupt) if order.side is Side.BUY else max(allowed, bankrupt)


def _bankruptcy_price(world: World, account: Account, order: Order) -> Decimal | None:
    """Return where the position that an order shrinks would be bankrupt; None if it shrinks none."""
    position = world.position(account, order.contract)
    if position.quantity * order.side.sign >= 0:
        return None
    return closing_bound(world, account, position)


def planned(world: World, account: Account, order: Order) -> Plan:
    """Return what the order would do now, without doing it."""
    return _planned(world, order, worst_price(world, account, order))


def _planned(world: World, order: Order, bound: Decimal | None, quantity: int | None = None) -> Plan:
    return plan(
        world.markets[order.contract.symbol],
        taker=order.side,
        quantity=order.leaves if quantity is None else quantity,
        bound=bound,
        account=order.account,
        self_trade=world.switches.self_trade,
    )


def execute(world: World, account: Account, order: Order) -> None:
    """Let an order take what it can, then rest, or end."""
    bound = worst_price(world, account, order)
    found = _planned(world, order, bound)
    if order.instructions.is_post_only and (found.matches or found.own):
        cancel_because(world, account, order, POST_ONLY)
    elif order.time_in_force == "FillOrKill" and not _fills_whole(world, order, found, bound):
        cancel_because(world, account, order, NOT_AT_ONCE.format("FillOrKill"))
    else:
        _take(world, account, order, found, bound)
        _rest_or_end(world, account, order)
    shrinking.trim(world, account, order.contract)


def _fills_whole(world: World, order: Order, found: Plan, bound: Decimal | None) -> bool:
    """Return whether an order would fill completely, although makers may be cut by the fills before theirs."""
    wanted = order.leaves
    while found.quantity >= wanted:
        missing = order.leaves - _certain(world, order, found)
        if missing <= 0:
            return True
        wanted = found.quantity + missing
        found = _planned(world, order, bound, wanted)
    return False


def _certain(world: World, order: Order, found: Plan) -> int:
    """Return how much of a plan is there whatever its own fills do: reduce-only makers stop with their position.

    Of the orders that one account has linked only the first one counts.
    """
    total, room, linked = 0, dict[int, int](), dict[tuple[int, str], Order]()
    for match in found.matches:
        maker, quantity = match.maker, match.quantity
        if maker is not None:
            number = maker.account
            space = room.get(number)
            if space is None:
                space = shrinking.room(world, world.accounts[number], order.contract, maker.side)
            if maker.instructions.is_reduce_only:
                quantity = min(quantity, space)
            if maker.cl_ord_link_id and linked.setdefault((number, maker.cl_ord_link_id), maker) is not maker:
                quantity = 0
            room[number] = max(0, space - quantity)
        total += quantity
    return total


def _take(world: World, account: Account, order: Order, found: Plan, bound: Decimal | None) -> None:
    """Carry out a plan; plan again where a fill has changed what others offer."""
    is_resting_to_go = world.switches.self_trade is SelfTrade.CANCEL_RESTING
    while order.is_open:
        if is_resting_to_go:
            for own in found.own:
                cancel_because(world, account, own, OWN_ORDER)
        is_whole = _trade_all(world, account, order, found.matches)
        if found.own and not is_resting_to_go and order.is_open:
            cancel_because(world, account, order, OWN_ORDER)
        if is_whole:
            return
        found = _planned(world, order, bound)


def _trade_all(world: World, account: Account, order: Order, matches: list[Match]) -> bool:
    """Make the matches; return whether all were still to be had as planned."""
    is_whole = True
    for wanted in matches:
        if not order.is_open:
            break
        maker = wanted.maker
        match = wanted
        if maker is not None and maker.leaves < wanted.quantity:
            is_whole = False  # an earlier match cut it down or cancelled it
            match = replace(wanted, quantity=maker.leaves)
        if match.quantity:
            trade(world, account, order, match)
        if maker is not None:
            shrinking.trim(world, world.accounts[maker.account], order.contract)
    show_more(world, matches)
    return is_whole


def show_more(world: World, matches: list[Match]) -> None:
    """Show the next part of each iceberg whose displayed part is used up; it goes to the end of its queue."""
    for match in matches:
        maker = match.maker
        if maker is None or not maker.display_quantity or maker.shown or not maker.leaves:
            continue
        book = world.markets[maker.contract.symbol].book
        book.remove(maker)
        rest(world, maker)


def rest(world: World, order: Order) -> None:
    """Put an order into the book, last at its price."""
    world.ids += 1
    order.queue(world.ids)
    world.markets[order.contract.symbol].book.rest(order)


def _rest_or_end(world: World, account: Account, order: Order) -> None:
    """Put what is left into the book, or cancel it."""
    if not order.is_open:
        return
    if not order.ord_type.has_limit:
        cancel_because(world, account, order, NO_LIQUIDITY.format(order.ord_type.value))
    elif order.time_in_force == "ImmediateOrCancel":
        cancel_because(world, account, order, NOT_AT_ONCE.format(order.time_in_force))
    elif not world.markets[order.contract.symbol].book.holds(order):
        rest(world, order)
        if not order.is_working:
            order.is_working = True
            order.changed_ms = world.at_ms
            world.emit("order", account.number, order_row(order))
            world.mark_stale(world.position(account, order.contract))


def trade(world: World, account: Account, order: Order, match: Match) -> None:
    """Make one match: the taker's fill, its counterparty's, and the public trade."""
    match_id = world.new_id("match")
    fill(world, account, order, match, match_id, is_maker=False)
    answer(world, world.markets[order.contract.symbol], order.side, match, match_id)


def answer(world: World, market: Market, taker: Side, match: Match, match_id: str) -> None:
    """Make the other half of a match, whoever the taker is, and the public trade."""
    if match.maker is None:
        world.house.trade(market.contract, match.quantity * taker.sign, match.price)
        market.taken[taker] = market.taken.get(taker, 0) + match.quantity
    else:
        maker_account = world.accounts[match.maker.account]
        fill(world, maker_account, match.maker, match, match_id, is_maker=True)
    publish_trade(world, market, taker, match, match_id)


def fill(world: World, account: Account, order: Order, match: Match, match_id: str, *, is_maker: bool) -> None:
    """Book one side of a match: position, fee, order, execution."""
    contract = order.contract
    position = world.position(account, contract)
    signed = match.quantity * order.side.sign
    rate = contract.maker_fee if is_maker and not match.is_dark else contract.taker_fee
    realised = position.realised_pnl
    cost, fee = position.fill(signed, match.price, rate)
    add(world.house.fees, contract.settl_currency, fee)
    order.record_fill(match.quantity, match.price)
    forget_if_done(world, account, order)
    home, foreign = notionals(contract, signed, match.price, quote_to_settle=world.quote_to_settle)
    figures = FillFigures(
        quantity=match.quantity,
        price=match.price,
        liquidity="AddedLiquidity" if is_maker else "RemovedLiquidity",
        rate=rate,
        cost=cost,
        fee=fee,
        home=home,
        foreign=foreign,
        realised_pnl=position.realised_pnl - realised,
    )
    report(world, account, order, "Trade", fill=figures, match_id=match_id)
    world.mark_stale(position)
    if order.cl_ord_link_id:
        contingency.executed(world, account, order, match.quantity)


def publish_trade(world: World, market: Market, side: Side, match: Match, match_id: str) -> None:
    """Log a public trade and count its volume; the tape's last price stays as it is."""
    contract, price = market.contract, match.price
    traded = turnover_of(contract, match.quantity, price, quote_to_settle=world.quote_to_settle)
    row = trade_row(market, side=side, price=price, traded=traded, match_id=match_id, at_ms=world.at_ms)
    market.activity.note_trade(price, traded, at_ms=world.at_ms)
    market.trades.append(row)
    world.emit("trade", None, row)


def meet_market(world: World, market: Market) -> None:
    """Fill the resting orders that the market traded through, then those that its new levels run into."""
    for ladder in (market.book.bids, market.book.asks):
        if not ladder.prices:
            continue
        for order in list(takewhile(lambda order: _is_passed(order, market), ladder)):
            if order.is_open:  # an earlier fill of this loop may have cut or cancelled it
                _hit(world, market, order, order.leaves)
        _meet_levels(world, market, ladder.side)


def _is_passed(order: Order, market: Market) -> bool:
    if order.price is None:
        return False
    return market.low < order.price if order.side is Side.BUY else market.high > order.price


def _meet_levels(world: World, market: Market, side: Side) -> None:
    """Let levels of the tape that stand across resting orders of a side trade with them, at the orders' prices."""
    ladder = market.book.side(side)
    for level in list(levels(market, side)) if _is_crossed(market, side) else ():
        left = level.quantity
        while left:
            offer = next(ladder.offers(), None)
            if offer is None or not is_at_least_as_good(level.price, offer.price, side):
                return
            size = min(left, offer.quantity)
            market.taken[side] = market.taken.get(side, 0) + size
            _hit(world, market, offer.order, size)
            left -= size


def _is_crossed(market: Market, side: Side) -> bool:
    best, level = market.book.side(side).best, next(levels(market, side), None)
    return best is not None and level is not None and is_at_least_as_good(level.price, best, side)


def _hit(world: World, market: Market, order: Order, quantity: int) -> None:
    """Fill a resting order from the tape's side."""
    account = world.accounts[order.account]
    match = Match(price=resting_price(order), quantity=quantity, maker=order, is_dark=not order.shown)
    match_id = world.new_id("match")
    world.house.trade(order.contract, quantity * order.side.sign, match.price)
    fill(world, account, order, match, match_id, is_maker=True)
    publish_trade(world, market, order.side.other, match, match_id)
    show_more(world, [match])
    shrinking.trim(world, account, order.contract)
