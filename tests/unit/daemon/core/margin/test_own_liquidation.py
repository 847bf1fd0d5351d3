"""Our own liquidation and bankruptcy prices on real rows, worked examples and hopeless input."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.vocabulary import ContractKind, Margin, PositionKey
from daemon.core.margin.own_liquidation import (
    Engine,
    NotComputable,
    OwnState,
    computed_maintenance_sat,
    consistent_margin,
    engine_of,
    own_bankruptcy_price,
    own_price,
)
from tests.unit.daemon.core.margin_builders import RealRow, a_margin, a_position, an_instrument, real_rows

D = Decimal
OLD_XBTUSD = an_instrument(lot_size=1, tick_size=D("0.5"), max_price=D(100_000_000))


def with_margin(row: RealRow) -> tuple[Decimal | None, Decimal | None]:
    """Liquidation and bankruptcy price of a recorded row, its margin row brought to the same instant."""
    margin = row.margin and consistent_margin(row.margin, [row.position])
    return (
        own_price(row.position, row.instrument, margin).price,
        own_bankruptcy_price(row.position, row.instrument, margin),
    )


def in_range(price: Decimal | None, row: RealRow) -> Decimal | None:
    """A shown price, or None where it is the end of the range."""
    return price if price is not None and 0 < price < row.instrument.max_price else None


def test_every_real_row_with_known_money_comes_out_to_the_tick(real_data: Path) -> None:
    """All isolated rows, and the cross rows whose margin row is known: both prices equal the venue's."""
    rows = [row for row in real_rows(real_data) if row.margin or not row.position.is_cross]
    assert len(rows) >= 17
    for row in rows:
        shown = in_range(row.position.liquidation_price, row), in_range(row.position.bankruptcy_price, row)
        assert with_margin(row) == shown, row.index


def test_real_cross_rows_keep_the_distance_of_their_two_prices(real_data: Path) -> None:
    """Cross rows without a margin row: free margin that explains the bankruptcy price explains the other too."""
    rows = [row for row in real_rows(real_data) if row.position.is_cross and not row.margin]
    rows = [row for row in rows if in_range(row.position.bankruptcy_price, row) is not None]
    assert len(rows) >= 8
    for row in rows:
        margins = free_margins_explaining_bankruptcy(row)
        prices = [own_price(row.position, row.instrument, margin).price for margin in margins]
        found = [price for price in prices if price is not None]
        assert len(found) == 2, row.index
        assert min(found) <= row.position.liquidation_price <= max(found), row.index  # type: ignore[operator]


def free_margins_explaining_bankruptcy(row: RealRow) -> tuple[Margin, Margin]:
    """The least and the most free margin with which the bankruptcy price is the one shown."""
    shown = row.position.bankruptcy_price
    assert shown is not None
    sign = 1 if row.position.quantity > 0 else -1

    def margin(available: int) -> Margin:
        row_of = {"account": row.position.key.account, "currency": row.position.currency}
        return a_margin(available, **row_of)

    def least(bound: Decimal, *, strict: bool) -> int:
        low, high = -1, 10**13
        while high - low > 1:
            middle = (low + high) // 2
            price = own_bankruptcy_price(row.position, row.instrument, margin(middle))
            end = D(0) if sign > 0 else row.instrument.max_price
            gap = sign * (bound - (end if price is None else price))
            low, high = (low, middle) if (gap > 0 if strict else gap >= 0) else (middle, high)
        return high

    return margin(least(shown, strict=False)), margin(least(shown, strict=True) - 1)


def test_maintenance_of_real_rows_by_formula(real_data: Path) -> None:
    """Wherever the funding rate is known or was nothing to pay, the row's maintenance comes out to the unit."""
    exact = {0, 6, 8, 22, 24, 28, 30, 34, 38, 46, 50, 52}
    rows = {row.index: row for row in real_rows(real_data)}
    for index in exact & rows.keys():
        row = rows[index]
        assert computed_maintenance_sat(row.position, row.instrument) == row.position.maintenance_sat, index


