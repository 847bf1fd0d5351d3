"""Contracts the embedded exchange lists, and the value arithmetic of each kind.

Why: inverse, linear and quanto contracts turn price and quantity into settlement money in three
ways, and BitMEX rounds per lot, to the nearest unit. Every other module asks here. The four below
are what tests open; everything else the venue lists is a table, see `connectors.simulated.listing`.

Units: prices in quote currency, quantities in contracts (signed where said so), values in minor
units of the settlement currency (XBt = 1e-8 XBT, USDt = 1e-6 USDT).
Source: figures of the venue's `/instrument` as of May 2026; rounding checked on real rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from enum import Enum
from typing import assert_never

# Wide enough that a division of two wire numbers never loses a unit.
EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)
ONE = Decimal(1)
# Prices that came through a binary float are this close, relatively, to what was meant.
FLOAT_NOISE = Decimal("1e-9")


class Kind(Enum):
    """How price becomes value."""

    INVERSE = "inverse"
    LINEAR = "linear"
    QUANTO = "quanto"
    SPOT = "spot"  # a pair of currencies; listed and quoted, not traded
    SPREAD = "spread"  # of two futures, near less far, so below zero as a rule; listed only


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """One listed contract with its figures; field names follow the venue's columns."""

    symbol: str
    kind: Kind
    typ: str
    root_symbol: str
    underlying: str
    quote_currency: str
    settl_currency: str
    position_currency: str | None
    reference_symbol: str  # the row of the instrument table that carries its index price
    multiplier: int
    lot_size: int
    tick_size: Decimal
    max_order_qty: int
    max_price: Decimal
    init_margin: Decimal
    maint_margin: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    risk_limit: int
    risk_step: int
    listing: str
    expiry: str | None = None
    instrument_id: int = 0
    reference: str | None = "BMEX"
    underlying_symbol: str | None = None
    underlying_to_position: int | None = None
    underlying_to_settle: int | None = None
    quote_to_settle: int | None = None
    funding_base_symbol: str | None = None
    funding_premium_symbol: str | None = None
    funding_quote_symbol: str | None = None
    funding_base_rate: Decimal = Decimal("0.0003")  # the interest a perpetual's funding starts from
    funding_quote_rate: Decimal = Decimal("0.0006")
    mark_method: str = "FairPrice"
    min_tick: Decimal = Decimal("0.01")  # of mark and index
    limit: Decimal | None = None  # widest move within a session, as a share
    is_instant: bool = True  # profit counts as balance at once
    near_leg: str | None = None
    far_leg: str | None = None

    @property
    def is_perpetual(self) -> bool:
        """Whether the contract exchanges funding instead of expiring."""
        return self.expiry is None and self.kind is not Kind.SPOT

    @property
    def is_traded(self) -> bool:
        """Whether orders are taken; spot pairs and spreads are listed and quoted only."""
        return self.kind not in {Kind.SPOT, Kind.SPREAD}

    @property
    def min_price(self) -> Decimal:
        """The lowest price: one tick, but a spread's may be as far below zero as above."""
        return -self.max_price if self.kind is Kind.SPREAD else self.tick_size

    @property
    def fee(self) -> Decimal:
        """The highest fee rate, which `commission` of a position shows."""
        return max(self.maker_fee, self.taker_fee)

    def lots(self, quantity: int) -> int:
        """Return the unsigned number of whole lots in a quantity."""
        return abs(quantity) // self.lot_size

    def lot_value(self, price: Decimal) -> int:
        """Return the value of one lot at a price, rounded to the nearest minor unit, a tie upward.

        No row tells how the venue breaks ties; no mark of a listed linear or quanto contract makes one.
        Of a spot pair in minor units of the quote currency; of a spread 0, its legs have the value.
        """
        match self.kind:
            case Kind.INVERSE:
                raw = EXACT.divide(Decimal(-self.multiplier * self.lot_size), price)
            case Kind.LINEAR | Kind.QUANTO:
                raw = price * (self.multiplier * self.lot_size)
            case Kind.SPOT:
                minor = (self.quote_to_settle or 1) * self.lot_size
                raw = EXACT.divide(price * minor, Decimal(self.underlying_to_position or 1))
            case Kind.SPREAD:
                return 0
            case _:
                assert_never(self.kind)
        return int(raw.to_integral_value(ROUND_HALF_UP))

    def value(self, quantity: int, price: Decimal) -> int:
        """Return the unsigned value of a quantity at a price."""
        return self.lots(quantity) * self.lot_value(price)

    def signed_cost(self, quantity: int, price: Decimal) -> int:
        """Return the venue's signed cost: negative for inverse longs and linear shorts.

        With it `unrealisedPnl = signed_cost(position, mark) - unrealisedCost` for every kind.
        """
        value = self.value(quantity, price)
        return value if (quantity > 0) is (self.kind is not Kind.INVERSE) else -value

    def on_tick(self, price: Decimal, *, up: bool) -> Decimal:
        """Return the price rounded to the tick grid in the direction named."""
        steps = EXACT.divide(price, self.tick_size)
        whole = steps.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
        return whole * self.tick_size

    def snapped(self, price: Decimal) -> Decimal | None:
        """Return the tick a wire price means, float noise forgiven; None when it is between."""
        nearest = EXACT.divide(price, self.tick_size).to_integral_value(ROUND_HALF_EVEN) * self.tick_size
        return nearest if abs(nearest - price) <= abs(price) * FLOAT_NOISE else None

    def exact_price(self, value: int, quantity: int) -> Decimal | None:
        """Return the price at which a position is worth a value, before the tick grid.

        The value per lot is rounded against the holder, as the venue does: a long's price comes
        out a little too high, a short's a little too low.

        Args:
            value: Unsigned value of the whole position; may be zero or less.
            quantity: Signed contracts, not zero.

        Returns:
            The price, zero or more; None when no price is high enough (inverse, value gone).
        """
        up = quantity > 0
        lots = self.lots(quantity)
        if self.kind is Kind.INVERSE:
            per_lot = value // lots if up else -(-value // lots)
            if per_lot <= 0:
                return None
            return EXACT.divide(Decimal(-self.multiplier * self.lot_size), Decimal(per_lot))
        per_lot = -(-value // lots) if up else value // lots
        return EXACT.divide(Decimal(max(per_lot, 0)), Decimal(self.multiplier * self.lot_size))

    def price_at_value(self, value: int, quantity: int) -> Decimal:
        """Return `exact_price` as the venue shows it: on the tick grid, against the holder.

        Args:
            value: Unsigned value of the whole position; may be zero or less.
            quantity: Signed contracts, not zero.

        Returns:
            A price on the tick grid within [0, max_price].
        """
        raw = self.exact_price(value, quantity)
        if raw is None:
            return self.max_price
        return min(self.on_tick(raw, up=quantity > 0), self.max_price)

    def margin_rates(self, risk_limit: int) -> tuple[Decimal, Decimal]:
        """Return (initial, maintenance) rates under a chosen risk limit in minor units."""
        steps = max(0, -(-(risk_limit - self.risk_limit) // self.risk_step))
        return (
            self.init_margin + steps * self.maint_margin,
            self.maint_margin * (1 + steps),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """One index row of the instrument table; field names follow the venue's columns."""

    symbol: str
    root_symbol: str
    quote_currency: str
    underlying_symbol: str
    instrument_id: int
    underlying: str
    typ: str = "MRCXXX"
    state: str = "Unlisted"
    reference_symbol: str | None = None  # what it is worked out from; None: itself
    tick_size: Decimal = Decimal("0.01")
    calc_interval: str | None = None
    publish_interval: str = "2000-01-01T00:01:00.000Z"
    publish_time: str | None = None
    level: Decimal | None = None  # its price when the table was taken; others are scaled from there


_FEE = Decimal("0.0005")

XBTUSD = Contract(
    symbol="XBTUSD",
    kind=Kind.INVERSE,
    typ="FFWCSX",
    root_symbol="XBT",
    underlying="XBT",
    quote_currency="USD",
    settl_currency="XBt",
    position_currency="USD",
    reference_symbol=".BXBT",
    multiplier=-100_000_000,
    lot_size=100,
    tick_size=Decimal("0.1"),
    max_order_qty=10_000_000,
    max_price=Decimal(1_000_000),
    init_margin=Decimal("0.01"),
    maint_margin=Decimal("0.005"),
    maker_fee=_FEE,
    taker_fee=_FEE,
    risk_limit=20_000_000_000,
    risk_step=15_000_000_000,
    listing="2016-05-13T12:00:00.000Z",
    instrument_id=2776,
    underlying_symbol="XBT=",
    underlying_to_settle=-100_000_000,
    funding_base_symbol=".XBTBON8H",
    funding_premium_symbol=".XBTUSDPI8H",
    funding_quote_symbol=".USDBON8H",
)

XBTUSDT = Contract(
    symbol="XBTUSDT",
    kind=Kind.LINEAR,
    typ="FFWCSX",
    root_symbol="XBT",
    underlying="XBT",
    quote_currency="USDT",
    settl_currency="USDt",
    position_currency="XBT",
    reference_symbol=".BXBTT",
    multiplier=1,
    lot_size=100,
    tick_size=Decimal("0.1"),
    max_order_qty=1_000_000_000,
    max_price=Decimal(1_000_000),
    init_margin=Decimal("0.01"),
    maint_margin=Decimal("0.005"),
    maker_fee=_FEE,
    taker_fee=_FEE,
    risk_limit=1_000_000_000_000,
    risk_step=1_000_000_000_000,
    listing="2021-11-10T04:00:00.000Z",
    instrument_id=2777,
    underlying_symbol="XBTT=",
    underlying_to_position=1_000_000,
    quote_to_settle=1_000_000,
    funding_base_symbol=".XBTBON8H",
    funding_premium_symbol=".XBTUSDTPI8H",
    funding_quote_symbol=".USDTBON8H",
)

ETHUSD = Contract(
    symbol="ETHUSD",
    kind=Kind.QUANTO,
    typ="FFWCSX",
    root_symbol="ETH",
    underlying="ETH",
    quote_currency="USD",
    settl_currency="XBt",
    position_currency=None,
    reference_symbol=".BETH",
    multiplier=100,
    lot_size=1,
    tick_size=Decimal("0.01"),
    max_order_qty=10_000_000,
    max_price=Decimal(1_000_000),
    init_margin=Decimal("0.01"),
    maint_margin=Decimal("0.005"),
    maker_fee=_FEE,
    taker_fee=_FEE,
    risk_limit=7_500_000_000,
    risk_step=10_000_000_000,
    listing="2018-08-01T12:00:00.000Z",
    instrument_id=2325,
    underlying_symbol="ETH=",
    quote_to_settle=1279,  # of that day; it moves with the price of XBT
    funding_base_symbol=".ETHBON8H",
    funding_premium_symbol=".ETHUSDPI8H",
    funding_quote_symbol=".USDBON8H",
)

# Figures of the XBT futures of 2026 (XBTM26, XBTU26, XBTZ26 agree), listed under a later month.
XBTH27 = Contract(
    symbol="XBTH27",
    kind=Kind.INVERSE,
    typ="FFCCSX",
    root_symbol="XBT",
    underlying="XBT",
    quote_currency="USD",
    settl_currency="XBt",
    position_currency="USD",
    reference_symbol=".BXBT30M",
    multiplier=-100_000_000,
    lot_size=100,
    tick_size=Decimal("0.5"),
    max_order_qty=10_000_000,
    max_price=Decimal(1_000_000),
    init_margin=Decimal("0.01"),
    maint_margin=Decimal("0.005"),
    maker_fee=_FEE,
    taker_fee=_FEE,
    risk_limit=7_500_000_000,
    risk_step=7_500_000_000,
    listing="2026-06-09T04:00:00.000Z",
    expiry="2027-03-26T12:00:00.000Z",
    instrument_id=2860,
    underlying_symbol="XBT=",
    underlying_to_settle=-100_000_000,
)

CONTRACTS: tuple[Contract, ...] = (XBTUSD, XBTUSDT, ETHUSD, XBTH27)

INDICES: tuple[Index, ...] = (
    Index(
        symbol=".BXBT",
        root_symbol="XBT",
        underlying="XBT",
        level=Decimal("78176.66"),
        quote_currency="USD",
        underlying_symbol="XBT=",
        instrument_id=1164,
    ),
    Index(
        symbol=".BXBTT",
        root_symbol="XBT",
        underlying="XBT",
        level=Decimal("78184.59"),
        quote_currency="USDT",
        underlying_symbol="XBTT=",
        instrument_id=1173,
    ),
    Index(
        symbol=".BXBT30M",
        root_symbol="XBT",
        underlying="XBT",
        level=Decimal("78173.05"),
        quote_currency="USD",
        underlying_symbol=".BXBT30M",
        instrument_id=1165,
        reference_symbol=".BXBT",
        calc_interval="2000-01-01T00:30:00.000Z",
        publish_interval="2000-01-01T04:00:00.000Z",
        publish_time="2000-01-01T12:00:00.000Z",
    ),
    Index(
        symbol=".BETH",
        root_symbol="ETH",
        underlying="ETH",
        level=Decimal("2302.03"),
        quote_currency="USD",
        underlying_symbol="ETH=",
        instrument_id=418,
    ),
)
