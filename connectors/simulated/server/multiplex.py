"""Many sessions over one socket: `/realtimemd`.

Why: who trades for several accounts could hold one connection for all of them. Each message is an
array `[type, id, topic, payload]`: 0 says something in a stream, 1 opens one under an id of the
client's choice, 2 closes it. A topic `userAuth:<key>:<expires>:<signature>` signs the stream in; any
other name is free. Within its stream everything is as on `/realtime`, welcome included.

Source: BitMEX/sample-market-maker, its multiplexing example; messages of this form quoted in public
clients of 2024.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.json_text import NotJson, dump, load
from connectors.simulated.server.messages import Kind, Message
from connectors.simulated.server.outbox import NORMAL_CLOSURE, POLICY_VIOLATION, Outbox
from connectors.simulated.server.realtime import Session
from connectors.simulated.server.topics import SEE_DOCS
from connectors.simulated.server.venue import Venue

_SIGN_IN = "userAuth:"
_MOST_STREAMS = 200
_LONGEST_NAME = 512  # characters of an id or a topic: both come back with every message
_PONG = Message(kind=Kind.PONG, payload=b"pong")
StreamId = str | int | None


class Type(IntEnum):
    """First element of a message."""

    MESSAGE = 0
    OPEN = 1
    CLOSE = 2


class _StreamOutlet:
    """Wraps what one stream's session says."""

    def __init__(self, whole: Multiplexer, stream_id: StreamId, topic: str) -> None:
        self._whole = whole
        self._id = stream_id
        self._topic = topic
        self._head = dump([Type.MESSAGE, stream_id, topic])[:-1] + b","

    def put(self, message: Message) -> None:
        """Take a message, and put id and topic around it; a bare text becomes a JSON one."""
        text = dump(message.payload.decode()) if message.kind is Kind.PONG else message.payload
        self._whole.outbox.put(Message(kind=message.kind, payload=self._head + text + b"]", table=message.table))

    def close(self, code: int | None = NORMAL_CLOSURE) -> None:
        """End the stream; anything but a normal end is the connection's."""
        if code == NORMAL_CLOSURE:
            self._whole.end_stream(self._id, self._topic)
        else:
            self._whole.outbox.close(code)

    def backlog(self) -> int:
        """Return the connection's backlog."""
        return self._whole.outbox.backlog()

    def give_up(self) -> None:
        """Drop the connection."""
        self._whole.outbox.give_up()


class Multiplexer:
    """One connection to `/realtimemd`.

    Attributes:
        outbox: What is to be written to it.
    """

    def __init__(self, venue: Venue, *, outbox: Outbox, address: str, key: ApiKey | None) -> None:
        """Start without streams; a key from the hand-shake signs every stream in."""
        self._venue = venue
        self._address = address
        self._key = key
        self._streams: dict[StreamId, Session] = {}
        self._connections_left = 0
        self._topics: tuple[str, ...] = ()
        self._errors_left = venue.settings.limits.errors_per_session
        self.outbox = outbox

    def open(self, *, connections_left: int, topics: Iterable[str] = ()) -> None:
        """Wait for streams: each is greeted, and subscribes to the topics of the address, when it opens."""
        self._connections_left = connections_left
        self._topics = tuple(topics)

    def take(self, text: str) -> None:
        """Answer one message of the client."""
        if text == "ping":
            self.outbox.put(_PONG)
            return
        try:
            parts = load(text)
        except NotJson:
            parts = None
        match parts:
            case [Type.OPEN, str() | int() | None as stream_id, str() as topic, *_] if _is_name(stream_id, topic):
                self._open_stream(stream_id, topic)
            case [Type.CLOSE, str() | int() | None as stream_id, str() as topic, *_] if stream_id in self._streams:
                self.end_stream(stream_id, topic)
            case [Type.MESSAGE, str() | int() | None as stream_id, str(), payload] if stream_id in self._streams:
                self._pass_in(self._streams[stream_id], payload)
            case _:
                self._complain(parts)

    def readers(self) -> tuple[Session, ...]:
        """Return the streams."""
        return tuple(self._streams.values())

    def backlog(self) -> int:
        """Return the bytes the client has not taken yet."""
        return self.outbox.backlog()

    def give_up(self) -> None:
        """Drop the client: it is too slow."""
        self.outbox.give_up()

    def leave(self, address: str) -> None:
        """Close, if this is where the connection comes from."""
        if self._address == address:
            self.outbox.close()

    def close(self) -> None:
        """Want nothing any more: the client has gone."""
        for session in self._streams.values():
            session.close()
        self._streams.clear()

    def end_stream(self, stream_id: StreamId, topic: str) -> None:
        """Close one stream and say so."""
        session = self._streams.pop(stream_id, None)
        if session is not None:
            session.close()
            self._say([Type.CLOSE, stream_id, topic])

    def _open_stream(self, stream_id: StreamId, topic: str) -> None:
        if stream_id in self._streams or len(self._streams) >= _MOST_STREAMS:
            self._complain([Type.OPEN, stream_id, topic])
            return
        session = Session(
            self._venue, outlet=_StreamOutlet(self, stream_id, topic), address=self._address, key=self._key
        )
        self._streams[stream_id] = session
        session.open(connections_left=self._connections_left, topics=self._topics)
        if topic.startswith(_SIGN_IN):
            session.perform({"op": "authKeyExpires", "args": topic.split(":")[1:]})

    def _pass_in(self, session: Session, payload: object) -> None:
        if isinstance(payload, dict):
            session.perform(payload)
        else:
            session.take(payload if isinstance(payload, str) else "")

    def _complain(self, request: object) -> None:
        """Answer what belongs to no open stream."""
        stream_id, topic = None, ""
        if isinstance(request, list) and len(request) > 2 and _is_name(request[1], request[2]):
            stream_id, topic = request[1], request[2]
        error = {"status": 400, "error": f"Unrecognized request. {SEE_DOCS}", "meta": {}, "request": {}}
        self._say([Type.MESSAGE, stream_id, topic, error])
        self._errors_left -= 1
        if self._errors_left < 0 and self._venue.settings.limits.is_on:
            self.outbox.close(POLICY_VIOLATION)

    def _say(self, parts: list[object]) -> None:
        self.outbox.put(Message(kind=Kind.REPLY, payload=dump(parts)))


def _is_name(stream_id: object, topic: object) -> bool:
    return isinstance(stream_id, str | int | None) and max(len(str(stream_id)), len(str(topic))) <= _LONGEST_NAME