def test_inverse_short_isolated() -> None:
    """25x short of 2018: 7,435,000 less 260,225 is 14,350 a lot, 6968.5; bankrupt at 7004.5."""
    position = a_position(
        OLD_XBTUSD, -500, cost_sat=7_435_000, margin_sat=303_200, fee_reserve_sat=5_800, maintenance_sat=42_975
    )
    assert own_price(position, OLD_XBTUSD, None).price == D("6968.5")
    assert own_bankruptcy_price(position, OLD_XBTUSD, None) == D("7004.5")


def test_inverse_long_isolated_with_funding() -> None:
    """3.3x long of 2018 that pays 0.0152 % next: 5815, bankrupt at 5792; without funding two ticks farther."""
    position = a_position(
        OLD_XBTUSD,
        5678,
        cost_sat=-75_239_178,
        margin_sat=22_873_281,
        fee_reserve_sat=73_530,
        maintenance_sat=461_163,
        maintenance_margin_ratio=D("0.005"),
        leverage=D("3.3"),
    )
    paying = replace(OLD_XBTUSD, funding_rate=D("0.000152"))
    assert own_price(position, OLD_XBTUSD, None).price == D(5815)
    assert own_bankruptcy_price(position, OLD_XBTUSD, None) == D(5792)
    assert computed_maintenance_sat(position, paying) == 461_163
    unfunded = replace(position, maintenance_sat=computed_maintenance_sat(position, OLD_XBTUSD))
    assert own_price(unfunded, OLD_XBTUSD, None).price == D(5814)


def test_inverse_short_after_funding_losses() -> None:
    """2x short of 2019 at the funding bound: 7005, bankrupt at 7128."""
    position = a_position(
        OLD_XBTUSD,
        -1646,
        cost_sat=46_182_146,
        margin_sat=23_143_383,
        fee_reserve_sat=52_310,
        maintenance_sat=456_404,
        maintenance_margin_ratio=D("0.005"),
    )
    assert own_price(position, OLD_XBTUSD, None).price == D(7005)
    assert own_bankruptcy_price(position, OLD_XBTUSD, None) == D(7128)
    assert computed_maintenance_sat(position, replace(OLD_XBTUSD, funding_rate=D("-0.00375"))) == 456_404


def test_inverse_long_legacy_cross() -> None:
    """Cross long of 2021: the free margin divided by one plus the fee is moved in; 20288, bankrupt at 20226."""
    instrument = an_instrument(tick_size=D("0.5"))
    position = a_position(
        instrument,
        500,
        is_cross=True,
        cost_sat=-1_485_034,
        unrealised_cost_sat=-1_485_034,
        margin_sat=22_360,
        maintenance_sat=8_670,
        fee_reserve_sat=1_133,
        commission=D("0.00075"),
        locked_sat=15_984,
        unrealised_pnl_sat=-6_376,
    )
    later = a_margin(995_905, unrealised=-6_106, initial=6_975, maintenance=15_984)
    margin = consistent_margin(later, [position])
    assert margin.available_sat == 966_570
    assert own_price(position, instrument, margin).price == D(20288)
    assert own_bankruptcy_price(position, instrument, margin) == D(20226)


def test_inverse_short_shared_cross_that_cannot_be_liquidated() -> None:
    """The 2026 short whose wallet exceeds its cost: maintenance to the unit, no price in range."""
    instrument = an_instrument(funding_rate=D("-0.000024"))
    position = a_position(
        instrument,
        -1_438_000,
        is_cross=True,
        cost_sat=1_951_105_699,
        unrealised_cost_sat=1_951_105_699,
        maintenance_margin_ratio=D("0.005"),
        margin_sat=9_802_356,
        maintenance_sat=9_802_356,
        locked_sat=9_802_356,
        unrealised_pnl_sat=-111_601_719,
    )
    margin = a_margin(3_034_754_369, unrealised=-111_616_099, initial=7_408_795, maintenance=9_802_356)
    assert margin.available_sat == 2_905_927_119
    own = own_price(position, instrument, margin)
    assert (own.state, own.engine) == (OwnState.NO_LIQUIDATION_IN_RANGE, Engine.SHARED_CROSS)
    assert computed_maintenance_sat(position, instrument) == 9_802_356
    assert own_bankruptcy_price(position, instrument, margin) is None


