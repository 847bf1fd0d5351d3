"""Wire rows to the vocabulary, sparse rows and full ones alike.

Why: the venue's columns and words end here. Rows before 2024 carry every column with null or "" in the empty ones,
later ones leave them out; a word this build does not know becomes UNKNOWN or OTHER and never an error. What cannot be
meant raises `MalformedRow`.

Source: www.bitmex.com/api/explorer (columns), www.bitmex.com/app/wsAPI (tables), docs/venue-facts.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from connectors.bitmex.protocol.numbers import (
    MalformedRow,
    Row,
    flag,
    integer,
    number,
    price,
    required_integer,
    required_price,
    required_text,
    span_ns,
    text,
    time_ns,
)
from connectors.ports import KeyRights
from connectors.vocabulary import (
    ZERO,
    ContractKind,
    Execution,
    ExecutionKind,
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

ONE_WAY: Final = "OneWay"

_SIDES: Final = {"Buy": OrderSide.BUY, "Sell": OrderSide.SELL}
_KINDS: Final = {
    "Market": OrderKind.MARKET,
    "Limit": OrderKind.LIMIT,
    "Stop": OrderKind.STOP_MARKET,
    "StopLimit": OrderKind.STOP_LIMIT,
}
_STATUSES: Final = {
    "PendingNew": OrderStatus.PENDING,
    "PendingReplace": OrderStatus.PENDING,
    "PendingCancel": OrderStatus.PENDING,
    "New": OrderStatus.NEW,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Filled": OrderStatus.FILLED,
    "Canceled": OrderStatus.CANCELED,
    "Rejected": OrderStatus.REJECTED,
}
_TRIGGERS: Final = {"MarkPrice": Trigger.MARK, "IndexPrice": Trigger.INDEX, "LastPrice": Trigger.LAST}
_EXECUTIONS: Final = {
    "Trade": ExecutionKind.TRADE,
    "Funding": ExecutionKind.FUNDING,
    "Liquidation": ExecutionKind.LIQUIDATION,
    "Bankruptcy": ExecutionKind.LIQUIDATION,
    "Settlement": ExecutionKind.SETTLEMENT,
    "Canceled": ExecutionKind.ENDED,
    "Rejected": ExecutionKind.ENDED,
}
_REFUSED_REQUESTS: Final = frozenset({"CancelReject", "AmendReject"})
_NOT_DERIVATIVES: Final = ("IFXXXP", "FFMCSX", "MR")
"""Spot, calendar spreads (no mark price, prices below zero) and indices, by the start of `typ`."""


def execution_instructions(row: Row) -> frozenset[str]:
    """Return the words of `execInst`, which the venue joins with commas (older gateways with spaces)."""
    return frozenset(text(row, "execInst").replace(",", " ").split())


def order_status(row: Row) -> OrderStatus:
    """Return what the row says of the order, UNKNOWN for any word this build does not know."""
    return _STATUSES.get(text(row, "ordStatus"), OrderStatus.UNKNOWN)


def is_refused_request(row: Row) -> bool:
    """Whether the row reports a failed amend or cancel: its `ordStatus` speaks of the request, not of the order."""
    return text(row, "execType") in _REFUSED_REQUESTS


def refusal_reason(row: Row) -> str:
    """Return why an amend or cancel was refused."""
    return text(row, "ordRejReason") or text(row, "text") or "no reason given"


def parse_order(row: Row) -> Order:
    """Return an order row as a value.

    Raises:
        MalformedRow: If id, symbol or side are missing, or a cell cannot be read.
    """
    instructions = execution_instructions(row)
    kind = _KINDS.get(text(row, "ordType"), OrderKind.OTHER)
    status = order_status(row)
    quantity = integer(row, "orderQty")
    filled = integer(row, "cumQty") or 0
    return Order(
        order_id=required_text(row, "orderID"),
        client_order_id=text(row, "clOrdID"),
        account=integer(row, "account") or 0,
        symbol=required_text(row, "symbol"),
        strategy=text(row, "strategy") or ONE_WAY,
        side=order_side(row),
        kind=kind,
        status=status,
        quantity=None if quantity is None else abs(quantity),
        leaves_quantity=_leaves(row, status, quantity, filled),
        filled_quantity=filled,
        price=price(row, "price"),
        stop_price=price(row, "stopPx"),
        trigger=_trigger(kind, instructions),
        is_reduce_only=bool(instructions & {"ReduceOnly", "Close"}),
        is_close="Close" in instructions,
        is_triggered=text(row, "triggered") not in {"", "NotTriggered"},
        text=text(row, "text"),
        timestamp_ns=time_ns(row, "timestamp"),
    )


def order_side(row: Row) -> OrderSide:
    """Return the direction of an order.

    Raises:
        MalformedRow: If the row names none.
    """
    side = _SIDES.get(text(row, "side"))
    if side is None:
        raise MalformedRow("side is neither Buy nor Sell")
    return side


def _leaves(row: Row, status: OrderStatus, quantity: int | None, filled: int) -> int:
    """What is left to do. An absent column is not a zero: it follows from quantity and status."""
    leaves = integer(row, "leavesQty")
    if leaves is not None:
        return leaves
    if status.is_final or quantity is None:
        return 0
    return max(0, abs(quantity) - filled)


def _trigger(kind: OrderKind, instructions: frozenset[str]) -> Trigger | None:
    """The trigger source that the row names. None when it names none: sources disagree about the default."""
    if kind in {OrderKind.MARKET, OrderKind.LIMIT}:
        return None
    named = [trigger for word, trigger in _TRIGGERS.items() if word in instructions]
    return named[0] if len(named) == 1 else None


def parse_position(row: Row) -> Position:
    """Return a position row as a value, flat ones included.

    The prices of a flat row are void whatever its columns still say. The sentinels of `liquidationPrice` (zero, the
    highest price, 100000000) are passed through for the core to judge.

    Raises:
        MalformedRow: If part of the key is missing, an open row has no quantity, or a cell cannot be read.
    """
    quantity = _position_quantity(row)
    held = quantity != 0
    return Position(
        key=PositionKey(
            account=required_integer(row, "account"),
            symbol=required_text(row, "symbol"),
            strategy=text(row, "strategy") or ONE_WAY,
        ),
        quantity=quantity,
        currency=text(row, "currency"),
        entry_price=price(row, "avgEntryPrice") if held else None,
        is_cross=flag(row, "crossMargin"),
        leverage=price(row, "leverage") or ZERO,
        liquidation_price=price(row, "liquidationPrice") if held else None,
        bankruptcy_price=price(row, "bankruptPrice") if held else None,
        mark_price=price(row, "markPrice") if held else None,
        maintenance_margin_ratio=price(row, "maintMarginReq"),
        commission=price(row, "commission"),
        cost_sat=integer(row, "posCost") or 0,
        unrealised_cost_sat=integer(row, "unrealisedCost") or 0,
        initial_margin_sat=integer(row, "posInit") or 0,
        fee_reserve_sat=integer(row, "posComm") or 0,
        margin_sat=integer(row, "posMargin") or 0,
        maintenance_sat=integer(row, "posMaint") or 0,
        locked_sat=integer(row, "maintMargin") or 0,
        unrealised_pnl_sat=integer(row, "unrealisedPnl") or 0,
        timestamp_ns=time_ns(row, "timestamp"),
        initial_margin_ratio=price(row, "initMarginReq"),
        risk_limit_sat=integer(row, "riskLimit") or 0,
        cross_sat=integer(row, "posCross") or 0,
        loss_sat=integer(row, "posLoss") or 0,
        mark_value_sat=integer(row, "markValue") or 0,
        realised_pnl_sat=integer(row, "realisedPnl"),
        break_even_price=price(row, "breakEvenPrice") if held else None,
        adl_rank=_queue_rank(row) if held else None,
        order_margin_sat=integer(row, "initMargin") or 0,
        open_buy_quantity=integer(row, "openOrderBuyQty") or 0,
        open_buy_cost_sat=integer(row, "openOrderBuyCost") or 0,
        open_buy_premium_sat=integer(row, "openOrderBuyPremium") or 0,
        open_sell_quantity=integer(row, "openOrderSellQty") or 0,
        open_sell_cost_sat=integer(row, "openOrderSellCost") or 0,
        open_sell_premium_sat=integer(row, "openOrderSellPremium") or 0,
    )


def _queue_rank(row: Row) -> int | None:
    """The fifth of the auto-deleveraging queue that the position stands in, 5 at the front; None if not told.

    A share that cannot be one (below 0, above 1) says nothing.
    """
    share = price(row, "deleveragePercentile")
    if share is None or not 0 <= share <= 1:
        return None
    return max(1, math.ceil(share * 5))


def _position_quantity(row: Row) -> int:
    """Signed contracts. `isOpen: false` is flat; rows of spot symbols have neither column and are flat too."""
    quantity = integer(row, "currentQty")
    is_open = row.get("isOpen")
    if is_open is False:
        return 0
    if quantity is None and is_open is True:
        raise MalformedRow("currentQty is missing from an open position")
    return quantity or 0


def parse_margin(row: Row) -> Margin:
    """Return a margin row as a value.

    Raises:
        MalformedRow: If key or balances are missing, or a cell cannot be read.
    """
    wallet = integer(row, "walletBalance")
    if wallet is None:
        wallet = required_integer(row, "amount") + (integer(row, "realisedPnl") or 0)
    unrealised = integer(row, "unrealisedPnl") or 0
    equity = integer(row, "marginBalance")
    equity = wallet + unrealised if equity is None else equity
    initial = integer(row, "initMargin") or 0
    maintenance = integer(row, "maintMargin") or 0
    available = integer(row, "availableMargin")
    return Margin(
        account=required_integer(row, "account"),
        currency=required_text(row, "currency"),
        wallet_balance_sat=wallet,
        margin_balance_sat=equity,
        available_sat=equity - initial - maintenance if available is None else available,
        initial_margin_sat=initial,
        maintenance_margin_sat=maintenance,
        unrealised_pnl_sat=unrealised,
        amount_sat=integer(row, "amount"),
        is_multi_asset=bool(number(row, "foreignMarginBalance") or number(row, "foreignRequirement")),
        timestamp_ns=time_ns(row, "timestamp"),
    )


def parse_execution(row: Row) -> Execution:
    """Return an execution row as a value. Funding, settlement and liquidations have no side or a zero order id.

    Raises:
        MalformedRow: If the id is missing or a cell cannot be read.
    """
    return Execution(
        execution_id=required_text(row, "execID"),
        order_id=text(row, "orderID"),
        client_order_id=text(row, "clOrdID"),
        account=integer(row, "account") or 0,
        symbol=text(row, "symbol"),
        kind=_execution_kind(row),
        side=_SIDES.get(text(row, "side")),
        quantity=integer(row, "lastQty") or 0,
        price=price(row, "lastPx"),
        text=text(row, "text"),
        timestamp_ns=time_ns(row, "timestamp"),
    )


def _execution_kind(row: Row) -> ExecutionKind:
    """What happened. Older rows report a liquidation as a trade whose text says so."""
    kind = _EXECUTIONS.get(text(row, "execType"), ExecutionKind.OTHER)
    if kind is ExecutionKind.TRADE and text(row, "text").startswith("Liquidation"):
        return ExecutionKind.LIQUIDATION
    return kind


def parse_instrument(row: Row) -> Instrument | None:
    """Return a contract's figures; None for indices, spot, spreads, and rows that lack a figure a position needs.

    Raises:
        MalformedRow: If a cell cannot be read.
    """
    if text(row, "typ").startswith(_NOT_DERIVATIVES) or not _is_contract(row):
        return None
    return Instrument(
        symbol=required_text(row, "symbol"),
        kind=_contract_kind(row),
        settlement_currency=required_text(row, "settlCurrency"),
        multiplier=required_integer(row, "multiplier"),
        lot_size=required_integer(row, "lotSize"),
        tick_size=_tick_size(row),
        max_price=required_price(row, "maxPrice"),
        max_order_quantity=required_integer(row, "maxOrderQty"),
        initial_margin_ratio=required_price(row, "initMargin"),
        maintenance_margin_ratio=required_price(row, "maintMargin"),
        taker_fee=price(row, "takerFee") or ZERO,
        funding_rate=price(row, "fundingRate") or ZERO,
        reference_symbol=text(row, "referenceSymbol"),
        is_open=text(row, "state") == "Open",
        maker_fee=price(row, "makerFee") or ZERO,
        settlement_fee=price(row, "settlementFee") or ZERO,
        funding_at_ns=time_ns(row, "fundingTimestamp"),
        funding_interval_ns=span_ns(row, "fundingInterval"),
        expires_ns=time_ns(row, "settle") or time_ns(row, "expiry"),
        base_risk_limit_sat=integer(row, "riskLimit") or 0,
        risk_step_sat=integer(row, "riskStep") or 0,
    )


def _tick_size(row: Row) -> Decimal:
    found = required_price(row, "tickSize")
    if found <= 0:  # every price of ours is put on this grid
        raise MalformedRow(f"tickSize is {found}, and must be above 0")
    return found


_CONTRACT_TEXTS: Final = ("symbol", "settlCurrency")
_CONTRACT_FIGURES: Final = ("multiplier", "lotSize", "tickSize", "maxPrice", "maxOrderQty", "initMargin", "maintMargin")

INSTRUMENT_COLUMNS: Final = frozenset(
    {
        *_CONTRACT_TEXTS,
        *_CONTRACT_FIGURES,
        "typ",
        "isInverse",
        "isQuanto",
        "takerFee",
        "fundingRate",
        "referenceSymbol",
        "state",
        "makerFee",
        "settlementFee",
        "fundingTimestamp",
        "fundingInterval",
        "settle",
        "expiry",
        "riskLimit",
        "riskStep",
    }
)
"""Every column that `parse_instrument` reads: what a table has to remember of an instrument."""


def _is_contract(row: Row) -> bool:
    has_texts = all(text(row, column) for column in _CONTRACT_TEXTS)
    return has_texts and all(number(row, column) is not None for column in _CONTRACT_FIGURES)


def _contract_kind(row: Row) -> ContractKind:
    if flag(row, "isInverse"):
        return ContractKind.INVERSE
    return ContractKind.QUANTO if flag(row, "isQuanto") else ContractKind.LINEAR


_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})


def parse_key_rights(rows: Iterable[Row], *, key_id: str) -> KeyRights:
    """Return what the key may do, out of the list of the user's keys. Nothing else of those rows is kept.

    The rows hold a field called `secret`; it is not looked at.

    Raises:
        MalformedRow: If the key's own row cannot be read.
    """
    own = next((row for row in rows if row.get("id") == key_id), None)
    if own is None:
        return KeyRights(can_order=False, can_withdraw=False, is_readable=False)
    granted = own.get("permissions")
    if not isinstance(granted, list):
        raise MalformedRow("permissions is not a list")
    words = {word for word in granted if isinstance(word, str)}
    return KeyRights(
        can_order="order" in words,
        can_withdraw="withdraw" in words,
        is_readable=True,
        account=integer(own, "targetAccountId"),
        permissions=tuple(sorted(words)),
        networks=_networks(own),
    )


def _networks(own: Row) -> tuple[str, ...]:
    """Where a key may be used from; a list of old rows stands in one field, and some mean everywhere."""
    listed = own.get("cidrs")
    found = listed if isinstance(listed, list) and listed else [own.get("cidr")]
    words = [each for each in found if isinstance(each, str) and each]
    return () if any(each in _EVERYWHERE for each in words) else tuple(words)
