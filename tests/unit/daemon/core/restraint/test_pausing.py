"""A person takes the wheel: nothing leaves of the guard's own, stops stay, people hear it, and it ends by itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from config.channels import FailOn
from config.policy import Policy, SwitchMode, SwitchPolicy
from connectors.vocabulary import OrderStatus, Side
from daemon.core import events as e
from daemon.core import halt
from daemon.core.choke_point import danger
from daemon.core.commands import (
    AmendStop,
    CancelOrder,
    CancelOrders,
    DisarmSwitch,
    FeedSwitch,
    Notify,
    PlaceStop,
    ReduceAtMarket,
    Severity,
    VenueCommand,
)
from daemon.core.degraded import Degraded
from daemon.core.operator_requests import (
    AcknowledgeAsked,
    FlattenAsked,
    FreezeAsked,
    LiftLatch,
    PauseAsked,
    ResumeAsked,
    SetStop,
    ShadowAsked,
)
from daemon.core.operators.operator import outcome, refusal
from daemon.core.reasons import Reason
from daemon.core.restraint.pausing import LONGEST_S
from daemon.core.state import GuardState, SwitchState
from daemon.shell.alerts.heartbeat import Ping, Standing, look_at, ping_for
from tests.builders import SECOND, a_position, an_order
from tests.driven import Driven
from tests.unit.daemon.core.restraint.test_latches import ask

WRITES = (PlaceStop, AmendStop, CancelOrder, CancelOrders, ReduceAtMarket, FeedSwitch)


def written(guard: Driven, since: int) -> list[object]:
    """What would have left since then, reads and the disarming of the switch aside."""
    return [each for each in guard.all[since:] if isinstance(each, WRITES)]


def covered(policy: Policy | None = None) -> Driven:
    """A guard whose long rests a stop."""
    guard = Driven(policy).up([a_position()])
    guard.rest()
    guard.wait(SECOND)
    return guard


def answer_switch(guard: Driven, *, armed: bool) -> None:
    """The venue confirms the newest request about the switch."""
    command_id = guard.state.switch.command_id
    assert command_id is not None
    timeout_ns = int(guard.state.policy.switch.timeout_s * SECOND) if armed else 0
    guard.give(e.SwitchAnswered(at_ns=guard.now, command_id=command_id, sent_ns=guard.now, timeout_ns=timeout_ns))


def test_a_paused_guard_sends_nothing_of_its_own() -> None:
    """P12: a stop that is gone, a mark beyond the trigger, a position that grows: nothing leaves, and each is told."""
    guard = covered()
    ask(guard, PauseAsked(seconds=600))
    since = len(guard.all)
    stop = next(iter(guard.state.orders["XBTUSDT"].values())).order
    guard.order(replace(stop, status=OrderStatus.CANCELED, leaves_quantity=0))
    guard.position(a_position(quantity=a_position().quantity * 2))
    guard.wait(10 * SECOND)
    guard.mark(str(guard.guarded().ruled or 900))
    guard.wait(10 * SECOND)
    assert written(guard, since) == []
    assert guard.alerts("uncovered", guard.all[since:])
    assert "paused; would rest a stop" in guard.alerts("observed", guard.all[since:])[0].text


def test_it_is_a_named_state_and_the_halt_flag_is_up() -> None:
    """P12: told once with who, how long and what holds; a bot that asks hears it."""
    guard = covered()
    ask(guard, PauseAsked(seconds=600))
    (told,) = guard.alerts("paused")
    assert "paused by ada for 10 min 0 s more: only what a person asks for is sent; stops that rest stay" in told.text
    assert [each.name for each in halt.halts(guard.state, now_ns=guard.now)] == ["paused"]
    ask(guard, ResumeAsked(), "r-2")
    assert halt.halts(guard.state, now_ns=guard.now) == ()
    assert "The guard acts again after 0 s paused (ada asked for it)." in guard.alerts("ended")[0].text


def test_it_ends_by_itself_and_what_was_left_undone_is_done() -> None:
    """P2: when the time is over the stop that vanished meanwhile is placed at once, without any news."""
    guard = covered()
    ask(guard, PauseAsked(seconds=60))
    stop = next(iter(guard.state.orders["XBTUSDT"].values())).order
    guard.order(replace(stop, status=OrderStatus.CANCELED, leaves_quantity=0))
    guard.wait(59 * SECOND)
    since = len(guard.all)
    guard.wait(2 * SECOND)
    assert guard.state.pause is None
    assert guard.some(PlaceStop, guard.all[since:])
    assert "its time is over" in guard.alerts("ended")[0].text


def test_it_is_said_again_and_louder_while_a_position_has_no_stop() -> None:
    """P10: every five minutes; critical, with the symbol, once its stop is gone."""
    guard = covered()
    ask(guard, PauseAsked(seconds=3_600))
    guard.wait(301 * SECOND)
    (first,) = guard.alerts("pause")
    assert first.severity is Severity.WARNING
    stop = next(iter(guard.state.orders["XBTUSDT"].values())).order
    guard.order(replace(stop, status=OrderStatus.CANCELED, leaves_quantity=0))
    guard.wait(301 * SECOND)
    second = guard.alerts("pause")[1]
    assert second.severity is Severity.CRITICAL
    assert "WITHOUT a confirmed stop: XBTUSDT" in second.text


def test_it_outlives_a_kill_and_says_so() -> None:
    """P7: the journal's state comes back paused, people hear it at the start, and nothing is sent."""
    guard = covered()
    ask(guard, PauseAsked(seconds=600))
    guard.state = msgspec.json.decode(msgspec.json.encode(guard.state), type=GuardState)
    since = len(guard.all)
    guard.up([a_position()])
    assert guard.state.pause is not None
    assert "Still paused by ada" in guard.alerts("pause")[0].text
    assert written(guard, since) == []


