"""The local socket behind `seawall status`."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from daemon.core.operator_requests import LiftLatch, OperatorRequest
from daemon.shell.status_socket import DaemonUnreachable, StatusSocket, ask_daemon, ask_status

STATUS: dict[str, object] = {"mode": "guarding", "positions": []}


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[None]:
    """Serve a fixed status."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(StatusSocket(path, lambda: STATUS).run())
        await _wait_answer(path)
        yield
        running.cancel()


async def test_the_status_is_answered_to_its_owner_alone(tmp_path: Path) -> None:
    """One question, one answer; the socket is private and gone afterwards."""
    path = tmp_path / "status.sock"
    async with serving(path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert await asyncio.to_thread(ask_status, path) == STATUS
    assert not path.exists()


async def test_a_socket_that_is_held_open_by_others_says_so(tmp_path: Path) -> None:
    """P12: eight silent connections: the ninth hears that nothing was done, not that no daemon is there."""
    path = tmp_path / "status.sock"
    async with serving(path), asyncio.TaskGroup() as tasks:
        opened = [tasks.create_task(asyncio.open_unix_connection(path)) for _ in range(8)]
        silent = [await each for each in opened]
        answer = await asyncio.to_thread(ask_daemon, path, {"ask": "status"})
        assert answer == {"error": "busy: 8 connections are open; nothing was done, ask again"}
        for _, writer in silent:
            writer.close()


async def test_a_long_path_works(tmp_path: Path) -> None:
    """Unix socket addresses are short; state folders are not always."""
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    async with serving(folder / "status.sock"):
        assert await asyncio.to_thread(ask_status, folder / "status.sock") == STATUS


async def test_a_socket_left_by_a_killed_daemon_is_replaced(tmp_path: Path) -> None:
    """`kill -9` leaves the file behind: nobody answers there, and the next daemon takes its place."""
    path = tmp_path / "status.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(DaemonUnreachable, match="no daemon answers"):
        ask_status(path)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(StatusSocket(path, lambda: STATUS).run())
        await _wait_answer(path)
        running.cancel()


async def _wait_answer(path: Path) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                assert await asyncio.to_thread(ask_status, path) == STATUS
            except DaemonUnreachable:
                await asyncio.sleep(0.005)
            else:
                return


@pytest.mark.parametrize("nonsense", [b"hello\n", b'{"ask":"everything"}\n', b'{"ask":"status","x":1}\n', b"[]\n"])
async def test_nonsense_is_answered_with_what_is_known(tmp_path: Path, nonsense: bytes) -> None:
    """A wrong question gets an error object, and the daemon goes on."""
    async with serving(tmp_path / "s"):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(nonsense)
        answer = json.loads(await reader.readline())
        assert "status" in answer["error"]
        writer.close()
        await writer.wait_closed()
        assert await asyncio.to_thread(ask_status, tmp_path / "s") == STATUS


async def test_an_endless_question_is_cut_off(tmp_path: Path) -> None:
    """More bytes than any question has: the connection is closed without an answer."""
    async with serving(tmp_path / "s"):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(b"x" * 10_000)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        assert await asyncio.to_thread(ask_status, tmp_path / "s") == STATUS


def test_nobody_there_is_one_clear_error(tmp_path: Path) -> None:
    """The daemon does not run."""
    with pytest.raises(DaemonUnreachable, match="nowhere"):
        ask_status(tmp_path / "nowhere")


async def test_a_request_to_change_something_names_the_process_that_asks(tmp_path: Path) -> None:
    """Who asks is what the kernel says; the request arrives as the value it is."""
    heard: list[tuple[str, str, OperatorRequest]] = []

    async def operate(who: str, request_id: str, request: OperatorRequest) -> dict[str, object]:
        heard.append((who, request_id, request))
        return {"done": "yes"}

    path = tmp_path / "s"
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(StatusSocket(path, lambda: STATUS, operate=operate).run())
        await _wait_answer(path)
        question = {"ask": "operate", "id": "r-1", "request": {"type": "LiftLatch", "name": "daily_loss"}}
        assert await asyncio.to_thread(ask_daemon, path, question) == {"done": "yes"}
        running.cancel()
    assert heard == [(pwd.getpwuid(os.getuid()).pw_name, "r-1", LiftLatch(name="daily_loss"))]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"ask": "operate", "id": "r-1", "request": {"type": "FreezeAsked"}}, "takes no requests"),
        ({"ask": "status", "request": {"type": "FreezeAsked"}}, "unknown question"),
        ({"ask": "operate", "id": "r-1", "request": {"type": "Sell"}}, "not a request"),
        ({"ask": "account"}, 'known: "status", "operate"'),
    ],
)
async def test_what_is_not_understood_is_said(tmp_path: Path, question: dict[str, object], words: str) -> None:
    """One line says what is wrong; nothing is guessed."""
    async with serving(tmp_path / "s"):
        answer = await asyncio.to_thread(ask_daemon, tmp_path / "s", question)
    assert words in str(answer["error"])


async def test_a_request_without_an_id_is_refused(tmp_path: Path) -> None:
    """Without an id a repeat could not be told from a second wish."""

    async def operate(_who: str, _id: str, _request: OperatorRequest) -> dict[str, object]:
        raise AssertionError

    path = tmp_path / "s"
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(StatusSocket(path, lambda: STATUS, operate=operate).run())
        await _wait_answer(path)
        question: dict[str, object] = {"ask": "operate", "request": {"type": "FreezeAsked"}}
        assert "needs a request, and an id" in str((await asyncio.to_thread(ask_daemon, path, question))["error"])
        running.cancel()
