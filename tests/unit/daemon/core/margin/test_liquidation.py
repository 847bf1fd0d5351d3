"""The venue's liquidation price and ours compared: sentinels, the nearer one, disagreement, unknowns."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.vocabulary import ContractKind, Margin, Position, Side
from daemon.core.margin.liquidation import (
    Engine,
    LiquidationState,
    NotComputable,
    Sentinel,
    assess,
    consistent_margin,
    room_percent,
    sentinel_of,
    tolerance,
    venue_price,
)
from tests.unit.daemon.core.margin_builders import a_margin, a_position, an_instrument, real_rows

D = Decimal
INVERSE = an_instrument()
LINEAR = an_instrument(ContractKind.LINEAR)
IN_RANGE = LiquidationState.IN_RANGE
NEVER = LiquidationState.NO_LIQUIDATION_IN_RANGE
UNKNOWN = LiquidationState.UNKNOWN


@pytest.mark.parametrize(
    ("shown", "side", "mark", "reason"),
    [
        (None, Side.LONG, "50000", Sentinel.NULL),
        ("0", Side.LONG, "50000", Sentinel.ZERO),
        ("0", Side.SHORT, "50000", Sentinel.ZERO),
        ("0.1", Side.LONG, "50000", Sentinel.AT_OR_BELOW_TICK),
        ("0.1", Side.SHORT, "50000", Sentinel.WRONG_SIDE),
        ("0.2", Side.LONG, "50000", None),
        ("1000000", Side.SHORT, "50000", Sentinel.AT_OR_ABOVE_MAX),
        ("16666666.5", Side.SHORT, "50000", Sentinel.AT_OR_ABOVE_MAX),
        ("1000000", Side.LONG, "50000", Sentinel.WRONG_SIDE),
        ("999999.9", Side.SHORT, "50000", None),
        ("100000000", Side.SHORT, "50000", Sentinel.LEGACY_END),
        ("50000", Side.LONG, "50000", None),
        ("50000.1", Side.LONG, "50000", Sentinel.WRONG_SIDE),
        ("49999.9", Side.SHORT, "50000", Sentinel.WRONG_SIDE),
        ("50000.1", Side.SHORT, "50000", None),
        ("50000.1", Side.LONG, None, None),
        ("50000.1", Side.LONG, "NaN", None),
        ("NaN", Side.LONG, "50000", Sentinel.MALFORMED),
        ("Infinity", Side.SHORT, "50000", Sentinel.MALFORMED),
        ("-1", Side.LONG, "50000", Sentinel.MALFORMED),
    ],
)
def test_sentinels_are_told_from_prices(shown: str | None, side: Side, mark: str | None, reason: Sentinel) -> None:
    """P12: every figure that is no price says why; at the mark is still a price."""
    price = None if shown is None else D(shown)
    assert sentinel_of(price, INVERSE, side, None if mark is None else D(mark)) is reason


def isolated(shown: str | None) -> Position:
    """A 10x long of 4000 ETHUSDT at 2000; ours is 1900 + 0.01 * 1000 = 1810 exactly, whatever the venue shows."""
    return a_position(
        LINEAR,
        4000,
        cost_sat=80_000_000,
        margin_sat=8_000_000,
        maintenance_sat=400_000,
        liquidation_price=None if shown is None else D(shown),
    )


def covered(shown: str | None) -> Position:
    """A short whose margin covers its inverse cost: by our computation it cannot be liquidated."""
    shown_price = None if shown is None else D(shown)
    return a_position(INVERSE, -1000, cost_sat=2_000_000, margin_sat=2_000_000, liquidation_price=shown_price)


@pytest.mark.parametrize(
    ("shown", "mark", "price", "state", "differs"),
    [
        ("1810", "2000", "1810", IN_RANGE, False),
        ("1810.01", "2000", "1810.01", IN_RANGE, True),  # isolated: no tolerance; theirs is nearer
        ("1809.99", "2000", "1810", IN_RANGE, True),  # ours is nearer
        ("0", "2000", "1810", IN_RANGE, True),
        (None, "2000", "1810", IN_RANGE, True),
        ("0.01", "2000", "1810", IN_RANGE, True),
        ("2100", "2000", "1810", IN_RANGE, True),  # theirs lies beyond the mark: only ours is left
        ("1700", "1750", "1700", IN_RANGE, True),  # ours lies beyond the mark: only theirs is left
        ("1810", "1800", "1810", IN_RANGE, False),  # both beyond: liquidation is under way
        ("1820", "1800", "1820", IN_RANGE, True),
        ("0", "1800", None, UNKNOWN, True),  # theirs says never, ours says long ago
        ("1810", None, "1810", IN_RANGE, False),
        ("2100", None, "2100", IN_RANGE, True),
        ("NaN", "2000", "1810", IN_RANGE, True),
    ],
)
def test_a_long_with_a_price_of_our_own(
    shown: str | None, mark: str | None, price: str | None, state: LiquidationState, differs: bool
) -> None:
    """Our price is 1810: the nearer one on the losing side of the mark counts, differences are said."""
    found = assess(isolated(shown), LINEAR, None, None if mark is None else D(mark))
    assert found.own.price == D(1810)
    assert (found.liquidation_price, found.state) == (None if price is None else D(price), state)
    assert found.disagreement is differs


@pytest.mark.parametrize(
    ("shown", "price", "state", "differs"),
    [
        ("100000000", None, NEVER, False),
        ("1000000", None, NEVER, False),
        (None, None, NEVER, False),
        ("80000", "80000", IN_RANGE, True),
        ("40000", None, UNKNOWN, True),
    ],
)
def test_a_short_that_we_say_is_covered(
    shown: str | None, price: str | None, state: LiquidationState, differs: bool
) -> None:
    """P2: only a sentinel confirmed by our own computation means that no stop is needed."""
    found = assess(covered(shown), INVERSE, None, D(50_000))
    assert (found.liquidation_price, found.state) == (None if price is None else D(price), state)
    assert found.disagreement is differs


@pytest.mark.parametrize(
    ("shown", "price", "state"), [("1500", "1500", IN_RANGE), ("0", None, UNKNOWN), (None, None, UNKNOWN)]
)
def test_without_our_own_figure_a_sentinel_is_unknown(
    shown: str | None, price: str | None, state: LiquidationState
) -> None:
    """P12: a cross row before its margin row: a venue's price is used, a venue's "never" is not believed."""
    found = assess(replace(isolated(shown), is_cross=True), LINEAR, None, D(2000))
    assert (found.liquidation_price, found.state) == (None if price is None else D(price), state)
    assert found.own.reason is NotComputable.NO_MARGIN_ROW
    assert not found.disagreement


def shared(shown: str, kind: ContractKind = ContractKind.LINEAR) -> Position:
    """A cross position of the shared engine; with a wallet of 20 USDT ours is 1525."""
    return a_position(
        an_instrument(kind),
        4000,
        is_cross=True,
        cost_sat=80_000_000,
        maintenance_sat=1_000_000,
        margin_sat=1_000_000,
        liquidation_price=D(shown),
    )


def a_wallet(initial: int = 0, wallet: int = 20_000_000) -> Margin:
    """The margin row beside `shared`."""
    return a_margin(wallet, maintenance=1_000_000, initial=initial, currency="USDt")


@pytest.mark.parametrize(
    ("shown", "initial", "price", "differs"),
    [
        ("1526.5", 0, "1526.5", False),
        ("1523.5", 0, "1525", False),
        ("1526.6", 0, "1526.6", True),
        ("1523.4", 0, "1525", True),
        ("1625", 4_000_000, "1625", False),  # the venue takes order margin off
        ("1580", 4_000_000, "1580", False),
        ("1630", 4_000_000, "1630", True),
        ("1500", 4_000_000, "1525", True),
    ],
)
def test_shared_cross_allows_a_thousandth_and_both_readings_of_order_margin(
    shown: str, initial: int, price: str, differs: bool
) -> None:
    """A difference that an unpublished detail explains is none; resting orders do not move the price used."""
    found = assess(shared(shown), LINEAR, a_wallet(initial), D(2000))
    assert (found.liquidation_price, found.disagreement) == (D(price), differs)


def test_a_price_just_inside_the_range_agrees_with_the_end() -> None:
    """Our 0.02 beside the venue's 0: one tick from the end of the range is no disagreement."""
    position = replace(shared("0"), maintenance_sat=1, margin_sat=1)
    margin = a_margin(79_999_201, currency="USDt")
    found = assess(position, LINEAR, margin, D(2000))
    assert (found.own.price, found.liquidation_price) == (D("0.02"), D("0.02"))
    assert found.disagreement
    closer = assess(position, LINEAR, a_margin(79_999_601, currency="USDt"), D(2000))
    assert (closer.state, closer.disagreement) == (NEVER, False)


