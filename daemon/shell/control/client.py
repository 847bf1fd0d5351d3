"""The other end of the control API: one question over the guard's socket, one answer.

Only the standard library and the JSON decoder are used, so that a command is done in a moment.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected
from pathlib import Path
from typing import Any, Final

import msgspec

from daemon.shell.local_socket import address_of

SOCKET_NAME: Final = "control.sock"
"""In the state folder, if the settings name no other place."""
TIMEOUT_S: Final = 5.0
_NO_PLACE_S: Final = 0.02
"""Until the next try, where the kernel has no place for a connection: unlike TCP it does not wait by itself."""
ANSWER_LIMIT_BYTES: Final = 16 * 1024 * 1024
"""Some thousand positions; more is not a guard's answer."""
COMMAND_HEADER: Final = "x-seawall-command"
"""The commands of `seawall` name themselves, for the journal."""
ID_HEADER: Final = "idempotency-key"
"""Of a request to change something: the same one again is the same request."""


class DaemonUnreachable(Exception):
    """Nobody answers on the socket."""


class DaemonBusy(DaemonUnreachable):
    """Others take every place there: a moment later one may be free."""


def ask(path: Path, target: str, *, timeout_s: float = TIMEOUT_S) -> tuple[int, bytes]:
    """Read one thing.

    Args:
        path: The control socket.
        target: Path of the question, as "/v1/state".
        timeout_s: For connecting, and for each part of the answer.

    Returns:
        The status and the body.

    Raises:
        DaemonUnreachable: If nobody listens there, no answer comes in time, or it is none.
    """
    return send(path, "GET", target, timeout_s=timeout_s)


def send(
    path: Path,
    verb: str,
    target: str,
    *,
    body: object = None,
    headers: dict[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> tuple[int, bytes]:
    """Send one request; status and body of the answer.

    Raises:
        DaemonUnreachable: If nobody listens there, no answer comes in time, or it is none.
    """
    connection = _UnixConnection(path, timeout_s)
    content = None if body is None else msgspec.json.encode(body)
    try:
        with suppress(BrokenPipeError):  # refused before it was read whole: the answer is there all the same
            connection.request(verb, target, body=content, headers=headers or {})
        response = connection.getresponse()
        return response.status, _whole(path, response)
    except RemoteDisconnected as error:
        raise DaemonUnreachable(f"no daemon answers at {path}: it hung up") from error
    except (ConnectionResetError, BlockingIOError) as error:
        raise DaemonBusy(f"the daemon at {path} lets nobody in at the moment: {error.strerror}") from error
    except OSError as error:
        raise DaemonUnreachable(f"no daemon answers at {path}: {error.strerror or error}") from error
    except (HTTPException, ValueError) as error:
        raise DaemonUnreachable(_no_daemon(path)) from error
    finally:
        connection.close()


def open_stream(path: Path, target: str, *, timeout_s: float) -> tuple[HTTPConnection, HTTPResponse]:
    """Begin to read an answer without an end; who calls closes the connection.

    Raises:
        DaemonUnreachable: If nobody listens there, or what answers is no daemon.
    """
    connection = _UnixConnection(path, timeout_s)
    try:
        connection.request("GET", target)
        return connection, connection.getresponse()
    except (OSError, HTTPException, ValueError) as error:
        connection.close()
        raise DaemonUnreachable(f"no daemon answers at {path}: {error}") from error


def call(
    path: Path,
    verb: str,
    target: str,
    *,
    body: object = None,
    headers: dict[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> tuple[int, dict[str, Any]]:
    """Send one request; status and answer, read from its JSON.

    Raises:
        DaemonUnreachable: If nobody listens there, no answer comes in time, or it is none.
    """
    status, content = send(path, verb, target, body=body, headers=headers, timeout_s=timeout_s)
    try:
        return status, msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if status == 503:
            raise DaemonBusy(f"the daemon at {path} is busy: nothing was done, ask again") from error
        raise DaemonUnreachable(_no_daemon(path)) from error


def ask_status(path: Path, *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Ask the daemon behind `path` for its status.

    Raises:
        DaemonUnreachable: If nobody listens there, no answer comes in time, or it refuses.
    """
    status, answer = call(path, "GET", "/v1/state", timeout_s=timeout_s)
    if status != 200:
        raise DaemonUnreachable(f"the daemon at {path} answered {status}: {answer.get('error', '')}")
    return answer


def _no_daemon(path: Path) -> str:
    return f"what answers at {path} is not the control API of a Seawall daemon"


def _whole(path: Path, response: HTTPResponse) -> bytes:
    content = response.read(ANSWER_LIMIT_BYTES + 1)
    if len(content) > ANSWER_LIMIT_BYTES:
        raise DaemonUnreachable(f"the answer of {path} has more than {ANSWER_LIMIT_BYTES} bytes")
    return content


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Connect to the socket instead of to a host; while others fill its queue, wait for a place in it."""
        give_up_s = time.monotonic() + self._timeout_s
        while True:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self._timeout_s)
            try:
                with address_of(self._path) as address:
                    self.sock.connect(address)
            except BlockingIOError:
                self.sock.close()
                if time.monotonic() >= give_up_s:
                    raise
                time.sleep(_NO_PLACE_S)
            else:
                return
