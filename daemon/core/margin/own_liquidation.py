"""Our own liquidation and bankruptcy prices, worked out from the rows.

Why: the venue's `liquidationPrice` is one witness; sentinels, lagging rows and bugs look like prices. A second one,
computed from the costs and margins of the same rows, confirms or contradicts it.

Two margin engines exist and the row says which one wrote it. The legacy engine (to March 2024) reserved initial margin
and a closing fee for each cross position; the shared engine locks the maintenance margin only and lets all cross
positions of a settlement currency share profit and loss. Isolated positions follow one formula on both.

Units: money in minor units of the settlement currency, prices in the quote currency, ratios as fractions.
Source: www.bitmex.com/app/liquidation, /app/isolatedMarginExamples, support article 19343437697309 (cross margining),
and position rows of 2017 to 2026. Isolated rows and legacy cross rows with one position come out to the tick; an
unclamped cross price of the shared engine has no public row behind it and is never trusted alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from connectors.vocabulary import ZERO, ContractKind, Instrument, Margin, Position, Side
from daemon.core.margin.confidence import Confidence, weaker
from daemon.core.margin.contracts import boundary_price, is_price, is_usable, value_sat, value_sign
from daemon.core.margin.requirements import maintenance_need_sat, stepped_ratios

ONE_WAY = "OneWay"


class Engine(Enum):
    """Which margin engine wrote a cross row; isolated rows read alike on both."""

    ISOLATED = "isolated"
    LEGACY_CROSS = "legacy_cross"
    SHARED_CROSS = "shared_cross"


class NotComputable(Enum):
    """Why we have no figure of our own."""

    FLAT = "flat"
    HEDGE_MODE = "hedge_mode"
    """The row is one leg of two; how they share margin is not known."""
    WRONG_ROW = "wrong_row"
    """Instrument or margin row belong to another symbol, account or currency."""
    UNUSABLE_CONTRACT = "unusable_contract"
    """The instrument's figures make no sense."""
    MISSING_FIELDS = "missing_fields"
    """The position row lacks its cost or its margin."""
    NO_MARGIN_ROW = "no_margin_row"
    """A cross position depends on the account's balance, which is not known yet."""
    MULTI_ASSET = "multi_asset"
    """Balances of other currencies back the account."""
    NO_MARK = "no_mark"
    """A mark price is missing."""
    LEGACY_ENGINE = "legacy_engine"
    """Cross positions of that engine were liquidated one at a time, so the account has no common failure."""


