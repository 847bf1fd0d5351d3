"""The table of routes: every REST endpoint the exchange serves, in one place.

Why: to find or add an endpoint means to read or add one line here. The names are the venue's
operation ids, which generated clients use. Source: www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.simulated.server.auth import Access
from connectors.simulated.server.rest import account, market, meta, orders, positions, quiet
from connectors.simulated.server.rest.call import Answer, Call

Handler = Callable[[Call], Answer]
BASE_PATH = "/api/v1"
_PAGE = "symbol filter columns count start reverse startTime endTime"
_NEW_ORDER = (
    "symbol! side orderQty price displayQty stopPx clOrdID clOrdLinkID pegOffsetValue pegPriceType ordType "
    "timeInForce execInst contingencyType text"
)
_AMENDMENT = "orderID origClOrdID clOrdID orderQty leavesQty price stopPx pegOffsetValue text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One endpoint.

    Attributes:
        operation: The venue's operation id, `Group.name`.
        handler: From a call to its answer.
        access: What it asks of the key.
        fields: Names of the parameters, required ones with `!`.
        is_order: Whether the ten-per-second limit counts it.
        is_bulk: Whether it is there only where `/order/bulk` is.
    """

    operation: str
    handler: Handler
    access: Access
    fields: tuple[str, ...]
    is_order: bool = False
    is_bulk: bool = False


def _route(operation: str, handler: Handler, access: Access, fields: str = "", *, is_order: bool = False) -> Route:
    return Route(operation=operation, handler=handler, access=access, fields=tuple(fields.split()), is_order=is_order)


_PUBLIC, _READ, _CANCEL, _ORDER = Access.PUBLIC, Access.READ, Access.CANCEL, Access.ORDER

