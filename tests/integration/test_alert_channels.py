"""The daemon's own wiring with channels at their worst, over loopback: protection and other channels notice nothing."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import structlog

from config.channels import ChannelKind, ChannelSettings, HeartbeatSettings
from config.model import AlertSettings, Settings, StateSettings
from config.venue import Environment, venue_settings
from connectors.ports import Feed
from daemon.alert import try_channels
from daemon.app import run_guard
from daemon.cli import main
from daemon.exit_codes import ExitCode
from daemon.shell.alerts import heartbeat
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.watchdog import ServiceNotifier
from tests.fakes import START_NS, FakeVenue, a_long, tell_mark
from tests.integration.test_messenger import a_hanging_receiver
from tests.unit.daemon.shell.alerts.test_webhook import Receiver, a_receiver

DEADLINE_S = 20.0
WELL = frozenset({"well", "talking"})
NOBODY = "http://127.0.0.1:9/secret-token"


@asynccontextmanager
async def a_guard(folder: Path, venue: FakeVenue, alerts: AlertSettings) -> AsyncIterator[None]:
    """Run the daemon in a task, until SIGTERM."""
    settings = Settings(
        venue=venue_settings(Environment.TESTNET), state=StateSettings(directory=str(folder / "state")), alerts=alerts
    )
    guard = asyncio.get_running_loop().create_task(run_guard(settings, venue, notifier=ServiceNotifier(None)))
    try:
        yield
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_S):
            await guard


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the guard, or a receiver, does."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - many things, few of which could set an event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def a_talking_receiver() -> AsyncIterator[str]:
    """Answer 200, and talk on without end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 X\r\n\r\n")
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/talk"


def states(receiver: Receiver) -> list[object]:
    """What a webhook was told."""
    return [body["state"] for body in receiver.bodies]


async def test_protection_and_the_well_channel_notice_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """P2, P10: six channels, one of them well: the stop rests, the news arrives; the others fail each for itself."""
    built: list[AlertOutbox] = []
    real = AlertOutbox.__init__

    def remember(self: AlertOutbox, **arguments: Any) -> None:
        real(self, **arguments)
        built.append(self)

    monkeypatch.setattr(AlertOutbox, "__init__", remember)
    monkeypatch.setattr("daemon.app.DELIVER_S", 0.05)
    venue = FakeVenue(positions=[a_long()], now_ns=time.time_ns())
    async with a_receiver() as well, a_hanging_receiver() as hanging, a_talking_receiver() as talking:
        channels = {
            "dead": ChannelSettings(url=NOBODY, fallback="well"),
            "hanging": ChannelSettings(url=hanging, timeout_s=0.2),
            "talking": ChannelSettings(url=talking),
            "chat": ChannelSettings(kind=ChannelKind.APPRISE, url=hanging.replace("http", "json"), timeout_s=0.3),
            "nowhere": ChannelSettings(url_file=str(tmp_path / "nowhere")),
            "well": ChannelSettings(url=well.url),
        }
        async with a_guard(tmp_path, venue, AlertSettings(channels=channels)):
            await until(lambda: any(each.stop_price for each in venue.orders.values()))
            await until(lambda: "covered" in states(well))
            (outbox,) = built
            await until(lambda: all(each.figures["failed"] for each in outbox.workers if each.name not in WELL))
            figures: dict[str, Any] = {each.name: each.figures for each in outbox.workers}
            assert figures["dead"]["problem"] == "127.0.0.1: ConnectError"
            assert figures["hanging"]["problem"] == "127.0.0.1: no answer within 0.2 s"
            assert figures["nowhere"]["problem"].endswith("nowhere cannot be read: No such file or directory")
            assert figures["talking"]["failed"] == 0
            await until(lambda: "no answer within 0.3 s" in str(_worker(outbox, "chat")["problem"]))
    assert "secret-token" not in str(figures) + capsys.readouterr().out


def _worker(outbox: AlertOutbox, name: str) -> dict[str, object]:
    return next(each.figures for each in outbox.workers if each.name == name)


