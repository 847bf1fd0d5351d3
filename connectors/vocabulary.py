"""The venue's nouns as frozen values.

Why: the core, the shell and the adapters talk about positions, orders and prices in these words and no others. An
adapter turns its venue's rows into them once, at its edge; the core never sees a wire name.

Units: prices are `Decimal` in the quote currency, quantities `int` contracts, money `int` minor units of the settlement
currency (XBt = 1e-8 XBT, USDt = 1e-6 USDT; names end in `_sat` whatever the currency), times `int` nanoseconds since
1970 UTC (names end in `_ns`), ratios `Decimal` fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

ZERO: Final = Decimal(0)


class Side(Enum):
    """Direction of a position."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for a long, -1 for a short."""
        return 1 if self is Side.LONG else -1


class OrderSide(Enum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"


class ContractKind(Enum):
    """Which profit formula a contract follows; read from its flags, never from its name."""

    INVERSE = "inverse"
    LINEAR = "linear"
    QUANTO = "quanto"


class Trigger(Enum):
    """The price that fires a stop."""

    MARK = "mark"
    INDEX = "index"
    LAST = "last"


class OrderKind(Enum):
    """Order types, as far as the guard tells them apart."""

    MARKET = "market"
    LIMIT = "limit"
    STOP_MARKET = "stop_market"
    STOP_LIMIT = "stop_limit"
    OTHER = "other"


class OrderStatus(Enum):
    """What the venue last said of an order. UNKNOWN stands for any word this build does not know."""

    PENDING = "pending"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the order can do nothing more."""
        return self in _FINAL


STOP_KINDS: Final = (OrderKind.STOP_MARKET, OrderKind.STOP_LIMIT)
"""Orders that wait for a trigger. A tuple, since lists of orders ask for it often and a member's hash is slow."""
_FINAL: Final = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Instrument:
    """A contract's figures in force."""

    symbol: str
    kind: ContractKind
    settlement_currency: str
    multiplier: int
    """Minor units per contract and unit of price (linear, quanto); inverse: below 0,
    and its amount divided by the price is the worth of one contract."""
    lot_size: int
    tick_size: Decimal
    max_price: Decimal
    max_order_quantity: int
    initial_margin_ratio: Decimal
    maintenance_margin_ratio: Decimal
    taker_fee: Decimal
    funding_rate: Decimal = ZERO
    """Rate charged at the next funding stamp; above zero longs pay."""
    reference_symbol: str = ""
    """The index behind the mark price; contracts that share it move together."""
    is_open: bool = True
    maker_fee: Decimal = ZERO
    """Below zero: a rebate."""
    settlement_fee: Decimal = ZERO
    funding_at_ns: int = 0
    """When `funding_rate` is charged next; 0: this contract has no funding, or the venue does not say."""
    funding_interval_ns: int = 0
    """From one funding stamp to the next; 0 as above."""
    expires_ns: int = 0
    """When a dated contract settles; 0: a perpetual."""
    base_risk_limit_sat: int = 0
    """Worth of a position up to which the base margin ratios hold; 0: not told."""
    risk_step_sat: int = 0
    """Each further step of worth raises the ratios; 0: not told, or no steps."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class PositionKey:
    """The venue's own key of a position. `strategy` is "OneWay" but in hedge mode."""

    account: int
    symbol: str
    strategy: str = "OneWay"


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """One position row, flat ones included."""

    key: PositionKey
    quantity: int
    """Signed contracts: above zero long, below zero short, zero flat."""
    currency: str
    entry_price: Decimal | None = None
    is_cross: bool = False
    leverage: Decimal = ZERO
    liquidation_price: Decimal | None = None
    """As the venue shows it; None when it shows none. Sentinels are left in for the core to judge."""
    bankruptcy_price: Decimal | None = None
    mark_price: Decimal | None = None
    """The row's own mark: merged to seconds by the venue, so never the base of a distance."""
    maintenance_margin_ratio: Decimal | None = None
    commission: Decimal | None = None
    cost_sat: int = 0
    """Signed entry cost (`posCost`)."""
    unrealised_cost_sat: int = 0
    initial_margin_sat: int = 0
    """`posInit`."""
    fee_reserve_sat: int = 0
    """`posComm`."""
    margin_sat: int = 0
    """Margin assigned (`posMargin`)."""
    maintenance_sat: int = 0
    """Margin needed (`posMaint`)."""
    locked_sat: int = 0
    """What the position locks now (`maintMargin`)."""
    unrealised_pnl_sat: int = 0
    timestamp_ns: int = 0
    initial_margin_ratio: Decimal | None = None
    """In force for this position (`initMarginReq`), leverage and risk limit applied."""
    risk_limit_sat: int = 0
    """In force for this position; 0: not told."""
    cross_sat: int = 0
    """Margin that the account lends against losses (`posCross`)."""
    loss_sat: int = 0
    """What was taken out of the margin assigned and is owed to it (`posLoss`)."""
    mark_value_sat: int = 0
    """Worth at the row's own mark, signed as `cost_sat` (`markValue`)."""
    realised_pnl_sat: int | None = None
    """Fees, funding and closed parts so far, since the venue last booked them (`realisedPnl`); None: not told."""
    break_even_price: Decimal | None = None
    adl_rank: int | None = None
    """Place in the queue of auto-deleveraging: 1 the back, 5 the front; None when flat or not told."""
    order_margin_sat: int = 0
    """Margin that open orders of the symbol hold (`initMargin`)."""
    open_buy_quantity: int = 0
    """Contracts of resting buy orders; waiting stops are not among them."""
    open_buy_cost_sat: int = 0
    """Signed as the venue does (`openOrderBuyCost`)."""
    open_buy_premium_sat: int = 0
    open_sell_quantity: int = 0
    open_sell_cost_sat: int = 0
    open_sell_premium_sat: int = 0

    @property
    def side(self) -> Side | None:
        """Direction, or None when flat."""
        if self.quantity == 0:
            return None
        return Side.LONG if self.quantity > 0 else Side.SHORT


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One order row, whoever placed it."""

    order_id: str
    client_order_id: str
    account: int
    symbol: str
    strategy: str = "OneWay"
    side: OrderSide
    kind: OrderKind
    status: OrderStatus
    quantity: int | None
    """Contracts; None for a Close order that follows the position."""
    leaves_quantity: int = 0
    filled_quantity: int = 0
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trigger: Trigger | None = None
    is_reduce_only: bool = False
    """ReduceOnly or Close: can only shrink a position."""
    is_close: bool = False
    is_triggered: bool = False
    text: str = ""
    timestamp_ns: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the order can still do something. A pending answer counts: it may rest in a moment."""
        return not self.status.is_final

    @property
    def is_resting_stop(self) -> bool:
        """Whether this is a stop that waits for its trigger, confirmed by the venue."""
        return (
            self.status is OrderStatus.NEW
            and self.kind in STOP_KINDS
            and not self.is_triggered
            and self.stop_price is not None
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Margin:
    """One margin row: the account's money in one settlement currency."""

    account: int
    currency: str
    wallet_balance_sat: int
    margin_balance_sat: int
    available_sat: int
    initial_margin_sat: int = 0
    maintenance_margin_sat: int = 0
    unrealised_pnl_sat: int = 0
    amount_sat: int | None = None
    """Balance after the last booking (`amount`), the same figure as the wallet row's: equal, they are of one moment."""
    is_multi_asset: bool = False
    """Balances of other currencies take part, so our own liquidation arithmetic is not comparable."""
    timestamp_ns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Wallet:
    """One wallet row: what came into and went out of one currency of the account, other than by trading."""

    account: int
    currency: str
    transfers_sat: int | None
    """Deposits and transfers in, less withdrawals and transfers out, since the account began; below 0: more went out
    than in. None: the row does not tell all four, so nothing is known of them (never "no movement")."""
    amount_sat: int | None = None
    """Balance after the last booking, profit since then left out (`amount`); None: not told."""
    timestamp_ns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Insurance:
    """What the venue's insurance fund holds in one currency. Published about once a day."""

    currency: str
    balance_sat: int
    timestamp_ns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LiquidationOrder:
    """Somebody's position being liquidated: the order by which the venue closes it."""

    order_id: str
    symbol: str
    side: OrderSide
    """SELL closes a long."""
    price: Decimal | None
    """Where it closes, near bankruptcy; None: not told."""
    leaves_quantity: int
    """Contracts still to be closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """The best prices of a contract's book. A side without orders is None."""

    symbol: str
    bid: Decimal | None
    ask: Decimal | None

    @property
    def spread(self) -> Decimal | None:
        """Ask less bid; None when a side is empty or the two make no sense together."""
        if self.bid is None or self.ask is None or not 0 < self.bid <= self.ask:
            return None
        return self.ask - self.bid


class ExecutionKind(Enum):
    """What an execution row reports."""

    TRADE = "trade"
    FUNDING = "funding"
    LIQUIDATION = "liquidation"
    SETTLEMENT = "settlement"
    ENDED = "ended"
    """Its order is over, and this was no trade: cancelled or rejected."""
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """One execution row."""

    execution_id: str
    order_id: str
    client_order_id: str
    account: int
    symbol: str
    kind: ExecutionKind
    side: OrderSide | None
    quantity: int
    price: Decimal | None
    text: str = ""
    timestamp_ns: int = 0
