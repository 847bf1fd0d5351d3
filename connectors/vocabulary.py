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


STOP_KINDS: Final = frozenset({OrderKind.STOP_MARKET, OrderKind.STOP_LIMIT})
"""Orders that wait for a trigger. Made once: lists of orders ask for it often."""
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
    is_multi_asset: bool = False
    """Balances of other currencies take part, so our own liquidation arithmetic is not comparable."""
    timestamp_ns: int = 0


class ExecutionKind(Enum):
    """What an execution row reports."""

    TRADE = "trade"
    FUNDING = "funding"
    LIQUIDATION = "liquidation"
    SETTLEMENT = "settlement"
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
