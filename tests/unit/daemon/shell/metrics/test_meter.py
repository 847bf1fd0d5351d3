"""What is counted beside the path of decisions, and that counting can end nothing."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from daemon.core import events as e
from daemon.core.commands import PlaceStop, ReadPicture
from daemon.core.reasons import Reason
from daemon.core.state import GuardState
from daemon.core.step import Step, step
from daemon.shell.journal import _OUTCOMES
from daemon.shell.metrics import meter as meter_module
from daemon.shell.metrics.meter import Counts, Meter
from daemon.shell.words import COMMANDS, EVENTS, OUTCOMES, TRIGGERS, Errand, Outcome, Trigger, outcome_of
from tests.builders import a_position, an_instrument
from tests.driven import MS, Driven


def read(meter: Meter) -> Counts:
    """What was counted, which is something."""
    counts = meter.read(0)
    assert counts is not None
    return counts


def asking_for_a_stop() -> tuple[Meter, PlaceStop, int]:
    """A meter that was told of a position row, and of the stop decided on it; and when that was."""
    guard, meter = Driven(), Meter()
    guard.start()
    guard.connect([], (), [an_instrument()])
    guard.picture([])
    guard.now += MS
    before = guard.state
    row = e.PositionSeen(at_ns=guard.now, position=a_position(), source=e.Source.STREAM)
    outcome = step(before, row)
    meter.decided(row, before, outcome)
    return meter, guard.only(PlaceStop, outcome.commands), guard.now


def test_a_request_is_counted_from_event_to_answer() -> None:
    """A position row leads to a stop: it leaves after 3 ms, is answered 40 ms later, and each time has its place."""
    meter, place, at_ns = asking_for_a_stop()
    meter.sent(place, at_ns + 3 * MS)
    meter.ended(place, e.RequestAnswered(at_ns=at_ns + 43 * MS, command_id=place.command_id, order=None))
    counts = read(meter)
    assert counts.events["position_seen"] == 1
    assert counts.requests["place_stop", Outcome.ANSWERED] == 1
    buckets, total_s = counts.tick_to_command[Trigger.ACCOUNT]
    assert (buckets[-1][1], round(total_s, 6)) == (1, 0.003)
    assert round(counts.request_times[Errand.WRITE][1], 6) == 0.04
    assert not meter._open


def test_what_never_left_has_no_duration() -> None:
    """P1: our own check holds a request back: it is counted as stopped, and no time of a request is made up."""
    meter, place, at_ns = asking_for_a_stop()
    meter.ended(place, e.RequestRefused(at_ns=at_ns, command_id=place.command_id, reason="no", is_own=True))
    counts = read(meter)
    assert counts.requests["place_stop", Outcome.STOPPED] == 1
    assert counts.request_times[Errand.WRITE] == meter_module.Histogram(meter_module.REQUEST_BOUNDS_S).read()


def test_an_outcome_of_an_earlier_process_is_counted() -> None:
    """An end whose beginning was never told, after a restart, counts and breaks nothing."""
    meter = Meter()
    command = ReadPicture(command_id=7, reason=Reason.RECONCILE)
    meter.ended(command, e.RequestNotSent(at_ns=1, command_id=7, reason="none", retry_after_ns=0))
    assert read(meter).requests["read_picture", Outcome.NOT_SENT] == 1


def test_every_command_event_and_outcome_has_its_word() -> None:
    """A new command, event or way to end has a label at once, or this fails; no two share one."""
    assert set(OUTCOMES) == _OUTCOMES
    assert len(set(COMMANDS.values())) == len(COMMANDS)
    assert len(set(EVENTS.values())) == len(EVENTS)
    assert {TRIGGERS[kind] for kind in OUTCOMES} == {Trigger.ANSWER}
    assert TRIGGERS[e.MarkSeen] is Trigger.MARKET
    assert TRIGGERS[e.OrderSeen] is Trigger.ACCOUNT
    answered = e.RequestAnswered(at_ns=0, command_id=1, order=None)
    assert outcome_of(answered) is Outcome.ANSWERED


def test_a_mistake_in_counting_ends_nothing(monkeypatch: Any) -> None:
    """Counting raises: that is said once, the caller hears nothing, and what was counted is absent from then on."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nobody")

    meter, place, at_ns = asking_for_a_stop()
    monkeypatch.setattr(meter, "_count_step", broken)
    tick = e.TimerFired(at_ns=at_ns)
    state: GuardState = Driven().state
    with capture_logs() as logs:
        for _ in range(3):
            meter.decided(tick, state, Step(state=state, commands=()))
        meter.sent(place, at_ns)
        meter.ended(place, e.RequestAnswered(at_ns=at_ns, command_id=place.command_id, order=None))
    assert [each["log_level"] for each in logs] == ["error"]
    assert meter.read(at_ns) is None
