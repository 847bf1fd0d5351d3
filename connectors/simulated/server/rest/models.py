"""The shapes of answers, as definitions of the OpenAPI document.

Why: generated clients read them, and a test holds every answer to the one its endpoint declares. Tables
are taken from where the stream has them; what is no table is written here in the same notation.

Source: definitions of www.bitmex.com/api/explorer/swagger.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.simulated.server.tables import TABLES, TRADE_BIN

Schema = dict[str, object]

_SWAGGER_TYPES: Mapping[str, Schema] = {
    "long": {"type": "number", "format": "int64"},
    "integer": {"type": "number", "format": "int32"},
    "float": {"type": "number", "format": "double"},
    "boolean": {"type": "boolean"},
    "guid": {"type": "string", "format": "guid"},
    "timestamp": {"type": "string", "format": "date-time"},
    "timespan": {"type": "string", "format": "date-time"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "rows": {"type": "array", "items": {"type": "object"}},
    "object": {"type": "object"},
}
_TEXT: Schema = {"type": "string"}
_OF_TABLES = {
    "Announcement": "announcement",
    "Chat": "chat",
    "ConnectedUsers": "connected",
    "Execution": "execution",
    "Funding": "funding",
    "GlobalNotification": "publicNotifications",
    "Instrument": "instrument",
    "Insurance": "insurance",
    "Liquidation": "liquidation",
    "Order": "order",
    "OrderBookL2": "orderBookL2",
    "Position": "position",
    "Quote": "quote",
    "Settlement": "settlement",
    "Trade": "trade",
    "Transaction": "transact",
    "Wallet": "wallet",
}
# Name, its required fields, and `type: field field ...` groups.
_DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "APIKey": (
        "id userId",
        (
            "text: id secret name cidr; integer: nonce userId targetAccountId; texts: permissions cidrs; "
            "boolean: enabled; timestamp: created"
        ),
    ),
    "Asset": (
        "asset currency scale networks",
        (
            "text: asset currency majorCurrency name currencyType; integer: scale; boolean: enabled isMarginCurrency "
            "memoRequired; long: minDepositAmount minWithdrawalAmount maxWithdrawalAmount; rows: networks"
        ),
    ),
    "Network": ("asset", "text: asset currency name; boolean: enabled"),
    "ChatChannel": ("name", "integer: id; text: name; boolean: isPrivate"),
    "PinnedMessage": ("", "object: pinnedMessage"),
    "Leaderboard": ("name", "text: name; boolean: isRealName isMe; float: profit"),
    "LeaderboardName": ("", "text: name"),
    "InstrumentInterval": ("intervals symbols", "texts: intervals symbols"),
    "IndexComposite": (
        "timestamp",
        (
            "timestamp: timestamp logged; text: symbol indexSymbol reference; float: indexMultiplier lastPrice "
            "sourcePrice conversionIndexPrice weight; text: conversionIndex"
        ),
    ),
    "Stats": ("rootSymbol", "text: rootSymbol currency; long: volume24h turnover24h openInterest openValue"),
    "StatsHistory": ("date rootSymbol", "timestamp: date; text: rootSymbol currency; long: volume turnover"),
    "StatsUSD": ("rootSymbol", "text: rootSymbol currency; long: turnover24h turnover30d turnover365d turnover"),
    "CancelAllAfter": ("now", "timestamp: now cancelTime"),
    "User": (
        "id username email",
        (
            "integer: id; text: firstname lastname username accountName email phone TFAEnabled affiliateID country "
            "geoipCountry geoipRegion typ; boolean: isUser; timestamp: date created lastUpdated; object: preferences"
        ),
    ),
    "UserCommission": ("", "float: makerFee takerFee settlementFee maxFee"),
    "TradingVolume": ("advUsd", "float: advUsd advUsdSpot advUsdContract"),
    "TradingSettings": ("", "text: positionMode marginingMode"),
    "AffiliateStatus": ("", "integer: referrerAccount; float: referralDiscount affiliatePayout"),
    "WalletSummary": (
        "account currency transactType amount",
        (
            "long: account amount fee pendingDebit realisedPnl walletBalance unrealisedPnl marginBalance; "
            "text: currency transactType symbol"
        ),
    ),
    "UserEvents": ("userEvents", "rows: userEvents"),
    "Row": ("", ""),
    "Root": ("name version timestamp", "text: name version; long: timestamp"),
    "Success": ("success", "boolean: success"),
    "DepositAddress": ("address", "text: currency network address memo"),
    "VolumeRank": ("", "integer: rank; long: volume"),
    "WithdrawalFees": ("currency", "text: currency; long: fee minFee"),
}
_ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "name"],
            "properties": {"message": _TEXT, "name": _TEXT, "details": _TEXT},
        }
    },
}


def definitions() -> dict[str, Schema]:
    """Return every definition by its name."""
    found = {name: _of_columns(TABLES[table].types, TABLES[table].keys) for name, table in _OF_TABLES.items()}
    found["TradeBin"] = _of_columns(TRADE_BIN, ("timestamp", "symbol"))
    found["OrderResult"] = _of_columns({**TABLES["order"].types, "error": "string"}, ())
    found["Margin"] = _of_columns({**TABLES["margin"].types, "isolatedUnrealisedPnl": "long"}, TABLES["margin"].keys)
    for name, (required, groups) in _DOCUMENTS.items():
        found[name] = _of_columns(_fields(groups), required.split())
    found["Error"] = _ERROR
    return found


def schema_of(answer: str) -> Schema:
    """Return the schema of an answer: `Order`, `Order[]`, `Order{}` (by any name), `text` or `float`."""
    if answer.islower():
        return dict(_SWAGGER_TYPES.get(answer, _TEXT))
    name = answer.rstrip("[]{}")
    one: Schema = {"$ref": f"#/definitions/{name}"}
    if answer.endswith("[]"):
        return {"type": "array", "items": one}
    if answer.endswith("{}"):
        return {"type": "object", "additionalProperties": one}
    return one


def _of_columns(types: Mapping[str, str], required: Iterable[str]) -> Schema:
    needed = list(required)
    properties = {}
    for name, kind in types.items():
        schema = _SWAGGER_TYPES.get(kind, _TEXT)
        properties[name] = dict(schema) if name in needed else {**schema, "x-nullable": True}
    shape: Schema = {"type": "object", "properties": properties}
    return {**shape, "required": needed} if needed else shape


def _fields(groups: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for group in filter(None, groups.split("; ")):
        kind, _, names = group.partition(":")
        fields.update(dict.fromkeys(names.split(), kind))
    return fields
