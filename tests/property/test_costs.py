"""Bounds that costs keep for every contract, size and price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from connectors.vocabulary import Instrument, Side
from daemon.core.margin.contracts import value_sat
from daemon.core.margin.costs import (
    closing_cost_sat,
    fee_sat,
    funding_cost_a_day_sat,
    funding_payment_sat,
    pnl_sat,
    worse_price,
)
from tests.property.test_liquidation import PRICES, instruments

RATES = st.decimals(min_value="-0.01", max_value="0.01", places=6)
SLIPS = st.decimals(min_value="0", max_value="99", places=4)
QUANTITIES = st.integers(-(10**12), 10**12)


@given(instruments(), QUANTITIES, PRICES, PRICES)
def test_profit_of_long_and_short_cancel_out(contract: Instrument, quantity: int, entry: Decimal, end: Decimal) -> None:
    """What one side gains the other loses, to the unit, and a round trip at one price gives nothing."""
    whole = quantity * contract.lot_size
    assert pnl_sat(contract, whole, entry, end) == -pnl_sat(contract, -whole, entry, end)
    assert pnl_sat(contract, whole, entry, entry) == 0


@given(instruments(), QUANTITIES, PRICES, RATES)
def test_fees_are_never_too_small(contract: Instrument, quantity: int, price: Decimal, rate: Decimal) -> None:
    """The exact share of the worth, or less than one unit more."""
    exact = abs(value_sat(contract, quantity, price)) * Fraction(rate)
    assert exact <= fee_sat(contract, quantity, price, rate) < exact + 1


@given(instruments(), QUANTITIES, PRICES, RATES)
def test_funding_is_never_flattered(contract: Instrument, quantity: int, mark: Decimal, rate: Decimal) -> None:
    """Paying is rounded up, receiving down, and a day costs at least its payments."""
    contract = replace(contract, funding_rate=rate)
    payment = funding_payment_sat(contract, quantity, mark)
    exact = value_sat(contract, abs(quantity), mark)
    assert payment >= abs(exact) * Fraction(rate) * ((quantity > 0) - (quantity < 0))
    assert funding_cost_a_day_sat(contract, quantity, mark) == 3 * payment


@given(PRICES, st.sampled_from(Side), SLIPS, SLIPS)
def test_more_slippage_is_never_better(price: Decimal, side: Side, one: Decimal, other: Decimal) -> None:
    """The worse price moves away from the trader, stays above zero, and is exact or against the holder."""
    few, many = sorted((one, other))
    near, far = worse_price(price, side, few), worse_price(price, side, many)
    assert far <= near <= price if side is Side.LONG else far >= near >= price
    assert far > 0
    exact = Fraction(price) * (1 - side.sign * Fraction(many) / 100)
    assert (Fraction(far) - exact) * side.sign <= 0


@given(instruments(), QUANTITIES, PRICES, SLIPS)
def test_closing_never_pays(contract: Instrument, quantity: int, price: Decimal, slip: Decimal) -> None:
    """Closing costs nothing or something, and at least its fee at the price it fills at."""
    cost = closing_cost_sat(contract, quantity, price, slippage_percent=slip)
    assert cost >= 0
    if quantity:
        fill = worse_price(price, Side.LONG if quantity > 0 else Side.SHORT, slip)
        assert cost >= fee_sat(contract, quantity, fill, contract.taker_fee)
