"""The rulebook: what follows from the rules' answers, the same for all of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from config.account_rules import (
    AccountPolicy,
    AdlRankPolicy,
    DailyLossPolicy,
    IsolatedOnlyPolicy,
    LeverageCapPolicy,
    LiquidationFeedPolicy,
    MarginUsedPolicy,
    NakedPolicy,
    QuietHoursPolicy,
    RiskPerTradePolicy,
)
from config.modes import Action, Lift, RuleMode
from daemon.core import events as e
from daemon.core.account_rules import RULES
from daemon.core.commands import ReduceAtMarket, Severity
from daemon.core.memory.interventions import LatchKind
from daemon.core.operator_requests import LiftLatch
from daemon.core.reasons import Reason
from daemon.core.state import Feed, with_policy
from tests.builders import SECOND, START_NS, a_margin, a_position
from tests.driven import Driven
from tests.unit.daemon.core.account_rules.rule_cases import LIVE, Ruled, a_guarded, a_state, an_account, topics

ON = RuleMode.ON


def ranked(rank: int | None, policy: AdlRankPolicy | None = None) -> Ruled:
    """One position at this place in the queue; the rule speaks at 5."""
    guarded = a_guarded(a_position(adl_rank=rank))
    return Ruled(a_state(guarded, policy=an_account(adl_rank=policy or AdlRankPolicy())))


def at_rank(rank: int | None) -> dict[str, Any]:
    """The same position at another place."""
    return {"positions": {"XBTUSDT": a_guarded(a_position(adl_rank=rank))}}


def used(percent: int) -> dict[str, Any]:
    """This much of the margin is in use."""
    row = a_margin(amount_sat=1_000_000, maintenance_margin_sat=percent * 10_000)
    return {"margins": {"USDt": row}}


def test_rules_and_settings_tables_are_the_same_list() -> None:
    """Each rule has its settings table and each table its rule, under one name and in one order."""
    assert [each.name for each in RULES] == list(AccountPolicy.__dataclass_fields__)
    for each in RULES:
        assert getattr(AccountPolicy(), each.name).table == f"account.{each.name}"


# ---------------------------------------------------------------------- telling


def test_a_breach_is_told_once_then_after_pauses_that_double_then_its_end() -> None:
    """P10: at once, after 300 s, after 600 s more, and when it is over."""
    ruled = ranked(5)
    assert topics(ruled.tick()) == [("rule", "adl_rank")]
    assert ruled.said[0].severity is Severity.WARNING
    assert not ruled.tick(299)
    assert "(still)" in ruled.tick(1)[0].text
    assert not ruled.tick(599)
    assert len(ruled.tick(1)) == 1
    (end,) = ruled.tick(1, **at_rank(4))
    assert (end.reason, end.severity) == (Reason.RECOVERED, Severity.NOTE)
    assert not ruled.tick(1, **at_rank(4))


def test_a_flapping_figure_is_one_message() -> None:
    """P10: over, within, over, within: told once and its end once, until the cool-down is over."""
    ruled = ranked(5)
    ruled.tick()
    for _ in range(50):
        ruled.tick(1, **at_rank(1))
        ruled.tick(1, **at_rank(5))
    assert len(ruled.said) == 2
    assert len(ruled.tick(300, **at_rank(5))) == 1


def test_hysteresis_keeps_a_breach_that_is_only_just_within() -> None:
    """At 80 % it breaks; 77 % is not yet within, 76 % is; and 77 % begins nothing."""
    ruled = Ruled(a_state(policy=an_account(margin_used=MarginUsedPolicy()), margins=used(77)["margins"].values()))
    assert not ruled.tick()
    assert len(ruled.tick(**used(80))) == 1
    assert not ruled.tick(**used(77))
    assert not ruled.state.rules["margin_used:USDt"].ended_ns
    assert len(ruled.tick(**used(76))) == 1


def test_a_standing_breach_survives_a_restart_in_silence() -> None:
    """P7: people heard of it before the restart; the pause goes on."""
    ruled = ranked(5)
    ruled.tick()
    before = ruled.state.rules
    ruled.restart()
    assert ruled.state.rules == before
    assert not ruled.tick(200)
    assert len(ruled.tick(100)) == 1


def test_every_text_says_figure_limit_deed_and_advice() -> None:
    """People can act on the message alone."""
    (said,) = ranked(5).tick()
    for words in ("stands at 5 of 5", "speaks from 5", "Nothing is done by itself", "You can: take profit"):
        assert words in said.text
    assert dict(said.facts)["rule"] == "adl_rank"


# ---------------------------------------------------------------------- what cannot be judged


def test_blind_begins_nothing_and_ends_nothing() -> None:
    """P6: an account stream that is lost or silent is neither safe nor a breach; status says why, once."""
    ruled = ranked(5)
    ruled.tick()
    lost = replace(ruled.state.health, account=Feed(is_live=False, reason="gone"))
    assert not ruled.tick(10_000, health=lost, **at_rank(1))
    assert not ruled.state.rules["adl_rank:XBTUSDT"].ended_ns
    assert ruled.state.unjudged == {"*": "the account stream is not fresh"}
    back = replace(ruled.state.health, account=LIVE)
    assert topics(ruled.tick(health=back, **at_rank(1))) == [("rule", "adl_rank")]
    assert not ruled.state.unjudged


def test_before_the_account_was_read_nothing_is_judged() -> None:
    """At a start the first picture comes first."""
    ruled = ranked(5)
    assert not ruled.tick(was_whole=False)
    assert ruled.state.unjudged == {"*": "the account was not read yet"}


def test_a_figure_that_is_missing_keeps_what_stands() -> None:
    """The rank is not told for a while: no end is told, no repeat either, and the rule says what it lacks."""
    ruled = ranked(5)
    ruled.tick()
    assert not ruled.tick(10_000, **at_rank(None))
    assert ruled.state.unjudged == {"adl_rank": "XBTUSDT: the venue does not tell the rank"}
    assert not ruled.state.rules["adl_rank:XBTUSDT"].ended_ns


def test_stale_marks_keep_what_stands() -> None:
    """A dead market stream is neither a breach nor the end of one."""
    policy = an_account(leverage_cap=LeverageCapPolicy(mode=ON, most=Decimal(10)))
    ruled = Ruled(a_state(a_guarded(a_position(margin_sat=1_000, unrealised_cost_sat=100_000)), policy=policy))
    ruled.tick()
    dead = replace(ruled.state.health, market=Feed(is_live=False, reason="gone"))
    assert not ruled.tick(10_000, health=dead)
    assert not ruled.state.rules["leverage_cap:XBTUSDT"].ended_ns
    assert "no fresh mark" in ruled.state.unjudged["leverage_cap"]


def test_a_position_that_is_gone_breaks_nothing() -> None:
    """Closed: the breach is over, whatever was known of it."""
    ruled = ranked(5)
    ruled.tick()
    assert topics(ruled.tick(positions={})) == [("rule", "adl_rank")]


# ---------------------------------------------------------------------- freeze and flatten


def frozen(**changes: Any) -> AdlRankPolicy:
    """The rule freezes."""
    return AdlRankPolicy(action=Action.FREEZE, **changes)


def test_a_freeze_is_about_the_position_and_ends_with_its_cause() -> None:
    """Set at once; lifted when the cause is over, though not before the cool-down, so that nothing flaps."""
    ruled = ranked(5, frozen())
    assert topics(ruled.tick()) == [("latch", "freeze")]
    latch = ruled.state.latches["adl_rank:XBTUSDT"]
    assert (latch.kind, latch.symbols, latch.lift) == (LatchKind.FREEZE, ("XBTUSDT",), Lift.CLEARED)
    assert "stands at 5 of 5" in latch.text
    assert not ruled.tick(200, **at_rank(1))
    assert ruled.state.latches
    assert ("latch", "lifted") in topics(ruled.tick(100, **at_rank(1)))
    assert not ruled.state.latches


def test_operator_freeze_stays_when_the_cause_is_over() -> None:
    """With lift = operator only a person ends it, and the end of the breach says so."""
    ruled = ranked(5, frozen(lift=Lift.OPERATOR))
    ruled.tick()
    (end,) = ruled.tick(10_000, **at_rank(1))
    assert "holds until it is lifted" in end.text
    ruled.restart()
    ruled.tick(10_000, **at_rank(1))
    assert ruled.state.latches


def test_a_lift_while_the_breach_stands_is_respected_until_it_comes_again() -> None:
    """A person's lift is not undone in the next second; after an end and another breach the rule acts again."""
    ruled = ranked(5, frozen(lift=Lift.OPERATOR))
    ruled.tick()
    ruled.lift("adl_rank:XBTUSDT")
    for _ in range(3):
        assert ("latch", "freeze") not in topics(ruled.tick(1_000))
    assert "was lifted" in ruled.said[-1].text
    ruled.restart()
    ruled.tick(1)
    assert not ruled.state.latches
    ruled.tick(1_000, **at_rank(1))
    ruled.tick(1, **at_rank(5))
    assert ruled.state.latches


