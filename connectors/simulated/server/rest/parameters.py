"""The parameters of the endpoints as the venue's description names them: type, choices, default.

Why: one name means the same wherever it occurs, so each is described once; the OpenAPI document and the
test that drives every operation are made from these.

Units: as each description says. Source: www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Mapping

Parameter = Mapping[str, object]

_TEXT = {"type": "string"}
_JSON = {"type": "string", "format": "JSON"}
_DOUBLE = {"type": "number", "format": "double"}
_SMALL = {"type": "number", "format": "int32"}
_BIG = {"type": "number", "format": "int64"}
_FLAG = {"type": "boolean"}
_TIME = {"type": "string", "format": "date-time"}
_BINS = {"type": "string", "enum": ["1m", "5m", "1h", "1d"], "default": "1m"}

_KINDS: tuple[tuple[Parameter, str], ...] = (
    (_DOUBLE, "price stopPx pegOffsetValue leverage crossLeverage timeout channelID depth maxSlippagePct"),
    (_DOUBLE, "stopLossStopPx stopLossPrice takeProfitStopPx takeProfitPrice startId targetAccountId"),
    (_SMALL, "orderQty displayQty leavesQty"),
    (_BIG, "amount riskLimit"),
    (_JSON, "filter columns orders permissions prefs targetAccountIds"),
    (_TIME, "startTime endTime timestamp"),
)
_SPECIAL: Mapping[str, Parameter] = {
    "symbol": {"type": "string", "description": "Instrument; a bare series means its nearest contract."},
    "count": {**_SMALL, "default": 100, "description": "Most rows to return."},
    "start": {**_SMALL, "default": 0, "description": "Rows to leave out at the front."},
    "reverse": {**_FLAG, "default": False, "description": "Newest first."},
    "partial": {**_FLAG, "default": False, "description": "Whether the bin under way comes, too."},
    "enabled": {**_FLAG, "default": True},
    "binSize": _BINS,
    "side": {"type": "string", "enum": ["Buy", "Sell"]},
    "ordType": {
        "type": "string",
        "enum": ["Market", "Limit", "Stop", "StopLimit", "MarketIfTouched", "LimitIfTouched", "Pegged"],
        "default": "Limit",
    },
    "timeInForce": {
        "type": "string",
        "enum": ["Day", "GoodTillCancel", "ImmediateOrCancel", "FillOrKill"],
    },
    "execInst": {
        "type": "string",
        "description": "ParticipateDoNotInitiate, AllOrNone, MarkPrice, IndexPrice, LastPrice, Close, ReduceOnly, "
        "Fixed, LastWithinMark; several with commas between.",
    },
    "pegPriceType": {
        "type": "string",
        "enum": ["LastPeg", "MidPricePeg", "MarketPeg", "PrimaryPeg", "TrailingStopPeg"],
    },
    "contingencyType": {
        "type": "string",
        "enum": ["OneCancelsTheOther", "OneTriggersTheOther", "OneUpdatesTheOtherAbsolute"],
    },
    "strategy": {"type": "string", "enum": ["OneWay", "Long", "Short"]},
    "currency": {"type": "string", "default": "XBt", "description": "Minor unit such as XBt; `all` for each."},
}
_BY_OPERATION: Mapping[str, Parameter] = {
    "Order.cancel.orderID": _JSON,
    "Order.cancel.clOrdID": _JSON,
    "Chat.get.reverse": {**_FLAG, "default": True},
    "APIKey.new.enabled": {**_FLAG, "default": False},
    "Leaderboard.get.method": {"type": "string", "default": "notional"},
}
_PLAIN = {name: kind for kind, names in _KINDS for name in names.split()}


def described(operation: str, name: str) -> Parameter:
    """Return type, choices and default of a parameter of an operation such as `Order.new`."""
    return _BY_OPERATION.get(f"{operation}.{name}") or _SPECIAL.get(name) or _PLAIN.get(name) or _TEXT
