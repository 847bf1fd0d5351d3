"""The life of one connection."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from connectors.bitmex.protocol.frames import PING, SwitchAnswer, TableFrame, Unread, Welcome
from connectors.bitmex.protocol.redress import HOPELESS_PAUSE_S
from connectors.bitmex.protocol.session import FOREVER, Session, SessionTimes
from connectors.bitmex.protocol.session_events import (
    Doubted,
    Live,
    Lost,
    SwitchRefused,
    TopicRefused,
    Unreadable,
    Whole,
)
from connectors.bitmex.protocol.session_states import TRANSITIONS, IllegalTransition, Input, State, transition
from tests.unit.connectors.bitmex.bitmex_builders import EXPIRED_TOKEN, SIGNED_IN, WELCOME, change, partial, raw

TIMES = SessionTimes(ping_after_s=5.0, pong_within_s=5.0, live_within_s=15.0)
SIGN_IN = b'{"op":"authKeyExpires"}'
TOPICS = ("order", "position")


def public(*topics: str) -> Session:
    """Return an open public session."""
    session = Session(topics=topics or ("instrument",), times=TIMES, is_private=False)
    session.opened(0.0)
    return session


def private(*, signed_in: bool = True) -> Session:
    """Return an open private session."""
    session = Session(topics=TOPICS, times=TIMES, is_private=True)
    session.opened(0.0, sign_in=SIGN_IN)
    if signed_in:
        session.receive(raw(SIGNED_IN), 0.0)
    return session


def live() -> Session:
    """Return a live private session with nothing left to say."""
    session = private()
    session.receive(partial("order"), 0.0)
    session.receive(partial("position"), 0.0)
    assert session.state is State.LIVE
    session.events()
    session.frames_to_send()
    return session


def asked(session: Session) -> list[Any]:
    """Return the arguments of the subscriptions to be sent."""
    frames = [msgspec.json.decode(frame) for frame in session.frames_to_send() if frame != PING]
    return [frame["args"] for frame in frames if frame["op"] == "subscribe"]


def refused(status: int, error: str, topics: Any = None, **meta: Any) -> bytes:
    """Return an error frame, about a subscription if topics are given."""
    request = {"op": "subscribe", "args": topics} if topics is not None else {}
    return raw({"status": status, "error": error, "meta": meta, "request": request})


def lost_reason(session: Session) -> str:
    """Return why the session is lost; it must be."""
    assert session.state is State.LOST
    return next(event.reason for event in session.events() if isinstance(event, Lost))


def test_private_session_from_opening_to_live() -> None:
    """Sign in, subscribe when signed in, live when every table has had its partial."""
    session = private(signed_in=False)
    assert session.frames_to_send() == [SIGN_IN]
    session.receive(raw(WELCOME), 0.1)
    assert session.state is State.AUTHENTICATING
    session.receive(raw(SIGNED_IN), 0.2)
    assert asked(session) == [["order", "position"]]
    session.receive(partial("position"), 0.3)
    assert session.missing == {"order"}
    assert Live() not in session.events()
    session.receive(partial("order"), 0.4)
    assert session.state is State.LIVE
    assert session.events()[-1] == Live()


def test_partial_is_told_before_live() -> None:
    """What was sent before LIVE is complete: the last partial comes first."""
    session = public()
    session.receive(partial("instrument"), 0.1)
    kinds = [type(event) for event in session.events()]
    assert kinds == [TableFrame, Live]


def test_confirmation_alone_is_not_live() -> None:
    """A granted subscription has not shown anything yet."""
    session = public()
    session.receive(raw({"success": True, "subscribe": "instrument", "request": {"op": "subscribe"}}), 0.1)
    assert session.state is State.SUBSCRIBING


def test_every_symbol_needs_its_own_partial() -> None:
    """Two subscriptions of one table give two partials; live needs both, and a symbol is not the whole table."""
    session = public("instrument:A", "instrument:B")
    session.receive(partial("instrument", covered={"symbol": "A"}), 0.1)
    assert session.missing == {"instrument:B"}
    session.receive(partial("instrument", covered={"symbol": "B"}), 0.2)
    assert session.state is State.LIVE
    whole = public("instrument")
    whole.receive(partial("instrument", covered={"symbol": "A"}), 0.1)
    assert whole.state is State.SUBSCRIBING


def test_welcome_says_how_many_connections_are_left() -> None:
    """The count of connections is handed on."""
    session = public()
    session.receive(raw(WELCOME), 0.1)
    assert session.events() == [Welcome(connections_left=719)]


def test_ping_and_pong_have_each_a_patience_of_their_own() -> None:
    """Eight seconds of silence until the ping, three more until the loss."""
    times = SessionTimes(ping_after_s=8.0, pong_within_s=3.0, live_within_s=15.0)
    session = Session(topics=("instrument",), times=times, is_private=False)
    session.opened(0.0)
    session.receive(partial("instrument"), 0.0)
    assert session.deadline_s() == 8.0
    session.tick(8.0)
    assert session.deadline_s() == 11.0


def test_ping_after_silence_and_loss_after_more() -> None:
    """Five seconds of silence: ping. Five more: the connection is dead."""
    session = live()
    assert session.deadline_s() == 5.0
    session.tick(4.9)
    assert session.frames_to_send() == []
    session.tick(5.0)
    assert session.frames_to_send() == [PING]
    assert session.deadline_s() == 10.0
    session.tick(10.0)
    assert "silent" in lost_reason(session)
    assert session.deadline_s() == FOREVER


def test_any_frame_is_a_sign_of_life() -> None:
    """A pong counts, and so does every other frame: the timer starts again."""
    session = live()
    session.tick(5.0)
    session.receive(b"pong", 9.0)
    session.tick(10.0)
    assert session.state is State.LIVE
    assert session.deadline_s() == 14.0
    session.heard(13.0)
    assert session.deadline_s() == 18.0


def test_late_wake_up_asks_before_it_gives_up() -> None:
    """A loop that stood still for a minute pings first: frames may be waiting unread."""
    session = live()
    session.tick(60.0)
    assert session.state is State.LIVE
    assert session.frames_to_send() == [PING]
    assert session.deadline_s() == 65.0


def test_ended_subscription_is_a_loss() -> None:
    """P12: 419 while the socket stays open: the account is blind, whatever else flows on."""
    session = live()
    session.receive(raw(EXPIRED_TOKEN), 1.0)
    assert "Access Token expired" in lost_reason(session)


@pytest.mark.parametrize(
    "frame",
    [
        refused(401, "User requested an account-locked subscription but no authorization was provided.", "order"),
        refused(401, "Signature not valid."),
        raw({"error": "something new"}),
        raw({"success": False, "error": "no", "request": {}}),
        refused(400, "Unknown table: order", "order"),
        refused(503, "going down"),
    ],
)
def test_every_other_error_is_a_loss(frame: bytes) -> None:
    """P12: an error frame is never looked past, also one without a request."""
    session = live()
    session.receive(frame, 1.0)
    assert session.state is State.LOST


def test_refused_sign_in_stays_away_for_a_while() -> None:
    """A wrong key needs a person; asking often may get it disabled."""
    session = private(signed_in=False)
    session.receive(refused(401, "Signature not valid."), 0.1)
    (lost,) = session.events()
    assert isinstance(lost, Lost)
    assert lost.reason == "sign-in refused: Signature not valid."
    assert lost.at_least_s >= 10.0


def test_duplicate_subscription_is_harmless() -> None:
    """Subscribing twice is answered with an error that means success."""
    session = live()
    session.receive(refused(400, "You are already subscribed to this topic: order:*. Please see ...", "order"), 1.0)
    assert session.state is State.LIVE


def test_subscription_refused_for_its_rate_is_sent_again() -> None:
    """429 on subscribing: the topics still missing are asked for again after the pause, and patience is extended."""
    session = private()
    assert asked(session) == [["order", "position"]]
    session.receive(partial("position"), 0.2)
    session.receive(refused(429, "Rate limit exceeded, retry in 3 seconds.", ["order", "position"], retryAfter=3), 0.5)
    assert session.deadline_s() == 3.5
    assert session.is_asking, "no event says so, and whoever sleeps has to be woken"
    session.tick(3.4)
    assert asked(session) == []
    session.tick(3.5)
    assert asked(session) == [["order"]]
    session.receive(b"pong", 15.5)
    session.tick(15.5)
    assert session.state is State.SUBSCRIBING
    session.receive(partial("order"), 16.0)
    assert session.state is State.LIVE


def test_postponed_topic_that_arrives_is_not_asked_for() -> None:
    """A partial that comes in the pause ends the asking."""
    session = private()
    session.receive(refused(429, "Rate limit exceeded", ["order", "position"], retryAfter=3), 0.5)
    session.receive(partial("order"), 1.0)
    session.frames_to_send()
    session.tick(4.0)
    assert asked(session) == [["position"]]


def test_too_many_pending_subscriptions_is_about_pace() -> None:
    """503 "Max Pending subscription limit" while subscribing is tried again."""
    session = private()
    session.frames_to_send()
    session.receive(refused(503, "Max Pending subscription limit reached, please try again later.", "order"), 0.5)
    session.tick(1.5)
    assert asked(session) == [["order"]]


def test_rate_limit_while_live_changes_nothing() -> None:
    """A 429 without a request does not blind a feed that is complete."""
    session = live()
    session.receive(refused(429, "Rate limit exceeded"), 1.0)
    assert session.state is State.LIVE


def test_delisted_symbol_ends_its_topic_alone() -> None:
    """P12: of a list of symbols one is no longer listed: the others go live, and the refused one is named."""
    session = public("instrument:A", "instrument:GONE")
    assert asked(session) == [["instrument:A", "instrument:GONE"]]
    session.receive(refused(400, "Unknown or expired symbol.", ["instrument:A", "instrument:GONE"]), 0.2)
    assert asked(session) == [["instrument:A"], ["instrument:GONE"]]
    session.receive(refused(400, "Unknown or expired symbol.", "instrument:GONE"), 0.3)
    session.receive(partial("instrument", covered={"symbol": "A"}), 0.4)
    events = session.events()
    assert TopicRefused(topic="instrument:GONE", reason="Unknown or expired symbol.") in events
    assert events[-1] == Live()


def test_live_when_the_last_missing_topic_is_refused() -> None:
    """The order of partials and refusals does not matter."""
    session = public("instrument:A", "instrument:GONE")
    session.receive(partial("instrument", covered={"symbol": "A"}), 0.1)
    session.receive(refused(404, "Unknown or expired symbol.", ["instrument:GONE"]), 0.3)
    assert session.state is State.LIVE


def test_every_symbol_refused_is_a_loss() -> None:
    """A feed without a topic is no feed."""
    session = public("instrument:GONE")
    session.receive(refused(400, "Unknown or expired symbol.", "instrument:GONE"), 0.3)
    assert "every topic was refused" in lost_reason(session)


@pytest.mark.parametrize("signed_in", [True, False])
def test_not_live_in_time_is_a_loss(signed_in: bool) -> None:
    """A partial or sign-in that never comes, with the socket alive: given up, and what was missing is named."""
    session = private(signed_in=signed_in)
    for second in range(1, 15):
        session.receive(b"pong", float(second))
        session.tick(float(second))
    session.tick(15.0)
    assert ("order, position" if signed_in else "the sign-in") in lost_reason(session)


def anew(session: Session) -> list[tuple[str, list[str]]]:
    """Return the operations to be sent, with their topics."""
    asked = [msgspec.json.decode(frame) for frame in session.frames_to_send() if frame != b"ping"]
    return [(request["op"], sorted(request["args"])) for request in asked]


def test_frame_that_tells_no_table_casts_doubt_on_all() -> None:
    """Garbage on the wire: every table is asked for anew over the open socket, and counts again with its partial."""
    session = live()
    session.receive(b"<html>", 1.0)
    assert [type(event) for event in session.events()] == [Unreadable, Doubted, Doubted]
    assert anew(session) == [("unsubscribe", ["order", "position"]), ("subscribe", ["order", "position"])]
    session.receive(partial("order"), 1.1)
    assert session.events()[1:] == [Whole(table="order")]
    assert session.doubted == {"position"}
    session.receive(partial("position"), 1.2)
    assert session.state is State.LIVE
    assert not session.doubted


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b'{"table":"order","action":"update","da', Unread.NOT_JSON),
        (b'{"table":"order","action":"upsert","data":[]}', Unread.NO_TABLE),
        (b'{"table":"order","action":"update","data":{}}', Unread.NO_TABLE),
        (b'{"table":"order","action":"update","data":[1]}', Unread.NO_TABLE),
    ],
)
def test_frame_that_tells_its_table_casts_doubt_on_that(frame: bytes, why: Unread) -> None:
    """Cut, or with an action or rows that mean nothing: only its own table is asked for anew."""
    session = live()
    session.receive(frame, 1.0)
    told, *doubts = session.events()
    assert isinstance(told, Unreadable)
    assert told.why is why
    assert doubts == [Doubted(table="order", reason=told.reason)]
    assert anew(session) == [("unsubscribe", ["order"]), ("subscribe", ["order"])]


def test_unreadable_frame_of_a_table_that_nobody_wants_is_nobodys_trouble() -> None:
    """Counted, and nothing is doubted; a readable one of that table is passed on like any other."""
    session = live()
    session.receive(b'{"table":"chat","action":"update","da', 1.0)
    assert [type(event) for event in session.events()] == [Unreadable]
    session.receive(b'{"table":"chat","action":"update","data":[{"new":1}],"another":{"new":1}}', 1.0)
    assert [type(event) for event in session.events()] == [TableFrame]
    assert session.frames_to_send() == []


def test_table_that_stays_unreadable_is_asked_for_with_growing_pauses_and_then_costs_the_connection() -> None:
    """At once, after 5 s, after 30 s; then another connection, some seconds later."""
    session = live()
    for at_s, due_s in ((1.0, 1.0), (2.0, 7.0), (8.0, 38.0)):
        session.doubt("order", "odd", at_s)
        session.doubt("order", "odd", at_s)
        session.receive(b"pong", due_s - 0.1)
        session.tick(due_s - 0.1)
        session.tick(due_s)
        assert anew(session) == [("unsubscribe", ["order"]), ("subscribe", ["order"])]
        session.receive(partial("order"), due_s)
    session.doubt("order", "odd", 40.0)
    lost = session.events()[-1]
    assert lost == Lost(reason="order stays unreadable: odd", at_least_s=HOPELESS_PAUSE_S)


def test_table_that_was_whole_for_long_starts_with_a_short_pause_again() -> None:
    """Once in a while is no lasting trouble."""
    session = live()
    for at_s in range(100, 1100, 100):
        session.doubt("order", "odd", float(at_s))
        assert len(anew(session)) == 2
        session.receive(partial("order"), float(at_s))
    assert session.state is State.LIVE


def test_partial_that_does_not_come_is_asked_for_again_and_then_costs_the_connection() -> None:
    """The venue took the request and sends nothing: the socket is no use."""
    session = live()
    session.doubt("order", "odd", 1.0)
    for second in range(2, 120):
        session.receive(b"pong", float(second))
        session.tick(float(second))
    assert [operation for operation, _ in anew(session)] == []
    assert "order stays unreadable: no partial came" in lost_reason(session)


def test_refusals_of_asking_anew_cost_nothing() -> None:
    """Not subscribed any more, subscribed already, too fast: asked again when the venue wants it."""
    session = live()
    session.doubt("order", "odd", 1.0)
    session.frames_to_send()
    request = {"op": "unsubscribe", "args": ["order"]}
    session.receive(raw({"status": 400, "error": "You are not subscribed", "meta": {}, "request": request}), 1.1)
    again = {"op": "subscribe", "args": ["order"]}
    session.receive(raw({"status": 429, "error": "slow", "meta": {"retryAfter": 3}, "request": again}), 1.2)
    session.tick(4.2)
    assert anew(session) == [("subscribe", ["order"])]
    session.receive(partial("order"), 4.3)
    assert not session.doubted
    assert session.state is State.LIVE


def test_doubt_before_live_keeps_the_session_from_it() -> None:
    """A partial that could not be read is none: LIVE waits for a better one."""
    session = private()
    session.receive(partial("order"), 1.0)
    session.doubt("order", "odd", 1.0)
    session.receive(partial("position"), 1.1)
    assert session.state is State.SUBSCRIBING
    session.receive(partial("order"), 1.2)
    assert session.state is State.LIVE


def test_nothing_is_doubted_before_anything_was_asked_for() -> None:
    """Garbage before the sign-in is counted, no more."""
    session = private(signed_in=False)
    session.frames_to_send()
    session.receive(b"<html>", 1.0)
    assert [type(event) for event in session.events()] == [Unreadable]
    assert session.frames_to_send() == []


def test_lost_is_told_once_and_is_final() -> None:
    """After the loss nothing is sent, told or moved."""
    session = live()
    session.closed("closed by the venue: 1001")
    assert lost_reason(session) == "closed by the venue: 1001"
    session.receive(partial("order"), 2.0)
    session.tick(100.0)
    session.doubt("order", "again", 101.0)
    assert session.events() == []
    assert session.frames_to_send() == []


def test_switch_frames_are_handed_on() -> None:
    """Answers to the dead man's switch, good or bad, do not touch the connection."""
    session = live()
    request = {"op": "cancelAllAfter", "args": 60000}
    session.receive(raw({"now": "x", "cancelTime": "y", "request": request}), 1.0)
    session.receive(raw({"status": 429, "error": "slow", "meta": {"retryAfter": 1}, "request": request}), 1.0)
    answer, refusal = session.events()
    assert isinstance(answer, SwitchAnswer)
    assert isinstance(refusal, SwitchRefused)
    assert (refusal.status, refusal.timeout_ms, refusal.retry_after_s) == (429, 60000, 1.0)
    assert session.state is State.LIVE


