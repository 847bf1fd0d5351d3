"""The control API over its real socket: narrow, bounded, its owner's alone, and never in anybody's way."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from config.bots import BotPolicy, Heartbeat
from daemon.core.operator_requests import FreezeAsked
from daemon.shell.bot_desk import BotDesk
from daemon.shell.control import rights, server
from daemon.shell.control.counter import Answer, Counter
from daemon.shell.control.route import BODY_LIMIT_BYTES
from daemon.shell.control.server import HEAD_LIMIT_BYTES, MOST_AT_ALL, MOST_CONNECTIONS, ControlApi
from tests.fakes import ManualClock
from tests.unit.daemon.core.restraint.test_latches import ask as freeze
from tests.unit.daemon.shell.test_bot_desk import Core

DEADLINE_S = 5.0
PAGE = Path(__file__).resolve().parents[5] / "docs" / "bots.md"
BEAT = b"POST /v1/bots/maker/heartbeat HTTP/1.1\r\nHost: x\r\n"


def a_desk() -> tuple[BotDesk, Core]:
    """An open desk over a guard that guards."""
    core = Core()
    bots = {"maker": BotPolicy(id_prefix="mm-"), "by-orders": BotPolicy(id_prefix="o-", heartbeat=Heartbeat.ORDERS)}
    desk = BotDesk(bots, clock=ManualClock(core.guard.now))
    desk.open(core)
    return desk, core


def counter_of(desk: BotDesk) -> Counter:
    """A guard of which only the bots' desk is there."""

    async def describe() -> Answer:
        return {"mode": "guarding"}

    return Counter(bots=desk, describe=describe, state=lambda: None)


@asynccontextmanager
async def serving(
    path: Path, desk: BotDesk | None = None, *, counter: Counter | None = None
) -> AsyncIterator[ControlApi]:
    """An API that is up, and surely not afterwards."""
    api = ControlApi(path, counter or counter_of(desk or a_desk()[0]))
    task = asyncio.create_task(api.run())
    async with asyncio.timeout(DEADLINE_S):
        while api.problem:  # noqa: ASYNC110 - it says so itself, and has no event for it
            await asyncio.sleep(0.001)
    try:
        yield api
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def say(path: Path, words: bytes, *, ends: bool = False) -> bytes:
    """Everything that is answered to these bytes."""
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(words)
        if ends:
            writer.write_eof()
        answer = b""
        with suppress(ConnectionResetError):
            answer = await reader.read()
        writer.close()
    return answer


