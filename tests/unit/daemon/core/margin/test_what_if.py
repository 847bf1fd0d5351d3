"""Rows after a change: what closing, adding margin, isolating, another leverage and other marks make of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.vocabulary import ContractKind, Instrument, Position
from daemon.core.margin.own_liquidation import own_price
from daemon.core.margin.what_if import (
    AccountRows,
    at_mark,
    brought_nearer,
    closed_part,
    isolated,
    margin_added,
    marks_moved,
    replaced,
    settled,
    with_leverage,
)
from tests.unit.daemon.core.margin_builders import a_margin, a_position, an_instrument

D = Decimal
ETHUSDT = an_instrument(ContractKind.LINEAR)
XBTUSD = an_instrument()


def linear_long(**changes: Any) -> Position:
    """4000 contracts at 2000 with 5x: 80 USDt of cost, 16 of margin, marked at the entry."""
    row = {
        "cost_sat": 80_000_000,
        "unrealised_cost_sat": 80_000_000,
        "entry_price": D(2000),
        "leverage": D(5),
        "maintenance_margin_ratio": D("0.01"),
        "commission": D("0.0005"),
        "initial_margin_sat": 16_000_000,
        "fee_reserve_sat": 48_000,
        "margin_sat": 16_048_000,
        "maintenance_sat": 848_000,
        "locked_sat": 16_048_000,
    }
    return a_position(ETHUSDT, 4000, **{**row, **changes})


def inverse_cross(quantity: int = 100_000, **changes: Any) -> Position:
    """A cross position of the shared engine, entered at 50,000."""
    cost = -2_000 * quantity
    return a_position(
        XBTUSD,
        quantity,
        is_cross=True,
        leverage=D(100),
        **{
            "cost_sat": cost,
            "unrealised_cost_sat": cost,
            "maintenance_margin_ratio": D("0.005"),
            "commission": D("0.0005"),
            "margin_sat": 1_000_000,
            "maintenance_sat": 1_000_000,
            "locked_sat": 1_000_000,
            **changes,
        },
    )


def rows_of(*positions: Position, wallet: int = 20_000_000, marks: dict[str, Decimal] | None = None) -> AccountRows:
    """An account that holds these positions, all of one currency."""
    instruments: dict[str, Instrument] = {
        "ETHUSDT": ETHUSDT,
        "XBTUSD": XBTUSD,
        "XBTM26": replace(XBTUSD, symbol="XBTM26"),
    }
    currency = positions[0].currency
    margin = a_margin(
        wallet,
        unrealised=sum(p.unrealised_pnl_sat for p in positions),
        maintenance=sum(p.locked_sat for p in positions),
        currency=currency,
    )
    return AccountRows(
        positions={p.key.symbol: p for p in positions},
        instruments=instruments,
        margins={currency: margin},
        marks=marks or {"ETHUSDT": D(2000), "XBTUSD": D(50_000), "XBTM26": D(50_000)},
    )


def test_closing_a_quarter_leaves_three_quarters_of_everything() -> None:
    """1000 of 4000 closed at 2100: 1 USDt won, requirements and margin shrink alike, the liquidation price stays."""
    position = linear_long()
    after, gain = closed_part(position, ETHUSDT, 1000, D(2100))
    assert (after.quantity, gain) == (3000, 1_000_000)
    assert (after.cost_sat, after.margin_sat, after.maintenance_sat) == (60_000_000, 12_036_000, 636_000)
    assert own_price(after, ETHUSDT, None).price == own_price(position, ETHUSDT, None).price


def test_closing_a_short_of_an_inverse_contract() -> None:
    """Half of a short closed below its entry wins; signs of cost and quantity stay."""
    after, gain = closed_part(inverse_cross(-100_000), XBTUSD, 50_000, D(40_000))
    assert (after.quantity, after.cost_sat, gain) == (-50_000, 100_000_000, 25_000_000)


@pytest.mark.parametrize(("contracts", "left"), [(0, 4000), (-5, 4000), (4000, 0), (9999, 0)])
def test_closing_nothing_or_everything(contracts: int, left: int) -> None:
    """Nothing closed changes nothing; more than there is closes all of it and leaves no margin behind."""
    after, _ = closed_part(linear_long(), ETHUSDT, contracts, D(2000))
    assert after.quantity == left
    assert bool(after.margin_sat) is bool(left)


def test_closing_without_a_usable_price_shares_the_row_s_own_profit() -> None:
    """No mark to close at: the profit shown is realised in proportion."""
    after, gain = closed_part(linear_long(unrealised_pnl_sat=-400), ETHUSDT, 1000, D("NaN"))
    assert (after.unrealised_pnl_sat, gain) == (-300, -100)


def test_money_follows_a_position() -> None:
    """A margin row after a loss of 1000 was realised and 700 of margin freed."""
    before = linear_long(unrealised_pnl_sat=-1000, locked_sat=900)
    after = replace(before, unrealised_pnl_sat=0, locked_sat=200)
    margin = settled(a_margin(10_000, unrealised=-1000, maintenance=900), before, after, -1000)
    assert (margin.wallet_balance_sat, margin.margin_balance_sat) == (9000, 9000)
    assert (margin.maintenance_margin_sat, margin.available_sat) == (200, 8800)


def test_added_margin_moves_an_isolated_liquidation_away() -> None:
    """8 USDt on 4 lots: two lots' worth of 200 dollars farther, and the fee reserve grows with it."""
    position = linear_long()
    found = margin_added(position, ETHUSDT, a_margin(10**9, currency="USDt"), 8_000_000)
    assert found is not None
    after, margin = found
    assert (after.margin_sat, after.fee_reserve_sat, after.maintenance_sat) == (24_052_000, 52_000, 852_000)
    assert margin.available_sat == 10**9 - 8_004_000
    was, now = own_price(position, ETHUSDT, None).price, own_price(after, ETHUSDT, None).price
    assert was is not None
    assert now is not None
    assert was - now == 200


