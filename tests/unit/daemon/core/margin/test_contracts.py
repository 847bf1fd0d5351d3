"""Values of contracts, prices of values, and where each rounding goes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.vocabulary import ContractKind, Instrument, Side
from daemon.core.margin.contracts import (
    boundary_price,
    is_price,
    is_usable,
    moved_price,
    tick_down,
    tick_toward_mark,
    tick_up,
    unrealised_pnl_sat,
    value_per_lot,
    value_sat,
    value_sign,
)
from tests.unit.daemon.core.margin_builders import XBT, an_instrument, real_rows

D = Decimal


@pytest.mark.parametrize(
    ("price", "tick", "down", "up"),
    [
        ("100.2", "0.5", "100.0", "100.5"),
        ("100.5", "0.5", "100.5", "100.5"),
        ("0.020051", "0.00001", "0.02005", "0.02006"),
        ("0.4", "0.5", "0", "0.5"),
        ("0", "0.5", "0", "0"),
        ("-0.4", "0.5", "-0.5", "0"),
        ("1620.2", "0.05", "1620.20", "1620.20"),
        ("7", "5", "5", "10"),
        ("73701.743800000000000001", "0.1", "73701.7", "73701.8"),
    ],
)
def test_ticks_bracket_a_price(price: str, tick: str, down: str, up: str) -> None:
    """Down and up are the neighbours on the grid; a price on the grid stays."""
    assert tick_down(D(price), D(tick)) == D(down)
    assert tick_up(D(price), D(tick)) == D(up)


def test_toward_the_mark_is_up_for_a_long_and_down_for_a_short() -> None:
    """A stop of a long lies below the mark, of a short above it."""
    price, tick = D("100.2"), D("0.5")
    assert tick_toward_mark(price, tick, Side.LONG) == D("100.5")
    assert tick_toward_mark(price, tick, Side.SHORT) == D("100.0")


def test_value_per_lot_is_rounded_before_it_is_multiplied() -> None:
    """500 lots of one contract at 6726.8 are worth 500 times 14866, not the rounded whole (7,432,955)."""
    instrument = an_instrument(lot_size=1)
    assert value_per_lot(instrument, D("6726.8")) == 14866
    assert value_sat(instrument, -500, D("6726.8")) == 7_433_000


@pytest.mark.parametrize(
    ("kind", "price", "quantity", "value"),
    [
        (ContractKind.LINEAR, "2000", 4000, 80_000_000),
        (ContractKind.LINEAR, "2000", -4000, -80_000_000),
        (ContractKind.QUANTO, "2000.5", 10, 2_000_500),
        (ContractKind.INVERSE, "50000", 100, -200_000),
        (ContractKind.INVERSE, "50000", -100, 200_000),
        (ContractKind.INVERSE, "50000", 0, 0),
    ],
)
def test_value_carries_the_sign_of_the_venue(kind: ContractKind, price: str, quantity: int, value: int) -> None:
    """Long inverse and short linear or quanto positions have a worth below zero."""
    assert value_sat(an_instrument(kind), quantity, D(price)) == value
    assert value_sign(kind, quantity) * value >= 0


def test_a_broken_lot_counts_by_its_share() -> None:
    """A position older than a larger lot size holds part of a lot; its worth is its share of the lot's."""
    assert value_sat(an_instrument(), -50, D(50_000)) == 100_000


def test_profit_of_every_real_row(real_data: Path) -> None:
    """`markValue` and `unrealisedPnl` of every recorded row come out to the unit."""
    for row in real_rows(real_data):
        position, mark = row.position, row.position.mark_price
        assert mark is not None
        assert value_sat(row.instrument, position.quantity, mark) == row.mark_value, row.index
        pnl = unrealised_pnl_sat(row.instrument, position.quantity, mark, position.unrealised_cost_sat)
        assert pnl == position.unrealised_pnl_sat, row.index


@pytest.mark.parametrize(
    ("side", "contracts", "value", "price"),
    [
        (Side.SHORT, 500, 7_174_775, "6968.5"),  # 14349.55 up to 14350, 6968.64 down
        (Side.SHORT, 500, 7_137_600, "7004.5"),  # 14275.2 up to 14276, 7004.76 down
        (Side.LONG, 5678, 97_651_296, "5815"),  # 17198.2 down to 17198, 5814.63 up
        (Side.LONG, 5678, 98_038_929, "5792"),
        (Side.SHORT, 1646, 23_495_167, "7005"),
        (Side.SHORT, 1646, 23_091_073, "7128"),
    ],
)
def test_inverse_boundaries_round_against_the_holder(side: Side, contracts: int, value: int, price: str) -> None:
    """Real boundaries of single-contract lots: the worth per lot is made whole first, the tick comes second."""
    instrument = an_instrument(lot_size=1, tick_size=D("0.5"))
    assert boundary_price(instrument, side, contracts, value) == D(price)


@pytest.mark.parametrize(
    ("side", "value", "price"),
    [
        (Side.LONG, 64_808_000, "1620.2"),
        (Side.LONG, 64_808_001, "1620.25"),  # one unit more: 16202001 per lot, up
        (Side.SHORT, 64_808_000, "1620.2"),
        (Side.SHORT, 64_807_999, "1620.15"),  # 16201999 per lot, down
        (Side.LONG, 0, "0"),
        (Side.LONG, -8_000_000, "-200"),
    ],
)
def test_linear_boundaries_round_against_the_holder(side: Side, value: int, price: str) -> None:
    """Four lots of a thousand contracts; a worth below zero asks for a price below zero, left to the caller."""
    instrument = an_instrument(ContractKind.LINEAR, tick_size=D("0.05"))
    assert boundary_price(instrument, side, 4000, value) == D(price)


def test_an_inverse_contract_has_no_price_for_no_worth() -> None:
    """No price makes an inverse contract worth nothing."""
    assert boundary_price(an_instrument(), Side.SHORT, 100, 0) is None
    assert boundary_price(an_instrument(), Side.SHORT, 100, -5) is None
    assert boundary_price(an_instrument(), Side.LONG, 100, 0) is None


def test_the_last_unit_of_an_inverse_short_is_the_legacy_end() -> None:
    """One unit per contract is the hundred million that the old engine shows."""
    assert boundary_price(an_instrument(lot_size=1), Side.SHORT, 1, 1) == D(XBT)


@pytest.mark.parametrize(
    "broken",
    [
        an_instrument(multiplier=0),
        an_instrument(multiplier=XBT),
        an_instrument(ContractKind.LINEAR, multiplier=-1),
        an_instrument(lot_size=0),
        an_instrument(tick_size=D(0)),
        an_instrument(tick_size=D("NaN")),
        an_instrument(max_price=D("Infinity")),
        an_instrument(max_price=D("0.1")),
    ],
)
def test_nonsense_contracts_are_not_usable(broken: Instrument) -> None:
    """Figures that would divide by zero or turn a sign are found before any arithmetic."""
    assert not is_usable(broken)
    assert is_usable(replace(an_instrument(), lot_size=1))


@pytest.mark.parametrize(
    ("price", "good"),
    [(None, False), (D(0), False), (D(-1), False), (D("NaN"), False), (D("inf"), False), (D(1), True)],
)
def test_a_price_is_finite_and_above_zero(price: Decimal | None, good: bool) -> None:
    """What the arithmetic takes for a price."""
    assert is_price(price) is good


def test_a_move_is_a_share_of_the_price() -> None:
    """Ten percent down from 2000."""
    assert moved_price(D(2000), D("-0.1")) == D(1800)
