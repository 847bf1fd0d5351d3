"""The other end of the control API: what a command does when it cannot get through at once."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest

from daemon.shell.control.client import DaemonUnreachable, ask, call

ANSWER = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"


def _full(listener: socket.socket, path: Path) -> list[socket.socket]:
    """Fill the queue of a listener."""
    listener.bind(str(path))
    listener.listen(0)
    waiting = []
    while True:
        caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        caller.setblocking(False)
        waiting.append(caller)
        try:
            caller.connect(str(path))
        except BlockingIOError:
            return waiting


def _serve(listener: socket.socket, most: int) -> None:
    for _ in range(most):
        connection, _ = listener.accept()
        with connection:
            if connection.recv(65_536):
                connection.sendall(ANSWER)
                return


def test_a_command_waits_for_its_place_in_a_crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel turns a caller away when others fill the queue; a person who wants to flatten must get through."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        waiting = _full(listener, tmp_path / "s")
        for caller in waiting:
            caller.close()
        server = Thread(target=_serve, args=(listener, len(waiting) + 1), daemon=True)
        moves = iter([server.start])
        monkeypatch.setattr("daemon.shell.control.client.time.sleep", lambda _s: next(moves, lambda: None)())
        assert ask(tmp_path / "s", "/v1/state", timeout_s=5) == (200, b"{}")
        server.join(5)


def test_a_crowd_that_never_moves_is_said_in_time(tmp_path: Path) -> None:
    """The wait ends with the time-out of the question."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        waiting = _full(listener, tmp_path / "s")
        with pytest.raises(DaemonUnreachable, match="lets nobody in"):
            ask(tmp_path / "s", "/v1/state", timeout_s=0.1)
        for caller in waiting:
            caller.close()


def test_a_refusal_that_comes_before_the_request_was_read_is_heard(tmp_path: Path) -> None:
    """Who may only read is told so: the guard answers by the head alone and hangs up, while the body is on its way."""
    path = tmp_path / "control.sock"
    refusal = b'{"error":"this takes the right to operate"}'

    def refuse(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(256)
            connection.sendall(b"HTTP/1.1 403 X\r\nContent-Length: %d\r\n\r\n" % len(refusal) + refusal)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        daemon = Thread(target=refuse, args=(listener,))
        daemon.start()
        status, answer = call(path, "POST", "/v1/freeze", body={"comment": "x" * 4_000_000}, timeout_s=5)
        daemon.join()
    assert (status, answer["error"]) == (403, "this takes the right to operate")
