"""Orders: place, amend, cancel, the dead man's switch, and what became of them.

Source: www.bitmex.com/api/explorer, Order and Execution.
"""

from __future__ import annotations

from connectors.simulated.engine.inputs import (
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    PlaceOrder,
)
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.rest.call import Answer, Call
from connectors.simulated.server.selection import matches
from connectors.simulated.server.tables import EXECUTION, ORDER

_LONGEST_TIMEOUT_MS = 1_000_000_000_000
_DAY_CHARS = 10  # of a timestamp
_BALANCE_CHANGES = frozenset({"Trade", "Settlement", "Funding", "Insurance", "Rebalance", "Liquidation", "Bankruptcy"})


def get_orders(call: Call) -> Answer:
    """`GET /order`."""
    return call.selected(call.venue.exchange.order_rows(call.account), ORDER)


def place_order(call: Call) -> Answer:
    """`POST /order`."""
    params = call.params
    if params.text("strategy") not in (None, "OneWay"):
        raise Refused("Invalid strategy")  # hedge mode is not modelled
    order = PlaceOrder(
        account=call.account,
        symbol=call.required_symbol(),
        side=params.text("side"),
        order_qty=params.whole("orderQty"),
        price=params.decimal("price"),
        stop_px=params.decimal("stopPx"),
        ord_type=params.text("ordType"),
        exec_inst=",".join(params.names("execInst")),
        time_in_force=params.text("timeInForce"),
        cl_ord_id=params.text("clOrdID") or "",
        cl_ord_link_id=params.text("clOrdLinkID") or "",
        display_qty=params.whole("displayQty"),
        peg_price_type=params.text("pegPriceType"),
        peg_offset_value=params.decimal("pegOffsetValue"),
        contingency_type=params.text("contingencyType") or "",
        text=params.text("text") or "",
    )
    return call.submit(order)


def amend_order(call: Call) -> Answer:
    """`PUT /order`."""
    params = call.params
    amendment = AmendOrder(
        account=call.account,
        order_id=params.text("orderID"),
        orig_cl_ord_id=params.text("origClOrdID"),
        cl_ord_id=params.text("clOrdID"),
        order_qty=params.whole("orderQty"),
        leaves_qty=params.whole("leavesQty"),
        price=params.decimal("price"),
        stop_px=params.decimal("stopPx"),
        peg_offset_value=params.decimal("pegOffsetValue"),
        text=params.text("text") or "",
    )
    return call.submit(amendment)


def cancel_orders(call: Call) -> Answer:
    """`DELETE /order`."""
    order_ids, cl_ord_ids = call.params.names("orderID"), call.params.names("clOrdID")
    if not order_ids and not cl_ord_ids:
        raise Refused("orderID or clOrdID must be sent.")
    text = call.params.text("text") or ""
    return call.submit(CancelOrders(account=call.account, order_ids=order_ids, cl_ord_ids=cl_ord_ids, text=text))


def cancel_all_orders(call: Call) -> Answer:
    """`DELETE /order/all`."""
    conditions = call.params.conditions(ORDER)
    order_ids = None
    if conditions:
        rows = call.venue.exchange.order_rows(call.account)
        order_ids = tuple(str(row["orderID"]) for row in rows if matches(row, {**conditions, "open": True}))
    text = call.params.text("text") or ""
    return call.submit(CancelAll(account=call.account, symbol=call.symbol(), order_ids=order_ids, text=text))


def cancel_all_after(call: Call) -> Answer:
    """`POST /order/cancelAllAfter`."""
    timeout_ms = call.params.required_whole("timeout")
    return call.submit(CancelAllAfter(account=call.account, timeout_ms=checked_timeout(timeout_ms)))


def checked_timeout(timeout_ms: int) -> int:
    """Return the time-out of the dead man's switch if it can be one.

    Raises:
        Refused: 400 `Invalid timeout`.
    """
    if not 0 <= timeout_ms <= _LONGEST_TIMEOUT_MS:
        raise Refused("Invalid timeout")
    return timeout_ms


def close_position(call: Call) -> Answer:
    """`POST /order/closePosition`: the position goes, and the symbol's other orders; all stay if it is refused."""
    symbol = call.required_symbol()
    price = call.params.decimal("price")
    rows = call.venue.exchange.position_rows(call.account)
    held = next((row["currentQty"] for row in rows if row["symbol"] == symbol), 0)
    side = "Sell" if isinstance(held, int) and held > 0 else "Buy"
    orders = call.venue.exchange.order_rows(call.account)
    others = tuple(str(row["orderID"]) for row in orders if matches(row, {"symbol": symbol, "open": True}))
    ord_type = "Market" if price is None else "Limit"
    close = PlaceOrder(
        account=call.account, symbol=symbol, side=side, price=price, ord_type=ord_type, exec_inst="Close"
    )
    closed = call.submit(close)
    call.submit(CancelAll(account=call.account, symbol=symbol, order_ids=others))
    return closed


def get_executions(call: Call) -> Answer:
    """`GET /execution`."""
    return call.selected(call.venue.exchange.execution_rows(call.account), EXECUTION)


def get_trade_history(call: Call) -> Answer:
    """`GET /execution/tradeHistory`: only what changed the balance."""
    rows = call.venue.exchange.execution_rows(call.account)
    return call.selected([row for row in rows if row["execType"] in _BALANCE_CHANGES], EXECUTION)


def get_day_of_executions(call: Call) -> Answer:
    """`GET /user/executionHistory`: the balance changes of one instrument on one day (UTC)."""
    symbol, day = call.required_symbol(), call.params.required_text("timestamp")[:_DAY_CHARS]
    rows = call.venue.exchange.execution_rows(call.account)
    return [
        row
        for row in rows
        if row["execType"] in _BALANCE_CHANGES and row["symbol"] == symbol and str(row["timestamp"]).startswith(day)
    ]
