"""A new policy while the guard runs: what moves, what stays, what is told, and what a replay makes of it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from config.modes import RuleMode
from config.policy import (
    FixedPolicy,
    MaxLossPolicy,
    Policy,
    StartBreach,
    StopPolicy,
    SwitchPolicy,
    TierPolicy,
    TimeStopPolicy,
)
from config.stop_rules import TimeStopAction
from daemon.core import events as e
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import AmendStop, CancelOrder, CancelOrders, Command, PlaceStop, ReduceAtMarket
from daemon.core.reasons import Reason
from daemon.shell.records import decode_event, encode_event
from tests.builders import SECOND, a_position
from tests.driven import Driven
from tests.segments import records_in
from tests.unit.daemon.core.test_stop_stories import confirm, opened

D = Decimal
CHANGES = ("stop.buffer_percent: 2 -> 4",)


def change(guard: Driven, policy: Policy, *, may_loosen: bool = False) -> tuple[Command, ...]:
    """Reload."""
    return guard.give(
        e.PolicyChanged(at_ns=guard.now, policy=policy, who="anna", changes=CHANGES, may_loosen=may_loosen)
    )


def stop_policy(**stop: object) -> Policy:
    """A policy that differs in its stop alone."""
    return Policy(stop=StopPolicy(**stop))  # type: ignore[arg-type]


def look(guard: Driven) -> None:
    """Let time pass, and answer each picture with what the streams said: the second witness of a market order."""
    for _ in range(20):
        guard.wait(SECOND // 2)
        if guard.state.pictures.command_id is not None:
            guard.picture([a_position(100)], [each.order for each in guard.state.orders["XBTUSDT"].values()])


def cancels(commands: tuple[Command, ...]) -> list[Command]:
    """What would take something away."""
    return [each for each in commands if isinstance(each, CancelOrder | CancelOrders)]


def test_a_tighter_policy_moves_the_stop_toward_the_mark_at_once() -> None:
    """P2: the resting order is amended in the same step; nothing is cancelled."""
    guard = opened()
    commands = change(guard, stop_policy(buffer_percent=D(4)))
    amend = guard.only(AmendStop, commands)
    assert amend.stop_price is not None
    assert amend.stop_price > D(918)
    assert cancels(commands) == []
    assert refusal(amend, guard.state) is None


def test_a_looser_policy_loosens_no_stop() -> None:
    """P3: what rests stays; the next position is guarded by the new policy."""
    guard = opened(buffer_percent=D(4))
    resting = guard.guarded().ratchet
    assert change(guard, stop_policy(buffer_percent=D(1)))
    assert not guard.some(AmendStop, guard.last)
    assert not guard.some(PlaceStop, guard.last)
    assert guard.guarded().ratchet == resting
    assert guard.state.policy.stop.buffer_percent == 1


def test_a_looser_policy_loosens_where_the_operator_says_so() -> None:
    """P3: an amend with its reason, past the choke point, named in an alert; afterwards the ratchet holds again."""
    guard = opened(buffer_percent=D(4))
    before = guard.guarded().ratchet
    commands = change(guard, stop_policy(buffer_percent=D(1)), may_loosen=True)
    amend = guard.only(AmendStop, commands)
    assert amend.reason is Reason.STOP_LOOSENED
    assert before is not None
    assert amend.stop_price is not None
    assert amend.stop_price < before
    assert refusal(amend, guard.state) is None
    assert "anna" in guard.alerts("loosened")[0].text
    guard.now += SECOND
    confirm(guard)
    assert guard.guarded().ratchet == amend.stop_price
    assert guard.guarded().episode.released is None


def test_letting_go_changes_nothing_where_nothing_is_looser() -> None:
    """P3: the word alone moves no stop."""
    guard = opened()
    ratchet = guard.guarded().ratchet
    change(guard, guard.state.policy, may_loosen=True)
    assert guard.guarded().ratchet == ratchet
    assert not guard.some(AmendStop, guard.last)


def test_the_same_policy_again_is_no_news() -> None:
    """A reload of an unchanged file: nothing is sent and nothing is told."""
    guard = opened()
    before = guard.state
    event = e.PolicyChanged(at_ns=guard.now, policy=guard.state.policy, who="anna", changes=())
    assert guard.give(event) == ()
    assert guard.state == before


def test_a_position_that_only_the_new_policy_would_close_is_told_and_not_sold() -> None:
    """P3, on_start_breach: a fixed price above the mark arrives with the reload; what rests stays."""
    guard = opened()
    commands = change(guard, stop_policy(fixed=FixedPolicy(long={"XBTUSDT": D(1100)})))
    assert not guard.some(ReduceAtMarket, commands)
    assert cancels(commands) == []
    assert guard.guarded().ratchet == D(918)
    look(guard)
    assert not guard.some(ReduceAtMarket, guard.all)


def test_a_rule_of_time_that_arrives_late_closes_nothing() -> None:
    """The position is older than the new rule allows: told, as after a start."""
    guard = opened()
    guard.wait(7_200 * SECOND)
    rule = TimeStopPolicy(mode=RuleMode.ON, after_hours=D(1), action=TimeStopAction.CLOSE)
    change(guard, stop_policy(time_stop=rule))
    look(guard)
    assert not guard.some(ReduceAtMarket, guard.all)


def test_who_asks_for_it_has_the_position_closed() -> None:
    """on_start_breach = "reduce" is the operator's word."""
    guard = opened()
    fixed = FixedPolicy(long={"XBTUSDT": D(1100)})
    change(guard, stop_policy(fixed=fixed, on_start_breach=StartBreach.REDUCE))
    look(guard)
    assert guard.some(ReduceAtMarket, guard.all)


