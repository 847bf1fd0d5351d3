"""Orders, executions, positions and wallets as the venue's rows: every column, in its order.

Why: most public clients read full rows, so a column without a value is None, never left out.
A server may thin rows out; it can not invent columns.

Units: as on the wire: minor units, contracts, quote prices, ISO 8601 times in UTC.
Source: columns and types of the venue's partials of 2024 to 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from connectors.simulated.changes import Row
from connectors.simulated.contracts import EXACT, ONE, Contract, Kind
from connectors.simulated.ledger import Account, Position, Wallet
from connectors.simulated.orders import Order, Status, tidy
from connectors.simulated.standing import Boundaries, PositionStanding, Standing

MAJOR = {"XBt": 100_000_000, "USDt": 1_000_000}
ACCOUNT_RISK_LIMIT = {"XBt": 1_000_000_000_000, "USDt": 500_000_000_000_000}
PRICE_PLACES = Decimal("0.0001")
SHARE_PLACES = Decimal("0.0001")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def iso(at_ms: int) -> str:
    """Return a time as the venue writes it, such as `2026-05-03T05:01:40.510Z`."""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def share(part: int, whole: int | Decimal) -> Decimal:
    """Return a quotient to four decimals; zero when there is no whole."""
    if not whole:
        return Decimal(0)
    return tidy(EXACT.divide(Decimal(part), Decimal(whole)).quantize(SHARE_PLACES))


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
        "pegOffsetValue": None,
        "pegPriceType": None,
        "currency": contract.quote_currency,
        "settlCurrency": contract.settl_currency,
        "ordType": order.ord_type.value,
        "timeInForce": order.time_in_force,
        "execInst": order.instructions.text or None,
        "contingencyType": None,
        "ordStatus": order.status.value,
        "triggered": "StopOrderTriggered" if order.is_triggered else None,
        "workingIndicator": order.is_working,
        "ordRejReason": order.reject_reason or None,
        "leavesQty": None if unsized else order.leaves,
        "cumQty": order.filled,
        "avgPx": order.average_price,
        "text": order.text,
        "transactTime": iso(order.transact_ms),
        "timestamp": iso(order.changed_ms),
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class FillFigures:
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


def execution_row(
    order: Order, *, exec_id: str, exec_type: str, match_id: str, at_ms: int, fill: FillFigures | None
) -> Row:
    """Return the `execution` row of an event of an order; `fill` only where something traded."""
    row = order_row(order)
    return {
        "execID": exec_id,
        "orderID": row["orderID"],
        "clOrdID": row["clOrdID"],
        "clOrdLinkID": row["clOrdLinkID"],
        "account": order.account,
        "symbol": row["symbol"],
        "strategy": "OneWay",
        "side": row["side"],
        "lastQty": fill.quantity if fill else None,
        "lastPx": fill.price if fill else None,
        "lastLiquidityInd": fill.liquidity if fill else None,
        "orderQty": row["orderQty"],
        "price": row["price"],
        "displayQty": row["displayQty"],
        "stopPx": row["stopPx"],
        "pegOffsetValue": None,
        "pegPriceType": None,
        "currency": row["currency"],
        "settlCurrency": row["settlCurrency"],
        "execType": exec_type,
        "ordType": row["ordType"],
        "timeInForce": row["timeInForce"],
        "execInst": row["execInst"],
        "contingencyType": None,
        "ordStatus": row["ordStatus"],
        "triggered": row["triggered"],
        "workingIndicator": row["workingIndicator"],
        "ordRejReason": row["ordRejReason"],
        "leavesQty": row["leavesQty"],
        "cumQty": row["cumQty"],
        "avgPx": row["avgPx"],
        "commission": fill.rate if fill else None,
        "brokerCommission": None,
        "feeType": None,
        "tradePublishIndicator": "PublishTrade" if fill else None,
        "text": row["text"],
        "trdMatchID": match_id,
        "execCost": fill.cost if fill else None,
        "execComm": fill.fee if fill else None,
        "brokerExecComm": 0 if fill else None,
        "homeNotional": fill.home if fill else None,
        "foreignNotional": fill.foreign if fill else None,
        "transactTime": iso(at_ms),
        "timestamp": iso(at_ms),
        "realisedPnl": fill.realised_pnl if fill else None,
        "trdType": "Regular" if fill else None,
    }


def system_execution_row(
    position: Position,
    *,
    exec_id: str,
    match_id: str,
    exec_type: str,
    text: str,
    side: str | None,
    at_ms: int,
    fill: FillFigures,
    no_order: str,
) -> Row:
    """Return the `execution` row of a funding exchange or a liquidation: no order behind it."""
    is_funding = exec_type == "Funding"
    contract = position.contract
    return {
        "execID": exec_id,
        "orderID": no_order,
        "clOrdID": None,
        "clOrdLinkID": None,
        "account": position.account,
        "symbol": contract.symbol,
        "strategy": "OneWay",
        "side": side,
        "lastQty": fill.quantity,
        "lastPx": fill.price,
        "lastLiquidityInd": fill.liquidity,
        "orderQty": fill.quantity,
        "price": fill.price,
        "displayQty": None,
        "stopPx": None,
        "pegOffsetValue": None,
        "pegPriceType": None,
        "currency": contract.quote_currency,
        "settlCurrency": contract.settl_currency,
        "execType": exec_type,
        "ordType": "Limit",
        "timeInForce": "AtTheClose" if is_funding else "ImmediateOrCancel",
        "execInst": None,
        "contingencyType": None,
        "ordStatus": Status.FILLED.value,
        "triggered": None,
        "workingIndicator": False,
        "ordRejReason": None,
        "leavesQty": 0,
        "cumQty": fill.quantity,
        "avgPx": fill.price,
        "commission": fill.rate,
        "brokerCommission": None,
        "feeType": None,
        "tradePublishIndicator": None if is_funding else "DoNotPublishTrade",
        "text": text,
        "trdMatchID": match_id,
        "execCost": fill.cost,
        "execComm": fill.fee,
        "brokerExecComm": 0,
        "homeNotional": fill.home,
        "foreignNotional": fill.foreign,
        "transactTime": iso(at_ms),
        "timestamp": iso(at_ms),
        "realisedPnl": fill.realised_pnl,
        "trdType": None if is_funding else "Regular",
    }


def notionals(contract: Contract, quantity: int, price: Decimal, *, quote_to_settle: int) -> tuple[Decimal, Decimal]:
    """Return (home, foreign): underlying with the sign of a quantity, quote with the opposite.

    Args:
        contract: What is held or traded.
        quantity: Signed contracts.
        price: Price to value them at.
        quote_to_settle: Minor units per unit of quote currency; used by quanto contracts only.
    """
    if not quantity:
        return Decimal(0), Decimal(0)
    sign = -1 if quantity < 0 else 1
    value = contract.value(quantity, price)
    match contract.kind:
        case Kind.INVERSE:
            home = Decimal(value) / MAJOR[contract.settl_currency]
            return tidy(home * sign), Decimal(-quantity)
        case Kind.LINEAR:
            home = Decimal(quantity) / (contract.underlying_to_position or 1)
            return tidy(home), tidy(Decimal(-value * sign) / MAJOR[contract.settl_currency])
        case Kind.QUANTO:
            foreign = Decimal(value) / quote_to_settle
            places = Decimal("0.00000001")
            home = (foreign / price).quantize(places, ROUND_HALF_EVEN) if price else Decimal(0)
            return tidy(home * sign), tidy((foreign * -sign).quantize(places, ROUND_HALF_EVEN))


def entry_price(position: Position) -> Decimal:
    """Return the average entry price of an open position, as the venue rounds it."""
    raw = position.contract.exact_price(position.cost, position.quantity)
    return tidy((raw or Decimal(0)).quantize(PRICE_PLACES, ROUND_HALF_EVEN))


def break_even_price(position: Position) -> Decimal:
    """Return the price at which the position's whole result, fees and funding included, is zero."""
    contract = position.contract
    done = position.realised_pnl + position.rebalanced_pnl
    value = position.unrealised_cost - done
    long_inverse = (contract.kind is Kind.INVERSE) is (position.quantity > 0)
    return contract.price_at_value(-value if long_inverse else value, position.quantity)


