"""The local socket through which `seawall status` and the operator's commands reach the running daemon.

One JSON line in, one JSON line out, on a Unix socket that only its owner may open; every connection has a deadline.

    {"ask":"status"}                                                       changes nothing, answered from the state
    {"ask":"operate","id":"...","request":{"type":"LiftLatch","name":""}}  changes something, see `operator_desk.py`

Who asks to change something is what the kernel says of the process at the other end, not what the line says.
"""

from __future__ import annotations

import asyncio
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from daemon.core.operator_requests import OperatorRequest
from daemon.shell.local_socket import address_of, bound_socket

SOCKET_NAME = "status.sock"
REQUEST_LIMIT_BYTES = 65_536
REPLY_LIMIT_BYTES = 16 * 1024 * 1024
DEADLINE_S = 5.0
MOST_CONNECTIONS = 8
_LONGEST_ID = 64


class DaemonUnreachable(Exception):
    """Nobody answers on the socket."""


class StatusRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be asked."""

    ask: str
    id: str = ""
    """Of a request to change something: the same id again is the same request."""
    request: OperatorRequest | None = None


Answer = dict[str, object]
Operate = Callable[[str, str, OperatorRequest], Awaitable[Answer]]
"""Who, request id, request."""


class StatusSocket:
    """Serves questions and operators' requests, as a helpful task."""

    def __init__(
        self,
        path: Path,
        describe: Callable[[], Answer],
        *,
        questions: Mapping[str, Callable[[], Answer]] | None = None,
        operate: Operate | None = None,
    ) -> None:
        """Prepare; nothing is bound yet.

        Args:
            path: Where.
            describe: Answers `{"ask":"status"}`.
            questions: Answers to more questions that change nothing, by name.
            operate: Carries out what changes something; without it that is refused.
        """
        self._path = path
        self._questions = {"status": describe, **(questions or {})}
        self._operate = operate
        self._open = 0

    async def run(self) -> None:
        """Serve until cancelled.

        Raises:
            OSError: If the socket cannot be made.
        """
        self._path.unlink(missing_ok=True)
        with bound_socket(self._path) as listener:
            server = await asyncio.start_unix_server(self._serve, sock=listener, limit=REQUEST_LIMIT_BYTES)
            try:
                await server.serve_forever()
            finally:
                server.close()
                self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with asyncio.timeout(DEADLINE_S):
                answer: Answer = {
                    "error": f"busy: {MOST_CONNECTIONS} connections are open; nothing was done, ask again"
                }
                if self._open <= MOST_CONNECTIONS:
                    line = await reader.readuntil(b"\n")
                    answer = await self._answer(line, _asker(writer))
                writer.write(msgspec.json.encode(answer) + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the one who asked went away or asked nonsense: nothing to tell anybody
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, line: bytes, who: str) -> Answer:
        try:
            request = msgspec.json.decode(line, type=StatusRequest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return {"error": f'not a request: {error}; send {{"ask":"status"}}'}
        if request.ask == "operate":
            return await self._carry(request, who)
        describe = self._questions.get(request.ask)
        if describe is None or request.request is not None:
            known = ", ".join(f'"{name}"' for name in (*self._questions, "operate"))
            return {"error": f"unknown question {request.ask!r}; known: {known}"}
        return describe()

    async def _carry(self, asked: StatusRequest, who: str) -> Answer:
        if self._operate is None:
            return {"error": "this daemon takes no requests here"}
        if asked.request is None or not asked.id or len(asked.id) > _LONGEST_ID:
            return {"error": f'"operate" needs a request, and an id of 1 to {_LONGEST_ID} characters'}
        return await self._operate(who, asked.id, asked.request)


def _asker(writer: asyncio.StreamWriter) -> str:
    """Return the user name of the process at the other end, as the kernel knows it; the number where it has no name."""
    peer = writer.get_extra_info("socket")
    size = struct.calcsize("3i")
    _, user_id, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"user {user_id}"


def ask_status(path: Path, *, timeout_s: float = DEADLINE_S) -> dict[str, object]:
    """Ask the daemon behind `path` for its status.

    Raises:
        DaemonUnreachable: If nobody listens there or no answer comes in time.
    """
    return ask_daemon(path, {"ask": "status"}, timeout_s=timeout_s)


def ask_daemon(path: Path, question: Mapping[str, object], *, timeout_s: float = DEADLINE_S) -> dict[str, object]:
    """Send one line to the daemon behind `path` and return its answer.

    Raises:
        DaemonUnreachable: If nobody listens there or no answer comes in time.
    """
    try:
        with address_of(path) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
            asker.settimeout(timeout_s)
            asker.connect(address)
            asker.sendall(msgspec.json.encode(question) + b"\n")
            reply = _read_line(asker)
        return msgspec.json.decode(reply, type=dict[str, object])
    except OSError as error:
        raise DaemonUnreachable(f"no daemon answers at {path}: {error.strerror or error}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DaemonUnreachable(f"what answers at {path} is not a Seawall daemon") from error


def _read_line(asker: socket.socket) -> bytes:
    reply = bytearray()
    while not reply.endswith(b"\n") and len(reply) < REPLY_LIMIT_BYTES:
        part = asker.recv(65_536)
        if not part:
            break
        reply += part
    return bytes(reply)
