"""Rows as the venue writes them, a sink that remembers, and settings for tests of the BitMEX connector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from config.credentials import Credentials, Secret
from config.venue import Environment, VenueSettings
from connectors.ports import Feed
from connectors.vocabulary import Execution, Instrument, Insurance, LiquidationOrder, Margin, Order, Position, Wallet

KEY = "LAqUlngMIQkIUjXMUreyu3qn"
SECRET = "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO"
CREDENTIALS = Credentials(key_id=KEY, secret=Secret(SECRET))

WELCOME = {
    "info": "Welcome to the BitMEX Realtime API.",
    "version": "2.0.0",
    "timestamp": "2025-09-30T12:48:45.419Z",
    "docs": "https://www.bitmex.com/app/wsAPI",
    "heartbeatEnabled": False,
    "limit": {"remaining": 719},
}
SIGNED_IN = {"success": True, "request": {"op": "authKeyExpires", "args": [KEY, 1718000000, "ab" * 32]}}
EXPIRED_TOKEN = {
    "error": "Access Token expired for subscription: order:*",
    "meta": {"note": "Please re-subscribe with a new token to continue receiving messages for this subscription."},
    "status": 419,
}

STOP_ROW = {
    "account": 273093,
    "clOrdID": "sw-1",
    "cumQty": 0,
    "currency": "USD",
    "execInst": "MarkPrice,ReduceOnly",
    "leavesQty": 100,
    "ordStatus": "New",
    "ordType": "Stop",
    "orderID": "07bb442e-5362-4a01-bd9a-664a1da3d646",
    "orderQty": 100,
    "side": "Sell",
    "stopPx": 48000.5,
    "strategy": "OneWay",
    "symbol": "XBTUSD",
    "text": "Submitted via API.",
    "timeInForce": "GoodTillCancel",
    "timestamp": "2025-11-14T07:03:58.114Z",
    "transactTime": "2025-11-14T07:03:58.113Z",
    "workingIndicator": False,
}
POSITION_ROW = {
    "account": 273093,
    "symbol": "XBTUSD",
    "strategy": "OneWay",
    "currency": "XBt",
    "crossMargin": False,
    "leverage": 10,
    "currentQty": 100,
    "isOpen": True,
    "avgEntryPrice": 50000,
    "liquidationPrice": 45500.5,
    "bankruptPrice": 45000,
    "markPrice": 50001.25,
    "posCost": -200000,
    "timestamp": "2025-11-14T07:03:58.114Z",
}
MARGIN_ROW = {
    "account": 273093,
    "currency": "XBt",
    "amount": 100000000,
    "walletBalance": 100000000,
    "marginBalance": 100000100,
    "availableMargin": 99000000,
    "initMargin": 0,
    "maintMargin": 1000100,
    "unrealisedPnl": 100,
    "timestamp": "2025-11-14T07:03:58.114Z",
    "foreignMarginBalance": 0,
    "foreignRequirement": 0,
}
EXECUTION_ROW = {
    "execID": "00000000-006d-1000-0000-000e8737d536",
    "orderID": STOP_ROW["orderID"],
    "clOrdID": "sw-1",
    "account": 273093,
    "symbol": "XBTUSD",
    "side": "Sell",
    "lastQty": 100,
    "lastPx": 48000.5,
    "execType": "Trade",
    "ordStatus": "Filled",
    "text": "Triggered: Order stop price reached",
    "timestamp": "2025-11-14T07:03:58.114Z",
}
CANCEL_REJECT_ROW = {
    "execID": "00000000-006d-1000-0000-001e7f5081ad",
    "orderID": "ece0a2cc-7729-4f4c-bc6c-65d7c723e75b",
    "account": 1667725,
    "execType": "CancelReject",
    "ordStatus": "Rejected",
    "workingIndicator": False,
    "ordRejReason": "Invalid orderID",
    "text": "Invalid orderID",
    "transactTime": "2025-09-05T05:38:28.001Z",
    "timestamp": "2025-09-05T05:38:28.001Z",
}
INSTRUMENT_ROW = {
    "symbol": "XBTUSD",
    "rootSymbol": "XBT",
    "state": "Open",
    "typ": "FFWCSX",
    "referenceSymbol": ".BXBT",
    "maxOrderQty": 10000000,
    "maxPrice": 1000000,
    "lotSize": 100,
    "tickSize": 0.1,
    "multiplier": -100000000,
    "settlCurrency": "XBt",
    "isQuanto": False,
    "isInverse": True,
    "initMargin": 0.01,
    "maintMargin": 0.005,
    "takerFee": 0.0005,
    "fundingRate": 0.00011,
    "markPrice": 97849.76,
    "timestamp": "2024-11-24T23:33:19.034Z",
}
WALLET_ROW = {
    "account": 273093,
    "currency": "XBt",
    "deposited": 104527994,
    "withdrawn": 500,
    "transferIn": 1000000,
    "transferOut": 70,
    "amount": 105528012,
    "pendingCredit": 0,
    "pendingDebit": 0,
    "confirmedDebit": 0,
    "timestamp": "2019-02-05T12:00:00.705Z",
}
INSURANCE_ROW = {"currency": "XBt", "timestamp": "2024-05-06T12:00:00.000Z", "walletBalance": 3_500_000_000_000}
LIQUIDATION_ROW = {
    "orderID": "8a1c1b0e-1111-2222-3333-444455556666",
    "symbol": "XBTUSD",
    "side": "Sell",
    "price": 45000.5,
    "leavesQty": 60000,
}
KEYS = {
    "order": ["orderID"],
    "position": ["account", "symbol", "strategy"],
    "margin": ["account", "currency"],
    "execution": [],
    "instrument": ["symbol"],
    "wallet": ["account", "currency"],
    "insurance": ["currency", "timestamp"],
    "liquidation": ["orderID"],
}


_PUBLIC = frozenset({"instrument", "insurance", "liquidation"})


def raw(value: Any) -> bytes:
    """Return a value as the bytes of a frame or body."""
    return msgspec.json.Encoder(decimal_format="number").encode(value)


def exact(value: Any) -> Any:
    """Return a value as the connector decodes it: floats as exact decimals."""
    return msgspec.json.Decoder(float_hook=Decimal).decode(raw(value))


def partial(table: str, rows: Sequence[dict[str, Any]] = (), *, covered: dict[str, Any] | None = None) -> bytes:
    """Return a partial frame with the table's present keys."""
    account = {} if table in _PUBLIC else {"account": 273093}
    frame = {"table": table, "action": "partial", "keys": KEYS[table], "types": {}}
    return raw(frame | {"filter": account if covered is None else covered, "data": list(rows)})