def position_row(
    position: Position,
    own: PositionStanding,
    *,
    mark: Decimal,
    quote_to_settle: int,
    edges: Boundaries | None,
    at_ms: int,
) -> Row:
    """Return the `position` row; prices are None on a flat one."""
    contract = position.contract
    init_rate, maint_rate = ONE / position.effective_leverage, position.rates[1]
    is_open = position.quantity != 0
    home, foreign = notionals(contract, position.quantity, mark, quote_to_settle=quote_to_settle)
    entry = entry_price(position) if is_open else None
    sign = -1 if contract.kind is Kind.INVERSE else 1
    load = own.load
    return {
        "account": position.account,
        "symbol": contract.symbol,
        "strategy": "OneWay",
        "currency": contract.settl_currency,
        "underlying": contract.underlying,
        "quoteCurrency": contract.quote_currency,
        "commission": contract.fee,
        "initMarginReq": _rate(init_rate),
        "maintMarginReq": _rate(maint_rate),
        "riskLimit": position.risk_limit,
        "leverage": tidy(position.effective_leverage),
        "crossMargin": position.is_cross,
        "deleveragePercentile": ONE if is_open else None,
        "rebalancedPnl": position.rebalanced_pnl,
        "prevRealisedPnl": position.prev_realised_pnl,
        "prevUnrealisedPnl": 0,
        "openingQty": position.opening_quantity,
        "openOrderBuyQty": load.buy.quantity,
        "openOrderBuyCost": sign * load.buy.cost,
        "openOrderBuyPremium": load.buy.premium,
        "openOrderSellQty": load.sell.quantity,
        "openOrderSellCost": sign * load.sell.cost,
        "openOrderSellPremium": load.sell.premium,
        "currentQty": position.quantity,
        "currentCost": position.current_cost,
        "currentComm": position.current_comm,
        "realisedCost": position.realised_cost,
        "unrealisedCost": position.unrealised_cost,
        "grossOpenPremium": load.premium,
        "isOpen": is_open,
        "markPrice": mark if is_open else None,
        "markValue": own.mark_value,
        "riskValue": own.risk_value,
        "homeNotional": home,
        "foreignNotional": foreign,
        "posState": "Liquidation" if position.is_in_liquidation else None,
        "posCost": position.unrealised_cost,
        "posCross": 0 if position.is_cross else position.pos_cross,
        "posComm": own.pos_comm,
        "posLoss": 0 if position.is_cross else position.pos_loss,
        "posMargin": own.pos_margin,
        "posMaint": own.pos_maint,
        "posInit": own.pos_init,
        "initMargin": own.init_margin,
        "maintMargin": own.maint_margin,
        "realisedPnl": position.realised_pnl,
        "unrealisedPnl": own.unrealised_pnl,
        "unrealisedPnlPcnt": share(own.unrealised_pnl, position.cost),
        "unrealisedRoePcnt": share(own.unrealised_pnl, position.cost * init_rate),
        "avgCostPrice": entry,
        "avgEntryPrice": entry,
        "breakEvenPrice": break_even_price(position) if is_open else None,
        "marginCallPrice": edges.liquidation if edges else None,
        "liquidationPrice": edges.liquidation if edges else None,
        "bankruptPrice": edges.bankruptcy if edges else None,
        "timestamp": iso(at_ms),
    }


