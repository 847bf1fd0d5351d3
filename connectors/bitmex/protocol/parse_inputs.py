"""Wire rows of what surrounds the positions: wallets, the insurance fund, liquidations of others.

Why: a guard protects without these, so they are read apart from what it lives on. A column that is missing is never
read as a zero where zero would mean something.

Source: www.bitmex.com/api/explorer (columns), docs/venue-facts.md.
"""

from __future__ import annotations

from typing import Final

from connectors.bitmex.protocol.numbers import Row, integer, price, required_integer, required_text, time_ns
from connectors.bitmex.protocol.parse import order_side
from connectors.vocabulary import Insurance, LiquidationOrder, Wallet

_MOVEMENTS: Final = (("deposited", 1), ("transferIn", 1), ("withdrawn", -1), ("transferOut", -1))


def parse_wallet(row: Row) -> Wallet:
    """Return a wallet row as a value. Movements are told only by a row that has all four columns of them.

    Raises:
        MalformedRow: If part of the key is missing or a cell cannot be read.
    """
    moved = [(integer(row, column), sign) for column, sign in _MOVEMENTS]
    known = [sign * amount for amount, sign in moved if amount is not None]
    return Wallet(
        account=required_integer(row, "account"),
        currency=required_text(row, "currency"),
        transfers_sat=sum(known) if len(known) == len(moved) else None,
        amount_sat=integer(row, "amount"),
        timestamp_ns=time_ns(row, "timestamp"),
    )


def parse_insurance(row: Row) -> Insurance:
    """Return a publication of the insurance fund as a value.

    Raises:
        MalformedRow: If currency or balance are missing, or a cell cannot be read.
    """
    return Insurance(
        currency=required_text(row, "currency"),
        balance_sat=required_integer(row, "walletBalance"),
        timestamp_ns=time_ns(row, "timestamp"),
    )


def parse_liquidation(row: Row) -> LiquidationOrder:
    """Return a liquidation of somebody's position as a value.

    Raises:
        MalformedRow: If id, symbol or side are missing, or a cell cannot be read.
    """
    return LiquidationOrder(
        order_id=required_text(row, "orderID"),
        symbol=required_text(row, "symbol"),
        side=order_side(row),
        price=price(row, "price"),
        leaves_quantity=integer(row, "leavesQty") or 0,
    )
