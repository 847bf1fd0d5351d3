"""Rows of positions, margins and wallets: every column, in the venue's order.

Units: as on the wire. Source: partials of 2024 to 2026; signs of a position's open-order costs
(negative for inverse contracts, both sides) from a row of 2026.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import EXACT, ONE, Contract, Kind
from connectors.simulated.engine.equity.standing import Boundaries, PositionStanding, Standing
from connectors.simulated.engine.holdings.ledger import Account, Position, Wallet
from connectors.simulated.engine.holdings.order_load import OrderLoad
from connectors.simulated.engine.resting.orders import tidy
from connectors.simulated.engine.rows import iso, notionals, share

ACCOUNT_RISK_LIMIT = {"XBt": 1_000_000_000_000, "USDt": 500_000_000_000_000}
QUEUE_BOUNDS = (Decimal(0), Decimal("0.5"), Decimal(1), Decimal(2))
PRICE_PLACES = Decimal("0.0001")
RATE_PLACES = Decimal("0.0000000000000001")  # what a binary float would show


def entry_price(position: Position) -> Decimal:
    """Return the average entry price of an open position, as the venue rounds it.

    A cost that is one tick's value for every lot shows that tick; an average of several shows
    four decimals, its cost per lot rounded against the holder.
    """
    contract = position.contract
    raw = contract.exact_price(position.cost, position.quantity) or Decimal(0)
    ticks = EXACT.divide(raw, contract.tick_size).to_integral_value(ROUND_HALF_EVEN)
    on_grid = ticks * contract.tick_size
    if on_grid and contract.value(position.quantity, on_grid) == position.cost:
        return tidy(on_grid)
    return tidy(raw.quantize(PRICE_PLACES, ROUND_HALF_EVEN))


def break_even_price(position: Position) -> Decimal:
    """Return the price at which the position's whole result, fees and funding included, is zero."""
    contract = position.contract
    done = position.realised_pnl + position.rebalanced_pnl
    value = position.unrealised_cost - done
    long_inverse = (contract.kind is Kind.INVERSE) is (position.quantity > 0)
    return contract.price_at_value(-value if long_inverse else value, position.quantity)


def queue_rank(position: Position, pnl: int) -> Decimal | None:
    """Return the place in the auto-deleveraging queue, in fifths; None when flat.

    It is the one of the latest ranking. Whoever was alone on his side then, or came later, is
    compared with fixed bounds of the return on initial margin instead.
    """
    if not position.quantity:
        return None
    if position.rank is not None:
        return position.rank
    required = EXACT.divide(Decimal(position.cost), position.effective_leverage)
    earned = share(pnl, required)
    return Decimal(1 + sum(earned >= bound for bound in QUEUE_BOUNDS)) / 5


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
    home, foreign = notionals(position.contract, position.quantity, mark, quote_to_settle=quote_to_settle)
    return {
        **_settings(position),
        "deleveragePercentile": queue_rank(position, own.unrealised_pnl),
        **_history(position),
        **_open_orders(position.contract, own.load),
        **_books(position),
        "grossOpenPremium": own.load.premium,
        "isOpen": position.quantity != 0,
        "markPrice": mark if position.quantity else None,
        "markValue": own.mark_value,
        "riskValue": own.risk_value,
        "homeNotional": home,
        "foreignNotional": foreign,
        "posState": position.state.value or None,
        **_margins(position, own),
        **_results(position, own),
        "marginCallPrice": edges.liquidation if edges else None,
        "liquidationPrice": edges.liquidation if edges else None,
        "bankruptPrice": edges.bankruptcy if edges else None,
        "timestamp": iso(at_ms),
    }


def _settings(position: Position) -> Row:
    contract = position.contract
    return {
        "account": position.account,
        "symbol": contract.symbol,
        "strategy": "OneWay",
        "currency": contract.settl_currency,
        "underlying": contract.underlying,
        "quoteCurrency": contract.quote_currency,
        "commission": contract.fee,
        "initMarginReq": _rate(ONE / position.effective_leverage),
        "maintMarginReq": _rate(position.rates[1]),
        "riskLimit": position.risk_limit,
        "leverage": tidy(position.effective_leverage),
        "crossMargin": position.is_cross,
    }


def _history(position: Position) -> Row:
    return {
        "rebalancedPnl": position.rebalanced_pnl,
        "prevRealisedPnl": position.prev_realised_pnl,
        "prevUnrealisedPnl": 0,
        "openingQty": position.opening_quantity,
    }


def _open_orders(contract: Contract, load: OrderLoad) -> Row:
    sign = -1 if contract.kind is Kind.INVERSE else 1
    return {
        "openOrderBuyQty": load.buy.quantity,
        "openOrderBuyCost": sign * load.buy.cost,
        "openOrderBuyPremium": load.buy.premium,
        "openOrderSellQty": load.sell.quantity,
        "openOrderSellCost": sign * load.sell.cost,
        "openOrderSellPremium": load.sell.premium,
    }


def _books(position: Position) -> Row:
    return {
        "currentQty": position.quantity,
        "currentCost": position.current_cost,
        "currentComm": position.current_comm,
        "realisedCost": position.realised_cost,
        "unrealisedCost": position.unrealised_cost,
    }


def _margins(position: Position, own: PositionStanding) -> Row:
    return {
        "posCost": position.unrealised_cost,
        "posCross": 0 if own.is_shared else position.pos_cross,
        "posComm": own.pos_comm,
        "posLoss": 0 if own.is_shared else position.pos_loss,
        "posMargin": own.pos_margin,
        "posMaint": own.pos_maint,
        "posInit": own.pos_init,
        "initMargin": own.init_margin,
        "maintMargin": own.maint_margin,
    }


def _results(position: Position, own: PositionStanding) -> Row:
    entry = entry_price(position) if position.quantity else None
    required = EXACT.divide(Decimal(position.cost), position.effective_leverage)
    return {
        "realisedPnl": position.realised_pnl,
        "unrealisedPnl": own.unrealised_pnl,
        "unrealisedPnlPcnt": share(own.unrealised_pnl, position.cost),
        "unrealisedRoePcnt": share(own.unrealised_pnl, required),
        "avgCostPrice": entry,
        "avgEntryPrice": entry,
        "breakEvenPrice": break_even_price(position) if position.quantity else None,
    }


def _rate(value: Decimal) -> Decimal:
    """Return a rate with the sixteen digits a binary float would show."""
    return tidy(value.quantize(RATE_PLACES, ROUND_HALF_EVEN))


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
        "marginLeverage": tidy(leverage.quantize(RATE_PLACES, ROUND_HALF_EVEN, EXACT)),
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
        "isolatedUnrealisedPnl": whole.isolated_pnl,
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
