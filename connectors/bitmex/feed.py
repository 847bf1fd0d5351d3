"""One WebSocket feed kept up for as long as it runs: connect, feed the session, flush, and again.

Why: the session decides, this carries. It opens one connection at a time, hands every frame to its reader, sends what
the session wants sent, wakes the session when its deadline comes, and waits between connections as `Backoff` says. A
lost connection is never an error here; it is reported to the sink and tried again. Nor is a frame that cannot be
understood: it goes into quarantine, and the session asks for its table anew. Anything else that a reader or sink raises
is a fault of ours and ends `run`.

Times: `received_ns` is nanoseconds since 1970 UTC, deadlines are seconds of the event loop's clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from config.venue import VenueSettings
from connectors.bitmex.protocol.backoff import Backoff
from connectors.bitmex.protocol.bans import Bans
from connectors.bitmex.protocol.frames import PONG, TableFrame, Unread, Welcome
from connectors.bitmex.protocol.numbers import MalformedRow
from connectors.bitmex.protocol.refusals import LONGEST_PAUSE_S, connection_trouble, plain_reason
from connectors.bitmex.protocol.session import FOREVER, Session, SessionTimes
from connectors.bitmex.protocol.session_events import Doubted, Event, Live, Lost, Unreadable, Whole
from connectors.bitmex.protocol.session_states import State
from connectors.bitmex.protocol.tables import TableBroken
from connectors.bitmex.quarantine import Quarantine
from connectors.errors import OutcomeUnknown, Unavailable
from connectors.ports import Feed, FeedSink

Jitter = Callable[[], float]
"""A fraction from 0 to below 1; pass `random.Random(...).random`."""

_LARGEST_FRAME: Final = 64 * 1024 * 1024
"""The partial of every instrument has some megabytes."""
_LONGEST_SLEEP_S: Final = 5.0
"""The watch sleeps until its next deadline, and is woken when one moves closer; it looks this often all the same."""
_CLOSE_WITHIN_S: Final = 1.0
_MUTE_AFTER_S: Final = 30.0
_LONGEST_MUTE_S: Final = 900.0
"""A venue where nothing is traded at all is not asked anew for ever."""
_FLOWING_S: Final = 5.0
"""Data this long after the tables were complete is no partial: the stream tells."""
_COUNTED_OVER_S: Final = 3600.0
"""The venue counts connections by the hour: what the welcome frame said is stale after one."""

_quiet = logging.getLogger("connectors.bitmex.websockets")
_quiet.setLevel(logging.WARNING)
"""At DEBUG the library would log every frame, the sign-in with its signature among them."""


class StraightConnect(connect):
    """A hand-shake that follows no redirect: the sign-in is meant for the configured address alone."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Let the redirect stand as the refusal it is."""
        return exc


class FeedReader(Protocol):
    """What a feed does with its frames. One reader serves one connection after the other."""

    asides: tuple[bytes, ...]
    """How frames begin that tell nothing of what the feed is for: a stream that sends no other is mute."""

    def new_session(self, times: SessionTimes) -> Session:
        """Forget the last connection and return the session of the next."""

    def sign_in(self) -> bytes:
        """Return the sign-in message, signed now; empty for a public feed."""

    def read(self, session: Session, raw: bytes, *, now_s: float, received_ns: int) -> bool:
        """Take one frame, usually with `session.receive`; return whether the session may have events of it."""

    def take(self, event: Event, *, received_ns: int) -> None:
        """Act on what the session made of it. A table that is `Doubted` is to be forgotten until its partial.

        Raises:
            TableBroken: If a table can no longer be believed.
            MalformedRow: If a row cannot be read.
        """


