"""The desk: facts to the log, messages by the route of their level."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from config.alerting import RouteSettings
from daemon.core.commands import Notify, RaiseAlert, Severity
from daemon.core.reasons import Reason
from daemon.shell.alerts.desk import AlertDesk
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.outbox import AlertOutbox
from tests.builders import START_NS
from tests.unit.daemon.core.people.listener import alert

NOTICE = Notify(
    reason=Reason.TIER_CHANGED,
    notification_id="distance:1:1",
    cause="news",
    level="warn",
    route="warn",
    severity=Severity.WARNING,
    group="distance",
    title="WARN: near liquidation, A",
    topic="tier",
    state="warn",
    symbol="A",
    text="A is WARN.",
    did="A stop rests.",
    will="It watches.",
    you_can="Reduce.",
    is_resolved=False,
    started_ns=START_NS,
    count=1,
)


class _Clock:
    def now_ns(self) -> int:
        return START_NS

    def wall_ns(self) -> int:
        return START_NS

    def move_past(self, ns: int) -> None:
        """The time is the same for ever."""


class _Outbox:
    """Keeps what was put, and for whom."""

    def __init__(self) -> None:
        self.put: list[tuple[str, tuple[str, ...]]] = []
        self.figures: dict[str, object] = {}

    def put_nowait(self, alert_: Alert, to: tuple[str, ...] = ()) -> None:
        self.put.append((alert_.alert_id, to))


def a_desk(routes: RouteSettings) -> tuple[AlertDesk, _Outbox]:
    """A desk over an outbox that only listens."""
    outbox = _Outbox()
    return AlertDesk(clock=_Clock(), outbox=cast("AlertOutbox", outbox), routes=routes), outbox


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("watch", []),
        ("warn", [("distance:1:1", ("mail",))]),
        ("critical", [("distance:1:1", ())]),
    ],
)
def test_a_message_goes_by_the_route_of_its_level(route: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    """P10: to the named channels, to all where none is named, to nobody where the log is."""
    desk, outbox = a_desk(RouteSettings(watch=("log",), warn=("mail",)))
    desk.notify(replace(NOTICE, route=route))
    assert outbox.put == expected
    assert desk.figures["told"] == 1


@pytest.mark.parametrize(
    ("route", "also", "expected"),
    [
        ("warn", ("emergency",), ("mail", "phone")),
        ("watch", ("warn",), ("mail",)),
        ("warn", ("critical",), ()),
        ("watch", ("watch",), None),
    ],
    ids=["each once", "the log is nobody", "all", "nobody"],
)
def test_an_end_goes_by_the_other_ways_too(route: str, also: tuple[str, ...], expected: tuple[str, ...] | None) -> None:
    """P10: to whom any of the levels leads, each channel once."""
    desk, outbox = a_desk(RouteSettings(watch=("log",), warn=("mail",), emergency=("phone", "mail")))
    desk.notify(replace(NOTICE, route=route, also=also))
    assert outbox.put == ([] if expected is None else [("distance:1:1", expected)])


def test_a_fact_of_the_core_is_logged_and_waits_for_its_message() -> None:
    """One fact, one log line; people hear of it when the core says so."""
    desk, outbox = a_desk(RouteSettings())
    desk.note(alert("tier", "warn", "A"))
    assert outbox.put == []
    assert desk.figures["raised"] == 1


def test_what_the_process_itself_has_to_say_goes_straight_out() -> None:
    """P12: the exchange is away at the start: there is no core yet that could gather."""
    desk, outbox = a_desk(RouteSettings())
    command: RaiseAlert = alert("mode", "waiting_for_venue", severity=Severity.CRITICAL)
    desk.raise_alert(command)
    assert outbox.put == [(command.alert_id, ())]
