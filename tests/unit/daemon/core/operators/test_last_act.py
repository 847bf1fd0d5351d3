"""What is left to do and to say when the guard's process is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.alerting import Level
from config.policy import Policy, SwitchMode, SwitchPolicy
from connectors.vocabulary import Order, OrderSide
from daemon.core.mode import Mode
from daemon.core.operators.last_act import (
    AGAIN_AFTER_NS,
    DEATHS_REMEMBERED,
    Death,
    Deaths,
    Findings,
    SwitchLeft,
    is_last,
    is_orderly,
    is_to_be_told,
    level_of,
    notice_of,
    switch_left,
    wants_picture,
)
from daemon.core.state import GuardState, Switch, SwitchState, initial_state
from tests.builders import SECOND, START_NS, a_position, a_stop, an_order
from tests.driven import Driven

AUTO = Policy()
ALWAYS = Policy(switch=SwitchPolicy(mode=SwitchMode.ALWAYS))
OFF = Policy(switch=SwitchPolicy(mode=SwitchMode.OFF))
ARMED = Switch(state=SwitchState.ARMED, expires_ns=START_NS + 40 * SECOND)
DISARMED = Switch(state=SwitchState.DISARMED)
STOP = a_stop()
QUOTE = an_order("q-1")
KILLED = Death(result="signal", status="KILL", at_ns=START_NS)


def a_state(switch: Switch = ARMED, mode: Mode = Mode.GUARDING) -> GuardState:
    """A guard without positions, as the journal gives it back."""
    return replace(initial_state(7, AUTO), switch=switch, mode=mode)


def holding(*, is_covered: bool = True, switch: Switch = DISARMED) -> GuardState:
    """A guard with one open position."""
    state = Driven(AUTO).up([a_position()]).state
    (symbol,) = state.positions
    guarded = replace(state.positions[symbol], covered_ns=START_NS if is_covered else 0)
    return replace(state, positions={symbol: guarded}, switch=switch)


def found(state: GuardState | None, left: SwitchLeft, death: Death = KILLED, **changes: object) -> Findings:
    """Findings after a first death."""
    base = Findings(death=death, policy=AUTO, state=state, left=left, deaths=Deaths(at_ns=(death.at_ns,)))
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "state", "orders", "expected"),
    [
        (AUTO, a_state(DISARMED), None, SwitchLeft.DISARMED),
        (AUTO, a_state(), None, SwitchLeft.UNSEEN),
        (AUTO, a_state(), (STOP,), SwitchLeft.TO_DISARM),
        (AUTO, a_state(), (), SwitchLeft.TO_DISARM),
        (AUTO, a_state(), (STOP, an_order("tp", side=OrderSide.SELL, is_reduce_only=True)), SwitchLeft.TO_DISARM),
        (AUTO, a_state(), (STOP, QUOTE), SwitchLeft.SWEEPS),
        (AUTO, a_state(replace(DISARMED, command_id=3)), (STOP,), SwitchLeft.TO_DISARM),
        (AUTO, a_state(Switch()), (STOP,), SwitchLeft.TO_DISARM),
        (AUTO, None, (STOP,), SwitchLeft.TO_DISARM),
        (AUTO, a_state(replace(ARMED, expires_ns=START_NS)), (STOP,), SwitchLeft.RAN_OUT),
        (ALWAYS, a_state(), (STOP,), SwitchLeft.ALWAYS),
        (OFF, a_state(), (STOP,), SwitchLeft.NOT_OURS),
        (replace(AUTO, observe=True), a_state(), (STOP,), SwitchLeft.NOT_OURS),
    ],
    ids=[
        "disarmed",
        "not asked",
        "only stops",
        "nothing open",
        "a take-profit",
        "a quote",
        "a feed under way",
        "never confirmed",
        "no journal",
        "ran out",
        "always",
        "off",
        "observing",
    ],
)
def test_the_switch_is_left_as_its_mode_says(
    policy: Policy, state: GuardState | None, orders: tuple[Order, ...] | None, expected: SwitchLeft
) -> None:
    """P6: `auto` disarms a countdown that has only stops to take, and no other; `always` and `off` are left alone."""
    assert switch_left(policy, state, orders, START_NS) is expected
    assert wants_picture(policy, state, START_NS) is (
        expected in {SwitchLeft.UNSEEN, SwitchLeft.TO_DISARM, SwitchLeft.SWEEPS}
    )


def test_an_orderly_stop_has_said_everything() -> None:
    """Stopped with success: nothing to do. A success that left a guard at work (SIGTERM in a start) is none."""
    orderly = Death(result="success", status="0", at_ns=START_NS)
    assert is_orderly(orderly, a_state(mode=Mode.STOPPED))
    assert is_orderly(orderly, None)
    assert not is_orderly(orderly, a_state())
    assert not is_orderly(KILLED, a_state(mode=Mode.STOPPED))


def test_who_was_asked_to_stop_is_not_started_again() -> None:
    """Killed while it stopped, as at the end of the stop's time: nobody starts it again."""
    assert is_last(KILLED, a_state(mode=Mode.STOPPING))
    assert not is_last(KILLED, a_state())
    assert not is_last(KILLED, None)


