"""Profit, fees, slippage and funding in minor units, rounded against us."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.vocabulary import ContractKind, Side
from daemon.core.margin.costs import (
    closing_cost_sat,
    fee_sat,
    funding_cost_a_day_sat,
    funding_payment_sat,
    pnl_sat,
    worse_price,
)
from tests.unit.daemon.core.margin_builders import an_instrument

D = Decimal
INVERSE = an_instrument()
LINEAR = an_instrument(ContractKind.LINEAR)
QUANTO = an_instrument(ContractKind.QUANTO)


def test_an_inverse_long_gains_in_bitcoin() -> None:
    """100 dollars from 50,000 to 55,000: 0.002 less 0.00181818 XBT, per lot of 100 contracts."""
    assert pnl_sat(INVERSE, 100, D(50_000), D(55_000)) == 200_000 - 181_818
    assert pnl_sat(INVERSE, -100, D(50_000), D(55_000)) == 181_818 - 200_000


@pytest.mark.parametrize(("instrument", "quantity"), [(LINEAR, 4000), (QUANTO, 400)])
def test_linear_and_quanto_gain_by_the_difference(instrument: object, quantity: int) -> None:
    """Contracts times multiplier times the difference of the prices."""
    assert isinstance(instrument, type(INVERSE))
    gain = quantity * instrument.multiplier * 10
    assert pnl_sat(instrument, quantity, D(2000), D(2010)) == gain
    assert pnl_sat(instrument, -quantity, D(2000), D(2010)) == -gain


def test_fees_are_rounded_up_and_rebates_down() -> None:
    """A worth of 181,818 XBt: 90.909 paid counts as 91, 18.18 received as 18."""
    assert fee_sat(INVERSE, 100, D(55_000), D("0.0005")) == 91
    assert fee_sat(INVERSE, -100, D(55_000), D("-0.0001")) == -18
    assert fee_sat(INVERSE, 0, D(55_000), D("0.0005")) == 0


def test_slippage_is_on_the_losing_side() -> None:
    """A long is sold lower, a short bought back higher."""
    assert worse_price(D(50_000), Side.LONG, D("0.1")) == D(49_950)
    assert worse_price(D(50_000), Side.SHORT, D("0.1")) == D(50_050)
    assert worse_price(D(50_000), Side.SHORT, D(0)) == D(50_000)


def test_closing_costs_slippage_and_the_fee_at_the_fill() -> None:
    """Linear, 4000 contracts at 2000, 0.1 %: 80,000 of slippage, and 0.05 % of 79,920,000."""
    assert closing_cost_sat(LINEAR, 4000, D(2000), slippage_percent=D("0.1")) == 80_000 + 39_960
    assert closing_cost_sat(LINEAR, -4000, D(2000), slippage_percent=D("0.1")) == 80_000 + 40_040
    assert closing_cost_sat(LINEAR, 0, D(2000), slippage_percent=D("0.1")) == 0


def test_the_payer_of_funding_depends_on_side_and_sign() -> None:
    """0.01 % of 200,000 XBt is 20: a long pays it, a short gets it, and the other way round below zero."""
    dear = an_instrument(funding_rate=D("0.0001"))
    assert funding_payment_sat(dear, 100, D(50_000)) == 20
    assert funding_payment_sat(dear, -100, D(50_000)) == -20
    assert funding_payment_sat(an_instrument(funding_rate=D("-0.0001")), -100, D(50_000)) == 20
    assert funding_payment_sat(dear, 0, D(50_000)) == 0


def test_a_day_has_three_payments_unless_the_contract_says_otherwise() -> None:
    """Eight hours where the interval is not told; every four hours means six payments."""
    assert funding_cost_a_day_sat(an_instrument(funding_rate=D("0.0001")), 100, D(50_000)) == 60
    often = an_instrument(funding_rate=D("0.0001"), funding_interval_ns=4 * 3600 * 10**9)
    assert funding_cost_a_day_sat(often, 100, D(50_000)) == 120
    assert funding_cost_a_day_sat(INVERSE, 100, D(50_000)) == 0
