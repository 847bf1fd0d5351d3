"""A missing bot: the switch is not fed, and the choke point lets through what silence allows (P1, P6)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from config.bots import Heartbeat
from config.policy import SwitchMode
from daemon.core import bots
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import CancelOrders, DisarmSwitch, FeedSwitch
from daemon.core.degraded import Degraded
from daemon.core.state import SwitchState
from tests.builders import SECOND, an_order
from tests.driven import Driven
from tests.unit.daemon.core.emergency.test_freezing import cancelled, names
from tests.unit.daemon.core.test_bots import (
    alive,
    answer_switch,
    call,
    is_silent,
    quote,
    seconds_pass,
    until_silent,
)


def armed_with_two(**changes: object) -> Driven:
    """The bot and a person both have an order open; the switch is armed."""
    guard = alive(must_be_alive=True, **changes)
    for order in (quote(), an_order("by-hand", "")):
        guard.order(order)
        answer_switch(guard, list(guard.last))
    assert guard.state.switch.state is SwitchState.ARMED
    return guard


def test_a_bot_that_must_be_alive_keeps_the_switch_from_being_fed() -> None:
    """P6: its silence ends the feeding, and people hear why; its orders go first, then the rest, then the countdown."""
    guard = armed_with_two()
    cancelled(guard, guard.only(CancelOrders, until_silent(guard)))
    silent_ns = guard.state.bots["maker"].silent_ns
    late = seconds_pass(guard, 18)
    assert guard.some(FeedSwitch, late) == []
    assert guard.some(CancelOrders, late) == [], "the others' orders stay for half of what is left of the countdown"
    assert Degraded.SWITCH_UNFED.value in guard.state.degraded
    assert "maker must be alive" in guard.alerts(Degraded.SWITCH_UNFED.value)[0].text
    expires_ns = guard.state.switch.expires_ns
    while not (found := guard.some(CancelOrders, seconds_pass(guard, 1))):
        assert guard.now < expires_ns
    sent = found[0]
    assert names(sent) == ["by-hand"]
    assert guard.now - SECOND <= silent_ns + (expires_ns - silent_ns) // 2 + 2 * SECOND
    cancelled(guard, sent)
    answer_switch(guard, list(guard.last))
    assert guard.state.switch.state is SwitchState.DISARMED
    assert guard.now < expires_ns


def test_while_it_is_missing_nobodys_new_exposure_is_let_through() -> None:
    """An order that nobody's countdown watches does not stand; its return ends that."""
    guard = alive(must_be_alive=True)
    seconds_pass(guard, 31)
    sent = guard.only(CancelOrders, guard.order(an_order("by-hand", "")))
    assert refusal(sent, guard.state) is None
    assert guard.some(FeedSwitch) == []
    cancelled(guard, sent)
    call(guard)
    assert guard.only(FeedSwitch, guard.order(an_order("by-hand-2", "")))


def test_a_switch_that_is_off_is_not_gated() -> None:
    """The switch is somebody else's: only the bot's own orders go."""
    guard = armed_off()
    commands = seconds_pass(guard, 60)
    assert {name for each in guard.some(CancelOrders, commands) for name in names(each)} == {"q-1"}


def armed_off() -> Driven:
    """Mode off, the same two orders."""
    guard = alive(must_be_alive=True, switch=SwitchMode.OFF)
    guard.order(quote())
    guard.order(an_order("by-hand", ""))
    return guard


def test_in_mode_always_the_switch_is_never_disarmed_for_it() -> None:
    """P6: it is not fed either; the countdown takes the stops, which are put back: `check` advises against it."""
    guard = armed_with_two(switch=SwitchMode.ALWAYS)
    commands = seconds_pass(guard, 120)
    assert guard.some(DisarmSwitch, commands) == []
    assert guard.alerts("expired")
    assert Degraded.SWITCH_UNFED.value in guard.state.degraded
    assert guard.state.timer_ns == 0 or guard.state.timer_ns > guard.now + SECOND // 100, "no storm of wake-ups"


def test_nobody_can_say_that_it_lives_while_nobody_can_hear_it() -> None:
    """P6: deaf for its whole time, the guard does not feed; but it does not call the bot silent."""
    guard = armed_with_two(silent_after_s=Decimal(10))
    seconds_pass(guard, 9, deaf="down")
    assert bots.missing(guard.state) == ()
    fed = guard.some(FeedSwitch, seconds_pass(guard, 40, deaf="down"))
    assert bots.missing(guard.state) == ("maker",)
    assert len(fed) <= 1
    assert not is_silent(guard)
    sent = guard.some(CancelOrders, guard.all)
    assert {name for each in sent for name in names(each)} == {"by-hand", "q-1"}
    assert all(refusal(each, guard.state) is None for each in sent)


def test_a_bot_that_places_orders_lives_although_nobody_can_hear_its_calls() -> None:
    """P6: heard either way, its orders say so while the control API is down; when they end, it is missed as well."""
    guard = alive(must_be_alive=True, heartbeat=Heartbeat.EITHER, silent_after_s=Decimal(10))
    for number in range(8):
        guard.order(quote(f"q-{number}", f"mm-{number}"))
        answer_switch(guard, list(guard.last))
        seconds_pass(guard, 5, deaf="down")
        assert bots.missing(guard.state) == ()
    feed = guard.some(FeedSwitch, guard.all)[-1]
    assert refusal(feed, guard.state) is None
    assert guard.some(CancelOrders, guard.all) == []
    seconds_pass(guard, 6, deaf="down")
    assert bots.missing(guard.state) == ("maker",)
    assert "maker is not known to be alive" in str(refusal(feed, guard.state))


# ---------------------------------------------------------------------- the choke point


def test_without_a_silence_nobodys_orders_may_be_cancelled() -> None:
    """P1: the bot came back between the decision and the wire: the cancel stays."""
    guard = alive()
    guard.order(quote())
    sent = guard.only(CancelOrders, until_silent(guard))
    assert refusal(sent, guard.state) is None
    call(guard)
    assert "silence" in str(refusal(sent, guard.state))


def test_a_silence_allows_no_cancel_of_others_or_of_what_only_shrinks() -> None:
    """P1: another person's order, and the bot's own reduce-only one."""
    guard = alive()
    for order in (quote(), an_order("by-hand", ""), quote("mm-stop", "mm-s", is_reduce_only=True)):
        guard.order(order)
    sent = guard.only(CancelOrders, until_silent(guard))
    for order_id, client_order_id in (("by-hand", ""), ("mm-stop", "mm-s")):
        forged = replace(sent, orders=(replace(sent.orders[0], order_id=order_id, client_order_id=client_order_id),))
        assert refusal(forged, guard.state) is not None


def test_the_switch_is_not_fed_past_the_choke_point_while_a_bot_is_missing() -> None:
    """P6: a feed that was decided a moment before does not leave."""
    guard = armed_with_two()
    feed = guard.some(FeedSwitch, guard.all)[-1]
    assert refusal(feed, guard.state) is None
    seconds_pass(guard, 31)
    assert refusal(feed, guard.state) == "the switch is not fed while maker is not known to be alive"
