"""Single lines of the status: what is worth a sentence about the ways by which people are told."""

from __future__ import annotations

from typing import Any

from daemon.shell.status_lines import alert_lines


def a_channel(**changes: Any) -> dict[str, Any]:
    """The figures of a channel that is well."""
    well = {"kind": "webhook", "failing": False, "waiting": 0, "delivered": 3, "lost": 0, "failed": 0}
    return {**well, **changes}


def test_channels_that_deliver_need_no_line() -> None:
    """Nor does a guard that only logs."""
    assert not list(alert_lines({"raised": 3}))
    assert not list(alert_lines({"channels": {"phone": a_channel()}, "heartbeat": {"problem": ""}}))


def test_a_channel_that_fails_or_lost_something_is_named() -> None:
    """With what waits, what was lost and why."""
    channels = {
        "phone": a_channel(failing=True, waiting=4, problem="api.example.org: no answer within 10 s"),
        "mail": a_channel(lost=2, problem="mail.example.org answered 422"),
    }
    assert list(alert_lines({"channels": channels, "heartbeat": {"problem": "example.org: ConnectError"}})) == [
        "alert channel phone does not deliver (4 waiting, 0 lost): api.example.org: no answer within 10 s",
        "alert channel mail delivers again (0 waiting, 2 lost): mail.example.org answered 422",
        "the outside heartbeat is not heard: example.org: ConnectError",
    ]