_TABLE: dict[tuple[str, str], Route] = {
    # orders
    ("GET", "/order"): _route("Order.getOrders", orders.get_orders, _READ, _PAGE),
    ("POST", "/order"): _route("Order.new", orders.place_order, _ORDER, _NEW_ORDER, is_order=True),
    ("PUT", "/order"): _route("Order.amend", orders.amend_order, _ORDER, _AMENDMENT, is_order=True),
    ("DELETE", "/order"): _route("Order.cancel", orders.cancel_orders, _CANCEL, "orderID clOrdID text", is_order=True),
    ("DELETE", "/order/all"): _route(
        "Order.cancelAll", orders.cancel_all_orders, _CANCEL, "symbol filter text", is_order=True
    ),
    ("POST", "/order/cancelAllAfter"): _route("Order.cancelAllAfter", orders.cancel_all_after, _CANCEL, "timeout!"),
    ("POST", "/order/closePosition"): _route("Order.closePosition", orders.close_position, _ORDER, "symbol! price"),
    ("GET", "/execution"): _route("Execution.get", orders.get_executions, _READ, _PAGE),
    ("GET", "/execution/tradeHistory"): _route("Execution.getTradeHistory", orders.get_trade_history, _READ, _PAGE),
    ("GET", "/user/executionHistory"): _route(
        "User.getExecutionHistory", orders.get_day_of_executions, _READ, "symbol! timestamp!"
    ),
    # positions
    ("GET", "/position"): _route("Position.get", positions.get_positions, _READ, "filter columns count"),
    ("POST", "/position/leverage"): _route(
        "Position.updateLeverage", positions.set_leverage, _ORDER, "symbol! leverage!", is_order=True
    ),
    ("POST", "/position/crossLeverage"): _route(
        "Position.updateCrossLeverage", positions.set_cross_leverage, _ORDER, "symbol! leverage"
    ),
    ("POST", "/position/isolate"): _route(
        "Position.isolateMargin", positions.isolate, _ORDER, "symbol! enabled", is_order=True
    ),
    ("POST", "/position/riskLimit"): _route(
        "Position.updateRiskLimit", positions.set_risk_limit, _ORDER, "symbol! riskLimit!"
    ),
    ("POST", "/position/transferMargin"): _route(
        "Position.transferIsolatedMargin", positions.transfer_margin, _ORDER, "symbol! amount!", is_order=True
    ),
    # account
    ("GET", "/user"): _route("User.get", account.get_user, _READ),
    ("GET", "/user/margin"): _route("User.getMargin", account.get_margin, _READ, "currency"),
    ("GET", "/user/wallet"): _route("User.getWallet", account.get_wallet, _READ, "currency"),
    ("GET", "/user/walletHistory"): _route(
        "User.getWalletHistory", account.get_wallet_history, _READ, "currency count start"
    ),
    ("GET", "/user/walletSummary"): _route("User.getWalletSummary", account.get_wallet_summary, _READ, "currency"),
    ("GET", "/user/commission"): _route("User.getCommission", account.get_commission, _READ),
    ("GET", "/user/tradingVolume"): _route("User.getTradingVolume", account.get_trading_volume, _READ),
    ("GET", "/user/marginingMode"): _route("User.getMarginingMode", account.get_margining_mode, _READ),
    ("GET", "/user/tradingSettings"): _route("User.getTradingSettings", account.get_trading_settings, _READ),
    ("GET", "/apiKey"): _route("APIKey.get", account.get_keys, _READ, "reverse"),
    ("GET", "/apiKey/self"): _route("APIKey.getSelf", account.get_own_key, _READ),
    # market
    ("GET", "/instrument"): _route("Instrument.get", market.get_instruments, _PUBLIC, _PAGE),
    ("GET", "/instrument/active"): _route("Instrument.getActive", market.get_active, _PUBLIC),
    ("GET", "/instrument/indices"): _route("Instrument.getIndices", market.get_indices, _PUBLIC),
    ("GET", "/instrument/activeAndIndices"): _route(
        "Instrument.getActiveAndIndices", market.get_active_and_indices, _PUBLIC
    ),
    ("GET", "/instrument/activeIntervals"): _route(
        "Instrument.getActiveIntervals", market.get_active_intervals, _PUBLIC
    ),
    ("GET", "/instrument/compositeIndex"): _route(
        "Instrument.getCompositeIndex", market.get_composite_index, _PUBLIC, _PAGE
    ),
    ("GET", "/orderBook/L2"): _route("OrderBook.getL2", market.get_book, _PUBLIC, "symbol! depth"),
    ("GET", "/quote"): _route("Quote.get", market.get_quotes, _PUBLIC, _PAGE),
    ("GET", "/quote/bucketed"): _route("Quote.getBucketed", market.get_quote_bins, _PUBLIC, f"binSize partial {_PAGE}"),
    ("GET", "/trade"): _route("Trade.get", market.get_trades, _PUBLIC, _PAGE),
    ("GET", "/trade/bucketed"): _route("Trade.getBucketed", market.get_trade_bins, _PUBLIC, f"binSize partial {_PAGE}"),
    ("GET", "/funding"): _route("Funding.get", market.get_funding, _PUBLIC, _PAGE),
    ("GET", "/liquidation"): _route("Liquidation.get", market.get_liquidations, _PUBLIC, _PAGE),
    ("GET", "/insurance"): _route("Insurance.get", market.get_insurance, _PUBLIC, _PAGE),
    ("GET", "/settlement"): _route("Settlement.get", market.get_settlements, _PUBLIC, _PAGE),
    ("GET", "/stats"): _route("Stats.get", market.get_stats, _PUBLIC),
    # the exchange itself
    ("GET", ""): _route("Root.get", meta.get_root, _PUBLIC),
    ("GET", "/wallet/assets"): _route("Wallet.getAssetsConfig", meta.get_assets, _PUBLIC),
    ("GET", "/wallet/networks"): _route("Wallet.getNetworksConfig", meta.get_networks, _PUBLIC),
    ("GET", "/schema"): _route("Schema.get", meta.get_schema, _PUBLIC, "model"),
    ("GET", "/schema/websocketHelp"): _route("Schema.websocketHelp", meta.get_websocket_help, _PUBLIC),
}
# What this exchange does not have, answered empty.
_QUIET: dict[tuple[str, str], Route] = {
    ("GET", "/announcement"): _route("Announcement.get", quiet.get_nothing, _PUBLIC, "columns"),
    ("GET", "/announcement/urgent"): _route("Announcement.getUrgent", quiet.get_nothing, _READ),
    ("GET", "/globalNotification"): _route("GlobalNotification.get", quiet.get_nothing, _READ),
    ("GET", "/chat"): _route("Chat.get", quiet.get_nothing, _PUBLIC, "count start reverse channelID"),
    ("GET", "/chat/channels"): _route("Chat.getChannels", quiet.get_chat_channels, _PUBLIC),
    ("GET", "/chat/connected"): _route("Chat.getConnected", quiet.get_chat_connected, _PUBLIC),
    ("GET", "/chat/pinned"): _route("Chat.getPinned", quiet.get_chat_pinned, _PUBLIC, "channelID"),
    ("GET", "/leaderboard"): _route("Leaderboard.get", quiet.get_nothing, _PUBLIC, "method"),
    ("GET", "/leaderboard/name"): _route("Leaderboard.getName", quiet.get_leaderboard_name, _READ),
    ("GET", "/stats/history"): _route("Stats.history", quiet.get_nothing, _PUBLIC),
    ("GET", "/stats/historyUSD"): _route("Stats.historyUSD", quiet.get_nothing, _PUBLIC),
    ("GET", "/guild"): _route("Guild.get", quiet.get_nothing, _PUBLIC),
    ("GET", "/porl/snapshots"): _route("Porl.getSnapshots", quiet.get_nothing, _PUBLIC),
    ("GET", "/address"): _route("Address.get", quiet.get_nothing, _READ),
    ("GET", "/userAffiliates"): _route("UserAffiliates.get", quiet.get_nothing, _READ),
    ("GET", "/userEvent"): _route("UserEvent.get", quiet.get_user_events, _READ, "count startId"),
    ("GET", "/user/affiliateStatus"): _route("User.getAffiliateStatus", quiet.get_affiliate_status, _READ, "currency"),
    ("GET", "/user/depositAddress"): _route(
        "User.getDepositAddress", quiet.get_deposit_address, _READ, "currency network"
    ),
    ("GET", "/user/getWalletTransferAccounts"): _route("User.getWalletTransferAccounts", quiet.get_nothing, _READ),
    ("GET", "/user/quoteFillRatio"): _route("User.getQuoteFillRatio", quiet.get_nothing, _READ),
    ("GET", "/user/quoteValueRatio"): _route("User.getQuoteValueRatio", quiet.get_nothing, _READ),
    ("GET", "/user/staking"): _route("User.getStaking", quiet.get_nothing, _READ, "currency"),
    ("GET", "/user/staking/instruments"): _route("User.getStakingInstruments", quiet.get_nothing, _READ),
    ("GET", "/user/staking/tiers"): _route("User.getStakingTiers", quiet.get_nothing, _READ),
    ("GET", "/user/unstakingRequests"): _route("User.getUnstakingRequests", quiet.get_nothing, _READ),
}
ROUTES: Mapping[tuple[str, str], Route] = {
    (verb, BASE_PATH + path): route for (verb, path), route in (*_TABLE.items(), *_QUIET.items())
}


def route_of(verb: str, path: str) -> Route | None:
    """Return the endpoint of a request, None if there is none; `HEAD` is answered like `GET`."""
    return ROUTES.get(("GET" if verb == "HEAD" else verb, path.rstrip("/")))
