"""The real messenger, a child process with the real library, over loopback: whatever happens there stays there."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from PIL import Image

from daemon.messenger.wire import Answer
from daemon.shell.alerts import messenger as messenger_module
from daemon.shell.alerts.channel import NotDelivered
from daemon.shell.alerts.messenger import Messenger, command
from daemon.shell.alerts.trial import sample_chart
from tests.unit.daemon.shell.alerts.test_webhook import a_receiver

DEADLINE_S = 20.0


@asynccontextmanager
async def a_messenger(
    *program: str, environ: dict[str, str] | None = None, wait_ready: bool = True
) -> AsyncIterator[Messenger]:
    """Run a messenger, the real one unless another program is given."""
    messenger = Messenger(command=lambda: program or command(), environ=environ or dict(os.environ))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(messenger.run())
        if wait_ready:
            await until(messenger._is_ready.is_set)
        yield messenger
        running.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something another process does."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.005)


async def send(messenger: Messenger, url: str, *, timeout_s: float = 10.0, picture: bool = False) -> Answer:
    """Have a message delivered to a receiver, by the plug-in that speaks plain JSON."""
    address = url.replace("http://", "json://")
    chart = sample_chart(1_795_390_205 * 10**9) if picture else None
    return await messenger.run_errand(
        address, title="title", text="text", kind="warning", timeout_s=timeout_s, chart=chart
    )


@asynccontextmanager
async def a_hanging_receiver() -> AsyncIterator[str]:
    """Take connections, and say nothing on them."""
    over = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/secret-token"
        over.set()


def process_of(messenger: Messenger) -> int:
    """The process of the messenger."""
    assert messenger._process is not None
    return messenger._process.pid


def forks_of(process: int) -> list[int]:
    """What it has running."""
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


def has_ended(process: int) -> bool:
    """Whether it is gone, or waits to be collected by whoever inherited it."""
    with suppress(OSError):
        return ") Z " in Path(f"/proc/{process}/stat").read_text()
    return True


async def test_a_message_and_its_picture_arrive() -> None:
    """The real library delivers title, text and a picture that can be opened; no disk is needed for it."""
    async with a_receiver() as receiver, a_messenger() as messenger:
        answer = await send(messenger, receiver.url, picture=True)
        assert (answer.is_delivered, answer.has_picture, answer.why) == (True, True, "")
        (body,) = receiver.bodies
        assert (body["title"], body["message"], body["type"]) == ("title", "text", "warning")
        (picture,) = body["attachments"]  # type: ignore[misc] # the plug-in's own shape
        image = Image.open(io.BytesIO(base64.b64decode(picture["base64"])))
        assert (image.format, picture["mimetype"]) == ("PNG", "image/png")


async def test_one_that_hangs_keeps_no_other_waiting() -> None:
    """P10: a receiver that never answers: its message is given up at its time-out, others go on, nothing is left."""
    async with a_receiver() as receiver, a_hanging_receiver() as hanging, a_messenger() as messenger:
        process = process_of(messenger)
        async with asyncio.TaskGroup() as tasks:
            stuck = tasks.create_task(send(messenger, hanging, timeout_s=0.5))
            await until(lambda: bool(forks_of(process)))
            for _ in range(3):
                assert (await send(messenger, receiver.url)).is_delivered
            assert not stuck.done()
        assert stuck.result().why == "no answer within 0.5 s"
        await until(lambda: not forks_of(process))
        assert (messenger.starts, process_of(messenger)) == (1, process)


async def test_one_that_crashes_takes_nobody_along() -> None:
    """P10: the delivery dies of a signal; the answer says so, and the same messenger delivers the next one."""
    async with a_receiver() as receiver, a_hanging_receiver() as hanging, a_messenger() as messenger:
        process = process_of(messenger)
        async with asyncio.TaskGroup() as tasks:
            dying = tasks.create_task(send(messenger, hanging))
            await until(lambda: bool(forks_of(process)))
            os.kill(forks_of(process)[0], signal.SIGSEGV)
        assert dying.result().why == "the delivery crashed (signal 11)"
        assert (await send(messenger, receiver.url)).is_delivered
        assert messenger.starts == 1


async def test_failures_are_explained_without_the_address() -> None:
    """P11: nobody there, and an address that makes no sense: a reason in words, and no part of the token."""
    async with a_messenger() as messenger:
        answer = await send(messenger, "http://127.0.0.1:9/secret-token")
        assert not answer.is_delivered
        assert answer.why
        assert "secret-token" not in answer.why
        refused = await messenger.run_errand("nonsense://secret", title="", text="x", kind="info", timeout_s=5)
        assert (refused.is_refused, refused.why) == (True, "Apprise does not understand the address")


async def test_a_messenger_that_stands_still_is_killed_and_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: the child itself does not answer (it was stopped): killed with all it had, and another one delivers."""
    monkeypatch.setattr(messenger_module, "GRACE_S", 0.1)
    monkeypatch.setattr(messenger_module, "FIRST_PAUSE_S", 0.01)
    async with a_receiver() as receiver, a_messenger() as messenger:
        stopped = process_of(messenger)
        os.kill(stopped, signal.SIGSTOP)
        with pytest.raises(NotDelivered, match="killed"):
            await send(messenger, receiver.url, timeout_s=0.2)
        await until(lambda: messenger.starts == 2)
        assert (await send(messenger, receiver.url)).is_delivered
        assert has_ended(stopped)


