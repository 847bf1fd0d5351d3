"""What the exchange says about itself: version, assets, schema, help.

Source: www.bitmex.com/api/explorer; scales of `walletAssets` as at the venue.
"""

from __future__ import annotations

from connectors.simulated.server.rest.call import Answer, Call
from connectors.simulated.server.tables import TABLES

_SCALES = (("XBT", "XBt", 8, 4, "btc"), ("USDT", "USDt", 6, 2, "eth"), ("ETH", "Gwei", 9, 4, "eth"))


def get_root(call: Call) -> Answer:
    """`GET /api/v1`: name, version, and the time in milliseconds."""
    return {"name": "BitMEX API", "version": "2.0.0", "timestamp": call.venue.clock()}


def get_assets(_call: Call) -> Answer:
    """`GET /wallet/assets`: currencies and their scales."""
    return [
        {
            "asset": asset,
            "currency": currency,
            "majorCurrency": asset,
            "name": asset,
            "currencyType": "Crypto",
            "scale": scale,
            "mediumPrecision": precision,
            "shorterPrecision": precision,
            "symbol": None,
            "weight": 1,
            "tickLog": 0,
            "enabled": True,
            "isMarginCurrency": currency != "Gwei",
            "memoRequired": False,
            "networks": [
                {
                    "asset": network,
                    "currency": currency,
                    "minDepositAmount": 10 ** (scale - 4),
                    "minWithdrawalAmount": 10 ** (scale - 3),
                    "maxWithdrawalAmount": 10 ** (scale + 4),
                    "withdrawalFee": 0,
                    "depositEnabled": False,
                    "withdrawalEnabled": False,
                }
            ],
        }
        for asset, currency, scale, precision, network in _SCALES
    ]


def get_networks(_call: Call) -> Answer:
    """`GET /wallet/networks`: where coins could come from, were this real."""
    names = {network for *_, network in _SCALES}
    return [{"asset": name, "currency": name, "name": name, "enabled": False} for name in sorted(names)]


def get_schema(call: Call) -> Answer:
    """`GET /schema`: keys and types of the tables, or of the `model` asked for."""
    wanted = call.params.text("model")
    return {
        name: {"keys": list(table.keys), "types": dict(table.types)}
        for name, table in TABLES.items()
        if wanted is None or wanted.lower() == name.lower()
    }


def get_websocket_help(_call: Call) -> Answer:
    """`GET /schema/websocketHelp`."""
    return websocket_help()


def websocket_help() -> dict[str, object]:
    """Return the help object, the same over REST and WebSocket."""
    return {
        "info": "See https://www.bitmex.com/app/wsAPI and https://www.bitmex.com/explorer for more documentation.",
        "usage": 'Send a message in the format {"op": string, "args": Array<string>}',
        "ops": ["authKey", "authKeyExpires", "cancelAllAfter", "subscribe", "unsubscribe"],
        "subscribe": "To subscribe, send: {op: subscribe, args: [subscription, ...]}. Example: instrument:XBTUSD",
        "subscriptionSubjects": {
            "authenticationRequired": sorted(name for name, table in TABLES.items() if table.is_private),
            "public": sorted(name for name, table in TABLES.items() if not table.is_private),
        },
    }