def test_margin_cannot_be_added_where_the_venue_refuses() -> None:
    """To a cross position, nothing, or more than there is."""
    margin = a_margin(1_000, currency="USDt")
    assert margin_added(linear_long(is_cross=True), ETHUSDT, margin, 10) is None
    assert margin_added(linear_long(), ETHUSDT, margin, 0) is None
    assert margin_added(linear_long(), ETHUSDT, margin, 1_001) is None


def test_isolating_gives_the_initial_margin_and_makes_the_loss_good() -> None:
    """At the highest leverage: one percent of 2 XBT, the loss of 0.01 and the fee reserve."""
    position = inverse_cross(unrealised_pnl_sat=-1_000_000)
    found = isolated(position, XBTUSD, a_margin(20_000_000, unrealised=-1_000_000, maintenance=1_000_000))
    assert found is not None
    after, margin = found
    assert (after.is_cross, after.initial_margin_sat, after.fee_reserve_sat) == (False, 2_000_000, 101_500)
    assert (after.margin_sat, after.locked_sat) == (3_101_500, 2_101_500)
    assert margin.available_sat == 20_000_000 - 1_000_000 - 2_101_500


def test_isolating_brings_a_well_backed_position_nearer() -> None:
    """P1: the account's balance no longer stands behind it, so the step is named as bringing it nearer."""
    rows = rows_of(inverse_cross())
    found = isolated(rows.positions["XBTUSD"], XBTUSD, rows.margins["XBt"])
    assert found is not None
    assert brought_nearer(rows, replaced(rows, found[0])) == ("XBTUSD",)


def test_a_lower_leverage_takes_an_isolated_liquidation_away() -> None:
    """From 5x to 2x: 40 USDt of margin; nothing is nearer. Back up again it is."""
    rows = rows_of(linear_long(), wallet=10**9)
    found = with_leverage(rows.positions["ETHUSDT"], ETHUSDT, rows.margins["USDt"], D(2))
    assert found is not None
    assert found[0].initial_margin_sat == 40_000_000
    safer = replaced(rows, found[0])
    assert brought_nearer(rows, safer) == ()
    assert safer.margins["USDt"] == found[1]
    assert brought_nearer(safer, rows) == ("ETHUSDT",)


@pytest.mark.parametrize("leverage", [D(0), D(-1), D("NaN"), D(101)])
def test_a_leverage_that_no_contract_has_is_refused(leverage: Decimal) -> None:
    """Zero means cross at the venue, which is another request; above the contract's highest is refused."""
    assert with_leverage(linear_long(), ETHUSDT, a_margin(10**9, currency="USDt"), leverage) is None


def test_a_leverage_that_cannot_be_paid_is_refused() -> None:
    """1x needs 80 USDt and there are 20."""
    assert with_leverage(linear_long(), ETHUSDT, a_margin(20_000_000, currency="USDt"), D(1)) is None


def test_a_one_times_inverse_short_reserves_nothing() -> None:
    """Its margin covers every price."""
    found = with_leverage(inverse_cross(-100_000), XBTUSD, a_margin(10**9), D(1))
    assert found is not None
    assert (found[0].fee_reserve_sat, found[0].maintenance_sat) == (0, 0)
    assert own_price(found[0], XBTUSD, None).price is None


def test_marks_move_profit_and_balance() -> None:
    """Down by a tenth: 8 USDt lost, an isolated row locks that much less, the balance falls alike."""
    moved = marks_moved(rows_of(linear_long(), wallet=10**8), {"ETHUSDT": D(1800), "GONE": D(1), "XBTUSD": D("NaN")})
    row = moved.positions["ETHUSDT"]
    assert (row.unrealised_pnl_sat, row.locked_sat, row.mark_price) == (-8_000_000, 8_048_000, D(1800))
    assert moved.margins["USDt"].margin_balance_sat == 10**8 - 8_000_000
    assert moved.marks["XBTUSD"] == D(50_000)


def test_a_shared_cross_row_locks_the_same_at_any_mark() -> None:
    """Only its maintenance."""
    assert at_mark(inverse_cross(), XBTUSD, D(45_000)).locked_sat == 1_000_000


def test_losing_a_hedge_brings_the_account_nearer() -> None:
    """Two contracts on one coin, long and short: closing the short leg names the long and the currency's failure."""
    short = replace(inverse_cross(-60_000), key=replace(inverse_cross().key, symbol="XBTM26"))
    rows = rows_of(inverse_cross(), short, wallet=40_000_000)
    closed, gain = closed_part(short, rows.instruments["XBTM26"], 60_000, D(50_000))
    after = replaced(rows, closed, gain_sat=gain)
    assert brought_nearer(after, rows) != ()
    assert "XBt" in brought_nearer(rows, after) or "XBTUSD" in brought_nearer(rows, after)


def test_what_cannot_be_told_counts_as_nearer() -> None:
    """P1: without a margin row nobody can say that a cross position is no nearer."""
    rows = rows_of(inverse_cross())
    unknown = replace(rows, margins={})
    assert brought_nearer(rows, unknown) == ("XBTUSD",)
    assert brought_nearer(replace(rows, instruments={}), rows) == ("XBTUSD",)
