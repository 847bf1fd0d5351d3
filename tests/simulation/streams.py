"""WebSocket connections without sockets: the connector's feed at one end, the exchange's session at the other.

Why: both ends are the real ones (`connectors.bitmex.feed` and `connectors.simulated.server.realtime`), joined in
memory, so sign-in, subscriptions, partials, tables and heartbeats are all under test. Between them frames take time,
keep their order within a table, and may change places with frames of other tables, as the venue warns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.http11 import Response

from connectors.simulated.server.messages import Message
from connectors.simulated.server.realtime import Session
from connectors.simulated.server.venue import Venue
from tests.simulation.faults import Line
from tests.simulation.virtual_loop import passing

_CONTROL = ""
_PRIVATE = frozenset({"order", "position", "margin", "execution", "wallet"})
_FRAME_HEAD = 4
"""Bytes before the text of a frame of medium size."""


def table_of(text: str) -> str:
    """Return the table a frame is about, "" for everything else."""
    head = '{"table":"'
    return text[len(head) :].partition('"')[0] if text.startswith(head) else _CONTROL


def _untold() -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class _Cut:
    """A connection that breaks after so many more bytes in one direction."""

    left: int | None = None
    on_cut: Callable[[], None] = _untold

    def falls_into(self, frame: bytes) -> bool:
        """Count a frame; whether the connection broke somewhere in it, or in its head."""
        if self.left is None:
            return False
        self.left -= len(frame) + _FRAME_HEAD
        if self.left >= 0:
            return False
        self.on_cut()
        return True


class _Wire:
    """The way from the exchange to one client; an `Outlet` to the session, which puts frames in."""

    def __init__(self, line: Line, arrived: deque[bytes], wake: asyncio.Event) -> None:
        self.cut = _Cut()
        self._line = line
        self._arrived = arrived
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._free_at_s: dict[str, float] = {}
        self.is_closed = False
        self.is_overrun = False

    def put(self, message: Message) -> None:
        """Send one frame on its way."""
        text = message.payload.decode()
        table = table_of(text)
        if self.is_closed:
            return
        if self._is_swallowed(table):
            self._line.swallowed += 1
            return
        self._send(table, text)
        if table in _PRIVATE and self._line.is_repeated():
            self._line.repeated += 1
            self._send(table, text)

    def _send(self, table: str, text: str) -> None:
        before_s = max(self._free_at_s.get(table, 0.0), self._free_at_s.get(_CONTROL, 0.0))
        at_s = max(before_s + 1e-5, self._loop.time() + self._line.stream_latency_s())
        self._free_at_s[table] = at_s
        self._loop.call_at(at_s, self._arrive, text.encode())

    def _is_swallowed(self, table: str) -> bool:
        if self._line.weather.is_down:
            return True
        silent = self._line.weather.silent_feeds
        kind = "private" if table in _PRIVATE else "public"
        return bool(silent) and (table in silent or (table != _CONTROL and kind in silent))

    def _arrive(self, frame: bytes) -> None:
        if self.is_closed:
            return
        if self.cut.falls_into(frame):
            self.close()
            return
        self._arrived.append(frame)
        self._line.frames += 1
        self._line.told.frame_arrived(table_of(frame[:64].decode("latin-1")))
        self._wake.set()

    def close(self, code: int | None = None) -> None:
        """The exchange hangs up, or the network does."""
        self.is_closed = True
        self._wake.set()

    def backlog(self) -> int:
        """Nothing waits here to be written: what was put is on its way."""
        return 0

    def give_up(self) -> None:
        """Nobody is slow here."""


class VirtualSocket:
    """What `websockets.connect` would have returned, as far as the connector uses it."""

    def __init__(self, venue: Venue, line: Line, address: str) -> None:
        self._line = line
        self._venue = venue
        self._arrived: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._wire = _Wire(line, self._arrived, self._wake)
        self._free_at_s = 0.0
        self._cut = _Cut()
        self.session = Session(venue, outlet=self._wire, address=address, key=None)
        self.transport = self

    def open(self) -> None:
        """Be connected."""
        self._venue.hub.add(self.session)
        self.session.open(connections_left=100)

    async def recv(self, decode: bool | None = None) -> bytes:
        """Return the next frame.

        Raises:
            ConnectionClosedError: When the connection is gone.
        """
        while not self._arrived:
            if self._wire.is_closed:
                raise ConnectionClosedError(None, None)
            self._wake.clear()
            await self._wake.wait()
        return self._arrived.popleft()

    async def send(self, frame: bytes | str, text: bool | None = None) -> None:
        """Send a frame on its way to the exchange.

        Raises:
            ConnectionClosedError: When the connection is gone.
        """
        if self._wire.is_closed:
            raise ConnectionClosedError(None, None)
        loop = asyncio.get_running_loop()
        self._free_at_s = max(self._free_at_s + 1e-5, loop.time() + self._line.stream_latency_s())
        spoken = frame if isinstance(frame, str) else frame.decode()
        if self._cut.falls_into(spoken.encode()):
            self._wire.close()  # part of it may have been written: nobody reads half a frame
            return
        if not self._line.is_cut and not self._line.weather.is_down:
            loop.call_at(self._free_at_s, self._reach_venue, spoken)

    def _reach_venue(self, text: str) -> None:
        if self._wire.is_closed:
            return
        compare = self._line.told.spoken(text)
        self.session.take(text)
        if compare is not None:
            compare()

    @property
    def is_private(self) -> bool:
        """Whether somebody has signed in on it."""
        return self.session.account is not None

    def cut_after(self, count: int, *, is_upward: bool, on_cut: Callable[[], None]) -> None:
        """Break off after so many more bytes to the guard, or from it; what the cut falls into is lost."""
        if is_upward:
            self._cut = _Cut(count, on_cut)
        else:
            self._wire.cut = _Cut(count, on_cut)

    def abort(self) -> None:
        """Break the connection off."""
        if not self._wire.is_closed:
            self._wire.close()
        if self.session in self._venue.hub.sessions():
            self._venue.hub.remove(self.session)
            self.session.close()


class _Connecting:
    """The context manager that `connect(...)` returns."""

    def __init__(self, network: Network, guard: str) -> None:
        self._network = network
        self._guard = guard
        self._socket: VirtualSocket | None = None

    async def __aenter__(self) -> VirtualSocket:
        line = self._network.lines[self._guard]
        await passing(2 * line.stream_latency_s())
        if line.weather.is_down or line.weather.are_streams_down or line.is_cut:
            raise OSError("network is unreachable")
        address = f"address of {self._guard}"
        try:
            self._network.require_welcome(address)
        except InvalidStatus as refused:
            line.statuses[refused.response.status_code] += 1
            raise
        self._socket = VirtualSocket(self._network.venue, line, address)
        self._socket.open()
        self._network.sockets.setdefault(self._guard, []).append(self._socket)
        return self._socket

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.abort()
            self._network.sockets[self._guard].remove(self._socket)


class Network:
    """Every guard's line to the one exchange."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.lines: dict[str, Line] = {}
        self.sockets: dict[str, list[VirtualSocket]] = {}

    def connect(self, uri: str, **_settings: Any) -> _Connecting:
        """Stand in for `websockets.connect`; the address `ws://NAME/realtime` says whose line it is."""
        return _Connecting(self, uri.split("/")[2])

    def require_welcome(self, address: str) -> None:
        """Shake hands.

        Raises:
            InvalidStatus: If the exchange will not have this address, or nobody just now.
        """
        venue = self.venue
        refusal = venue.faults.handshake(account=None)
        if venue.limits.is_banned(address, venue.clock()):
            raise InvalidStatus(Response(403, "Forbidden", Headers()))
        if refusal is not None:
            raise InvalidStatus(Response(refusal.status, "", Headers(dict(refusal.headers))))

    def hang_up(self, guard: str) -> None:
        """Break every connection of one guard."""
        for socket in tuple(self.sockets.get(guard, ())):
            socket.abort()