def test_a_reload_in_the_middle_of_a_crash_takes_nobodys_exit_away() -> None:
    """P2: the mark is through the stop when settings of another matter arrive; the position is still reduced."""
    guard = opened()
    guard.now += SECOND
    guard.mark("917")
    change(guard, Policy(tiers=TierPolicy(watch_percent=D(6))))
    assert not guard.guarded().is_from_start
    look(guard)
    assert guard.some(ReduceAtMarket, guard.all)


def test_a_stop_under_way_is_not_asked_for_twice() -> None:
    """P4: the first stop is not confirmed yet when the policy changes."""
    guard = Driven(Policy()).up()
    guard.position(a_position(100))
    assert len(guard.some(PlaceStop, guard.all)) == 1
    change(guard, stop_policy(max_loss=MaxLossPolicy(mode=RuleMode.ON, equity_percent=D("0.3"))))
    assert len(guard.some(PlaceStop, guard.all)) == 1
    guard.rest()
    assert guard.some(AmendStop, guard.all)


def test_times_of_the_switch_count_from_the_next_feed() -> None:
    """Another time-out is no problem of the venue's."""
    guard = opened()
    change(guard, Policy(switch=SwitchPolicy(timeout_s=D(120))))
    guard.wait(10 * SECOND)
    assert guard.state.policy.switch.timeout_s == 120
    assert not guard.state.switch.problem


def test_people_are_told_who_changed_what() -> None:
    """P12: one note with the differences."""
    guard = opened()
    change(guard, stop_policy(buffer_percent=D(4)))
    (told,) = guard.alerts("changed")
    assert told.reason is Reason.OPERATOR
    assert "anna changed the policy: stop.buffer_percent: 2 -> 4" in told.text


def test_before_the_guard_sees_anything_a_policy_is_simply_taken() -> None:
    """No position, no stream: the reload of a guard that waits."""
    guard = Driven(Policy())
    guard.start()
    change(guard, stop_policy(buffer_percent=D(4)))
    assert guard.state.policy.stop.buffer_percent == 4


def test_the_journal_brings_it_back_whole() -> None:
    """P9: written and read, the event is the same, the policy to the last digit."""
    event = e.PolicyChanged(
        at_ns=5, policy=stop_policy(buffer_percent=D("2.10000000000000000001")), who="anna", changes=CHANGES
    )
    (record,) = records_in(encode_event(1, event), origin="here")
    assert decode_event(record) == event


def test_a_checkpoint_after_the_change_holds_the_new_policy() -> None:
    """P7: the state that is written down is that of the new policy."""
    guard = opened()
    change(guard, stop_policy(buffer_percent=D(4)))
    again = msgspec.json.decode(msgspec.json.encode(guard.state), type=type(guard.state))
    assert again == guard.state