def test_the_strongest_goes_first_and_nothing_weaker_is_done_to_what_is_closed() -> None:
    """Precedence: the kill switch flattens the account; freeze and correction of the same second are left out."""
    policy = an_account(
        adl_rank=frozen(),
        isolated_only=IsolatedOnlyPolicy(mode=ON, action=Action.CORRECT),
        daily_loss=DailyLossPolicy(action=Action.FLATTEN),
    )
    ruled = Ruled(a_state(a_guarded(a_position(adl_rank=1, is_cross=True)), policy=policy))
    ruled.state = replace(ruled.state, positions={"XBTUSDT": a_guarded(a_position(adl_rank=1))})
    ruled.tick()
    ruled.margin(margin_balance_sat=1)
    worse = {"XBTUSDT": a_guarded(a_position(adl_rank=5, is_cross=True))}
    ruled.state = replace(ruled.state, positions=worse)
    told = ruled.margin(margin_balance_sat=2)
    assert topics(told)[0] == ("latch", "flatten")
    assert set(ruled.state.latches) == {"daily_loss"}
    assert not ruled.state.corrections
    assert ("rule", "adl_rank") in topics(told)


def test_a_symbol_that_is_flattened_keeps_the_account_open() -> None:
    """A rule about one position closes that one."""
    ruled = ranked(5, AdlRankPolicy(action=Action.FLATTEN))
    ruled.tick()
    latch = ruled.state.latches["adl_rank:XBTUSDT"]
    assert (latch.kind, latch.symbols) == (LatchKind.FLATTEN, ("XBTUSDT",))