def change(table: str, action: str, *rows: dict[str, Any]) -> bytes:
    """Return an insert, update or delete frame."""
    return raw({"table": table, "action": action, "data": list(rows)})


def some_settings(*, rest_url: str = "http://127.0.0.1:1", realtime_url: str = "", **changed: Any) -> VenueSettings:
    """Return settings of an embedded venue with short patience."""
    quick: dict[str, Any] = {
        "connect_timeout_s": 2.0,
        "request_timeout_s": 0.5,
        "ping_after_s": 0.15,
        "pong_within_s": 0.15,
        "reconnect_first_s": 0.01,
        "reconnect_cap_s": 0.05,
    }
    return VenueSettings(
        environment=Environment.EMBEDDED, rest_url=rest_url, realtime_url=realtime_url, **(quick | changed)
    )


@dataclass
class RememberingSink:
    """A `FeedSink` that keeps everything, in order."""

    log: list[tuple[str, Any]] = field(default_factory=list)
    signs_of_life: int = 0
    connections: int = 0
    pongs: int = 0

    def of(self, kind: str) -> list[Any]:
        """Return what arrived of one kind."""
        return [value for name, value in self.log if name == kind]

    def feed_live(self, feed: Feed, *, received_ns: int) -> None:
        self.log.append(("live", feed))

    def feed_lost(self, feed: Feed, reason: str, *, received_ns: int) -> None:
        self.log.append(("lost", reason))

    def feed_connected(self, feed: Feed, *, received_ns: int) -> None:
        self.connections += 1

    def feed_pong(self, feed: Feed, *, received_ns: int) -> None:
        self.pongs += 1

    def feed_alive(self, feed: Feed, *, received_ns: int) -> None:
        self.signs_of_life += 1

    def mark_price(self, symbol: str, price: float, frame: bytes, *, received_ns: int) -> None:
        self.log.append(("mark", (symbol, price, frame)))

    def instrument(self, instrument: Instrument, *, received_ns: int) -> None:
        self.log.append(("instrument", instrument))

    def position(self, position: Position, *, received_ns: int) -> None:
        self.log.append(("position", position))

    def positions_snapshot(self, positions: Sequence[Position], *, received_ns: int) -> None:
        self.log.append(("positions", tuple(positions)))

    def order(self, order: Order, *, received_ns: int) -> None:
        self.log.append(("order", order))

    def orders_snapshot(self, orders: Sequence[Order], *, received_ns: int) -> None:
        self.log.append(("orders", tuple(orders)))

    def margin(self, margin: Margin, *, received_ns: int) -> None:
        self.log.append(("margin", margin))

    def execution(self, execution: Execution, *, received_ns: int) -> None:
        self.log.append(("execution", execution))

    def wallet(self, wallet: Wallet, *, received_ns: int) -> None:
        self.log.append(("wallet", wallet))

    def insurance(self, insurance: Insurance, *, received_ns: int) -> None:
        self.log.append(("insurance", insurance))

    def liquidation(self, order: LiquidationOrder, *, is_gone: bool, received_ns: int) -> None:
        self.log.append(("liquidation", (order, is_gone)))

    def topic(self, topic: str, problem: str, *, received_ns: int) -> None:
        self.log.append(("topic", (topic, problem)))

    def table_doubted(self, feed: Feed, table: str, problem: str, *, unreadable: int, received_ns: int) -> None:
        self.log.append(("doubted", (table, problem)))

    def request_refused(self, client_order_id: str, order_id: str, reason: str, *, received_ns: int) -> None:
        self.log.append(("refused", (client_order_id, order_id, reason)))
