"""Settlement: the end of a contract, by the calendar or by decree.

Why: a future that expires, a perpetual that is delisted and a venue that winds down all end the
same way. Open orders go; the mark becomes the settlement price, so whoever can not bear it is
liquidated before and not by it; every position is closed at that price, and the results are
booked. What the house has taken over and not yet worked off settles with the rest.

Units: prices in quote currency, times in protocol ms.
Source: www.bitmex.com/app/settlement; `settlement` partials of 2024. The price is the mean of the
contract's index over the last thirty minutes, one value a minute.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import EXACT
from connectors.simulated.engine.equity.bookings import book_session
from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.inputs import SettleContract
from connectors.simulated.engine.markets.market import Market, MarketState
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import tidy
from connectors.simulated.engine.rows import iso
from connectors.simulated.engine.tables.instrument_rows import instrument_row
from connectors.simulated.engine.tables.reports import SETTLED, cancel_because
from connectors.simulated.engine.taking_over import liquidator, takeover
from connectors.simulated.engine.taking_over.closing import Closing, close
from connectors.simulated.engine.world import World

MINUTE_MS = 60_000
WINDOW_MS = 30 * MINUTE_MS
PRICE_PLACES = Decimal("0.01")
FEE = Decimal(0)  # the venue has charged none for years


def observe(world: World, market: Market) -> None:
    """Keep one index value a minute, of the last thirty, for contracts that expire."""
    if market.contract.is_perpetual:
        return
    window = market.index_window
    minute = world.at_ms // MINUTE_MS * MINUTE_MS
    if not window or window[-1][0] != minute:
        window.append((minute, market.index))


def mean_index(world: World, market: Market) -> Decimal:
    """Return the mean index of the last thirty minutes, the present one when there is no older."""
    recent = [price for at_ms, price in market.index_window if at_ms >= world.at_ms - WINDOW_MS]
    if not recent:
        return market.index
    mean = EXACT.divide(sum(recent, Decimal(0)), Decimal(len(recent)))
    # Cheap coins have indices far below a cent.
    return tidy(mean.quantize(min(PRICE_PLACES, market.contract.tick_size), ROUND_HALF_EVEN))


def settle_expired(world: World) -> None:
    """Settle the contracts whose time has come; one that never had a price ends without any position."""
    if world.next_expiry_ms is None or world.at_ms < world.next_expiry_ms:
        return
    for market in world.markets.values():
        at_ms = market.expiry_ms
        if market.state is MarketState.OPEN and at_ms is not None and at_ms <= world.at_ms:
            _settle(world, market, mean_index(world, market))
    world.plan_expiries()


def settle_contract(world: World, request: SettleContract) -> None:
    """Settle a contract now, whatever its calendar says.

    Raises:
        Refused: If it is unknown, has settled, has no price, or the price named is none.
    """
    market = world.market(request.symbol)
    if market.state is not MarketState.OPEN:
        raise Refused("Instrument expired")
    if not market.has_prices:
        raise Refused("Instrument has no mark price")
    price = mean_index(world, market) if request.price is None else request.price
    if not price.is_finite() or not 0 < price <= market.contract.max_price:
        raise Refused("Invalid price")
    _settle(world, market, price)
    world.plan_expiries()


def _settle(world: World, market: Market, price: Decimal) -> None:
    """End a contract: orders, whoever can not bear the price, positions, bookings, the row."""
    symbol = market.contract.symbol
    for account in world.accounts.values():
        for order in account.open_in(symbol):
            cancel_because(world, account, order, SETTLED)
    if market.has_prices:
        market.mark, market.is_halted = price, False
        for account in world.accounts.values():
            liquidator.take_out(world, account, symbol)
        takeover.settle(world, market, price)
    for account in world.accounts.values():
        position = account.positions.get(symbol)
        if position is not None and position.quantity:
            _close(world, account, position, price)
    market.state, market.settled_price = MarketState.SETTLED, price
    if market.has_prices:
        _publish(world, market, price)


def _close(world: World, account: Account, position: Position, price: Decimal) -> None:
    """Close one position against whoever stands behind the modelled liquidity, and book the result."""
    contract, quantity = position.contract, position.quantity
    why = Closing(
        price=price,
        exec_type="Settlement",
        text="Settlement",
        fee_rate=FEE,
        liquidity=None,
        has_side=False,
    )
    close(world, account, position, abs(quantity), why)
    world.house.trade(contract, -quantity, price)
    book_session(world, account, account.wallets[contract.settl_currency])


def _publish(world: World, market: Market, price: Decimal) -> None:
    row: Row = {
        "timestamp": iso(world.at_ms),
        "symbol": market.contract.symbol,
        "settlementType": "Settlement",
        "settledPrice": price,
        "optionStrikePrice": None,
        "optionUnderlyingPrice": None,
        "bankrupt": None,
        "taxBase": None,
        "taxRate": None,
    }
    world.settlements.append(row)
    world.emit("settlement", None, row)
    world.emit("instrument", None, instrument_row(world, market))
