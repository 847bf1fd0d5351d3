"""Remedies: what to ask for when a rule corrects."""

from __future__ import annotations

from decimal import Decimal

from config.account_rules import IsolatedOnlyPolicy, TotalExposurePolicy
from config.modes import Action, RuleMode
from daemon.core.draft import Draft
from daemon.core.judging import remedies
from daemon.core.memory.rule_facts import Remedy, RemedyKind
from tests.builders import START_NS, a_margin, a_position, an_instrument
from tests.unit.daemon.core.account_rules.rule_cases import Ruled, a_guarded, a_state, an_account, topics

TRIM = Remedy(kind=RemedyKind.TRIM, currency="USDt", excess_sat=30_000)


def two_isolated(lot_size: int = 1) -> Draft:
    """100 contracts of one and 200 of the other, at 1000 each."""
    held = (a_guarded(), a_guarded(a_position(-200, "ETHUSDT")))
    contracts = [an_instrument(lot_size=lot_size), an_instrument("ETHUSDT", lot_size=lot_size)]
    return Draft(a_state(*held, instruments=contracts), START_NS)


def test_without_a_better_one_the_largest_position_is_trimmed() -> None:
    """Isolated positions give each other no room: the largest loses the excess, in whole lots upward."""
    chosen = remedies.chosen(two_isolated(), TRIM)
    assert chosen is not None
    assert (chosen.kind, chosen.symbol, chosen.contracts) == (RemedyKind.REDUCE, "ETHUSDT", 170)
    lots = remedies.chosen(two_isolated(lot_size=100), TRIM)
    assert lots is not None
    assert lots.contracts == 100


def test_an_excess_beyond_the_position_closes_it() -> None:
    """The rest is for the next time."""
    chosen = remedies.chosen(two_isolated(), Remedy(kind=RemedyKind.TRIM, currency="USDt", excess_sat=10**9))
    assert chosen is not None
    assert chosen.contracts == 0


def test_nothing_is_chosen_where_nothing_is_known() -> None:
    """No marks, no position, or a rule without remedy: the trader has to act."""
    bare = Draft(a_state(a_guarded(), mark=None), START_NS)
    assert remedies.chosen(bare, TRIM) is None
    assert remedies.chosen(bare, None) is None
    assert remedies.apply(bare, None, "why") == remedies.NO_REMEDY


def test_a_refusal_is_told_once_with_its_reason() -> None:
    """P1, P10: an isolation that is not shown to be harmless is refused; people hear that once."""
    rule = IsolatedOnlyPolicy(mode=RuleMode.ON, action=Action.CORRECT)
    ruled = Ruled(a_state(a_guarded(a_position(is_cross=True)), policy=an_account(isolated_only=rule)))
    (said,) = ruled.tick()
    assert "could not be corrected so far" in said.text
    for _ in range(100):
        assert not ruled.tick()
    assert not ruled.state.corrections


def test_observers_correct_nothing() -> None:
    """Observing only: the alert says so."""
    rule = TotalExposurePolicy(mode=RuleMode.ON, action=Action.CORRECT, equity_multiple=Decimal(1))
    state = a_state(a_guarded(), policy=an_account(total_exposure=rule), margins=[a_margin(margin_balance_sat=50_000)])
    draft = Draft(state, START_NS)
    draft.policy = type(draft.policy)(observe=True, account=draft.policy.account)
    assert (
        remedies.apply(draft, Remedy(kind=RemedyKind.REDUCE, symbol="XBTUSDT", contracts=1), "why") == "observing only"
    )
    ruled = Ruled(state)
    assert topics(ruled.tick()) == [("rule", "total_exposure")]
