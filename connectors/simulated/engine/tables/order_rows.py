"""Rows of orders and executions: every column, in the venue's order.

Units: as on the wire. Source: partials of 2024 to 2026, execution rows of 2019 with what has
gone since left out.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.holdings.ledger import Position
from connectors.simulated.engine.resting.orders import Order, Status
from connectors.simulated.engine.rows import iso

NO_ORDER = "00000000-0000-0000-0000-000000000000"  # shown where no order or match stands behind

EXECUTION_COLUMNS = (
    "execID",
    "orderID",
    "clOrdID",
    "clOrdLinkID",
    "account",
    "symbol",
    "strategy",
    "side",
    "lastQty",
    "lastPx",
    "lastLiquidityInd",
    "orderQty",
    "price",
    "displayQty",
    "stopPx",
    "pegOffsetValue",
    "pegPriceType",
    "currency",
    "settlCurrency",
    "execType",
    "ordType",
    "timeInForce",
    "execInst",
    "contingencyType",
    "ordStatus",
    "triggered",
    "workingIndicator",
    "ordRejReason",
    "leavesQty",
    "cumQty",
    "avgPx",
    "commission",
    "brokerCommission",
    "feeType",
    "tradePublishIndicator",
    "text",
    "trdMatchID",
    "execCost",
    "execComm",
    "brokerExecComm",
    "homeNotional",
    "foreignNotional",
    "transactTime",
    "timestamp",
    "realisedPnl",
    "trdType",
)


_NO_EXECUTION: Row = dict.fromkeys(EXECUTION_COLUMNS)


def order_row(order: Order) -> Row:
    """Return the `order` row."""
    contract = order.contract
    unsized = order.quantity is None and order.is_open
    return {
        "orderID": order.order_id,
        "clOrdID": order.cl_ord_id or None,
        "clOrdLinkID": order.cl_ord_link_id or None,
        "account": order.account,
        "symbol": contract.symbol,
        "strategy": "OneWay",
        "side": order.side.value,
        "orderQty": order.quantity,
        "price": order.price if order.ord_type.has_limit else order.shown_price,
        "displayQty": order.display_quantity,
        "stopPx": order.stop_px,
        "pegOffsetValue": order.peg_offset,
        "pegPriceType": order.peg and order.peg.value,
        "currency": contract.quote_currency,
        "settlCurrency": contract.settl_currency,
        "ordType": order.ord_type.value,
        "timeInForce": order.time_in_force,
        "execInst": order.instructions.text or None,
        "contingencyType": order.contingency and order.contingency.value,
        "ordStatus": order.status.value,
        "triggered": _triggered(order),
        "workingIndicator": order.is_working,
        "ordRejReason": order.reject_reason or None,
        "leavesQty": None if unsized else order.leaves,
        "cumQty": order.filled,
        "avgPx": order.average_price,
        "text": order.text,
        "transactTime": iso(order.transact_ms),
        "timestamp": iso(order.changed_ms),
        "pool": "Primary",
    }


def _triggered(order: Order) -> str | None:
    if order.is_triggered:
        return "StopOrderTriggered"
    return "Triggered" if order.is_released else None


class FillFigures(Struct, frozen=True, kw_only=True):
    """The numbers of one match, funding exchange or liquidation on an execution row."""

    quantity: int  # unsigned contracts
    price: Decimal
    liquidity: str | None  # AddedLiquidity, RemovedLiquidity
    rate: Decimal  # fee or funding rate; negative is received
    cost: int
    fee: int
    home: Decimal
    foreign: Decimal
    realised_pnl: int | None = None

    def columns(self) -> Row:
        """Return the columns that only a match, a funding exchange or a liquidation has."""
        return {
            "lastQty": self.quantity,
            "lastPx": self.price,
            "lastLiquidityInd": self.liquidity,
            "commission": self.rate,
            "execCost": self.cost,
            "execComm": self.fee,
            "brokerExecComm": 0,
            "homeNotional": self.home,
            "foreignNotional": self.foreign,
            "realisedPnl": self.realised_pnl,
        }


class ExecutionStamp(Struct, frozen=True, kw_only=True):
    """What identifies one execution row."""

    exec_id: str
    exec_type: str
    match_id: str = NO_ORDER
    at_ms: int

    def columns(self) -> Row:
        """Return the columns every execution row has."""
        return {
            "execID": self.exec_id,
            "execType": self.exec_type,
            "trdMatchID": self.match_id,
            "transactTime": iso(self.at_ms),
            "timestamp": iso(self.at_ms),
        }


def execution_row(of_order: Row, stamp: ExecutionStamp, fill: FillFigures | None) -> Row:
    """Return the `execution` row of an event of an order, given its `order` row; `fill` only where something traded."""
    row = _NO_EXECUTION.copy()
    row.update(of_order)
    del row["pool"]  # a column of orders only
    if fill is not None:
        row.update(fill.columns())
        row.update(tradePublishIndicator="PublishTrade", trdType="Regular")
    row.update(stamp.columns())
    return row


def reject_row(account: int, stamp: ExecutionStamp, reason: str, *, order_id: str, cl_ord_id: str) -> Row:
    """Return the `execution` row of a failed amend or cancel; it names no symbol and no side."""
    row: Row = dict.fromkeys(EXECUTION_COLUMNS)
    row.update(
        orderID=order_id,
        clOrdID=cl_ord_id or None,
        account=account,
        ordStatus=Status.REJECTED.value,
        workingIndicator=False,
        ordRejReason=reason,
        text=reason,
    )
    row.update(stamp.columns())
    return row


def system_execution_row(
    position: Position, stamp: ExecutionStamp, fill: FillFigures, *, text: str, side: str | None
) -> Row:
    """Return the `execution` row of a funding exchange (no side) or a liquidation."""
    is_funding = side is None
    contract = position.contract
    row: Row = dict.fromkeys(EXECUTION_COLUMNS)
    row.update(fill.columns())
    row.update(
        orderID=NO_ORDER,
        account=position.account,
        symbol=contract.symbol,
        strategy="OneWay",
        side=side,
        orderQty=fill.quantity,
        price=fill.price,
        currency=contract.quote_currency,
        settlCurrency=contract.settl_currency,
        ordType="Limit",
        timeInForce="AtTheClose" if is_funding else "ImmediateOrCancel",
        ordStatus=Status.FILLED.value,
        workingIndicator=False,
        leavesQty=0,
        cumQty=fill.quantity,
        avgPx=fill.price,
        tradePublishIndicator=None if is_funding else "DoNotPublishTrade",
        text=text,
        trdType=None if is_funding else "Regular",
    )
    row.update(stamp.columns())
    return row