def test_a_state_of_the_build_before_is_not_paused() -> None:
    """P7: a checkpoint without the field is read, and guards."""
    whole = msgspec.json.decode(msgspec.json.encode(covered().state))
    del whole["pause"]
    assert msgspec.json.decode(msgspec.json.encode(whole), type=GuardState).pause is None


@pytest.mark.parametrize("mode", [SwitchMode.AUTO, SwitchMode.ALWAYS])
def test_the_switch_is_disarmed_so_that_the_stops_stay(mode: SwitchMode) -> None:
    """P6: nobody feeds while the guard does not act, and unfed it would take the stops; afterwards it is fed again."""
    guard = Driven(Policy(switch=SwitchPolicy(mode=mode))).up([a_position()], [an_order("q-1")])
    answer_switch(guard, armed=True)
    assert guard.state.switch.state is SwitchState.ARMED
    ask(guard, PauseAsked(seconds=60))
    guard.only(DisarmSwitch)
    answer_switch(guard, armed=False)
    since = len(guard.all)
    guard.wait(50 * SECOND)
    assert guard.some(FeedSwitch, guard.all[since:]) == []
    assert Degraded.SWITCH_UNFED.value not in guard.state.degraded
    guard.wait(11 * SECOND)
    assert guard.some(FeedSwitch, guard.all[since:])


def test_a_flatten_that_a_person_asks_for_is_done() -> None:
    """A pause holds back the guard, never the person: the position is closed at the market."""
    guard = covered()
    ask(guard, PauseAsked(seconds=600))
    ask(guard, FlattenAsked(), "r-2")
    closes = guard.some(ReduceAtMarket, [*guard.all, *guard.wait(2 * SECOND)])
    if not closes:
        guard.picture([a_position()], [each.order for each in guard.state.orders["XBTUSDT"].values()])
        closes = guard.some(ReduceAtMarket)
    assert closes
    assert danger.refusal(closes[0], guard.state) is None


