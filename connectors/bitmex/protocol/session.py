"""The life of one WebSocket connection, from opening to loss.

A session is made for one connection and thrown away with it. It begins CONNECTING. When the socket is open a session
with a sign-in becomes AUTHENTICATING and sends it; one without goes straight to SUBSCRIBING. Signed in, it asks for its
topics and is SUBSCRIBING until each wanted topic has had its partial; an empty partial counts, a confirmation alone
does not. Then it is LIVE. Whatever cannot be trusted ends in LOST: the socket closed, silence after a ping, a refused
sign-in, an ended subscription (419, while public data may flow on). There is no way back
from LOST but a new connection.

A frame that cannot be read, or a table that lost a row, is no loss yet: the table is *doubted* and its topics are asked
for anew over the open socket (`redress.py`); it counts again with their partials. A frame that tells no table casts
doubt on all of them. A table that stays unreadable costs the connection in the end.

Beside its topics a session may want *extras*: topics that its user can do without. They are asked for one by one once
the session is LIVE, and whatever becomes of them (refused, silent, an error that could be about them) is reported and
changes nothing else. An error that nobody can place still ends the connection; `blames_extras` then says that the next
one had better not ask.

Not every error is a loss. Subscribing twice is harmless. A subscription refused for its rate is sent again later. A
symbol that the venue no longer lists ends that topic alone and is reported.

Like h11 and websockets, the session does no I/O. Its caller passes bytes and times in (`opened`, `receive`, `tick`,
`closed`, `doubt`) and takes bytes and events out (`frames_to_send`, `events`). Times are seconds on one steady
clock.

Source: www.bitmex.com/app/wsAPI (heartbeat advice: ping after 5 s of silence, give up after 5 more).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

import msgspec

from connectors.bitmex.protocol.extras import Extras
from connectors.bitmex.protocol.frames import (
    PING,
    Frame,
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
from connectors.bitmex.protocol.redress import HOPELESS_PAUSE_S, Redress
from connectors.bitmex.protocol.session_events import (
    Doubted,
    Event,
    ExtraTopic,
    Live,
    Lost,
    SwitchRefused,
    TopicRefused,
    Unreadable,
    Whole,
)
from connectors.bitmex.protocol.session_states import IllegalTransition, Input, State, transition
from connectors.bitmex.protocol.tables import Action

FOREVER: Final = float("inf")
AUTH_PAUSE_S: Final = 10.0
"""A refused sign-in needs a person; asking often may get the key disabled."""
_RATE_PAUSE_S: Final = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionTimes:
    """Patience, in seconds."""

    ping_after_s: float
    pong_within_s: float
    live_within_s: float = 15.0
    """From the open socket to LIVE: partials of `instrument` are prepared every 2.5 s."""


class Session:
    """One connection's protocol state. Methods never raise for what the venue sent."""

    def __init__(
        self, *, topics: Sequence[str], times: SessionTimes, is_private: bool, extras: Sequence[str] = ()
    ) -> None:
        """Make a session that wants `topics`, and `extras` if it can get them; a private one has to sign in first."""
        self._state = State.CONNECTING
        self._topics = tuple(topics)
        self._times = times
        self._is_private = is_private
        self._missing = set(topics)
        self._outgoing: list[bytes] = []
        self._events: list[Event] = []
        self._heard_at_s = FOREVER
        self._is_ping_out = False
        self._live_by_s = FOREVER
        self._ask_again: dict[str, float] = {}
        self._extras = Extras(extras)
        self._extra_topics = frozenset(extras)
        self._redress = Redress()

    @property
    def blames_extras(self) -> bool:
        """Whether the connection ended over an error that may have been about an extra topic."""
        return self._extras.are_blamed

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._state

    @property
    def missing(self) -> frozenset[str]:
        """Topics whose partial has not arrived."""
        return frozenset(self._missing)

    @property
    def doubted(self) -> frozenset[str]:
        """Tables that cannot be believed at present."""
        return frozenset(map(_table_of, self._redress.topics))

    @property
    def is_asking(self) -> bool:
        """Whether something was asked for and has not come: what a frame says may then move the deadline closer."""
        return self._state is not State.LIVE or bool(self._ask_again)

    @property
    def has_frames(self) -> bool:
        """Whether `frames_to_send` has any: a look that costs nothing on the hot path."""
        return bool(self._outgoing)

    @property
    def has_events(self) -> bool:
        """Whether `events` has any."""
        return bool(self._events)

    def frames_to_send(self) -> list[bytes]:
        """Return and forget the frames to be sent, in order."""
        frames, self._outgoing = self._outgoing, []
        return frames

    def events(self) -> list[Event]:
        """Return and forget what happened, in order."""
        events, self._events = self._events, []
        return events

    # ------------------------------------------------------------------ inputs

    def opened(self, now_s: float, *, sign_in: bytes = b"") -> None:
        """The socket is open. A private session needs its sign-in message.

        Raises:
            IllegalTransition: If it was open before.
            ValueError: If a private session gets no sign-in.
        """
        if self._is_private and not sign_in:
            raise ValueError("a private session signs in")
        self._move(Input.OPENED_PRIVATE if self._is_private else Input.OPENED_PUBLIC)
        self.heard(now_s)
        self._live_by_s = now_s + self._times.live_within_s
        if self._is_private:
            self._outgoing.append(sign_in)
        else:
            self._subscribe(self._topics)

    def heard(self, now_s: float) -> None:
        """Any frame arrived: the sign of life, for callers that read the frame themselves."""
        self._heard_at_s = now_s
        self._is_ping_out = False

    def receive(self, raw: bytes, now_s: float) -> None:
        """Take one frame.

        Raises:
            IllegalTransition: If the socket was never opened.
        """
        if self._state is State.CONNECTING:
            raise IllegalTransition("a frame while connecting")
        if self._state is State.LOST:
            return
        self.heard(now_s)
        try:
            frame = read_frame(raw)
        except MalformedFrame as malformed:
            self._events.append(Unreadable(why=malformed.why, reason=str(malformed)))
            self.doubt(malformed.table, str(malformed), now_s)
        else:
            self._take(frame, now_s)

    def tick(self, now_s: float) -> None:
        """Look at the clock: ping, ask again, give up."""
        if self._state in {State.CONNECTING, State.LOST}:
            return
        if self._state is not State.LIVE and now_s >= self._live_by_s:
            self._lose(f"not live in time, waiting for {self._waiting_for()}")
            return
        if self._is_lost_to_silence(now_s):
            return
        self._ask_again_when_due(now_s)
        self._ask_doubted(now_s)
        self._ask_extras(now_s)
        if now_s < self._silence_ends_s():
            return
        if self._is_ping_out:
            self._lose("silent: no answer to a ping")
            return
        self._is_ping_out = True
        self._heard_at_s = now_s
        self._outgoing.append(PING)

    def deadline_s(self) -> float:
        """Return when `tick` has something to do, infinity if never."""
        if self._state in {State.CONNECTING, State.LOST}:
            return FOREVER
        live_by_s = FOREVER if self._state is State.LIVE else self._live_by_s
        extras_s = self._extras.deadline_s() if self._state is State.LIVE else FOREVER
        doubts_s = self._redress.deadline_s()
        return min(self._silence_ends_s(), live_by_s, extras_s, doubts_s, *self._ask_again.values())

    def closed(self, reason: str, *, at_least_s: float = 0.0) -> None:
        """The socket closed, or could not be opened; `at_least_s` is how long to stay away."""
        self._lose(reason, at_least_s=at_least_s)

    def doubt(self, table: str, reason: str, now_s: float) -> None:
        """A table cannot be believed any more: ask for it anew. An empty name means any of them.

        Nothing can be doubted before anything was asked for; a table that nobody wanted is nobody's trouble.
        """
        if self._state not in {State.SUBSCRIBING, State.LIVE}:
            return
        topics = [topic for topic in self._topics if table in {"", _table_of(topic)}]
        extras = sorted(topic for topic in self._extra_topics if table in {"", topic} and self._extras.is_there(topic))
        news = dict.fromkeys(map(_table_of, topics))
        for topic in extras:
            self._extras.doubted(topic)
        hopeless = self._redress.doubt([*topics, *extras], now_s)
        self._missing.update(topics)
        self._events.extend(Doubted(table=each, reason=reason) for each in news)
        self._events.extend(Doubted(table=each, reason=reason, is_extra=True) for each in extras)
        self._note_extras((topic, f"cannot be read: {reason}") for topic in extras)
        self._give_up(hopeless, reason)
        self._ask_doubted(now_s)

    # ------------------------------------------------------------------ frames

    def _take(self, frame: Frame, now_s: float) -> None:
        match frame:
            case Pong() | Unremarkable():
                pass
            case Welcome() | SwitchAnswer():
                self._events.append(frame)
            case TableFrame():
                self._take_table(frame, now_s)
            case Granted():
                self._take_grant(frame)
            case Refused():
                self._take_refusal(frame, now_s)
            case _:
                assert_never(frame)

    def _take_grant(self, frame: Granted) -> None:
        if frame.operation == "authKeyExpires" and self._state is State.AUTHENTICATING:
            self._move(Input.SIGNED_IN)
            self._subscribe(self._topics)

    def _take_table(self, frame: TableFrame, now_s: float) -> None:
        self._events.append(frame)
        if frame.action is not Action.PARTIAL:
            return
        arrived = {topic for topic in self._missing if _is_answered(topic, frame)}
        self._missing -= arrived
        self._forget_asking(arrived)
        self._believe({*arrived, *self._extra_topics.intersection({frame.table})}, now_s)
        self._note_extras(self._extras.arrived(frame.table))
        self._complete()

    def _ask_extras(self, now_s: float) -> None:
        """Ask for the extras that are due, and report those that stay silent. Nothing before the session is LIVE."""
        if self._state is not State.LIVE:
            return
        for topic in self._extras.due(now_s, answer_by_s=now_s + self._times.live_within_s):
            self._subscribe((topic,))
        self._note_extras(self._extras.silent(now_s))

    # ------------------------------------------------------------------ doubts

    def _believe(self, topics: Collection[str], now_s: float) -> None:
        before = self.doubted
        self._redress.answered(topics, now_s)
        whole = sorted(before - self.doubted)
        self._events.extend(Whole(table=table, is_extra=table in self._extra_topics) for table in whole)

    def _ask_doubted(self, now_s: float) -> None:
        """Ask anew for what is doubted: first end the subscriptions, for one that stands brings no partial."""
        due = self._redress.due(now_s, answer_by_s=now_s + self._times.live_within_s)
        if due and self._state is not State.LOST:
            self._outgoing.append(msgspec.json.encode({"op": "unsubscribe", "args": due}))
            self._subscribe(due)

    def _is_lost_to_silence(self, now_s: float) -> bool:
        """What was asked for anew and does not come is doubted once more, with its next attempt or none."""
        reason = "no partial came when it was asked for anew"
        self._give_up(self._redress.doubt(self._redress.silent(now_s), now_s), reason)
        return self._state is State.LOST

    def _give_up(self, hopeless: Collection[str], reason: str) -> None:
        """A topic that stays unreadable costs the connection, an extra one only itself."""
        for topic in hopeless:
            if topic in self._extra_topics:
                self._redress.forget(topic)
            else:
                self._lose(f"{_table_of(topic)} stays unreadable: {reason}", at_least_s=HOPELESS_PAUSE_S)

    def _note_extras(self, told: Iterable[tuple[str, str]]) -> None:
        self._events.extend(ExtraTopic(topic=topic, problem=problem) for topic, problem in told)

    def _complete(self) -> None:
        if self._state is State.SUBSCRIBING and not self._missing:
            self._move(Input.COMPLETED)
            self._events.append(Live())

    def _take_refusal(self, frame: Refused, now_s: float) -> None:
        if frame.operation == "cancelAllAfter":
            self._events.append(
                SwitchRefused(
                    status=frame.status,
                    reason=frame.reason,
                    timeout_ms=frame.timeout_ms,
                    retry_after_s=frame.retry_after_s,
                )
            )
        elif frame.operation == "unsubscribe" or frame.reason.startswith("You are already subscribed"):
            pass
        elif self._state is State.AUTHENTICATING:
            self._lose(f"sign-in refused: {frame.reason}", at_least_s=AUTH_PAUSE_S)
        elif self._extras.is_about(frame, is_live=self._state is State.LIVE):
            self._note_extras(self._extras.refused(frame, now_s))
        elif self._is_about_pace(frame):
            self._postpone(frame.topics, now_s + (frame.retry_after_s or _RATE_PAUSE_S))
        elif self._is_about_a_symbol(frame):
            self._take_symbol_refusal(frame)
        else:
            self._extras.blame()
            self._lose(f"the venue reports: {frame.reason}")

    # ------------------------------------------------------------------ topics

    def _subscribe(self, topics: Collection[str]) -> None:
        if topics:
            self._outgoing.append(msgspec.json.encode({"op": "subscribe", "args": list(topics)}))

    def _postpone(self, topics: Collection[str], due_s: float) -> None:
        """Ask for these topics, or all that are missing, once more; the time to be live starts over."""
        again = self._missing.intersection(topics) or self._missing
        self._ask_again |= dict.fromkeys(again, due_s)
        self._live_by_s = max(self._live_by_s, due_s + self._times.live_within_s)
        self._redress.wait_longer(due_s + self._times.live_within_s)

    def _ask_again_when_due(self, now_s: float) -> None:
        due = [topic for topic, at_s in self._ask_again.items() if now_s >= at_s]
        self._forget_asking(due)
        self._subscribe(due)

    def _forget_asking(self, topics: Collection[str]) -> None:
        for topic in topics:
            self._ask_again.pop(topic, None)

    def _is_about_pace(self, frame: Refused) -> bool:
        """Too fast (429), or too many subscriptions under way (503): the same request is welcome later."""
        if frame.operation not in {"subscribe", ""}:
            return False
        return frame.status == 429 or (frame.status == 503 and bool(self._missing))

    def _is_about_a_symbol(self, frame: Refused) -> bool:
        """A public topic of one symbol was refused for what it is, not for who asks."""
        by_symbol = [topic for topic in frame.topics if ":" in topic]
        return frame.status in {400, 404} and not self._is_private and bool(by_symbol)

    def _take_symbol_refusal(self, frame: Refused) -> None:
        """One answer may stand for a list of topics: ask for each alone, so that the next one names the culprit."""
        refused = self._missing.intersection(frame.topics)
        if len(frame.topics) > 1:
            for topic in sorted(refused):
                self._subscribe((topic,))
            return
        for topic in refused:
            self._missing.discard(topic)
            self._forget_asking((topic,))
            self._redress.forget(topic)
            self._topics = tuple(wanted for wanted in self._topics if wanted != topic)
            self._events.append(TopicRefused(topic=topic, reason=frame.reason))
        if not self._topics:
            self._lose(f"every topic was refused: {frame.reason}", at_least_s=AUTH_PAUSE_S)
        else:
            self._complete()

    # ------------------------------------------------------------------ state

    def _move(self, given: Input) -> None:
        self._state = transition(self._state, given)

    def _lose(self, reason: str, *, at_least_s: float = 0.0) -> None:
        if self._state is State.LOST:
            return
        self._move(Input.BROKE)
        self._outgoing.clear()
        self._events.append(Lost(reason=reason, at_least_s=at_least_s))

    def _silence_ends_s(self) -> float:
        return self._heard_at_s + (self._times.pong_within_s if self._is_ping_out else self._times.ping_after_s)

    def _waiting_for(self) -> str:
        return "the sign-in" if self._state is State.AUTHENTICATING else ", ".join(sorted(self._missing))


def _table_of(topic: str) -> str:
    return topic.partition(":")[0]


def _is_answered(topic: str, partial: TableFrame) -> bool:
    """Whether a partial is the one that a topic waits for. A partial of one symbol is no picture of the whole table."""
    table, _, symbol = topic.partition(":")
    if table != partial.table:
        return False
    covered_symbol = (partial.covered or {}).get("symbol")
    if symbol == "":
        return covered_symbol is None
    if covered_symbol is not None:
        return covered_symbol == symbol
    return partial.covered is not None or any(row.get("symbol") == symbol for row in partial.rows)
