"""The orderly stop: what is under way is awaited, the switch is settled, and it ends in time."""

from __future__ import annotations

import pytest

from config.policy import Policy, SwitchMode, SwitchPolicy
from daemon.core import events as e
from daemon.core.commands import DisarmSwitch, Exit, PlaceStop, SetTimer, Severity
from daemon.core.mode import Mode
from tests.builders import SECOND, a_position, a_stop, an_order
from tests.driven import MS, Driven

OFF = Policy(switch=SwitchPolicy(mode=SwitchMode.OFF))


def stop(guard: Driven) -> tuple[object, ...]:
    """An orderly stop is asked for."""
    return guard.give(e.StopAsked(at_ns=guard.now))


def disarmed(guard: Driven) -> tuple[object, ...]:
    """The venue confirms the newest disarming."""
    command = guard.some(DisarmSwitch, guard.all)[-1]
    return guard.give(e.SwitchAnswered(at_ns=guard.now, command_id=command.command_id, sent_ns=guard.now, timeout_ns=0))


@pytest.mark.parametrize("policy", [OFF, Policy(observe=True)], ids=["switch off", "observing"])
def test_with_nothing_under_way_it_ends_at_once(policy: Policy) -> None:
    """Nothing to await: Exit is the last command of the same step, and no timer is left behind."""
    guard = Driven(policy).up()
    commands = stop(guard)
    assert isinstance(commands[-1], Exit)
    assert guard.some(SetTimer, commands) == []
    assert guard.state.mode is Mode.STOPPED


def test_nothing_comes_after_the_end() -> None:
    """STOPPED: events are folded, and no command is made of them."""
    guard = Driven(OFF).up()
    stop(guard)
    assert guard.position(a_position()) == ()
    assert stop(guard) == ()
    assert guard.wait(60 * SECOND) == []
    assert guard.guarded().position.quantity == 100


def test_a_second_request_to_stop_does_not_start_the_time_anew() -> None:
    """Five seconds from the first."""
    guard = Driven(OFF).up()
    guard.position(a_position())
    stop(guard)
    guard.wait(3 * SECOND)
    stop(guard)
    assert guard.only(Exit, guard.wait(2 * SECOND))


def test_a_position_that_opens_while_stopping_is_covered() -> None:
    """P2: a stop is placed and awaited as long as the time lasts."""
    guard = Driven().up()
    stop(guard)
    place = guard.only(PlaceStop, guard.position(a_position()))
    disarmed(guard)
    assert guard.state.mode is Mode.STOPPING
    guard.now += MS
    guard.rest(place)
    assert guard.some(Exit, guard.all)
    assert "1 open position(s), 0 without confirmed cover" in guard.alerts("stopped")[0].text
    assert guard.alerts("stopped")[0].severity is Severity.NOTE


def test_what_is_bare_at_the_end_is_told_loudly() -> None:
    """P12: the write and the switch are unconfirmed, the position has no stop."""
    guard = Driven().up()
    guard.position(a_position())
    stop(guard)
    guard.wait(5 * SECOND)
    alert = guard.alerts("stopped")[0]
    assert alert.severity is Severity.WARNING
    assert "1 without confirmed cover" in alert.text
    assert "1 request(s) and the switch are left unconfirmed" in alert.text


def test_a_stop_before_the_venue_was_ever_seen() -> None:
    """Stopped during the start: disarming is asked for, nobody answers, it ends all the same."""
    guard = Driven()
    guard.start()
    assert guard.only(DisarmSwitch, stop(guard))
    assert guard.only(Exit, guard.wait(5 * SECOND))


def test_a_restart_after_the_end_guards_again() -> None:
    """P7: the journal holds STOPPED; the next process starts as from anywhere."""
    guard = Driven(OFF).up([a_position()], [a_stop()])
    stop(guard)
    guard.now += SECOND
    guard.start()
    assert guard.state.mode is Mode.STARTING
    assert guard.state.stop_asked_ns == 0
    guard.connect([a_position()], [a_stop()])
    guard.picture([a_position()], [a_stop()])
    guard.wait(250 * MS)
    if guard.state.pictures.command_id is not None:
        guard.picture([a_position()], [a_stop()])
    assert guard.state.mode is Mode.GUARDING


@pytest.mark.parametrize("mode", list(SwitchMode))
def test_orders_that_stay_are_mentioned_where_the_switch_is_disarmed_alone(mode: SwitchMode) -> None:
    """In the other modes the countdown, or a bot, looks after them."""
    guard = Driven(Policy(switch=SwitchPolicy(mode=mode))).up(orders=[an_order()])
    stop(guard)
    guard.wait(6 * SECOND)
    text = guard.alerts("stopped")[0].text
    assert ("1 order(s) that may add exposure stay open" in text) is (mode is SwitchMode.AUTO)
