"""Topics that a session can do without: none of what becomes of them costs the connection."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.bitmex.protocol.session_events import ExtraTopic, Live, Lost
from connectors.bitmex.protocol.session_states import State
from tests.unit.connectors.bitmex.bitmex_builders import EXPIRED_TOKEN, partial, raw

TIMES = SessionTimes(ping_after_s=100.0, pong_within_s=5.0, live_within_s=15.0)
NOTHING = "the venue sent nothing when asked for it"


def a_session(*extras: str) -> Session:
    """Return an open public session that waits for its instruments."""
    session = Session(
        topics=("instrument",), times=TIMES, is_private=False, extras=extras or ("insurance", "liquidation")
    )
    session.opened(0.0)
    session.frames_to_send()
    return session


def live(*extras: str) -> Session:
    """Return a live session that has just asked for its extras."""
    session = a_session(*extras)
    session.receive(partial("instrument"), 1.0)
    session.tick(1.0)
    session.events()
    session.frames_to_send()
    return session


def asked(session: Session) -> list[Any]:
    """Return the arguments of the subscriptions to be sent."""
    return [msgspec.json.decode(frame)["args"] for frame in session.frames_to_send()]


def told(session: Session) -> list[tuple[str, str]]:
    """Return what was said of extras; nothing else may have happened."""
    events = session.events()
    extras = [event for event in events if isinstance(event, ExtraTopic)]
    assert not [event for event in events if isinstance(event, Lost)]
    return [(event.topic, event.problem) for event in extras]


def refusal(status: int, error: str, *topics: str, **more: Any) -> bytes:
    """Return an error; without topics it does not say which request it answers."""
    request = {"request": {"op": "subscribe", "args": list(topics)}} if topics else {}
    return raw({"status": status, "error": error, **request, **more})


def test_live_does_not_wait_for_them() -> None:
    """They are asked for when everything else is there, each alone, and the session is live before that."""
    session = a_session()
    session.tick(0.5)
    assert asked(session) == []
    session.receive(partial("instrument"), 1.0)
    assert [type(event) for event in session.events()][-1] is Live
    assert session.deadline_s() <= 1.0
    session.tick(1.0)
    assert asked(session) == [["insurance"], ["liquidation"]]


def test_a_partial_means_that_the_topic_is_there() -> None:
    """Told once, however often the venue sends a partial."""
    session = live()
    session.receive(partial("insurance"), 1.1)
    assert told(session) == [("insurance", "")]
    session.receive(partial("insurance"), 1.2)
    assert told(session) == []


def test_silence_is_told_and_a_late_partial_still_counts() -> None:
    """Nothing within the time a subscription may take: missing, until it comes."""
    session = live()
    session.receive(partial("insurance"), 1.1)
    session.events()
    assert session.deadline_s() == 16.0
    session.tick(16.0)
    assert told(session) == [("liquidation", NOTHING)]
    session.tick(17.0)
    assert told(session) == []
    session.receive(partial("liquidation"), 40.0)
    assert told(session) == [("liquidation", "")]
    assert session.state is State.LIVE


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_a_refusal_that_repeats_the_request_is_about_its_topic(status: int) -> None:
    """Whatever its status, the others go on and the session lives."""
    session = live()
    session.receive(refusal(status, "Unknown table: insurance", "insurance"), 1.2)
    assert told(session) == [("insurance", "refused: Unknown table: insurance")]
    session.tick(30.0)
    assert told(session) == [("liquidation", NOTHING)]
    assert session.state is State.LIVE


def test_a_refusal_without_the_request_is_found_by_its_words() -> None:
    """The error names the table."""
    session = live()
    session.receive(refusal(400, "Unknown table: liquidation"), 1.2)
    assert told(session) == [("liquidation", "refused: Unknown table: liquidation")]


def test_a_refusal_that_names_nothing_is_about_all_that_are_awaited() -> None:
    """Nothing else was asked; better two inputs too few than a stream too few."""
    session = live()
    session.receive(refusal(403, "Access denied"), 1.2)
    assert [topic for topic, _ in told(session)] == ["insurance", "liquidation"]
    assert session.state is State.LIVE


@pytest.mark.parametrize("status", [429, 503])
def test_too_fast_is_asked_again_later(status: int) -> None:
    """Missing for the time being, asked again after the pause that the venue names, and there when it comes."""
    session = live("insurance")
    session.receive(refusal(status, "Rate limit exceeded", "insurance", meta={"retryAfter": 7}), 2.0)
    assert told(session) == [("insurance", "refused: Rate limit exceeded")]
    session.tick(8.9)
    assert asked(session) == []
    session.tick(9.0)
    assert asked(session) == [["insurance"]]
    session.receive(partial("insurance"), 9.1)
    assert told(session) == [("insurance", "")]


def test_an_ended_token_is_a_loss_all_the_same() -> None:
    """What the guard lives on has ended: that is no error about an extra topic."""
    session = live()
    session.receive(raw(EXPIRED_TOKEN), 1.2)
    assert session.state is State.LOST


def test_an_error_that_nobody_can_place_blames_them() -> None:
    """The connection ends, and whoever opens the next one is told to leave the extras out."""
    session = live()
    session.receive(refusal(500, "Internal error"), 1.2)
    assert session.state is State.LOST
    assert session.blames_extras
    innocent = live()
    for table in ("insurance", "liquidation"):
        innocent.receive(partial(table), 1.1)
    innocent.receive(refusal(500, "Internal error"), 1.2)
    assert innocent.state is State.LOST
    assert not innocent.blames_extras
