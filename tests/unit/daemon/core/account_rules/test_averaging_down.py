"""No averaging down: growth while in loss."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from config.account_rules import AveragingDownPolicy
from config.modes import RuleMode
from connectors.vocabulary import ContractKind, Position
from daemon.core.account_rules.averaging_down import note_growth
from daemon.core.draft import Draft
from daemon.core.state import GuardState
from tests.builders import START_NS, a_position, an_instrument
from tests.unit.daemon.core.account_rules.rule_cases import Ruled, a_guarded, a_state, an_account, topics

HALF = AveragingDownPolicy(mode=RuleMode.ON, loss_percent=Decimal("0.5"))


def grown(row: Position, *, before: Position | None = None, **changes: Any) -> GuardState:
    """The state after a new row of the position."""
    guarded = a_guarded(before)
    state = a_state(guarded, policy=an_account(averaging_down=HALF), **changes)
    draft = Draft(state, START_NS)
    note_growth(draft, guarded, row)
    draft.put_position("XBTUSDT", replace(guarded, position=row))
    return draft.finish()


def test_growth_in_loss_is_noticed() -> None:
    """100 more at 994 with an entry at 1000: 0.6 % in loss. At 995 it is exactly the limit, which is allowed."""
    assert grown(a_position(200), mark=994).additions["XBTUSDT"].quantity_before == 100
    assert not grown(a_position(200), mark=995).additions
    assert not grown(a_position(200), mark=1010).additions
    assert not grown(a_position(50), mark=900).additions
    assert not grown(a_position(-200), mark=900).additions


def test_a_short_is_in_loss_above_its_entry() -> None:
    """The same for a short."""
    before = a_position(-100)
    assert grown(a_position(-200), before=before, mark=1010).additions
    assert not grown(a_position(-200), before=before, mark=990).additions


def test_the_price_paid_decides_and_not_a_mark_that_lags() -> None:
    """The market fell by 2 % within seconds and the core's mark is still the old one; and the other way round."""
    before = a_position(100, cost_sat=100_000)
    assert grown(a_position(200, cost_sat=198_000), before=before, mark=1000).additions["XBTUSDT"].mark_price == 980
    assert not grown(a_position(200, cost_sat=202_000), before=before, mark=980).additions


def test_without_a_fresh_mark_the_price_paid_decides() -> None:
    """The stream was down: the costs of the two rows give the price of what was added."""
    before = a_position(100, cost_sat=100_000)
    assert grown(a_position(200, cost_sat=190_000), before=before, mark=None).additions["XBTUSDT"].mark_price == 900
    assert not grown(a_position(200, cost_sat=205_000), before=before, mark=None).additions
    assert not grown(a_position(200), mark=None).additions


def test_the_price_paid_for_inverse_contracts() -> None:
    """Worth falls as the price rises: 100 more for 12.5 XBt a contract were paid at 800."""
    contract = an_instrument(kind=ContractKind.INVERSE, multiplier=-10_000)
    before = a_position(100, cost_sat=-1_000)
    state = grown(a_position(200, cost_sat=-2_250), before=before, mark=None, instruments=[contract])
    assert state.additions["XBTUSDT"].mark_price == 800


def test_the_breach_ends_out_of_the_loss_and_is_forgotten() -> None:
    """Told once; over when the mark is at the entry again, and a later fall is no new addition."""
    ruled = Ruled(grown(a_position(200), mark=990))
    assert topics(ruled.tick()) == [("rule", "averaging_down")]
    above = {"XBTUSDT": replace(ruled.state.marks["XBTUSDT"], price=Decimal(1000))}
    assert topics(ruled.tick(marks=above)) == [("rule", "averaging_down")]
    assert not ruled.state.additions
    below = {"XBTUSDT": replace(ruled.state.marks["XBTUSDT"], price=Decimal(900))}
    assert not ruled.tick(marks=below)


def test_the_breach_ends_at_the_size_before() -> None:
    """What was added is taken off again: it is over, in loss or not."""
    ruled = Ruled(grown(a_position(200), mark=990))
    ruled.tick()
    ruled.tick(positions={"XBTUSDT": a_guarded(a_position(100))})
    assert ruled.state.rules["averaging_down:XBTUSDT"].ended_ns


def test_a_position_of_another_episode_is_not_blamed() -> None:
    """Closed and opened again: the old addition counts for nothing, and goes with the position."""
    ruled = Ruled(grown(a_position(200), mark=990))
    assert not ruled.tick(positions={"XBTUSDT": a_guarded(a_position(300), known_ns=START_NS + 1)})
    ruled.tick(positions={})
    assert not ruled.state.additions
