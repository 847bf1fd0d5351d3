"""The local socket through which `seawall status` asks the running daemon.

One JSON line in, one JSON line out, on a Unix socket that only its owner may open. It reads and never changes anything,
every connection has a deadline, and what it answers is made on request from the state as it is.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

SOCKET_NAME = "status.sock"
REQUEST_LIMIT_BYTES = 4_096
REPLY_LIMIT_BYTES = 16 * 1024 * 1024
DEADLINE_S = 5.0
MOST_CONNECTIONS = 8
_LONGEST_ADDRESS = 100
"""Unix socket addresses end at 108 bytes; longer paths are reached through their folder's descriptor."""


class DaemonUnreachable(Exception):
    """Nobody answers on the socket."""


class StatusRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be asked."""

    ask: str


class StatusSocket:
    """Serves the status, as a helpful task."""

    def __init__(self, path: Path, describe: Callable[[], dict[str, object]]) -> None:
        self._path = path
        self._describe = describe
        self._open = 0

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: If the socket cannot be made.
        """
        self._path.unlink(missing_ok=True)
        with _bound_socket(self._path) as listener:
            server = await asyncio.start_unix_server(self._serve, sock=listener, limit=REQUEST_LIMIT_BYTES)
            try:
                await server.serve_forever()
            finally:
                server.close()
                self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= MOST_CONNECTIONS:
                async with asyncio.timeout(DEADLINE_S):
                    line = await reader.readuntil(b"\n")
                    writer.write(msgspec.json.encode(self._answer(line)) + b"\n")
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the one who asked went away or asked nonsense: nothing to tell anybody
        finally:
            self._open -= 1
            writer.close()

    def _answer(self, line: bytes) -> dict[str, object]:
        try:
            request = msgspec.json.decode(line, type=StatusRequest)
        except msgspec.MsgspecError as error:
            return {"error": f'not a request: {error}; send {{"ask":"status"}}'}
        if request.ask != "status":
            return {"error": f'unknown question {request.ask!r}; known: "status"'}
        return self._describe()


def ask_status(path: Path, *, timeout_s: float = DEADLINE_S) -> dict[str, object]:
    """Ask the daemon behind `path` for its status.

    Raises:
        DaemonUnreachable: If nobody listens there or no answer comes in time.
    """
    try:
        with _address(path) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
            asker.settimeout(timeout_s)
            asker.connect(address)
            asker.sendall(b'{"ask":"status"}\n')
            reply = _read_line(asker)
        return msgspec.json.decode(reply, type=dict[str, object])
    except OSError as error:
        raise DaemonUnreachable(f"no daemon answers at {path}: {error.strerror or error}") from error
    except msgspec.MsgspecError as error:
        raise DaemonUnreachable(f"what answers at {path} is not a Seawall daemon") from error


def _read_line(asker: socket.socket) -> bytes:
    reply = bytearray()
    while not reply.endswith(b"\n") and len(reply) < REPLY_LIMIT_BYTES:
        part = asker.recv(65_536)
        if not part:
            break
        reply += part
    return bytes(reply)


@contextmanager
def _bound_socket(path: Path) -> Iterator[socket.socket]:
    """Bind with the right mode from the first moment on."""
    with _address(path) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)
        try:
            listener.bind(address)
        finally:
            os.umask(before)
        listener.setblocking(False)
        yield listener


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """Yield an address for the socket that is short enough for the kernel."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