async def test_a_messenger_that_dies_fails_what_was_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: `kill -9` of the child: whoever waits hears at once, its forks die with it, the next one starts."""
    monkeypatch.setattr(messenger_module, "FIRST_PAUSE_S", 0.01)
    async with a_receiver() as receiver, a_hanging_receiver() as hanging, a_messenger() as messenger:
        process = process_of(messenger)
        async with asyncio.TaskGroup() as tasks:

            async def failing() -> None:
                with pytest.raises(NotDelivered, match="ended"):
                    await send(messenger, hanging)

            tasks.create_task(failing())
            await until(lambda: bool(forks_of(process)))
            fork = forks_of(process)[0]
            os.kill(process, signal.SIGKILL)
        await until(lambda: has_ended(fork))
        assert (await send(messenger, receiver.url)).is_delivered


async def test_the_forks_end_with_the_guard() -> None:
    """P7: the guard dies (its end of the pipe closes): the messenger ends, and so does what it had under way."""
    environ = {"PATH": os.environ["PATH"]}
    async with a_hanging_receiver() as hanging:
        process = await asyncio.create_subprocess_exec(
            *command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environ,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            assert json.loads(await process.stdout.readline())["is_delivered"]
        errand = {
            "number": 1,
            "address": hanging.replace("http", "json"),
            "title": "",
            "text": "x",
            "kind": "info",
            "timeout_s": 60,
        }
        process.stdin.write(json.dumps(errand).encode() + b"\n")
        await until(lambda: bool(forks_of(process.pid)))
        fork = forks_of(process.pid)[0]
        process.stdin.close()
        async with asyncio.timeout(DEADLINE_S):
            assert await process.wait() == 0
        assert has_ended(fork)


async def test_a_service_manager_that_signals_everybody_does_not_end_it() -> None:
    """P10: systemd stops a service by SIGTERM to all of its processes: the guard's last words are still delivered."""
    async with a_receiver() as receiver, a_messenger() as messenger:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(process_of(messenger), each)
        assert (await send(messenger, receiver.url)).is_delivered
        assert messenger.starts == 1


async def test_nothing_of_the_guard_s_keys_is_in_it() -> None:
    """P11: neither its arguments nor its environment hold a key, an address, or the service manager's sockets."""
    environ = {**os.environ, "SEAWALL_SECRET": "planted-secret", "NOTIFY_SOCKET": "/planted", "WATCHDOG_USEC": "1"}
    async with a_receiver() as receiver, a_messenger(environ=environ) as messenger:
        await send(messenger, receiver.url)
        place = Path(f"/proc/{process_of(messenger)}")
        shown = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
    assert b"planted" not in shown
    assert b"token-that-is-secret" not in shown
    assert b"WATCHDOG" not in shown


READY = 'import sys; print(\'{"number":0,"is_delivered":true}\', flush=True); '


async def test_one_that_talks_is_listened_to_a_little(capsys: pytest.CaptureFixture[str]) -> None:
    """P11: megabytes on standard error block nobody; a little of the end is kept, without the address in it."""
    flood = "sys.stdin.readline(); [sys.stderr.write('json://h/secret-token ' * 4000) for _ in range(100)]; sys.exit(3)"
    async with a_messenger(sys.executable, "-c", READY + flood) as messenger:
        with pytest.raises(NotDelivered, match="ended"):
            await messenger.run_errand("json://h/secret-token", title="", text="x", kind="info", timeout_s=10)
        await until(lambda: messenger.problem == "it ended (exit code 3)")
        assert len(messenger._words()) <= messenger_module._KEPT_BYTES
    assert "secret-token" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "said", ["print('no json', flush=True)", "print('x' * 2_000_000, flush=True)", "print('[1]', flush=True)"]
)
async def test_one_that_breaks_the_rules_is_ended(said: str) -> None:
    """A line that is no answer, or one without an end: whatever it is, it is not the messenger."""
    async with a_messenger(sys.executable, "-c", f"{READY} {said}; sys.stdin.read()", wait_ready=False) as messenger:
        await until(lambda: bool(messenger.problem))
        assert messenger.problem == "it ended (signal 9)"


async def test_a_package_that_is_missing_is_said_and_not_tried_again_and_again() -> None:
    """The extra is not installed: the reason is in every failure, and the process is not started in a loop."""
    program = (
        "import sys; from daemon.messenger import office; office.NEEDED = ('nobody_has_this',); sys.exit(office.main())"
    )
    async with a_messenger(sys.executable, "-c", program, wait_ready=False) as messenger:
        await until(lambda: bool(messenger.problem))
        with pytest.raises(NotDelivered, match=r"nobody_has_this is not installed: pip install 'seawall\[alerts\]'"):
            await messenger.run_errand("json://h/t", title="", text="x", kind="info", timeout_s=0.05)
        assert messenger.starts == 1