def test_a_freeze_that_a_person_asks_for_is_done_and_a_rules_waits() -> None:
    """The operator's latch cancels; one that a rule set holds, and cancels when the pause is over."""
    guard = Driven().up(orders=[an_order("q-1")])
    ask(guard, PauseAsked(seconds=600))
    ask(guard, FreezeAsked(), "r-2")
    cancels = guard.some(CancelOrders, guard.all)
    assert cancels
    assert danger.refusal(cancels[0], guard.state) is None
    forged = replace(guard.state, latches={"daily_loss": replace(guard.state.latches["operator"], name="daily_loss")})
    assert danger.refusal(cancels[0], forged) == "the guard is paused, and no person asked for it"


def test_a_price_that_a_person_gives_is_brought_to_the_venue() -> None:
    """`seawall set-stop` during a pause moves the stop, and the choke point knows why."""
    guard = covered()
    ask(guard, PauseAsked(seconds=600))
    nearer = (guard.guarded().ratchet or Decimal(0)) + 20
    ask(guard, SetStop(symbol="XBTUSDT", side=Side.LONG, price=nearer), "r-2")
    moved = guard.some(AmendStop) + guard.some(PlaceStop)
    assert moved
    assert danger.refusal(moved[0], guard.state) is None
    assert danger.refusal(moved[0], replace(guard.state, pause=replace(guard.state.pause, stops=()))) is not None  # type: ignore[type-var]


def test_in_shadow_nothing_leaves_whoever_asks() -> None:
    """`seawall shadow`: a flatten is remembered, told as what would be done, and sent when the shadow is over."""
    guard = covered()
    ask(guard, ShadowAsked(seconds=60))
    since = len(guard.all)
    ask(guard, FlattenAsked(), "r-2")
    guard.wait(30 * SECOND)
    assert written(guard, since) == []
    assert outcome(guard.state, FlattenAsked()).startswith("observing only, so nothing is sent")


@pytest.mark.parametrize("kind", [PauseAsked, ShadowAsked])
def test_what_was_decided_before_the_pause_is_stopped_before_the_wire(kind: type) -> None:
    """P1: a command that waits in the executor while the pause begins does not leave."""
    guard = Driven().up([a_position()])
    place = guard.only(PlaceStop, guard.all)
    assert danger.refusal(place, guard.state) is None
    ask(guard, kind(seconds=60))
    commands: list[VenueCommand] = [place, FeedSwitch(command_id=1, reason=Reason.SWITCH_FEED, timeout_ns=SECOND)]
    assert all(danger.refusal(each, guard.state) is not None for each in commands)
    assert danger.refusal(DisarmSwitch(command_id=1, reason=Reason.SWITCH_DISARM), guard.state) is None


