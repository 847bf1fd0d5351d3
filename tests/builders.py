"""Values for tests, with safe defaults: name only what a test is about."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.vocabulary import (
    ContractKind,
    Instrument,
    Margin,
    Order,
    OrderKind,
    OrderSide,
    OrderStatus,
    Position,
    PositionKey,
    Trigger,
)

ACCOUNT = 7
SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND


def an_instrument(symbol: str = "XBTUSDT", **changes: Any) -> Instrument:
    """Return a linear contract whose value per contract is one minor unit per unit of price."""
    base = Instrument(
        symbol=symbol,
        kind=ContractKind.LINEAR,
        settlement_currency="USDt",
        multiplier=1,
        lot_size=1,
        tick_size=Decimal("0.5"),
        max_price=Decimal(1_000_000),
        max_order_quantity=1_000_000,
        initial_margin_ratio=Decimal("0.01"),
        maintenance_margin_ratio=Decimal("0.005"),
        taker_fee=Decimal("0.00075"),
        reference_symbol=".BXBT",
    )
    return replace(base, **changes)


def a_key(symbol: str = "XBTUSDT", **changes: Any) -> PositionKey:
    """Return a one-way key of the test account."""
    return replace(PositionKey(account=ACCOUNT, symbol=symbol), **changes)


def a_position(quantity: int = 100, symbol: str = "XBTUSDT", **changes: Any) -> Position:
    """Return an isolated position from 1000 whose venue says liquidation at 900 (long) or 1100 (short).

    Its cost and margin are left out, so our own computation abstains and the venue's figure stands.
    """
    base = Position(
        key=a_key(symbol),
        quantity=quantity,
        currency="USDt",
        entry_price=Decimal(1000),
        liquidation_price=None if quantity == 0 else Decimal(900 if quantity > 0 else 1100),
        timestamp_ns=START_NS,
    )
    return replace(base, **changes)


def an_order(order_id: str = "o-1", client_order_id: str = "", **changes: Any) -> Order:
    """Return a bot's resting limit order."""
    base = Order(
        order_id=order_id,
        client_order_id=client_order_id,
        account=ACCOUNT,
        symbol="XBTUSDT",
        side=OrderSide.BUY,
        kind=OrderKind.LIMIT,
        status=OrderStatus.NEW,
        quantity=100,
        leaves_quantity=100,
        price=Decimal(950),
    )
    return replace(base, **changes)


def a_stop(order_id: str = "s-1", client_order_id: str = "sw-7-XBTUSDT-L-s1", **changes: Any) -> Order:
    """Return a resting protective stop for the long of `a_position`, by default the guard's own first one."""
    base = an_order(
        order_id,
        client_order_id,
        side=OrderSide.SELL,
        kind=OrderKind.STOP_MARKET,
        price=None,
        stop_price=Decimal(918),
        trigger=Trigger.MARK,
        is_reduce_only=True,
    )
    return replace(base, **changes)


def a_margin(**changes: Any) -> Margin:
    """Return a comfortable margin row."""
    base = Margin(
        account=ACCOUNT,
        currency="USDt",
        wallet_balance_sat=1_000_000,
        margin_balance_sat=1_000_000,
        available_sat=900_000,
        timestamp_ns=START_NS,
    )
    return replace(base, **changes)