def test_repeated_partial_and_changes_are_handed_on_while_live() -> None:
    """A partial may come again: it is told, and live is not told twice."""
    session = live()
    session.receive(partial("order"), 1.0)
    session.receive(change("order", "insert", {"orderID": "x"}), 1.0)
    assert [type(event) for event in session.events()] == [TableFrame, TableFrame]


def test_second_sign_in_answer_is_ignored() -> None:
    """A stray success does not move the session."""
    session = live()
    session.receive(raw(SIGNED_IN), 1.0)
    assert session.state is State.LIVE
    assert session.frames_to_send() == []


def test_illegal_pairs_raise_and_change_nothing() -> None:
    """Every pair that the table does not have is an error on purpose."""
    for state in State:
        for given in Input:
            if (state, given) in TRANSITIONS:
                assert transition(state, given) is TRANSITIONS[state, given]
            else:
                with pytest.raises(IllegalTransition):
                    transition(state, given)


def test_misuse_raises() -> None:
    """Opening twice, reading before opening, opening a private session without a sign-in: faults of the caller."""
    with pytest.raises(IllegalTransition):
        public().opened(1.0)
    with pytest.raises(IllegalTransition):
        Session(topics=TOPICS, times=TIMES, is_private=False).receive(b"pong", 0.0)
    with pytest.raises(ValueError, match="signs in"):
        Session(topics=TOPICS, times=TIMES, is_private=True).opened(0.0)


def test_nothing_is_due_before_opening() -> None:
    """A session that waits for its socket has no deadline of its own."""
    session = Session(topics=TOPICS, times=TIMES, is_private=False)
    session.tick(100.0)
    assert session.deadline_s() == FOREVER
    session.closed("no connection")
    assert session.state is State.LOST