@pytest.mark.parametrize(
    ("policy", "request_", "words"),
    [
        (Policy(), PauseAsked(seconds=0), "a pause lasts from 1 s"),
        (Policy(), ShadowAsked(seconds=LONGEST_S + 1), "a pause lasts from 1 s"),
        (Policy(observe=True), PauseAsked(seconds=60), "only observes"),
        (Policy(), ResumeAsked(), "nothing is paused"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    policy: Policy, request_: PauseAsked | ShadowAsked | ResumeAsked, words: str
) -> None:
    """No pause without an end, none of a guard that does nothing anyway."""
    guard = Driven(policy).up()
    assert words in refusal(guard.state, request_)
    ask(guard, request_)
    assert guard.state.pause is None


def test_a_pause_that_is_asked_for_again_lasts_from_then() -> None:
    """The newest word counts, also from a pause to a shadow."""
    guard = covered()
    ask(guard, PauseAsked(seconds=60))
    guard.wait(50 * SECOND)
    ask(guard, ShadowAsked(seconds=60), "r-2")
    guard.wait(50 * SECOND)
    assert guard.state.pause is not None
    assert guard.state.pause.kind.value == "shadow"
    guard.wait(11 * SECOND)
    assert guard.state.pause is None


def test_a_longer_pause_keeps_the_stop_that_was_given_in_the_first() -> None:
    """The stop that a person asked for is brought there, although the pause was asked for again meanwhile."""
    guard = covered()
    ask(guard, PauseAsked(seconds=60))
    nearer = (guard.guarded().ratchet or Decimal(0)) + 20
    ask(guard, SetStop(symbol="XBTUSDT", side=Side.LONG, price=nearer), "r-2")
    ask(guard, PauseAsked(seconds=600), "r-3")
    assert guard.state.pause is not None
    assert guard.state.pause.stops == ("XBTUSDT",)


def test_a_repeat_does_not_claim_what_is_over() -> None:
    """A lost answer is asked for again after somebody resumed: "paused" would be a dangerous lie."""
    guard = covered()
    wishes = (PauseAsked(seconds=600), ShadowAsked(seconds=600), FlattenAsked(), FreezeAsked())
    for number, wish in enumerate(wishes):
        ask(guard, wish, f"w-{number}")
        assert " over" not in outcome(guard.state, wish)
        assert "it was done" not in outcome(guard.state, wish)
    assert outcome(guard.state, wishes[0]) == "that pause is over; the guard is in shadow"
    assert "a shadow was asked for and holds" in outcome(guard.state, ResumeAsked())
    ask(guard, ResumeAsked(), "r")
    ask(guard, LiftLatch(name=""), "l")
    assert [outcome(guard.state, wish).split(";")[0] for wish in wishes] == [
        "that pause is over",
        "that shadow is over",
        "it was done",
        "it was done",
    ]


@pytest.mark.parametrize("kind", [PauseAsked, ShadowAsked])
def test_the_outside_heartbeat_is_no_success_while_it_lasts(kind: type) -> None:
    """A ping says "it sees and acts"; a paused guard does not act, so silence or the word of failure tells so."""
    guard = covered()
    assert look_at(guard.state, now_ns=guard.now).standing is Standing.WELL
    ask(guard, kind(seconds=60))
    look = look_at(guard.state, now_ns=guard.now)
    assert look.standing is Standing.BLIND
    assert ping_for(look, FailOn.BLIND, told_cycle_ns=0) is Ping.FAIL
    assert ping_for(look, FailOn.NEVER, told_cycle_ns=0) is None


def test_people_are_reminded_every_five_minutes_and_hear_one_end() -> None:
    """P10: messages, not only the log; and the end does not say "still paused" beside it."""
    guard = covered()
    ask(guard, PauseAsked(seconds=1_200))
    for _ in range(125):
        guard.wait(10 * SECOND)
    told = [each for each in guard.all if isinstance(each, Notify) and each.group == "operator"]
    assert [each.text.count("Still paused") for each in told[:4]] == [0, 1, 1, 1]
    ended = next(each for each in told if "The guard acts again" in each.text)
    assert "paused by" not in ended.text


def test_who_acknowledged_a_pause_is_not_reminded_of_it() -> None:
    """Until it gets worse; the next to hear of it is its end."""
    guard = covered()
    ask(guard, PauseAsked(seconds=1_200))
    guard.wait(60 * SECOND)
    ask(guard, AcknowledgeAsked(), "a")
    for _ in range(100):
        guard.wait(10 * SECOND)
    told = [each for each in guard.all if isinstance(each, Notify) and each.group == "operator"]
    assert len([each for each in told if "paused by" in each.text]) == 1


def test_a_price_given_in_a_pause_is_for_that_position_alone() -> None:
    """P12: its stop fires and another position opens during the pause: nobody asked for that one's stop."""
    guard = covered()
    first = guard.some(PlaceStop, guard.all)[0]
    ask(guard, PauseAsked(seconds=600))
    nearer = (guard.guarded().ratchet or Decimal(0)) + 20
    ask(guard, SetStop(symbol="XBTUSDT", side=Side.LONG, price=nearer), "r-2")
    stop = next(iter(guard.state.orders["XBTUSDT"].values())).order
    guard.order(replace(stop, stop_price=nearer))
    guard.order(replace(stop, stop_price=nearer, status=OrderStatus.FILLED, leaves_quantity=0))
    guard.position(a_position(quantity=0))
    guard.wait(SECOND)
    since = len(guard.all)
    guard.position(a_position())
    guard.wait(10 * SECOND)
    assert written(guard, since) == []
    assert "no person asked" in str(danger.refusal(first, guard.state))