@pytest.mark.parametrize("kind", [ContractKind.LINEAR, ContractKind.QUANTO])
def test_linear_and_quanto_long_isolated(kind: ContractKind) -> None:
    """Long 4000 at 2000, 5x: 64,808,000 at liquidation is 1620.2, 64,000,000 at bankruptcy 1600."""
    instrument = an_instrument(kind, multiplier=10, lot_size=1000, tick_size=D("0.05"), funding_rate=D("0.0001"))
    position = a_position(
        instrument,
        4000,
        cost_sat=80_000_000,
        margin_sat=16_048_000,
        fee_reserve_sat=48_000,
        maintenance_sat=856_000,
        maintenance_margin_ratio=D("0.01"),
        leverage=D(5),
    )
    assert own_price(position, instrument, None).price == D("1620.2")
    assert own_bankruptcy_price(position, instrument, None) == D(1600)
    assert computed_maintenance_sat(position, instrument) == 856_000


def shared_cross(instrument_kind: ContractKind, quantity: int, **changes: Any) -> tuple[Any, Any]:
    """A cross position of the shared engine, entered at 2000 or 50000, and its contract."""
    instrument = an_instrument(instrument_kind)
    entry = D(50_000) if instrument_kind is ContractKind.INVERSE else D(2000)
    return a_position(instrument, quantity, is_cross=True, entry_price=entry, **changes), instrument


@pytest.mark.parametrize(
    ("kind", "quantity", "wallet", "maintenance", "price"),
    [
        # 100,000 contracts cost 2 XBT; worth 2.19 at the end: 219,000 a lot, 45662.1004 up.
        (ContractKind.INVERSE, 100_000, 20_000_000, 1_000_000, "45662.2"),
        # Short: worth 1.81 at the end: 55248.6188 down.
        (ContractKind.INVERSE, -100_000, 20_000_000, 1_000_000, "55248.6"),
        # 4000 contracts cost 80 USDT; 61 USDT at the end.
        (ContractKind.LINEAR, 4000, 20_000_000, 1_000_000, "1525"),
        (ContractKind.LINEAR, -4000, 20_000_000, 1_000_000, "2475"),
        (ContractKind.QUANTO, 400, 20_000_000, 1_000_000, "1525"),
        (ContractKind.QUANTO, -400, 20_000_000, 1_000_000, "2475"),
    ],
)
def test_shared_cross_loses_the_balance_down_to_maintenance(
    kind: ContractKind, quantity: int, wallet: int, maintenance: int, price: str
) -> None:
    """Each kind and side: the balance less the maintenance of all may be lost; the cost comes from the entry price."""
    position, instrument = shared_cross(kind, quantity, maintenance_sat=maintenance, margin_sat=maintenance)
    margin = a_margin(wallet, maintenance=maintenance, currency=instrument.settlement_currency)
    own = own_price(position, instrument, margin)
    assert (own.state, own.engine, own.price) == (OwnState.IN_RANGE, Engine.SHARED_CROSS, D(price))


def test_order_margin_moves_only_the_nearer_reading() -> None:
    """Whether open orders' margin is lost too is not known: the price stays, the nearer end of the interval moves."""
    position, instrument = shared_cross(ContractKind.LINEAR, 4000, maintenance_sat=1_000_000)
    margin = a_margin(20_000_000, maintenance=1_000_000, initial=4_000_000, currency="USDt")
    own = own_price(position, instrument, margin)
    assert (own.price, own.price_less_orders) == (D(1525), D(1625))


def test_a_margin_row_older_than_the_fill_does_not_hide_maintenance() -> None:
    """The margin row still says no maintenance: the position's own is taken."""
    position, instrument = shared_cross(ContractKind.LINEAR, 4000, maintenance_sat=1_000_000)
    assert own_price(position, instrument, a_margin(20_000_000, currency="USDt")).price == D(1525)


