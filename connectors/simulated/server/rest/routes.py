"""The table of routes: every REST endpoint the exchange serves, in one place.

Why: to find or add an endpoint means to read or add one line here. The names are the venue's
operation ids, which generated clients use. Source: www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.simulated.server.auth import Access
from connectors.simulated.server.rest import account, bulk, keys, market, meta, orders, positions, quiet, wallet
from connectors.simulated.server.rest.call import Answer, Call

Handler = Callable[[Call], Answer]
BASE_PATH = "/api/v1"
_PAGE = "symbol filter columns count start reverse startTime endTime"
_NEW_ORDER = (
    "symbol! side orderQty price displayQty stopPx clOrdID clOrdLinkID pegOffsetValue pegPriceType ordType "
    "timeInForce execInst contingencyType text strategy"
)
_AMENDMENT = "orderID origClOrdID clOrdID orderQty leavesQty price stopPx pegOffsetValue text"
_NEW_KEY = "name cidr permissions enabled token"
_WITHDRAWAL = "currency! amount! network address addressId fee otpToken memo text targetUserId"


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One endpoint.

    Attributes:
        operation: The venue's operation id, `Group.name`.
        handler: From a call to its answer.
        access: What it asks of the key.
        fields: Names of the parameters, required ones with `!`.
        answer: Definition of its answer, `[]` for a list, `{}` for a map, or `text` or `float`.
        is_order: Whether the ten-per-second limit counts it.
        is_bulk: Whether it is there only where `/order/bulk` is.
        is_deprecated: Whether the venue advises against it.
    """

    operation: str
    handler: Handler
    access: Access
    fields: tuple[str, ...]
    answer: str
    is_order: bool = False
    is_bulk: bool = False
    is_deprecated: bool = False


def _route(
    operation: str, handler: Handler, access: Access, answer: str, fields: str = "", *, is_order: bool = False
) -> Route:
    return Route(
        operation=operation,
        handler=handler,
        access=access,
        fields=tuple(fields.split()),
        answer=answer,
        is_order=is_order,
        is_bulk=operation.endswith("Bulk"),
        is_deprecated=operation == "Order.closePosition",
    )


_PUBLIC, _READ, _CANCEL, _ORDER = Access.PUBLIC, Access.READ, Access.CANCEL, Access.ORDER
_WITHDRAW, _SESSION = Access.WITHDRAW, Access.SESSION
_Table = Mapping[tuple[str, str], Route]