class OwnState(Enum):
    """What our computation came to."""

    IN_RANGE = "in_range"
    NO_LIQUIDATION_IN_RANGE = "no_liquidation_in_range"
    NOT_COMPUTABLE = "not_computable"


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnLiquidation:
    """Our own figure for one position."""

    state: OwnState
    price: Decimal | None = None
    """The mark price of liquidation, on the tick grid; None unless IN_RANGE."""
    price_less_orders: Decimal | None = None
    """The same if the margin of open orders is lost too: the nearer end of what the venue may show. Equals `price`
    where that is no question; may be set when `price` is None."""
    engine: Engine | None = None
    reason: NotComputable | None = None
    """Set when NOT_COMPUTABLE."""
    confidence: Confidence | None = None
    """How the figure is known; None when NOT_COMPUTABLE."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundaryValues:
    """What a whole position is worth at its two boundaries, unsigned; zero or below where no price is enough."""

    liquidation: int
    bankruptcy: int


def own_price(position: Position, instrument: Instrument, margin: Margin | None) -> OwnLiquidation:
    """Return the liquidation price as we compute it from the rows.

    Args:
        position: The row, flat ones included.
        instrument: The figures of its contract.
        margin: The row of its settlement currency. Needed for cross positions only. For an account with several, or
            where mark prices move between the rows, pass it through `consistent_margin` first.

    Returns:
        Never raises: what cannot be computed says why.
    """
    reason = _obstacle(position, instrument, margin)
    side = position.side
    if reason is not None or side is None:
        return OwnLiquidation(state=OwnState.NOT_COMPUTABLE, reason=reason or NotComputable.FLAT)
    engine = engine_of(position)
    spare = _spare_sat(engine, position, instrument, margin)
    price = _price_at(position, instrument, side, spare)
    nearer = price
    if engine is Engine.SHARED_CROSS and margin is not None and margin.initial_margin_sat > 0:
        nearer = _price_at(position, instrument, side, spare - margin.initial_margin_sat)
    state = OwnState.NO_LIQUIDATION_IN_RANGE if price is None else OwnState.IN_RANGE
    return OwnLiquidation(
        state=state,
        price=price,
        price_less_orders=nearer,
        engine=engine,
        confidence=confidence_of(position, instrument, in_range=price is not None),
    )


def confidence_of(position: Position, instrument: Instrument, *, in_range: bool) -> Confidence:
    """Say how the figure of a row is known; `in_range` is whether it came to a price at all.

    Inverse contracts are confirmed by rows on both sides, with margin of their own and under the legacy engine; longs
    of the others by one row each; their shorts follow by symmetry alone. Of the shared engine only this is confirmed:
    an inverse short whose whole cost the balance covers has no liquidation price.
    """
    inverse = instrument.kind is ContractKind.INVERSE
    engine = engine_of(position)
    if engine is Engine.SHARED_CROSS:
        covered = inverse and position.quantity < 0 and not in_range
        return Confidence.EXACT if covered else Confidence.COMPUTED
    found = Confidence.EXACT if inverse else Confidence.STATED if position.quantity > 0 else Confidence.COMPUTED
    is_whole = position.margin_sat > 0 and position.cost_sat != 0
    return found if is_whole else weaker(found, Confidence.STATED)


def boundary_values(
    position: Position, instrument: Instrument, margin: Margin | None
) -> BoundaryValues | NotComputable:
    """Return the worth of a position at liquidation and at bankruptcy; arguments as for `own_price`."""
    side = position.side
    reason = _obstacle(position, instrument, margin)
    if reason is not None or side is None:
        return reason or NotComputable.FLAT
    spare = _spare_sat(engine_of(position), position, instrument, margin)
    more = _between_sat(position, instrument, margin)
    return BoundaryValues(
        liquidation=_value_after(position, instrument, side, spare),
        bankruptcy=_value_after(position, instrument, side, spare + more),
    )


def own_bankruptcy_price(position: Position, instrument: Instrument, margin: Margin | None) -> Decimal | None:
    """Return the price at which nothing of the margin is left; None where out of range or not computable.

    At liquidation the maintenance must remain, at bankruptcy only the fee to close.
    """
    side = position.side
    if side is None or _obstacle(position, instrument, margin) is not None:
        return None
    spare = _spare_sat(engine_of(position), position, instrument, margin)
    return _price_at(position, instrument, side, spare + _between_sat(position, instrument, margin))


def _between_sat(position: Position, instrument: Instrument, margin: Margin | None) -> int:
    """Return what lies between liquidation and bankruptcy: the maintenance, less what closing costs."""
    if engine_of(position) is Engine.SHARED_CROSS and margin is not None:
        return _shared_maintenance(position, instrument, margin)
    return maintenance_sat(position, instrument) - position.fee_reserve_sat


def engine_of(position: Position) -> Engine:
    """Tell from the row which engine wrote it: only the legacy one reserves more than maintenance in cross margin."""
    if not position.is_cross:
        return Engine.ISOLATED
    reserves = (
        position.fee_reserve_sat > 0
        or position.initial_margin_sat > 0
        or position.margin_sat > position.maintenance_sat > 0
    )
    return Engine.LEGACY_CROSS if reserves else Engine.SHARED_CROSS


def maintenance_sat(position: Position, instrument: Instrument) -> int:
    """Return the maintenance margin of a position: the row's own figure, or ours where the row has none.

    Only an inverse short with margin for its whole cost needs none at all; of any other row nothing means not told.
    """
    if position.maintenance_sat > 0 or _is_covered(position, instrument):
        return position.maintenance_sat
    return computed_maintenance_sat(position, instrument)


def _is_covered(position: Position, instrument: Instrument) -> bool:
    short = instrument.kind is ContractKind.INVERSE and position.quantity < 0 and not position.is_cross
    return short and position.initial_margin_sat >= cost_sat(position, instrument) > 0


def computed_maintenance_sat(position: Position, instrument: Instrument) -> int:
    """Return the maintenance margin by formula: a share of the entry cost, dearer for who pays the next funding.

    The row's own ratio goes before the instrument's: the venue applies changed requirements to new positions only.
    The legacy engine and isolated rows add the fee reserve and never ask for more than the initial ratio.
    """
    ratio = _finite(position.maintenance_margin_ratio) or _stepped_ratio(position, instrument)
    need = maintenance_need_sat(
        cost_sat(position, instrument),
        position.quantity,
        maintenance_ratio=ratio,
        funding_rate=_finite(instrument.funding_rate),
        at_most=None if engine_of(position) is Engine.SHARED_CROSS else _own_initial_ratio(position),
    )
    return need + position.fee_reserve_sat


def _own_initial_ratio(position: Position) -> Decimal | None:
    if _finite(position.initial_margin_ratio) > 0:
        return position.initial_margin_ratio
    return 1 / position.leverage if _finite(position.leverage) > 0 else None


def _stepped_ratio(position: Position, instrument: Instrument) -> Decimal:
    """Return the contract's maintenance ratio at the risk limit of the position."""
    _, maintenance = stepped_ratios(
        _finite(instrument.initial_margin_ratio),
        _finite(instrument.maintenance_margin_ratio),
        risk_limit_sat=position.risk_limit_sat,
        base_sat=instrument.base_risk_limit_sat,
        step_sat=instrument.risk_step_sat,
    )
    return maintenance


def cost_sat(position: Position, instrument: Instrument) -> int:
    """Return the unsigned entry cost, rebuilt from the entry price where the row has none; 0 if unknown."""
    return abs(position.cost_sat) or _cost_from_entry(position, instrument)