def test_a_row_without_maintenance_gets_it_by_formula() -> None:
    """A first row after a fill may lack its margin fields: half a percent of 80 USDt is 400,000."""
    position, instrument = shared_cross(ContractKind.LINEAR, 4000)
    assert own_price(position, instrument, a_margin(20_400_000, currency="USDt")).price == D(1500)


@pytest.mark.parametrize(
    ("kind", "quantity", "wallet", "price"),
    [
        (ContractKind.LINEAR, 4000, 80_400_000, None),  # the wallet covers cost and maintenance: zero
        (ContractKind.LINEAR, -4000, 10**12, None),
        (ContractKind.INVERSE, -100_000, 200_000_000, None),
        (ContractKind.LINEAR, 4000, -(10**12), "1000000"),  # beyond rescue at every price
        (ContractKind.LINEAR, -4000, -(10**12), "0.01"),
        (ContractKind.INVERSE, 100_000, -300_000_000, "1000000"),
        (ContractKind.INVERSE, -100_000, -(10**16), "0.1"),
    ],
)
def test_prices_are_clamped_to_the_range(kind: ContractKind, quantity: int, wallet: int, price: str | None) -> None:
    """The safe end of the range is no liquidation; the other end is a price already passed."""
    position, instrument = shared_cross(kind, quantity)
    own = own_price(position, instrument, a_margin(wallet, currency=instrument.settlement_currency))
    assert own.price == (None if price is None else D(price))
    assert own.state is (OwnState.NO_LIQUIDATION_IN_RANGE if price is None else OwnState.IN_RANGE)


def test_a_one_times_inverse_short_cannot_be_liquidated() -> None:
    """Margin equal to the cost, nothing reserved, nothing to maintain."""
    position = a_position(an_instrument(), -1000, cost_sat=2_000_000, margin_sat=2_000_000)
    assert own_price(position, an_instrument(), None).state is OwnState.NO_LIQUIDATION_IN_RANGE


def test_realised_profit_moves_the_base_not_the_requirement() -> None:
    """After profit was realised on an open position, profit counts from the new base and maintenance from the cost."""
    instrument = an_instrument(ContractKind.LINEAR)
    position = a_position(
        instrument,
        4000,
        cost_sat=80_000_000,
        unrealised_cost_sat=90_000_000,
        margin_sat=16_800_000,
        maintenance_sat=800_000,
    )
    assert own_price(position, instrument, None).price == D(1850)


def test_a_maintenance_that_is_not_told_is_worked_out() -> None:
    """P12: with margin and no maintenance a row is liquidated before bankruptcy; only a covered short needs none."""
    linear = an_instrument(ContractKind.LINEAR)
    position = a_position(linear, 4000, cost_sat=80_000_000, margin_sat=16_048_000, fee_reserve_sat=48_000)
    assert own_price(position, linear, None).price == D(1610)
    assert own_bankruptcy_price(position, linear, None) == D(1600)
    inverse = an_instrument()
    covered = a_position(inverse, -1000, cost_sat=2_000_000, initial_margin_sat=2_000_000, margin_sat=2_000_000)
    assert own_price(covered, inverse, None).state is OwnState.NO_LIQUIDATION_IN_RANGE
    short = replace(covered, initial_margin_sat=1_900_000, margin_sat=1_900_000)
    assert own_price(short, inverse, None).price is not None


@pytest.mark.parametrize(
    ("changes", "engine"),
    [
        ({}, Engine.ISOLATED),
        ({"is_cross": True, "fee_reserve_sat": 1}, Engine.LEGACY_CROSS),
        ({"is_cross": True, "initial_margin_sat": 1}, Engine.LEGACY_CROSS),
        ({"is_cross": True, "margin_sat": 3, "maintenance_sat": 2}, Engine.LEGACY_CROSS),
        ({"is_cross": True, "margin_sat": 2, "maintenance_sat": 2}, Engine.SHARED_CROSS),
        ({"is_cross": True}, Engine.SHARED_CROSS),
    ],
)
def test_the_row_tells_its_engine(changes: dict[str, Any], engine: Engine) -> None:
    """Only the legacy engine reserves more than the maintenance for a cross position."""
    assert engine_of(a_position(an_instrument(), 100, **changes)) is engine


