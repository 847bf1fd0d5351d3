"""One boundary price from the other of the same row, and what the ends of the range show."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.vocabulary import ContractKind, Side
from daemon.core.margin.bracket import (
    bankruptcy_from_liquidation,
    liquidation_from_bankruptcy,
    shown_price,
    worth_shown_as,
)
from tests.unit.daemon.core.margin_builders import a_position, an_instrument, real_rows

D = Decimal
SHARED = 52
"""The row of the shared engine, where other positions may lie between the two prices."""
UNLIKELY = 48
"""The recorded row that shows the less likely of the two ticks which its bankruptcy price leaves open."""


def test_each_price_of_a_recorded_row_follows_from_the_other(real_data: Path) -> None:
    """The venue's price is always among those possible, and the likeliest on all rows but one."""
    compared = 0
    for row in real_rows(real_data):
        position, need = row.position, row.position.maintenance_sat - row.position.fee_reserve_sat
        for shown, found in (
            (position.liquidation_price, liquidation_from_bankruptcy(position, row.instrument, need)),
            (position.bankruptcy_price, bankruptcy_from_liquidation(position, row.instrument, need)),
        ):
            if row.index == SHARED:
                continue
            assert found is not None
            assert shown is not None
            low, high = sorted((found.near, found.far))
            assert low <= shown <= high, row.index
            assert found.price == shown or row.index == UNLIKELY, row.index
            compared += 1
    assert compared >= 52


@pytest.mark.parametrize("kind", list(ContractKind))
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("price", ["1234.5", "40000"])
def test_exactly_the_worths_between_are_shown_as_a_price(kind: ContractKind, side: Side, price: str) -> None:
    """Both ends of the interval show it, and one unit beyond either end does not."""
    instrument = an_instrument(kind, tick_size=D("0.5"))
    contracts = 3 * instrument.lot_size
    span = worth_shown_as(instrument, side, contracts, D(price))
    assert span is not None
    low, high = span
    assert low is not None
    assert high is not None
    assert shown_price(instrument, side, contracts, low) == shown_price(instrument, side, contracts, high) == D(price)
    assert shown_price(instrument, side, contracts, low - 1) != D(price)
    assert shown_price(instrument, side, contracts, high + 1) != D(price)


@pytest.mark.parametrize(
    ("kind", "quantity", "shown", "price", "near"),
    [
        # What has no price for bankruptcy most likely has none for liquidation; the nearest possible is said too.
        (ContractKind.INVERSE, -1000, "1000000", "1000000", "502512.5"),
        (ContractKind.LINEAR, 4000, "0", "0", "1"),
        (ContractKind.LINEAR, -4000, "1000000", "1000000", "999999"),
    ],
)
def test_beyond_the_end_of_the_range(kind: ContractKind, quantity: int, shown: str, price: str, near: str) -> None:
    """The end stands for every balance beyond it."""
    instrument = an_instrument(kind)
    position = a_position(instrument, quantity, bankruptcy_price=D(shown))
    found = liquidation_from_bankruptcy(position, instrument, 99_000 if kind is ContractKind.INVERSE else 40_000)
    assert found is not None
    assert (found.price, found.far) == (D(price), D(price))
    assert abs(found.near - D(near)) <= D("0.5")


@pytest.mark.parametrize("shown", [None, D("NaN"), D(-1), D("Infinity")])
def test_what_is_no_price_leads_to_none(shown: Decimal | None) -> None:
    """Nor does a flat row."""
    instrument = an_instrument()
    assert liquidation_from_bankruptcy(a_position(instrument, 100, bankruptcy_price=shown), instrument, 1) is None
    flat = a_position(instrument, 0, bankruptcy_price=D(1000))
    assert liquidation_from_bankruptcy(flat, instrument, 1) is None
    assert liquidation_from_bankruptcy(replace(flat, quantity=1), replace(instrument, lot_size=0), 1) is None


def test_a_price_that_no_worth_is_shown_as() -> None:
    """Lots of a hundred thousand dollars, ticks of a cent: most prices are between two worths."""
    instrument = an_instrument(ContractKind.LINEAR, multiplier=1, lot_size=1, tick_size=D("0.01"))
    assert worth_shown_as(instrument, Side.LONG, 1, D("1000.5")) is None
    assert worth_shown_as(instrument, Side.LONG, 1, D(1000)) == (1000, 1000)


@pytest.mark.parametrize(
    ("kind", "side", "value", "shown"),
    [
        (ContractKind.INVERSE, Side.SHORT, 0, "1000000"),
        (ContractKind.INVERSE, Side.SHORT, -5, "1000000"),
        (ContractKind.INVERSE, Side.LONG, 0, "1000000"),
        (ContractKind.INVERSE, Side.LONG, 10**20, "0.1"),
        (ContractKind.LINEAR, Side.LONG, -5, "0"),
        (ContractKind.LINEAR, Side.SHORT, 10**20, "1000000"),
        (ContractKind.LINEAR, Side.SHORT, -5, "0"),
    ],
)
def test_nothing_is_shown_beyond_the_range(kind: ContractKind, side: Side, value: int, shown: str) -> None:
    """The highest price, zero, or one tick where a worth has no price of zero."""
    assert shown_price(an_instrument(kind), side, 1000, value) == D(shown)