def profit_base_sat(position: Position, instrument: Instrument) -> int:
    """Return the unsigned cost that profit is measured from; 0 if unknown.

    It differs from the entry cost after the venue has realised profit on an open position.
    """
    return abs(position.unrealised_cost_sat) or cost_sat(position, instrument)


def consistent_margin(margin: Margin, positions: Iterable[Position]) -> Margin:
    """Return the margin row as it would read at the instant of the position rows.

    Position and margin rows travel separately and follow the mark at different instants, which would show as a
    difference between two liquidation prices. Wallet balance and order margin do not move with the mark, so the rest is
    rebuilt from them.

    Args:
        margin: The row of one settlement currency.
        positions: All positions of the account; those of other currencies and accounts are left out.
    """
    pnl = locked = 0
    for position in positions:
        if position.currency == margin.currency and position.key.account == margin.account:
            pnl += position.unrealised_pnl_sat
            locked += position.locked_sat
    balance = margin.wallet_balance_sat + pnl
    return replace(
        margin,
        unrealised_pnl_sat=pnl,
        margin_balance_sat=balance,
        maintenance_margin_sat=locked,
        available_sat=balance - margin.initial_margin_sat - locked,
    )


def _obstacle(position: Position, instrument: Instrument, margin: Margin | None) -> NotComputable | None:
    """Name the first thing that stands in the way of computing."""
    if position.quantity == 0:
        return NotComputable.FLAT
    if position.key.strategy != ONE_WAY:
        return NotComputable.HEDGE_MODE
    if position.key.symbol != instrument.symbol:
        return NotComputable.WRONG_ROW
    if not is_usable(instrument):
        return NotComputable.UNUSABLE_CONTRACT
    if profit_base_sat(position, instrument) == 0 or (not position.is_cross and position.margin_sat <= 0):
        return NotComputable.MISSING_FIELDS
    return _balance_obstacle(position, margin) if position.is_cross else None


def _balance_obstacle(position: Position, margin: Margin | None) -> NotComputable | None:
    if margin is None:
        return NotComputable.NO_MARGIN_ROW
    if margin.currency != position.currency or margin.account != position.key.account:
        return NotComputable.WRONG_ROW
    return NotComputable.MULTI_ASSET if margin.is_multi_asset else None


def _spare_sat(engine: Engine, position: Position, instrument: Instrument, margin: Margin | None) -> int:
    """Return what the position may lose, counted from its profit base, before it is liquidated.

    Isolated: its own margin less the maintenance. Legacy cross: the free margin of the currency could be moved in as
    well, and moving it raises the fee reserve, hence the division. Shared cross: the balance without this position's
    profit, less the maintenance of all.
    """
    if engine is Engine.SHARED_CROSS and margin is not None:
        balance = margin.margin_balance_sat - position.unrealised_pnl_sat
        return balance - _shared_maintenance(position, instrument, margin)
    spare = position.margin_sat - maintenance_sat(position, instrument)
    if engine is Engine.LEGACY_CROSS and margin is not None:
        spare += _movable_sat(margin.available_sat, fee_rate(position, instrument))
    return spare


def _shared_maintenance(position: Position, instrument: Instrument, margin: Margin) -> int:
    """Return the account's maintenance; a margin row older than the fill may not hold this position's yet."""
    return max(margin.maintenance_margin_sat, maintenance_sat(position, instrument))


def _movable_sat(available: int, fee: Decimal) -> int:
    numerator, denominator = (1 + fee).as_integer_ratio()
    return max(0, available) * denominator // numerator


def fee_rate(position: Position, instrument: Instrument) -> Decimal:
    """Return the row's commission: the highest of the contract's fees when the row was opened."""
    return max(ZERO, _finite(instrument.taker_fee if position.commission is None else position.commission))


def _finite(number: Decimal | None) -> Decimal:
    """Return the number, or zero where it is missing or not a number at all."""
    return number if number is not None and number.is_finite() else ZERO


def _price_at(position: Position, instrument: Instrument, side: Side, spare: int) -> Decimal | None:
    """Return the price at which `spare` is lost, inside the contract's range; None if no price there loses it."""
    value = _value_after(position, instrument, side, spare)
    price = boundary_price(instrument, side, abs(position.quantity), value)
    if side is Side.LONG:
        # No worth at all: an inverse long beyond rescue at every price.
        price = instrument.max_price if price is None else min(price, instrument.max_price)
        return price if price > instrument.tick_size else None
    if price is None or price >= instrument.max_price:
        return None
    return max(price, instrument.tick_size)


def _value_after(position: Position, instrument: Instrument, side: Side, spare: int) -> int:
    """Return what the position is worth once `spare` is lost."""
    loss_sign = side.sign if instrument.kind is ContractKind.INVERSE else -side.sign
    return profit_base_sat(position, instrument) + loss_sign * spare


def _cost_from_entry(position: Position, instrument: Instrument) -> int:
    if position.entry_price is None or not is_price(position.entry_price) or not is_usable(instrument):
        return 0
    signed = value_sat(instrument, position.quantity, position.entry_price)
    return signed * value_sign(instrument.kind, position.quantity)