async def ask(path: Path, verb: str, target: str) -> tuple[int, dict[str, object]]:
    """One request; status and answer."""
    head, _, body = (await say(path, f"{verb} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())).partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    return int(head.split()[1]), json.loads(body)


async def test_every_route_and_its_refusals(tmp_path: Path) -> None:
    """What each answers, wrong names, wrong methods and unknown paths included."""
    desk, core = a_desk()
    path = tmp_path / "control.sock"
    async with serving(path, desk):
        assert path.stat().st_mode & 0o777 == 0o600
        assert await ask(path, "POST", "/v1/bots/maker/heartbeat") == (
            200,
            {"bot": "maker", "heard": True, "was_silent": False, "halted": False},
        )
        assert core.state.bots["maker"].heard_ns
        for verb, target, status in (
            ("POST", "/v1/bots/stranger/heartbeat", 404),
            ("POST", "/v1/bots/by-orders/heartbeat", 409),
            ("GET", "/v1/bots/maker/heartbeat", 405),
            ("GET", "/", 404),
            ("GET", "/v1/halt?bot=stranger", 404),
        ):
            answered, words = await ask(path, verb, target)
            assert (answered, "error" in words) == (status, True), target
        assert (await ask(path, "GET", "/v1/halt?bot=maker&symbol=XBTUSDT"))[1]["halted"] is False
        assert (await ask(path, "GET", "/v1/health"))[0] == 200
        assert len((await ask(path, "GET", "/v1/bots"))[1]["bots"]) == 2  # type: ignore[arg-type]
    assert not path.exists()


async def test_a_guard_that_opens_says_not_yet_and_halted(tmp_path: Path) -> None:
    """503 to a heartbeat, with when to call again; the flag is up."""
    path = tmp_path / "control.sock"
    async with serving(path, BotDesk({"maker": BotPolicy(id_prefix="mm-")}, clock=ManualClock())):
        answer = await say(path, BEAT + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in answer.lower()
        assert (await ask(path, "GET", "/v1/halt"))[1]["halted"] is True
        assert (await ask(path, "GET", "/v1/health"))[0] == 503


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (BEAT + f"Content-Length: {BODY_LIMIT_BYTES + 1}\r\n\r\n".encode(), b"413"),
        (BEAT + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", b"4"),
        (BEAT + b"X-Much: " + b"x" * (HEAD_LIMIT_BYTES + 1), b"4"),
        (b"\x00\x01\x02 nonsense\r\n\r\n", b"400"),
        (BEAT + b"Content-Length: 10\r\n\r\n", b"200"),
        (BEAT + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", b"200"),
        (b"GET /v1/halt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"200"),
    ],
)
async def test_too_much_and_nonsense_are_answered_and_let_go(tmp_path: Path, words: bytes, status: bytes) -> None:
    """No body is waited for or kept, and the connection ends."""
    desk, _ = a_desk()
    path = tmp_path / "control.sock"
    async with serving(path, desk):
        assert (await say(path, words)).startswith(b"HTTP/1.1 " + status)
        assert (await ask(path, "GET", "/v1/halt"))[0] == 200


async def test_a_connection_that_says_nothing_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many hold a place without a word: after the deadline there is room again."""
    monkeypatch.setattr(server, "DEADLINE_S", 0.3)
    desk, _ = a_desk()
    path = tmp_path / "control.sock"
    async with serving(path, desk):
        mute = [await asyncio.open_unix_connection(str(path)) for _ in range(MOST_CONNECTIONS)]
        assert (await say(path, BEAT + b"\r\n")).startswith(b"HTTP/1.1 503")
        async with asyncio.timeout(DEADLINE_S):
            for reader, writer in mute:
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
                writer.close()
            while not (await say(path, BEAT + b"\r\n")).startswith(b"HTTP/1.1 200"):  # noqa: ASYNC110 - over a socket
                await asyncio.sleep(0)


async def test_a_bot_that_others_crowd_out_is_not_called_silent_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P12: while some program holds every place, the guard says that it is deaf, and counts nobody's silence."""
    monkeypatch.setattr(server, "CROWDED_FOR_S", 0.2)
    path = tmp_path / "control.sock"
    async with serving(path, a_desk()[0]) as api:
        assert (await say(path, BEAT + b"\r\n")).startswith(b"HTTP/1.1 200")
        assert api.deaf() == ""
        crowd = [await asyncio.open_unix_connection(str(path)) for _ in range(MOST_CONNECTIONS)]
        assert (await say(path, BEAT + b"\r\n")).startswith(b"HTTP/1.1 503")
        assert "take every place" in api.deaf()
        for _reader, writer in crowd:
            writer.close()
        async with asyncio.timeout(DEADLINE_S):
            while api.deaf():  # noqa: ASYNC110 - it passes with time
                await asyncio.sleep(0.01)


async def test_a_crowd_that_may_only_read_keeps_nobody_out_who_may_operate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P11: bots of the group that leak connections take their share of the places, and a person still gets through."""
    path = tmp_path / "control.sock"
    operators = rights._GUARDS
    async with serving(path) as api:
        monkeypatch.setattr(rights, "_GUARDS", frozenset({4_242_424}))
        crowd = [await asyncio.open_unix_connection(str(path)) for _ in range(MOST_CONNECTIONS)]
        assert await say(path, BEAT + b"\r\n") == b""
        assert "take every place" in api.deaf()
        monkeypatch.setattr(rights, "_GUARDS", operators)
        assert (await say(path, BEAT + b"\r\n")).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(rights, "_GUARDS", frozenset({4_242_424}))
        for _reader, writer in crowd:
            writer.close()
        async with asyncio.timeout(DEADLINE_S):
            while not (await say(path, BEAT + b"\r\n")).startswith(b"HTTP/1.1 200"):  # noqa: ASYNC110 - the places get free with time
                await asyncio.sleep(0.01)


async def test_a_question_that_breaks_is_answered_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong inside: 500, which a careful bot takes for "halted"."""
    desk, _ = a_desk()

    def breaks(**_asked: object) -> dict[str, object]:
        raise ZeroDivisionError

    monkeypatch.setattr(desk, "describe_halt", breaks)
    path = tmp_path / "control.sock"
    async with serving(path, desk):
        assert (await ask(path, "GET", "/v1/halt"))[0] == 500
        assert (await ask(path, "POST", "/v1/bots/maker/heartbeat"))[0] == 200


async def test_nonsense_fills_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A caller that sends rubbish all day costs no disk."""
    path = tmp_path / "control.sock"
    async with serving(path, a_desk()[0]):
        for _ in range(20):
            await say(path, b"\x00 rubbish\r\n\r\n")
    assert [each for each in caplog.records if each.name.startswith("uvicorn")] == []


async def test_a_crowd_of_connections_costs_few_descriptors(tmp_path: Path) -> None:
    """P8: hundreds that say nothing are dropped at once, and do not use up what the guard needs for its streams."""
    desk, _ = a_desk()
    path = tmp_path / "control.sock"
    async with serving(path, desk):
        crowd = [await asyncio.open_unix_connection(str(path)) for _ in range(MOST_AT_ALL + 100)]
        dropped = 0
        async with asyncio.timeout(DEADLINE_S):
            for reader, _writer in crowd[MOST_AT_ALL:]:
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
                dropped += 1
        for _reader, writer in crowd:
            writer.close()
    assert dropped == 100


async def test_the_example_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    """docs/bots.md: heard, may add while nothing halts; no daemon, and a freeze, mean that it may not."""
    names: dict[str, Any] = {}
    exec(PAGE.read_text().split("```python\n")[1].split("```")[0], names)  # noqa: S102 - our own page
    path = tmp_path / "control.sock"
    bot = names["Guard"](str(path), "maker")
    assert (bot.beat(), bot.may_add("XBTUSDT")) == (False, False)
    desk, core = a_desk()
    async with serving(path, desk):
        assert await asyncio.to_thread(bot.beat) is True
        assert await asyncio.to_thread(bot.may_add, "XBTUSDT") is True
        freeze(core.guard, FreezeAsked())
        assert await asyncio.to_thread(bot.may_add, "XBTUSDT") is False


async def test_it_leaves_signals_to_the_guard(tmp_path: Path) -> None:
    """SIGTERM stops the guard in good order, not the API alone."""
    before = signal.getsignal(signal.SIGTERM)
    async with serving(tmp_path / "control.sock", a_desk()[0]):
        assert signal.getsignal(signal.SIGTERM) is before


async def test_a_second_one_says_who_is_there_and_disturbs_nobody(tmp_path: Path) -> None:
    """Two guards that were given one address: the first goes on, the second is deaf and says why."""
    desk, _ = a_desk()
    path = tmp_path / "control.sock"
    async with serving(path, desk):
        second = ControlApi(path, counter_of(desk))
        with pytest.raises(OSError, match="another process listens there"):
            await second.run()
        assert "another process listens there" in second.problem
        assert (await ask(path, "GET", "/v1/halt"))[0] == 200


async def test_it_starts_over_what_a_killed_one_left(tmp_path: Path) -> None:
    """A stale socket, in a folder deeper than the kernel's addresses are long."""
    folder = tmp_path / ("d" * 100)
    folder.mkdir()
    path = folder / "control.sock"
    descriptor = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with descriptor, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        descriptor.bind("control.sock")
    async with serving(path, a_desk()[0]):
        assert path.is_socket()


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Deaf, and why."""
    api = ControlApi(tmp_path / "nowhere" / "control.sock", counter_of(a_desk()[0]))
    with pytest.raises(FileNotFoundError):
        await api.run()
    assert "nowhere" in api.problem
