"""What the exchange says about itself: version, assets, schema, help.

Source: www.bitmex.com/api/explorer; scales of `walletAssets` as at the venue.
"""

from __future__ import annotations

from connectors.simulated.server.rest.assets import ASSETS
from connectors.simulated.server.rest.call import Answer, Call
from connectors.simulated.server.selection import select
from connectors.simulated.server.tables import TABLES

_NOTICES = TABLES["announcement"]


def get_root(call: Call) -> Answer:
    """`GET /api/v1`: name, version, and the time in milliseconds."""
    return {"name": "BitMEX API", "version": "2.0.0", "timestamp": call.venue.clock()}


def get_assets(_call: Call) -> Answer:
    """`GET /wallet/assets`: currencies, their scales and networks."""
    return [asset.row() for asset in ASSETS]


def get_networks(_call: Call) -> Answer:
    """`GET /wallet/networks`: where coins could come from, were this real."""
    names = sorted({network for asset in ASSETS for network in asset.networks})
    return [{"asset": name, "currency": name, "name": name, "enabled": False} for name in names]


def get_announcements(call: Call) -> Answer:
    """`GET /announcement`: what was announced, latest first."""
    return select(call.venue.exchange.announcement_rows(), call.params.selection(_NOTICES), _NOTICES)


def get_urgent_announcements(call: Call) -> Answer:
    """`GET /announcement/urgent`: the banners."""
    return call.venue.exchange.announcement_rows(only_urgent=True)


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
        "usage": 'Send a message in the format: {"op": string, "args": Array<string>}',
        "ops": ["authKey", "authKeyExpires", "cancelAllAfter", "subscribe", "unsubscribe"],
        "subscribe": 'To subscribe, send: {"op": "subscribe", "args": [subscriptionTopic, ...]}.',
        "subscriptionSubjects": {
            "authenticationRequired": sorted(name for name, table in TABLES.items() if table.is_private),
            "public": sorted(name for name, table in TABLES.items() if not table.is_private),
        },
    }