@pytest.mark.parametrize(
    ("position", "instrument", "margin", "reason"),
    [
        ({"quantity": 0}, {}, a_margin(1), NotComputable.FLAT),
        ({"key": PositionKey(account=1, symbol="XBTUSD", strategy="Long")}, {}, a_margin(1), NotComputable.HEDGE_MODE),
        ({}, {"symbol": "XBTM26"}, a_margin(1), NotComputable.WRONG_ROW),
        ({}, {"lot_size": 0}, a_margin(1), NotComputable.UNUSABLE_CONTRACT),
        ({}, {"tick_size": D("NaN")}, a_margin(1), NotComputable.UNUSABLE_CONTRACT),
        ({"cost_sat": 0}, {}, a_margin(1), NotComputable.MISSING_FIELDS),
        ({"cost_sat": 0, "entry_price": D("NaN")}, {}, a_margin(1), NotComputable.MISSING_FIELDS),
        ({"is_cross": False}, {}, a_margin(1), NotComputable.MISSING_FIELDS),
        ({}, {}, None, NotComputable.NO_MARGIN_ROW),
        ({}, {}, a_margin(1, currency="USDt"), NotComputable.WRONG_ROW),
        ({}, {}, a_margin(1, account=2), NotComputable.WRONG_ROW),
        ({}, {}, a_margin(1, is_multi_asset=True), NotComputable.MULTI_ASSET),
    ],
)
def test_what_cannot_be_computed_says_why(
    position: dict[str, Any], instrument: dict[str, Any], margin: Margin | None, reason: NotComputable
) -> None:
    """P12: each obstacle has its name, and nothing is raised."""
    row = replace(a_position(an_instrument(), 100, is_cross=True, cost_sat=-200_000), **position)
    own = own_price(row, an_instrument(**instrument), margin)
    assert (own.state, own.price, own.reason) == (OwnState.NOT_COMPUTABLE, None, reason)
    assert own_bankruptcy_price(row, an_instrument(**instrument), margin) is None


def test_multi_asset_balances_do_not_touch_isolated_positions() -> None:
    """An isolated position lives on its own margin, whatever backs the account."""
    position = a_position(an_instrument(), 1000, cost_sat=-2_000_000, margin_sat=200_000)
    assert own_price(position, an_instrument(), a_margin(1, is_multi_asset=True)).state is OwnState.IN_RANGE


def test_ratios_that_are_no_numbers_fall_back() -> None:
    """A row without a usable ratio takes the contract's; a leverage that is no number caps nothing."""
    instrument = an_instrument(funding_rate=D("NaN"))
    position = a_position(
        instrument, 1000, cost_sat=-2_000_000, maintenance_margin_ratio=D("NaN"), leverage=D("NaN"), commission=D("NaN")
    )
    assert computed_maintenance_sat(position, instrument) == 10_000


def test_margin_is_rebuilt_from_the_account_s_own_rows_only() -> None:
    """Positions of another currency or account take no part; order margin and wallet stay."""
    instrument = an_instrument()
    ours = a_position(instrument, 100, unrealised_pnl_sat=-7, locked_sat=11)
    foreign = a_position(an_instrument(ContractKind.LINEAR), 1000, unrealised_pnl_sat=-1000, locked_sat=1000)
    other = a_position(instrument, 100, account=2, unrealised_pnl_sat=-1000, locked_sat=1000)
    margin = consistent_margin(a_margin(1000, unrealised=-3, initial=5, maintenance=9), [ours, foreign, other])
    assert (margin.margin_balance_sat, margin.maintenance_margin_sat, margin.available_sat) == (993, 11, 977)