def _rate(value: Decimal) -> Decimal:
    """Return a rate with the sixteen digits a binary float would show."""
    return tidy(value.quantize(Decimal("0.0000000000000001"), ROUND_HALF_EVEN))


def margin_row(account: Account, wallet: Wallet, whole: Standing, *, at_ms: int) -> Row:
    """Return the `margin` row of one currency."""
    held = account.held(wallet.currency)
    parts = whole.positions.values()
    gross_mark = sum(abs(part.mark_value) for part in parts)
    balance = whole.margin_balance
    leverage = EXACT.divide(Decimal(gross_mark), Decimal(balance)) if balance > 0 else Decimal(0)
    used = whole.init_margin + whole.maint_margin
    free = max(0, whole.available)
    return {
        "account": account.number,
        "currency": wallet.currency,
        "riskLimit": ACCOUNT_RISK_LIMIT.get(wallet.currency, 0),
        "state": None,
        "amount": wallet.amount,
        "prevRealisedPnl": wallet.prev_realised_pnl,
        "grossComm": sum(position.current_comm for position in held),
        "grossOpenCost": sum(part.load.open_cost for part in parts),
        "grossOpenPremium": sum(part.load.premium for part in parts),
        "grossExecCost": 0,
        "grossMarkValue": gross_mark,
        "riskValue": sum(part.risk_value for part in parts),
        "initMargin": whole.init_margin,
        "maintMargin": whole.maint_margin,
        "targetExcessMargin": 0,
        "realisedPnl": whole.wallet_balance - wallet.amount,
        "unrealisedPnl": whole.unrealised_pnl,
        "walletBalance": whole.wallet_balance,
        "marginBalance": balance,
        "marginLeverage": tidy(leverage.quantize(Decimal("1e-16"), ROUND_HALF_EVEN)),
        "marginUsedPcnt": share(used, balance) if balance > 0 else ONE if used else Decimal(0),
        "excessMargin": whole.available,
        "availableMargin": whole.available,
        "withdrawableMargin": free,
        "systemWithdrawableMargin": free,
        "makerFeeDiscount": None,
        "takerFeeDiscount": None,
        "timestamp": iso(at_ms),
        "foreignMarginBalance": 0,
        "foreignRequirement": 0,
        "isolatedUnrealisedPnl": whole.unrealised_pnl - whole.cross_pnl,
    }


def wallet_row(wallet: Wallet) -> Row:
    """Return the `wallet` row."""
    return {
        "account": wallet.account,
        "currency": wallet.currency,
        "deposited": wallet.deposited,
        "withdrawn": wallet.withdrawn,
        "transferIn": 0,
        "transferOut": 0,
        "amount": wallet.amount,
        "pendingCredit": 0,
        "pendingDebit": 0,
        "confirmedDebit": 0,
        "timestamp": iso(wallet.changed_ms),
    }