def test_tolerances_by_engine() -> None:
    """Isolated exact, legacy cross one tick, shared cross a thousandth but never below a tick."""
    assert tolerance(Engine.ISOLATED, INVERSE, D(50_000)) == 0
    assert tolerance(Engine.LEGACY_CROSS, INVERSE, D(50_000)) == D("0.1")
    assert tolerance(Engine.SHARED_CROSS, INVERSE, D(50_000)) == D(50)
    assert tolerance(Engine.SHARED_CROSS, INVERSE, D(5)) == D("0.1")


def test_flat_needs_no_price() -> None:
    """A flat row has nothing to liquidate, whatever it still shows."""
    found = assess(a_position(INVERSE, 0, liquidation_price=D(100)), INVERSE, None, D(50_000))
    assert (found.state, found.liquidation_price, found.disagreement) == (NEVER, None, False)
    assert venue_price(a_position(INVERSE, 0, liquidation_price=D(100)), INVERSE, None).price is None


def test_every_real_row_is_assessed_as_the_venue_shows_it(real_data: Path) -> None:
    """A shown price is used, a shown sentinel is confirmed where the money is known and unknown where it is not."""
    for row in real_rows(real_data):
        margin = row.margin and consistent_margin(row.margin, [row.position])
        found = assess(row.position, row.instrument, margin, row.position.mark_price)
        if found.venue.price is not None:
            expected = (IN_RANGE, row.position.liquidation_price)
        else:
            expected = (NEVER if margin or not row.position.is_cross else UNKNOWN, None)
        assert (found.state, found.liquidation_price) == expected, row.index
        assert not found.disagreement, row.index


@pytest.mark.parametrize(
    ("side", "mark", "liquidation", "room"),
    [
        (Side.LONG, "100", "95", "5"),
        (Side.SHORT, "100", "104", "4"),
        (Side.LONG, "100", "100", "0"),
        (Side.LONG, "100", "101", "-1"),
        (Side.SHORT, "80", "76", "-5"),
    ],
)
def test_room_is_in_percent_of_the_mark(side: Side, mark: str, liquidation: str, room: str) -> None:
    """Above zero while safe, zero at the price, below zero beyond it."""
    assert room_percent(side, D(mark), D(liquidation)) == D(room)


@pytest.mark.parametrize(
    ("mark", "liquidation"), [("0", "1"), ("NaN", "1"), ("1", "0"), ("1", "-1"), ("1", "Infinity")]
)
def test_room_refuses_what_is_no_price(mark: str, liquidation: str) -> None:
    """Corrupt input surfaces as a fault instead of a decision."""
    with pytest.raises(ValueError, match="must be finite and above zero"):
        room_percent(Side.LONG, D(mark), D(liquidation))