class FeedConnection:
    """The loop around one feed."""

    def __init__(
        self,
        *,
        settings: VenueSettings,
        feed: Feed,
        sink: FeedSink,
        reader: FeedReader,
        jitter: Jitter,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._sink = sink
        self._reader = reader
        self._jitter = jitter
        self.quarantine = Quarantine(feed.value)
        self._now_ns = now_ns
        self._times = SessionTimes(ping_after_s=settings.ping_after_s, pong_within_s=settings.pong_within_s)
        self._session: Session | None = None
        self._socket: ClientConnection | None = None
        self._connections_left: int | None = None
        self._bans = Bans()
        self._live_since_s = FOREVER
        self._data_at_s = 0.0
        self._mute_after_s = _MUTE_AFTER_S
        self._loss = Lost(reason="never connected")
        self._steady_s: Callable[[], float] = _loop_time
        self._sooner = asyncio.Event()
        """Set when a deadline has moved closer than the watch sleeps."""
        self._looks_at_s = 0.0
        """Until when the watch sleeps."""

    @property
    def is_live(self) -> bool:
        """Whether every table of the feed is complete on the present connection."""
        return self._session is not None and self._session.state is State.LIVE

    async def run(self) -> None:
        """Keep the feed up until cancelled."""
        self._steady_s = asyncio.get_running_loop().time  # found once, not for every frame
        backoff = Backoff(first_s=self._settings.reconnect_first_s, cap_s=self._settings.reconnect_cap_s)
        while True:
            live_for_s = await self._live_once()
            if live_for_s > _COUNTED_OVER_S:
                self._connections_left = None
            delay_s = backoff.next_delay_s(
                jitter=self._jitter(),
                live_for_s=live_for_s,
                at_least_s=self._loss.at_least_s,
                connections_left=self._connections_left,
            )
            await asyncio.sleep(delay_s)

    def renew(self, reason: str) -> None:
        """Give the present connection up, if it is live, for the reason that is told to the sink."""
        session, socket = self._session, self._socket
        if session is None or socket is None or session.state is not State.LIVE:
            return
        self._lose(session, reason)
        socket.transport.abort()

    async def send(self, frame: bytes) -> None:
        """Send a frame of the caller's over the live connection.

        Raises:
            Unavailable: The feed is not live; nothing was sent.
            OutcomeUnknown: The connection broke while sending.
        """
        socket = self._socket
        if socket is None or not self.is_live:
            raise Unavailable(f"the {self._feed.value} stream is not live")
        try:
            await socket.send(frame, text=True)
        except ConnectionClosed:
            raise OutcomeUnknown("the stream broke while sending") from None

    # ------------------------------------------------------------------ one connection

    async def _live_once(self) -> float:
        """Go through the life of one connection and return for how many seconds it was live."""
        self._session = session = self._reader.new_session(self._times)
        self._live_since_s = FOREVER
        try:
            await self._converse(session)
        except InvalidStatus as refused:
            self._lose(session, *self._refused_hand_shake(refused))
        except (WebSocketException, OSError, TimeoutError, EOFError) as broken:
            # A connection that is reset during the hand-shake raises ConnectionClosed, which is no InvalidHandshake.
            self._lose(session, f"no connection: {connection_trouble(broken)}")
        finally:
            self._socket = None
        return max(0.0, _loop_time() - self._live_since_s)

    async def _converse(self, session: Session) -> None:
        settings = self._settings
        async with StraightConnect(
            settings.realtime_url,
            open_timeout=settings.connect_timeout_s,
            close_timeout=_CLOSE_WITHIN_S,
            ping_interval=None,
            compression=None,
            max_size=_LARGEST_FRAME,
            proxy=None,
            logger=_quiet,
        ) as socket:
            self._socket = socket
            self._bans.over()
            self._sink.feed_connected(self._feed, received_ns=self._now_ns())
            session.opened(_loop_time(), sign_in=self._reader.sign_in())
            await self._flush(session, socket)
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(self._watch(session, socket), name=f"{self._feed.value} watch")
                await self._listen(session, socket)
                watch.cancel()

    async def _listen(self, session: Session, socket: ClientConnection) -> None:
        """Read frames until the connection is over."""
        try:
            while session.state is not State.LOST:
                raw = await socket.recv(decode=False)
                self._take_frame(session, raw)
                if session.has_frames:
                    await self._flush(session, socket)
        except ConnectionClosed as closed:
            self._lose(session, _close_reason(closed))

    def _take_frame(self, session: Session, raw: bytes) -> None:
        received_ns = self._now_ns()
        if raw == PONG:
            self._sink.feed_pong(self._feed, received_ns=received_ns)
            now_s = self._steady_s()
        elif raw.startswith(self._reader.asides):
            now_s = self._steady_s()
        else:
            self._sink.feed_alive(self._feed, received_ns=received_ns)
            self._data_at_s = now_s = self._steady_s()
        if self._reader.read(session, raw, now_s=now_s, received_ns=received_ns):
            self._report(session, received_ns, raw)
            self._hurry(session)
        elif session.is_asking or raw == PONG:  # a refusal, or the end of waiting, moves a deadline and is no event
            self._hurry(session)

    async def _watch(self, session: Session, socket: ClientConnection) -> None:
        """Wake the session at its deadlines, and break the connection off when it gives up."""
        while session.state is not State.LOST:
            self._looks_at_s = min(self._next_look_s(session), _loop_time() + _LONGEST_SLEEP_S)
            await self._sleep()
            session.tick(_loop_time())
            self._report(session, self._now_ns())
            self._look_for_data(session)
            await self._flush(session, socket)
        socket.transport.abort()

    def _hurry(self, session: Session) -> None:
        """Wake the watch if it would sleep past the next deadline."""
        if self._next_look_s(session) < self._looks_at_s:
            self._sooner.set()

    async def _sleep(self) -> None:
        """Wait until the watch has to look."""
        self._sooner.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._looks_at_s):
                await self._sooner.wait()

    def _next_look_s(self, session: Session) -> float:
        """When the session or the look for data has something to do at the earliest."""
        return min(session.deadline_s(), self._mute_at_s(session))

    def _mute_at_s(self, session: Session) -> float:
        """When a market stream that tells no price counts as mute; infinity while that is not asked."""
        if self._feed is not Feed.MARKET or session.state is not State.LIVE:
            return FOREVER
        return max(self._data_at_s, self._live_since_s) + self._mute_after_s

    def _look_for_data(self, session: Session) -> None:
        """Give up a market stream that answers pings and tells no price, less readily each time: prices never pause."""
        if self._feed is not Feed.MARKET or session.state is not State.LIVE:
            return
        if self._data_at_s > self._live_since_s + _FLOWING_S:
            self._mute_after_s = _MUTE_AFTER_S
        if _loop_time() >= self._mute_at_s(session):
            self._mute_after_s = min(2 * self._mute_after_s, _LONGEST_MUTE_S)
            self._lose(session, "mute: pings are answered, and no price is told")

    async def _flush(self, session: Session, socket: ClientConnection) -> None:
        """Send what the session wants sent. A closed socket is the listener's to report, after what came before."""
        with contextlib.suppress(ConnectionClosed):
            for frame in session.frames_to_send():
                await socket.send(frame, text=True)

    # ------------------------------------------------------------------ reports

    def _lose(self, session: Session, reason: str, at_least_s: float = 0.0) -> None:
        session.closed(reason, at_least_s=at_least_s)
        self._report(session, self._now_ns())

    def _refused_hand_shake(self, refused: InvalidStatus) -> tuple[str, float]:
        """Why there is no socket, and how long to stay away. A ban of the address covers the hand-shake too."""
        answer = refused.response
        if answer.status_code == 403:
            return "this address is banned by the venue", self._bans.page(_loop_time())
        self._bans.over()
        told = answer.headers.get("retry-after", "")
        pause_s = min(float(told), LONGEST_PAUSE_S) if told.isascii() and told.isdigit() else 0.0
        return f"hand-shake answered {answer.status_code}", pause_s

    def _report(self, session: Session, received_ns: int, raw: bytes = b"") -> None:
        """Hand on what the session made of its input: the frame `raw`, or the time."""
        while session.has_events:
            for event in session.events():
                try:
                    self._reader.take(event, received_ns=received_ns)
                except (TableBroken, MalformedRow) as broken:
                    self._doubt(session, event, broken, raw, received_ns)
                else:
                    self._note(session, event, raw, received_ns)

    def _doubt(self, session: Session, event: Event, broken: Exception, raw: bytes, received_ns: int) -> None:
        """A table can no longer be believed. What follows from that are events of the session."""
        why = Unread.ROW if isinstance(broken, MalformedRow) else Unread.CHANGE
        self.quarantine.put(why, raw, str(broken), received_ns=received_ns)
        session.doubt(event.table if isinstance(event, TableFrame) else "", str(broken), self._steady_s())

    def _note(self, session: Session, event: Event, raw: bytes, received_ns: int) -> None:
        match event:
            case Unreadable():
                self.quarantine.put(event.why, raw, event.reason, received_ns=received_ns)
            case Doubted(is_extra=False):
                self._tell_doubt(event.table, event.reason, received_ns)
            case Whole(is_extra=False) if event.table not in session.doubted:
                self._tell_doubt(event.table, "", received_ns)
            case Live():
                self._live_since_s = self._steady_s()
                self._sink.feed_live(self._feed, received_ns=received_ns)
            case Lost():
                self._loss = event
                self._sink.feed_lost(self._feed, event.reason, received_ns=received_ns)
            case Welcome():
                self._connections_left = event.connections_left
            case _:
                pass

    def _tell_doubt(self, table: str, problem: str, received_ns: int) -> None:
        unreadable = self.quarantine.total
        self._sink.table_doubted(self._feed, table, problem, unreadable=unreadable, received_ns=received_ns)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _close_reason(closed: ConnectionClosed) -> str:
    if closed.rcvd is not None:
        return plain_reason(f"closed by the venue: {closed.rcvd.code} {closed.rcvd.reason}".strip())
    if closed.sent is not None:  # a frame that is too large, or none of the protocol's
        return plain_reason(f"given up here: {closed.sent.code} {closed.sent.reason}".strip())
    return "closed by the venue: without a farewell"
