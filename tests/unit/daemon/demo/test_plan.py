"""Sizes of the demo's positions from the first prices alone."""

from decimal import Decimal

import pytest

from connectors.vocabulary import ContractKind, Instrument
from daemon.demo.plan import POSITIONS, far_quote_price, quantity_for


def an_instrument(kind: ContractKind, multiplier: int, lot: int, currency: str = "XBt") -> Instrument:
    return Instrument(
        symbol="S",
        kind=kind,
        settlement_currency=currency,
        multiplier=multiplier,
        lot_size=lot,
        tick_size=Decimal("0.5"),
        max_price=Decimal(1_000_000),
        max_order_quantity=10**9,
        initial_margin_ratio=Decimal("0.01"),
        maintenance_margin_ratio=Decimal("0.005"),
        taker_fee=Decimal("0.0005"),
    )


@pytest.mark.parametrize(
    ("position", "instrument", "wallet_sat", "mark", "quantity"),
    [
        (POSITIONS[0], an_instrument(ContractKind.INVERSE, -100_000_000, 100), 100_000_000, 60_000, 360_000),
        (POSITIONS[0], an_instrument(ContractKind.INVERSE, -100_000_000, 100), 100_000_000, 230, 1_300),
        (POSITIONS[1], an_instrument(ContractKind.QUANTO, 100, 1), 100_000_000, 3_000, 1_333),
        (POSITIONS[2], an_instrument(ContractKind.LINEAR, 1, 100, "USDt"), 100_000_000_000, 60_000, 30_000_000),
    ],
)
def test_value_is_the_planned_multiple_of_the_wallet(
    position: object, instrument: Instrument, wallet_sat: int, mark: int, quantity: int
) -> None:
    """Whole lots, never more than the planned value, at any price level."""
    made = quantity_for(position, instrument, wallet_sat=wallet_sat, mark_price=Decimal(mark))  # type: ignore[arg-type]
    assert made == quantity
    assert made % instrument.lot_size == 0


def test_far_quote_rests_on_the_tick_far_above() -> None:
    """Three times the mark, on the grid."""
    price = far_quote_price(an_instrument(ContractKind.INVERSE, -1, 1), Decimal("60000.13"))
    assert price == Decimal("180000.0")