@pytest.mark.parametrize(
    ("findings", "level"),
    [
        (found(a_state(DISARMED), SwitchLeft.DISARMED), Level.WARN),
        (found(holding(), SwitchLeft.DISARMED), Level.WARN),
        (found(holding(), SwitchLeft.TO_DISARM, is_disarmed=True), Level.WARN),
        (found(holding(), SwitchLeft.TO_DISARM, problem="no answer"), Level.CRITICAL),
        (found(holding(is_covered=False), SwitchLeft.DISARMED), Level.CRITICAL),
        (found(holding(switch=ARMED), SwitchLeft.SWEEPS), Level.CRITICAL),
        (found(replace(holding(), mode=Mode.STOPPING), SwitchLeft.DISARMED), Level.CRITICAL),
        (found(replace(holding(is_covered=False), mode=Mode.STOPPING), SwitchLeft.DISARMED), Level.EMERGENCY),
        (found(None, SwitchLeft.UNSEEN), Level.CRITICAL),
    ],
    ids=[
        "flat",
        "covered",
        "disarmed here",
        "not confirmed",
        "bare",
        "swept",
        "alone",
        "alone and bare",
        "unknown",
    ],
)
def test_people_are_called_as_loudly_as_it_may_cost(findings: Findings, level: Level) -> None:
    """P10: what is covered and comes back is a warning; what is bare and stays alone is an emergency."""
    assert level_of(findings) is level


def test_a_sweep_is_told_with_its_time() -> None:
    """P12: quotes open and the switch armed: the message says that stops go too, and in how many seconds."""
    notice = notice_of(found(holding(switch=ARMED), SwitchLeft.SWEEPS))
    assert "was killed by SIGKILL" in notice.text
    assert "each with a confirmed stop: XBTUSDT" in notice.text
    assert "cancels every order, stops too, in 40 s" in notice.will
    assert "starts it again" in notice.will


def test_a_disarmed_switch_threatens_nothing() -> None:
    """After the disarming was confirmed the message speaks of no countdown."""
    notice = notice_of(found(holding(switch=ARMED), SwitchLeft.TO_DISARM, is_disarmed=True))
    assert "was disarmed" in notice.did
    assert "cancels every order" not in notice.will


@pytest.mark.parametrize(
    ("death", "words"),
    [
        (Death(result="watchdog", status="ABRT"), "completed no decision cycle"),
        (Death(result="oom-kill", status="KILL"), "memory ran out"),
        (Death(result="exit-code", status="7", meaning="an invariant broke"), "exit code 7 (an invariant broke)"),
        (Death(result="core-dump", status="SEGV"), "killed by SIGSEGV"),
        (Death(result="success", status="0"), "before it could stop in good order"),
        (Death(result=""), "The guard died."),
    ],
    ids=["watchdog", "memory", "exit code", "signal", "early", "unknown"],
)
def test_the_way_it_died_is_told(death: Death, words: str) -> None:
    """Each end that systemd can name has words of its own."""
    assert words in notice_of(found(a_state(), SwitchLeft.SWEEPS, death)).text


def test_a_crash_loop_is_loud_and_no_flood() -> None:
    """P10: sixty deaths, one each 5 s, with covered positions: the first, the third, then nothing for ten minutes."""
    deaths, told = Deaths(), []
    for number in range(240):
        death = replace(KILLED, at_ns=START_NS + number * 5 * SECOND)
        deaths = deaths.with_one(death.at_ns)
        findings = found(holding(), SwitchLeft.DISARMED, death, deaths=deaths)
        if is_to_be_told(findings):
            told.append((number, notice_of(findings).state))
            deaths = replace(deaths, told_ns=death.at_ns, told_rank=level_of(findings).rank)
    assert told == [(0, "died"), (2, "crash_loop"), (122, "crash_loop")]
    assert len(deaths.at_ns) == DEATHS_REMEMBERED
    assert AGAIN_AFTER_NS == 600 * SECOND


def test_worse_is_told_at_once() -> None:
    """Within a loop, a position that has lost its cover is told although it is not yet time again."""
    times = tuple(START_NS - number * 5 * SECOND for number in range(5, -1, -1))
    deaths = Deaths(at_ns=times, told_ns=START_NS - 15 * SECOND, told_rank=Level.CRITICAL.rank)
    assert not is_to_be_told(found(holding(), SwitchLeft.DISARMED, deaths=deaths))
    assert is_to_be_told(found(holding(is_covered=False), SwitchLeft.DISARMED, deaths=deaths))