_TRADING: _Table = {
    ("GET", "/order"): _route("Order.getOrders", orders.get_orders, _READ, "Order[]", _PAGE),
    ("POST", "/order"): _route("Order.new", orders.place_order, _ORDER, "Order", _NEW_ORDER, is_order=True),
    ("PUT", "/order"): _route("Order.amend", orders.amend_order, _ORDER, "Order", _AMENDMENT, is_order=True),
    ("DELETE", "/order"): _route(
        "Order.cancel", orders.cancel_orders, _CANCEL, "OrderResult[]", "orderID clOrdID text", is_order=True
    ),
    ("DELETE", "/order/all"): _route(
        "Order.cancelAll",
        orders.cancel_all_orders,
        _CANCEL,
        "Order[]",
        "symbol filter text targetAccountIds",
        is_order=True,
    ),
    ("POST", "/order/bulk"): _route(
        "Order.newBulk", bulk.place_orders, _ORDER, "OrderResult[]", "orders!", is_order=True
    ),
    ("PUT", "/order/bulk"): _route(
        "Order.amendBulk", bulk.amend_orders, _ORDER, "OrderResult[]", "orders!", is_order=True
    ),
    ("DELETE", "/order/bulk"): _route(
        "Order.cancelBulk", orders.cancel_orders, _CANCEL, "OrderResult[]", "orderID clOrdID text", is_order=True
    ),
    ("POST", "/order/cancelAllAfter"): _route(
        "Order.cancelAllAfter", orders.cancel_all_after, _CANCEL, "CancelAllAfter", "timeout!"
    ),
    ("POST", "/order/closePosition"): _route(
        "Order.closePosition", orders.close_position, _ORDER, "Order", "symbol! price"
    ),
    ("GET", "/execution"): _route("Execution.get", orders.get_executions, _READ, "Execution[]", _PAGE),
    ("GET", "/execution/tradeHistory"): _route(
        "Execution.getTradeHistory", orders.get_trade_history, _READ, "Execution[]", f"targetAccountId {_PAGE}"
    ),
    ("GET", "/user/executionHistory"): _route(
        "User.getExecutionHistory", orders.get_day_of_executions, _READ, "Execution[]", "symbol! timestamp!"
    ),
    ("GET", "/position"): _route("Position.get", positions.get_positions, _READ, "Position[]", "filter columns count"),
    ("POST", "/position/leverage"): _route(
        "Position.updateLeverage",
        positions.set_leverage,
        _ORDER,
        "Position",
        "symbol! leverage! targetAccountId",
        is_order=True,
    ),
    ("POST", "/position/crossLeverage"): _route(
        "Position.updateCrossLeverage",
        positions.set_cross_leverage,
        _ORDER,
        "Position",
        "symbol! leverage crossLeverage targetAccountId",
    ),
    ("POST", "/position/isolate"): _route(
        "Position.isolateMargin", positions.isolate, _ORDER, "Position", "symbol! enabled", is_order=True
    ),
    ("POST", "/position/riskLimit"): _route(
        "Position.updateRiskLimit", positions.set_risk_limit, _ORDER, "Position", "symbol! riskLimit! targetAccountId"
    ),
    ("POST", "/position/transferMargin"): _route(
        "Position.transferIsolatedMargin",
        positions.transfer_margin,
        _ORDER,
        "Position",
        "symbol! amount! targetAccountId",
        is_order=True,
    ),
}
_ACCOUNT: _Table = {
    ("GET", "/user"): _route("User.get", account.get_user, _READ, "User"),
    ("GET", "/user/margin"): _route("User.getMargin", account.get_margin, _READ, "Margin", "currency"),
    ("GET", "/user/wallet"): _route("User.getWallet", wallet.get_wallet, _READ, "Wallet", "currency"),
    ("GET", "/user/walletHistory"): _route(
        "User.getWalletHistory",
        wallet.get_wallet_history,
        _READ,
        "Transaction[]",
        "currency count start reverse startTime endTime targetAccountId",
    ),
    ("GET", "/user/walletSummary"): _route(
        "User.getWalletSummary", wallet.get_wallet_summary, _READ, "WalletSummary[]", "currency startTime endTime"
    ),
    ("GET", "/user/commission"): _route("User.getCommission", account.get_commission, _READ, "UserCommission{}"),
    ("GET", "/user/tradingVolume"): _route(
        "User.getTradingVolume", account.get_trading_volume, _READ, "TradingVolume[]"
    ),
    ("GET", "/user/marginingMode"): _route(
        "User.getMarginingMode", account.get_margining_mode, _READ, "TradingSettings"
    ),
    ("POST", "/user/marginingMode"): _route(
        "User.updateMarginingMode",
        account.set_margining_mode,
        _ORDER,
        "TradingSettings",
        "currency selectedMarginingMode targetAccountId",
    ),
    ("POST", "/user/positionMode"): _route(
        "User.updatePositionMode", account.set_position_mode, _ORDER, "TradingSettings", "positionMode targetAccountId"
    ),
    ("GET", "/user/tradingSettings"): _route(
        "User.getTradingSettings", account.get_trading_settings, _READ, "TradingSettings"
    ),
    ("POST", "/user/requestWithdrawal"): _route(
        "User.requestWithdrawal", wallet.request_withdrawal, _WITHDRAW, "Transaction", _WITHDRAWAL
    ),
    ("DELETE", "/user/withdrawal"): _route(
        "User.cancelPendingWithdrawal", quiet.no_such_withdrawal, _WITHDRAW, "Transaction", "transactID!"
    ),
    ("POST", "/user/cancelWithdrawal"): _route(
        "User.cancelWithdrawal", quiet.no_such_withdrawal, _WITHDRAW, "Transaction", "token!"
    ),
    ("POST", "/user/confirmWithdrawal"): _route(
        "User.confirmWithdrawal", quiet.no_such_withdrawal, _WITHDRAW, "Transaction", "token!"
    ),
    ("POST", "/user/walletTransfer"): _route(
        "User.walletTransfer", quiet.no_such_account, _WITHDRAW, "Transaction", "currency! amount! targetAccountId!"
    ),
    ("POST", "/user/preferences"): _route(
        "User.savePreferences", keys.only_for_people, _SESSION, "User", "prefs! overwrite"
    ),
    ("POST", "/user/communicationToken"): _route(
        "User.communicationToken", keys.only_for_people, _SESSION, "Row[]", "token! platformAgent!"
    ),
    ("POST", "/user/confirmEmail"): _route("User.confirmEmail", keys.only_for_people, _SESSION, "Row", "token!"),
    ("POST", "/user/logout"): _route("User.logout", keys.only_for_people, _SESSION, "Row"),
    ("POST", "/chat"): _route("Chat.new", keys.only_for_people, _SESSION, "Chat", "message! channelID"),
    ("POST", "/address"): _route("Address.new", keys.only_for_people, _SESSION, "Row", "currency! address! name!"),
    ("GET", "/apiKey"): _route("APIKey.get", keys.get_keys, _READ, "APIKey[]", "reverse"),
    ("GET", "/apiKey/self"): _route("APIKey.getSelf", keys.get_own_key, _READ, "APIKey"),
    ("POST", "/apiKey"): _route("APIKey.new", keys.only_for_people, _SESSION, "APIKey", _NEW_KEY),
    ("DELETE", "/apiKey"): _route("APIKey.remove", keys.only_for_people, _SESSION, "Success", "apiKeyID!"),
    ("POST", "/apiKey/disable"): _route("APIKey.disable", keys.only_for_people, _SESSION, "APIKey", "apiKeyID!"),
    ("POST", "/apiKey/enable"): _route("APIKey.enable", keys.only_for_people, _SESSION, "APIKey", "apiKeyID!"),
}
_MARKET: _Table = {
    ("GET", "/instrument"): _route("Instrument.get", market.get_instruments, _PUBLIC, "Instrument[]", _PAGE),
    ("GET", "/instrument/active"): _route("Instrument.getActive", market.get_active, _PUBLIC, "Instrument[]"),
    ("GET", "/instrument/indices"): _route("Instrument.getIndices", market.get_indices, _PUBLIC, "Instrument[]"),
    ("GET", "/instrument/activeAndIndices"): _route(
        "Instrument.getActiveAndIndices", market.get_active_and_indices, _PUBLIC, "Instrument[]"
    ),
    ("GET", "/instrument/activeIntervals"): _route(
        "Instrument.getActiveIntervals", market.get_active_intervals, _PUBLIC, "InstrumentInterval"
    ),
    ("GET", "/instrument/compositeIndex"): _route(
        "Instrument.getCompositeIndex", market.get_composite_index, _PUBLIC, "IndexComposite[]", _PAGE
    ),
    ("GET", "/orderBook/L2"): _route("OrderBook.getL2", market.get_book, _PUBLIC, "OrderBookL2[]", "symbol! depth"),
    ("GET", "/quote"): _route("Quote.get", market.get_quotes, _PUBLIC, "Quote[]", _PAGE),
    ("GET", "/quote/bucketed"): _route(
        "Quote.getBucketed", market.get_quote_bins, _PUBLIC, "Quote[]", f"binSize partial {_PAGE}"
    ),
    ("GET", "/trade"): _route("Trade.get", market.get_trades, _PUBLIC, "Trade[]", _PAGE),
    ("GET", "/trade/bucketed"): _route(
        "Trade.getBucketed", market.get_trade_bins, _PUBLIC, "TradeBin[]", f"binSize partial {_PAGE}"
    ),
    ("GET", "/funding"): _route("Funding.get", market.get_funding, _PUBLIC, "Funding[]", _PAGE),
    ("GET", "/liquidation"): _route("Liquidation.get", market.get_liquidations, _PUBLIC, "Liquidation[]", _PAGE),
    ("GET", "/insurance"): _route("Insurance.get", market.get_insurance, _PUBLIC, "Insurance[]", _PAGE),
    ("GET", "/settlement"): _route("Settlement.get", market.get_settlements, _PUBLIC, "Settlement[]", _PAGE),
    ("GET", "/stats"): _route("Stats.get", market.get_stats, _PUBLIC, "Stats[]"),
    ("GET", ""): _route("Root.get", meta.get_root, _PUBLIC, "Root"),
    ("GET", "/wallet/assets"): _route("Wallet.getAssetsConfig", meta.get_assets, _PUBLIC, "Asset[]"),
    ("GET", "/wallet/currencies"): _route("Wallet.getCurrencies", meta.get_assets, _PUBLIC, "Asset[]"),
    ("GET", "/wallet/networks"): _route("Wallet.getNetworksConfig", meta.get_networks, _PUBLIC, "Network[]"),
    ("GET", "/schema"): _route("Schema.get", meta.get_schema, _PUBLIC, "Row", "model"),
    ("GET", "/schema/websocketHelp"): _route("Schema.websocketHelp", meta.get_websocket_help, _PUBLIC, "Row"),
    ("GET", "/announcement"): _route("Announcement.get", meta.get_announcements, _PUBLIC, "Announcement[]", "columns"),
    ("GET", "/announcement/urgent"): _route(
        "Announcement.getUrgent", meta.get_urgent_announcements, _READ, "Announcement[]"
    ),
}
# What this exchange does not have, answered empty.
_QUIET: _Table = {
    ("GET", "/globalNotification"): _route("GlobalNotification.get", quiet.get_nothing, _READ, "GlobalNotification[]"),
    ("GET", "/chat"): _route("Chat.get", quiet.get_nothing, _PUBLIC, "Chat[]", "count start reverse channelID"),
    ("GET", "/chat/channels"): _route("Chat.getChannels", quiet.get_chat_channels, _PUBLIC, "ChatChannel[]"),
    ("GET", "/chat/connected"): _route("Chat.getConnected", quiet.get_chat_connected, _PUBLIC, "ConnectedUsers"),
    ("GET", "/chat/pinned"): _route("Chat.getPinned", quiet.get_chat_pinned, _PUBLIC, "PinnedMessage", "channelID"),
    ("GET", "/leaderboard"): _route("Leaderboard.get", quiet.get_nothing, _PUBLIC, "Leaderboard[]", "method"),
    ("GET", "/leaderboard/name"): _route("Leaderboard.getName", quiet.get_leaderboard_name, _READ, "LeaderboardName"),
    ("GET", "/stats/history"): _route("Stats.history", market.get_stats_history, _PUBLIC, "StatsHistory[]"),
    ("GET", "/stats/historyUSD"): _route("Stats.historyUSD", market.get_stats_in_dollars, _PUBLIC, "StatsUSD[]"),
    ("GET", "/guild"): _route("Guild.get", quiet.get_nothing, _PUBLIC, "Row[]"),
    ("GET", "/porl/snapshots"): _route("Porl.getSnapshots", quiet.get_nothing, _PUBLIC, "Row[]"),
    ("GET", "/porl/nonce"): _route("Porl.getNonce", quiet.get_nothing, _PUBLIC, "Row[]"),
    ("GET", "/address"): _route("Address.get", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/userAffiliates"): _route("UserAffiliates.get", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/userEvent"): _route("UserEvent.get", quiet.get_user_events, _READ, "UserEvents", "count startId"),
    ("GET", "/user/affiliateStatus"): _route(
        "User.getAffiliateStatus", quiet.get_affiliate_status, _READ, "AffiliateStatus", "currency"
    ),
    ("GET", "/user/checkReferralCode"): _route(
        "User.checkReferralCode", quiet.get_referral_discount, _PUBLIC, "float", "referralCode"
    ),
    ("GET", "/user/depositAddress"): _route(
        "User.getDepositAddress", quiet.get_deposit_address, _READ, "text", "currency network"
    ),
    ("GET", "/user/minWithdrawalFee"): _route(
        "User.minWithdrawalFee", quiet.get_withdrawal_fee, _PUBLIC, "WithdrawalFees", "currency"
    ),
    ("GET", "/user/getWalletTransferAccounts"): _route(
        "User.getWalletTransferAccounts", quiet.get_nothing, _READ, "Row[]"
    ),
    ("GET", "/user/csa"): _route("User.getCSA", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/user/depositAddressInformation"): _route(
        "User.getDepositAddressInformation", quiet.get_deposit_information, _READ, "DepositAddress", "currency network"
    ),
    ("GET", "/userStats/volumeRank"): _route("UserStats.volumeRank", quiet.get_volume_rank, _READ, "VolumeRank"),
    ("GET", "/userPriceAlert"): _route("UserPriceAlert.get", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/addressConfig"): _route("AddressConfig.get", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/referralCode"): _route("ReferralCode.get", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/leagueoftrader/myRankings"): _route("LeagueOfTrader.myRankings", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/managedSubAccountBinding/investor"): _route(
        "ManagedSubAccountBinding.investor", quiet.get_nothing, _READ, "Row[]"
    ),
    ("GET", "/managedSubAccountBinding/tradingTeam"): _route(
        "ManagedSubAccountBinding.tradingTeam", quiet.get_nothing, _READ, "Row[]"
    ),
    ("GET", "/instrument/usdVolume"): _route("Instrument.getUsdVolume", quiet.get_nothing, _PUBLIC, "StatsUSD[]"),
    ("GET", "/wallet/haircuts"): _route("Wallet.getHaircuts", quiet.get_nothing, _PUBLIC, "Row[]"),
    ("GET", "/user/quoteFillRatio"): _route("User.getQuoteFillRatio", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/user/quoteValueRatio"): _route("User.getQuoteValueRatio", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/user/staking"): _route("User.getStaking", quiet.get_nothing, _READ, "Row[]", "currency"),
    ("GET", "/user/staking/instruments"): _route("User.getStakingInstruments", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/user/staking/tiers"): _route("User.getStakingTiers", quiet.get_nothing, _READ, "Row[]"),
    ("GET", "/user/unstakingRequests"): _route("User.getUnstakingRequests", quiet.get_nothing, _READ, "Row[]"),
}
ROUTES: _Table = {
    (verb, BASE_PATH + path): route
    for table in (_TRADING, _ACCOUNT, _MARKET, _QUIET)
    for (verb, path), route in table.items()
}

_BY_ANY_CASE = {(verb, path.lower()): route for (verb, path), route in ROUTES.items()}


def route_of(verb: str, path: str) -> Route | None:
    """Return the endpoint of a request, None if there is none.

    `HEAD` is answered like `GET`; case and a slash at the end do not matter.
    """
    return _BY_ANY_CASE.get(("GET" if verb == "HEAD" else verb, path.rstrip("/").lower()))