async def test_the_heartbeat_tells_sight_blindness_and_sight_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6, P10: a ping once the guard guards, the word of failure when a stream is lost, a ping when it is back."""
    monkeypatch.setattr(heartbeat, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(heartbeat, "FAIL_AGAIN_AFTER_S", 0.02)
    venue = FakeVenue(positions=[a_long()], now_ns=time.time_ns())
    async with a_receiver() as service:
        pinged = HeartbeatSettings(url=service.url, interval_s=60)
        async with a_guard(tmp_path, venue, AlertSettings(heartbeat=pinged)):
            await until(lambda: service.paths == ["/hooks/token-that-is-secret"])
            assert venue.sink is not None
            venue.sink.feed_lost(Feed.MARKET, "test", received_ns=START_NS)
            await until(lambda: service.paths[-1] == "/hooks/token-that-is-secret/fail")
            venue.sink.feed_live(Feed.MARKET, received_ns=START_NS)
            await until(lambda: service.paths[-1] == "/hooks/token-that-is-secret")
    assert len(service.paths) == 3
    assert service.texts[0].startswith("guarding: ")
    assert "the guard is blind" in service.texts[1]


async def test_a_chat_gets_the_picture_of_the_position(tmp_path: Path) -> None:
    """P10: the real messenger tells that liquidation comes near, with a chart of price, stop and liquidation price."""
    venue = FakeVenue(positions=[a_long()], now_ns=time.time_ns())
    async with a_receiver() as receiver:
        channels = {"chat": ChannelSettings(kind=ChannelKind.APPRISE, url=receiver.url.replace("http", "json"))}
        async with a_guard(tmp_path, venue, AlertSettings(channels=channels)):
            await until(lambda: bool(venue.orders))
            assert venue.sink is not None
            tell_mark(venue.sink, "58500.0")
            await until(lambda: any(body["attachments"] for body in receiver.bodies))
    picture: Any = next(body["attachments"] for body in receiver.bodies if body["attachments"])
    assert base64.b64decode(picture[0]["base64"]).startswith(b"\x89PNG")


async def test_each_channel_is_tried_for_itself() -> None:
    """`seawall alert test`: what arrives, what does not and why; all at once, so that a hanging one delays none."""
    async with a_receiver() as receiver, a_hanging_receiver() as hanging:
        chat = receiver.url.replace("http", "json")
        channels = {
            "hook": ChannelSettings(url=receiver.url),
            "pager": ChannelSettings(kind=ChannelKind.ALERTMANAGER, url=receiver.url),
            "chat": ChannelSettings(kind=ChannelKind.APPRISE, url=chat),
            "dead": ChannelSettings(url=NOBODY, fallback="hook"),
            "hanging": ChannelSettings(url=hanging, timeout_s=0.2),
        }
        settings = Settings(venue=venue_settings(Environment.TESTNET), alerts=AlertSettings(channels=channels))
        trials = {each.name: each for each in await try_channels(settings, None)}
        (one,) = await try_channels(settings, "hook")
    assert {name: each.problem for name, each in trials.items()} == {
        "hook": None,
        "pager": None,
        "chat": None,
        "dead": "127.0.0.1: ConnectError",
        "hanging": "127.0.0.1: no answer within 0.2 s",
    }
    assert (one.name, one.problem) == ("hook", None)
    assert len(receiver.bodies) == 4, "the fallback of a dead channel is left alone"
    (chatted,) = (body for body in receiver.bodies if isinstance(body, dict) and "attachments" in body)
    assert chatted["attachments"], "a made-up picture, so that it is seen whether pictures arrive"


def test_the_command_says_what_did_not_arrive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 14 and a reason for a channel that is dead, 3 for one that nobody named or for none at all."""
    text = f'[venue]\nenvironment = "testnet"\n[alerts.channels.dead]\nurl = "{NOBODY}"\n'
    file = tmp_path / "seawall.toml"
    file.write_text(text)
    assert main(["alert", "test", "--config", str(file)]) == ExitCode.NOT_DELIVERED
    assert "dead  webhook       NOT delivered: 127.0.0.1: ConnectError" in capsys.readouterr().out
    assert main(["alert", "test", "other", "--config", str(file)]) == ExitCode.BAD_INPUT
    assert "known here are dead" in capsys.readouterr().err
    file.write_text('[venue]\nenvironment = "testnet"\n')
    assert main(["alert", "test", "--config", str(file)]) == ExitCode.BAD_INPUT
    structlog.reset_defaults()
