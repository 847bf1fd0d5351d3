"""Kinds of frames."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.bitmex.protocol.frames import (
    Granted,
    MalformedFrame,
    Pong,
    Refused,
    SwitchAnswer,
    TableFrame,
    Unremarkable,
    Welcome,
    read_frame,
)
from connectors.bitmex.protocol.tables import Action
from tests.unit.connectors.bitmex.bitmex_builders import EXPIRED_TOKEN, SIGNED_IN, WELCOME, partial, raw


def test_pong() -> None:
    """The bare text answer to a ping."""
    assert read_frame(b"pong") == Pong()


@pytest.mark.parametrize(
    ("limit", "left"), [({"limit": {"remaining": 38}}, 38), ({"limit": {}}, None), ({"limit": None}, None)]
)
def test_welcome(limit: dict[str, Any], left: int | None) -> None:
    """The first frame says how many connections the hour still has, if it says so."""
    assert read_frame(raw(WELCOME | limit)) == Welcome(connections_left=left)


def test_partial() -> None:
    """A partial brings keys, filter and rows; numbers are exact."""
    frame = read_frame(b'{"table":"position","action":"partial","keys":["account"],"filter":{"account":7},'
                       b'"data":[{"account":7,"x":3.0000000000000003E-4}]}')  # fmt: skip
    assert isinstance(frame, TableFrame)
    assert (frame.table, frame.action, frame.keys, frame.covered) == (
        "position",
        Action.PARTIAL,
        ("account",),
        {"account": 7},
    )
    assert frame.rows[0]["x"] == Decimal("3.0000000000000003E-4")


def test_empty_partial_has_rows_of_none() -> None:
    """An empty partial is one, not a frame without data."""
    frame = read_frame(partial("order"))
    assert isinstance(frame, TableFrame)
    assert frame.rows == ()


def test_granted() -> None:
    """P11: of a sign-in's answer nothing of the echoed signature is kept."""
    granted = read_frame(raw(SIGNED_IN))
    assert granted == Granted(operation="authKeyExpires")
    assert "abab" not in repr(granted)


@pytest.mark.parametrize("arguments", ["order", ["order", "position"]])
def test_subscription_granted(arguments: object) -> None:
    """The echoed arguments may be a text or a list."""
    answer = {"success": True, "subscribe": "order", "request": {"op": "subscribe", "args": arguments}}
    assert read_frame(raw(answer)) == Granted(operation="subscribe", topic="order")


@pytest.mark.parametrize(
    ("sent", "status", "topics"),
    [
        (EXPIRED_TOKEN, 419, ()),
        ({"status": 400, "error": "Unknown table", "request": {"op": "subscribe", "args": "x"}}, 400, ("x",)),
        (
            {"status": 400, "error": "no", "meta": {}, "request": {"op": "subscribe", "args": ["x", "y"]}},
            400,
            ("x", "y"),
        ),
        ({"success": False, "error": "no", "request": {}}, None, ()),
        ({"error": "no"}, None, ()),
        ({"status": 503}, 503, ()),
        ({"success": False}, None, ()),
        ({"error": {"message": "no", "name": "WebsocketError"}}, None, ()),
    ],
)
def test_every_shape_of_an_error(sent: dict[str, Any], status: int | None, topics: tuple[str, ...]) -> None:
    """Any frame with an error or a status is an error, also one without a request."""
    frame = read_frame(raw(sent))
    assert isinstance(frame, Refused)
    assert (frame.status, frame.topics) == (status, topics)
    assert frame.reason


def test_rate_limit_says_how_long() -> None:
    """A 429 carries its pause."""
    sent = {"status": 429, "error": "Rate limit exceeded", "meta": {"retryAfter": 2}, "request": {"op": "subscribe"}}
    frame = read_frame(raw(sent))
    assert isinstance(frame, Refused)
    assert frame.retry_after_s == 2.0


def test_refused_sign_in_keeps_no_echo() -> None:
    """P11: the arguments of a refused sign-in are not kept either."""
    sent = {"status": 401, "error": "Signature not valid.", "request": SIGNED_IN["request"]}
    assert "abab" not in repr(read_frame(raw(sent)))


def test_switch_answers() -> None:
    """The switch is answered with times, and with or without what was asked."""
    times = {"now": "2024-04-09T09:01:56.560Z", "cancelTime": "2024-04-09T09:02:56.560Z"}
    asked = {"request": {"op": "cancelAllAfter", "args": 60000}}
    with_request = read_frame(raw(times | asked))
    without = read_frame(raw(times))
    disarmed = read_frame(raw({"now": times["now"], "request": {"op": "cancelAllAfter", "args": 0}}))
    assert isinstance(with_request, SwitchAnswer)
    assert with_request.timeout_ms == 60000
    assert isinstance(without, SwitchAnswer)
    assert without.timeout_ms is None
    assert isinstance(disarmed, SwitchAnswer)
    assert disarmed.timeout_ms == 0


def test_unremarkable() -> None:
    """Help and whatever the venue adds later ask for nothing."""
    assert read_frame(b'{"usage":"...","ops":[]}') == Unremarkable()
    assert read_frame(b"{}") == Unremarkable()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"ping",
        b"[1,2]",
        b"7",
        b"null",
        b"\xff",
        b'{"table":"order"}',
        b'{"table":"order","action":"explode","data":[]}',
        b'{"table":"order","action":"update","data":{}}',
        b'{"table":"order","action":"update","data":[1]}',
        b'{"table":5,"action":"update","data":[]}',
        b"[" * 100000,
    ],
)
def test_what_is_not_the_protocol(sent: bytes) -> None:
    """Anything else is malformed, and its error does not quote it."""
    with pytest.raises(MalformedFrame):
        read_frame(sent)


@pytest.mark.parametrize(("told", "wait_s"), [(7, 7.0), (0, 0.1), (-3, 0.1), (10**9, 120.0), ("7", None), (True, None)])
def test_pause_that_a_refusal_asks_for(told: Any, wait_s: float | None) -> None:
    """P12: an odd number must not keep a stream waiting, and so blind, for hours."""
    frame = read_frame(raw({"status": 429, "error": "Rate limit exceeded", "meta": {"retryAfter": told}}))
    assert isinstance(frame, Refused)
    assert frame.retry_after_s == wait_s