def test_two_currencies_share_one_latch_and_both_have_to_end() -> None:
    """A cleared freeze of the account waits for the last currency."""
    rows = {name: a_margin(currency=name, amount_sat=1, maintenance_margin_sat=900_000) for name in ("USDt", "XBt")}
    policy = an_account(margin_used=MarginUsedPolicy(action=Action.FREEZE))
    ruled = Ruled(a_state(policy=policy, margins=rows.values()))
    ruled.tick()
    assert set(ruled.state.latches) == {"margin_used"}
    half = rows | {"XBt": replace(rows["XBt"], maintenance_margin_sat=0)}
    ruled.tick(1_000, margins=half)
    assert ruled.state.latches
    ruled.tick(1_000, margins={name: replace(each, maintenance_margin_sat=0) for name, each in rows.items()})
    assert not ruled.state.latches


def test_observing_latches_in_words_only() -> None:
    """An observer is told what would be done; the core closes nothing for it."""
    ruled = ranked(5, AdlRankPolicy(action=Action.FLATTEN))
    ruled.state = replace(ruled.state, policy=replace(ruled.state.policy, observe=True))
    (said,) = ruled.tick()
    assert "observing only" in said.text.lower()


# ---------------------------------------------------------------------- shadow and off


def test_shadow_says_once_what_it_would_do_and_does_nothing() -> None:
    """Machine facts name rule, action, subject and figures; once per breach, not again within the cool-down."""
    ruled = ranked(5, AdlRankPolicy(mode=RuleMode.SHADOW, action=Action.FLATTEN))
    (said,) = ruled.tick()
    assert (said.reason, said.topic, said.state) == (Reason.SHADOW, "shadow", "would_flatten")
    assert {"rule": "adl_rank", "action": "flatten", "subject": "XBTUSDT", "rank": "5"}.items() <= dict(
        said.facts
    ).items()
    assert not ruled.state.latches
    assert not ruled.tick(10_000)
    assert not ruled.tick(1, **at_rank(1))
    assert len(ruled.tick(1, **at_rank(5))) == 1
    ruled.tick(1, **at_rank(1))
    assert not ruled.tick(1, **at_rank(5))


def test_off_is_not_worked_out() -> None:
    """Nothing is said, kept or missing."""
    ruled = Ruled(a_state(a_guarded(a_position(adl_rank=5)), policy=an_account()))
    assert not ruled.tick()
    assert not ruled.state.rules
    assert not ruled.state.unjudged
    assert not ruled.state.day_books


@pytest.mark.parametrize("mode", [RuleMode.OFF, RuleMode.SHADOW])
def test_a_rule_that_is_switched_off_lets_go_of_what_ends_with_its_cause(mode: RuleMode) -> None:
    """After a change of settings the freeze is lifted; one that waits for a person stays."""
    for lift, is_left in ((Lift.CLEARED, False), (Lift.OPERATOR, True)):
        ruled = ranked(5, frozen(lift=lift))
        ruled.tick()
        ruled.state = with_policy(ruled.state, an_account(adl_rank=frozen(lift=lift, mode=mode)))
        ruled.tick()
        assert bool(ruled.state.latches) is is_left


# ---------------------------------------------------------------------- in the whole core


