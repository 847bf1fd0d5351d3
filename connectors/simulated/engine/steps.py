"""One step of the price tape: new prices, then everything they set off, in a fixed order.

Order: prices, funding, public rows; then liquidations, resting orders the market traded through,
due stops, and liquidations once more, because a stop that filled badly may have left too little.
With `liquidation_first` off the first pass is left out, so a jump across both the stop and the
liquidation price fires the stop.

Units: prices in quote currency, times in ms. Source: www.bitmex.com/app/liquidation.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.contracts import EXACT, XBTUSD
from connectors.simulated.engine.equity import funding
from connectors.simulated.engine.inputs import SetPrices, SymbolPrices
from connectors.simulated.engine.markets.liquidity import Match, is_book
from connectors.simulated.engine.markets.market import ZERO, Market, MarketState
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import Side
from connectors.simulated.engine.tables.instrument_rows import index_row, instrument_row
from connectors.simulated.engine.tables.public_rows import quote_row
from connectors.simulated.engine.taking_over import deleveraging, liquidator, settlement, takeover
from connectors.simulated.engine.trading import matching, triggers
from connectors.simulated.engine.world import World

SATOSHI = Decimal(100_000_000)  # in one XBT
LOWEST, HIGHEST = Decimal("1e-12"), Decimal("1e12")  # of any price


def set_prices(world: World, value: SetPrices) -> None:
    """Move the markets named to their next prices and let everything happen that follows.

    Raises:
        Refused: If a contract is unknown or a price not above zero; nothing has changed then.
    """
    named = [(world.market(prices.symbol), prices) for prices in value.prices]
    moved = [(market, prices) for market, prices in named if market.state is MarketState.OPEN]
    for market, prices in named:
        _check(prices, above=min(market.contract.min_price, ZERO))
    lasts = {market.contract.symbol: market.last for market, _ in moved}
    for market, prices in moved:
        mark = market.mark if market.has_prices else prices.mark
        market.take(prices)
        market.activity.note_prices(low=market.low, high=market.high, last=market.last, mark=mark, at_ms=world.at_ms)
    _follow_dollar(world)
    funded = funding.move_tape(world, value.tape_ms)
    for market, prices in moved:
        funding.observe(market, prices)
        settlement.observe(world, market)
    # A funding exchange renews the rates of all contracts, also of those that did not move.
    shown = _priced(world) if funded else [market for market, _ in moved]
    for market in shown:
        _publish(world, market, lasts.get(market.contract.symbol, market.last))
        if funded:
            _publish_rates(world, market)
    settle(world, [market for market, _ in moved])


def _priced(world: World) -> list[Market]:
    return [market for market in world.markets.values() if market.has_prices and market.state is MarketState.OPEN]


def _follow_dollar(world: World) -> None:
    """Keep the satoshi in a dollar, which quanto contracts show their notionals by."""
    market = world.markets.get(XBTUSD.symbol)
    if market is not None and market.has_prices:
        world.quote_to_settle = max(1, int(EXACT.divide(SATOSHI, market.index)))


def _check(prices: SymbolPrices, *, above: Decimal) -> None:
    """Refuse figures that no market has: they would stand in every sum from then on."""
    for price in (prices.mark, prices.index, prices.last):
        if not price.is_finite() or not above < price < HIGHEST or 0 < abs(price) < LOWEST:
            raise Refused("Invalid price")
    shares = (prices.thinning, prices.gaps)
    if not is_book(prices.bids, prices.asks) or not all(one.is_finite() and 0 <= one < 1 for one in shares):
        raise Refused("Invalid price")
    if prices.depth < 0 or not prices.half_spread.is_finite() or not 0 <= prices.half_spread < HIGHEST:
        raise Refused("Invalid price")
    bounds = (prices.low, prices.high, prices.limit_down, prices.limit_up)
    if any(bound is not None and not (bound.is_finite() and abs(bound) < HIGHEST) for bound in bounds):
        raise Refused("Invalid price")
    rate = prices.funding_rate
    if rate is not None and not (rate.is_finite() and -1 < rate < 1):
        raise Refused("Invalid fundingRate")


def settle(world: World, markets: list[Market]) -> None:
    """Let liquidations, resting orders and stops follow the present prices."""
    takeover.work(world, markets)
    if world.switches.liquidation_first:
        _liquidate(world)
    events = world.ids
    for market in markets:
        triggers.follow_market(world, market)
    if not world.switches.liquidation_first or world.ids != events:
        _liquidate(world)
    deleveraging.rank_all(world)


def _liquidate(world: World) -> None:
    for account in world.accounts.values():
        if account.positions:
            liquidator.liquidate_due(world, account)


def _publish(world: World, market: Market, last: Decimal) -> None:
    """Log the public rows of a step that anybody reads: instrument, index (its print too), quote, and a trade."""
    unread = world.unread or frozenset()
    if "instrument" not in unread:
        world.emit("instrument", None, instrument_row(world, market))
    if "trade" not in unread:
        _print(world, market.contract.reference_symbol, market.index)
    if "quote" not in unread:
        quote = quote_row(market, at_ms=world.at_ms)
        market.quotes.append(quote)
        world.emit("quote", None, quote)
    if "trade" not in unread:
        _publish_trades(world, market, last)


def _publish_trades(world: World, market: Market, last: Decimal) -> None:
    if market.is_halted:
        return
    recorded, market.prints = market.prints, ()
    for one in recorded:
        match = Match(price=one.price, quantity=one.size)
        matching.publish_trade(world, market, Side(one.side), match, world.new_id("match"))
    if not recorded and market.last != last:
        side = Side.BUY if market.last > last else Side.SELL
        match = Match(price=market.last, quantity=market.contract.lot_size)
        matching.publish_trade(world, market, side, match, world.new_id("match"))


def _publish_rates(world: World, market: Market) -> None:
    """Print what the coming funding was made from: two interest rates and the premium."""
    contract = market.contract
    if contract.is_perpetual and market.has_prices:
        _print(world, contract.funding_base_symbol, contract.funding_base_rate)
        _print(world, contract.funding_quote_symbol, contract.funding_quote_rate)
        _print(world, contract.funding_premium_symbol, market.premium.quantize(funding.RATE_PLACES))


def _print(world: World, symbol: str | None, price: Decimal) -> None:
    """Move an index, if it is listed, and log its row when it moved and its print when one is due."""
    prints = world.indices.get(symbol or "")
    if prints is None:
        return
    before = prints.price
    printed = prints.take(price, at_ms=world.at_ms)
    if prints.price != before:
        world.emit("instrument", None, index_row(prints, at_ms=world.at_ms))
    if printed is not None:
        world.emit("trade", None, printed)
