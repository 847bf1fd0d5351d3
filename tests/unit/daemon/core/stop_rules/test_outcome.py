"""What being stopped out comes to, and the first trigger that is good enough."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.vocabulary import Instrument
from daemon.core.stop_rules.outcome import Trade, first_trigger, outcome_sat
from tests.builders import an_instrument
from tests.unit.daemon.core.stop_rules.rule_cases import inverse, quanto

CONTRACTS = [an_instrument(), inverse(), quanto()]


def test_way_slippage_and_both_fees_by_hand() -> None:
    """Long 100 from 1000, stopped at 980, filled at 979.02: 2098 lost, 74 (up) to close, 75 to open."""
    trade = Trade(instrument=an_instrument(), quantity=100, entry_price=Decimal(1000), slippage_percent=Decimal("0.1"))
    gain = 100 * 979 - 100 * 1000
    assert outcome_sat(trade, Decimal(980), opened_contracts=100) == gain - 74 - 75
    assert outcome_sat(trade, Decimal(980), opened_contracts=0) == gain - 74


def test_a_short_slips_upward() -> None:
    """Short 100 from 1000, stopped at 1020, filled at 1021.02."""
    trade = Trade(instrument=an_instrument(), quantity=-100, entry_price=Decimal(1000), slippage_percent=Decimal("0.1"))
    assert outcome_sat(trade, Decimal(1020), opened_contracts=0) == -100 * 21 - 77


def test_the_rows_own_cost_counts_before_the_entry_price() -> None:
    """An average entry price is rounded; what was paid is not."""
    exact = Trade(instrument=an_instrument(), quantity=100, entry_price=Decimal(1000), cost_sat=100_050)
    rough = Trade(instrument=an_instrument(), quantity=100, entry_price=Decimal(1000))
    near, far = (outcome_sat(each, Decimal(1000), opened_contracts=0) for each in (exact, rough))
    assert far - near == 50


@pytest.mark.parametrize("instrument", CONTRACTS, ids=["linear", "inverse", "quanto"])
@given(
    quantity=st.integers(-2_000, 2_000).filter(bool),
    entry=st.integers(500, 5_000),
    budget=st.integers(-5_000, 500_000),
    slippage=st.sampled_from([Decimal(0), Decimal("0.1"), Decimal(2)]),
)
def test_the_budget_is_never_exceeded_and_one_tick_farther_it_is(
    instrument: Instrument, quantity: int, entry: int, budget: int, slippage: Decimal
) -> None:
    """To the tick on every kind of contract: the trigger keeps the budget, one tick farther does not."""
    trade = Trade(instrument=instrument, quantity=quantity, entry_price=Decimal(entry), slippage_percent=slippage)
    found = first_trigger(trade, budget_sat=budget, opened_contracts=abs(quantity))
    if found is None:
        end = instrument.max_price - instrument.tick_size if quantity > 0 else instrument.tick_size
        assert outcome_sat(trade, end, opened_contracts=abs(quantity)) < -budget
        return
    assert found % instrument.tick_size == 0
    assert 0 < found < instrument.max_price
    assert outcome_sat(trade, found, opened_contracts=abs(quantity)) >= -budget
    farther = found - trade.side.sign * instrument.tick_size
    if 0 < farther < instrument.max_price:
        assert outcome_sat(trade, farther, opened_contracts=abs(quantity)) < -budget


def test_figures_that_allow_no_arithmetic_give_no_trigger() -> None:
    """P12: no multiplier, no entry, no position."""
    broken = an_instrument(multiplier=0)
    cases = [(broken, 100, Decimal(1000)), (an_instrument(), 100, Decimal(0)), (an_instrument(), 0, Decimal(1000))]
    for instrument, quantity, entry in cases:
        trade = Trade(instrument=instrument, quantity=quantity, entry_price=entry)
        assert first_trigger(trade, budget_sat=100, opened_contracts=0) is None
