"""Maximum loss: being stopped out costs the share of equity, and not a minor unit more."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import MaxLossPolicy, StopPolicy
from connectors.vocabulary import Instrument, Side
from daemon.core.stop_rules import Silence
from daemon.core.stop_rules.max_loss import RULE, budget_sat
from daemon.core.stop_rules.outcome import Trade, outcome_sat
from tests.builders import an_instrument
from tests.unit.daemon.core.stop_rules.rule_cases import a_case, inverse, quanto, said

ON = StopPolicy(max_loss=MaxLossPolicy(mode=RuleMode.ON))
NO_COSTS = StopPolicy(max_loss=MaxLossPolicy(mode=RuleMode.ON, counts_costs_so_far=False, slippage_percent=Decimal(0)))
D = Decimal


def test_three_percent_of_equity_by_hand() -> None:
    """Equity 100000, 3 %: 3000. Long 100 at 970.5, worth 971 each as the venue rounds: 2900 and 73 to close."""
    assert said(RULE, a_case(stop=NO_COSTS)).price == D("970.5")
    assert said(RULE, a_case(Side.SHORT, stop=NO_COSTS)).price == D(1029)


@pytest.mark.parametrize("instrument", [an_instrument(), inverse(), quanto()], ids=["linear", "inverse", "quanto"])
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("contracts", [1, 100, 777])
def test_the_loss_never_exceeds_the_share(instrument: Instrument, side: Side, contracts: int) -> None:
    """P2: entry, slippage and both fees in minor units, on every kind of contract, either side."""
    quantity = contracts * side.sign
    worth = 100_000 * contracts if instrument.kind.value == "inverse" else 1_000 * contracts
    case = a_case(side, ON, instrument=instrument, quantity=quantity, largest=contracts, equity_sat=worth)
    price = said(RULE, case).price
    assert price is not None
    trade = Trade(
        instrument=instrument, quantity=quantity, entry_price=D(1000), slippage_percent=ON.max_loss.slippage_percent
    )
    share = worth * 3 // 100
    assert -outcome_sat(trade, price, opened_contracts=contracts) <= share
    farther = price - side.sign * instrument.tick_size
    assert -outcome_sat(trade, farther, opened_contracts=contracts) > share


def test_a_larger_position_is_stopped_nearer() -> None:
    """Twice the size, about half of the way."""
    small, large = said(RULE, a_case(stop=ON)), said(RULE, a_case(stop=ON, quantity=200, largest=200))
    assert small.price is not None
    assert large.price is not None
    assert large.price > small.price


def test_what_the_trade_has_cost_already_counts() -> None:
    """A thousand paid in funding: two thousand are left. A profit taken gives no more room."""
    assert budget_sat(a_case(stop=ON, booked_sat=-1_000)) == 2_000
    assert budget_sat(a_case(stop=ON, booked_sat=1_000)) == 3_000
    assert budget_sat(a_case(stop=NO_COSTS, booked_sat=-1_000)) == 3_000


def test_used_up_means_close() -> None:
    """Parts closed at a loss took the whole share: no price is left, the rule asks for the exit."""
    word = said(RULE, a_case(stop=ON, booked_sat=-3_001))
    assert word.price is None
    assert "used up" in word.why


def test_the_reason_names_share_and_equity() -> None:
    """One clause with the figures, in the units people use."""
    case = a_case(stop=ON, instrument=inverse(), equity_sat=25_000_000)
    assert said(RULE, case).why == "3 % of 0.25 XBT equity"
    assert said(RULE, a_case(stop=ON)).why == "3 % of 0.1 USDT equity"


@pytest.mark.parametrize("equity", [None, 0, -5])
def test_unknown_equity_is_silence_not_safety(equity: int | None) -> None:
    """P12: the rule cannot speak and says why."""
    assert RULE.propose(a_case(stop=ON, equity_sat=equity)) == Silence(rule="max_loss", why="the equity is unknown")


def test_a_position_that_cannot_lose_so_much_needs_no_stop() -> None:
    """One contract on a large account: not even the lowest price costs the share."""
    assert RULE.propose(a_case(stop=ON, quantity=1, largest=1, equity_sat=10_000_000)) is None


def test_isolated_or_cross_needs_no_liquidation_price() -> None:
    """Without liquidation in range the loss rule speaks all the same."""
    assert said(RULE, a_case(stop=NO_COSTS, liquidation_price=None)).price == D("970.5")