def test_corrections_go_through_the_whole_core() -> None:
    """P1: too much risk for one trade is closed down to what fits, reduce-only, once both witnesses agree."""
    rule = RiskPerTradePolicy(mode=ON, action=Action.CORRECT, equity_percent=Decimal("0.5"))
    driven = Driven(an_account(risk_per_trade=rule)).up([a_position(100)])
    driven.rest()
    driven.wait(2 * SECOND)
    sent = [each for each in driven.all if isinstance(each, ReduceAtMarket)]
    assert len(sent) == 1
    assert sent[0].quantity is not None
    assert 0 < sent[0].quantity < 100


def test_the_kill_switch_closes_in_the_same_second() -> None:
    """The day's loss is seen twice: in the step that latches, the position is closed at the market, reduce-only."""
    rule = DailyLossPolicy(action=Action.FLATTEN)
    driven = Driven(an_account(daily_loss=rule)).up([a_position(100)])
    driven.rest()
    for number, balance in enumerate((1_000_000, 800_000, 799_000)):
        row = a_margin(margin_balance_sat=balance, amount_sat=1_000_000, timestamp_ns=START_NS + number)
        driven.give(e.MarginSeen(at_ns=driven.now, margin=row))
        driven.wait(SECOND)
    assert driven.state.latches["daily_loss"].kind is LatchKind.FLATTEN
    driven.wait(SECOND)
    closes = [each for each in driven.all if isinstance(each, ReduceAtMarket)]
    assert [each.reason for each in closes] == [Reason.FLATTEN]


def test_an_operators_lift_is_judged_at_once() -> None:
    """After the request the rules are asked in the same step, so the count begins anew there."""
    driven = Driven(an_account(quiet_hours=QuietHoursPolicy(events_utc=("2023-11-14T22:13:20Z",)))).up()
    driven.wait(2 * SECOND)
    assert "quiet_hours" in driven.state.latches
    asked = e.OperatorAsked(at_ns=driven.now, request_id="r-1", who="ann", request=LiftLatch(name="quiet_hours"))
    driven.give(asked)
    assert not driven.state.latches
    assert driven.state.rules["quiet_hours"].is_waived
    driven.wait(60 * SECOND)
    assert not driven.state.latches


def test_marks_do_not_ask_the_rules() -> None:
    """The hot path costs what it did: rules are asked once a second, never by a mark."""
    driven = Driven(an_account(naked=NakedPolicy(), liquidation_feed=LiquidationFeedPolicy())).up([a_position(100)])
    before = driven.state.rules, driven.state.unjudged, driven.state.day_books
    driven.mark(999)
    assert (driven.state.rules, driven.state.unjudged, driven.state.day_books) == before
    assert driven.state.now_ns >= START_NS


# ---------------------------------------------------------------------- witnesses


def strict(action: Action) -> Ruled:
    """A million, a rule that acts on the margin in use, and reads that are not answered."""
    policy = an_account(margin_used=MarginUsedPolicy(action=action, lift=Lift.OPERATOR))
    ruled = Ruled(a_state(a_guarded(), policy=policy), is_read=False)
    ruled.tick(**used(10))
    return ruled


@pytest.mark.parametrize("action", [Action.FREEZE, Action.FLATTEN])
def test_one_stale_margin_row_freezes_and_closes_nothing(action: Action) -> None:
    """One row says that all margin is in use, the next that it is not: a read is asked for, and nothing was done."""
    ruled = strict(action)
    assert not ruled.tick(**used(100))
    assert ruled.state.pictures.wanted_ns > ruled.state.pictures.taken_ns
    assert not ruled.tick(**used(10))
    assert not ruled.state.latches
    assert not ruled.said


@pytest.mark.parametrize("action", [Action.FREEZE, Action.FLATTEN])
def test_a_read_that_leaves_the_breach_standing_lets_the_rule_act(action: Action) -> None:
    """The read was asked after the breach began, and the figure is still over the limit."""
    ruled = strict(action)
    ruled.tick(**used(100))
    before = replace(ruled.state.pictures, taken_ns=ruled.state.now_ns)
    ruled.tick(pictures=before)
    assert not ruled.state.latches
    ruled.tick(pictures=replace(before, taken_ns=ruled.state.now_ns))
    assert ruled.state.latches["margin_used"].kind.value == action.value


def test_a_breach_that_lasts_needs_no_read() -> None:
    """The venue answers no reads: after ten seconds of judgements the rule acts all the same."""
    ruled = strict(Action.FREEZE)
    ruled.tick(**used(100))
    ruled.tick(9)
    assert not ruled.state.latches
    ruled.tick(1)
    assert "margin_used" in ruled.state.latches
