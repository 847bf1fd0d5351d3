"""A day in the life of a new operator, with the real daemon, the real commands, the embedded exchange and a webhook.

It follows deploy/runbook.md: check, run, a position, a price that falls, an acknowledgement, another key, a looser and
a broken policy, `kill -9`, an upgrade from the version before, and in the end the crash that the stop is there for.
"""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import msgspec

from config.policy import Policy
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.embedded import EmbeddedExchange
from daemon.core.state import GuardState
from daemon.exit_codes import ExitCode
from daemon.shell.control.client import SOCKET_NAME, call
from daemon.shell.journal_file import segment_path
from daemon.shell.records import NO_CHAIN, Checkpoint, encode_checkpoint, sealed
from daemon.shell.recover import recover
from tests.integration.exchange_client import Rest, prices, running
from tests.integration.guard_process import (
    GuardProcess,
    a_guard,
    guard_stops,
    open_long,
    position_size,
    until,
    wait_stop,
)
from tests.integration.test_operate import seawall
from tests.integration.test_reload import OWN_SESSION, another_key, disable, keep_in_files, with_files
from tests.unit.daemon.shell.alerts.test_webhook import Receiver, a_receiver

LOOSER = "[stop]\nbuffer_percent = 1\nmax_room_share = 0.3\n"
BROKEN = '[stop]\nbuffer_percent = -1\nstyle = "loose"\n'
NOT_IN_THE_ENVIRONMENT = {"SEAWALL_KEY": "", "SEAWALL_SECRET": ""}


def channel(phone: Receiver) -> str:
    """What the operator writes so that a webhook is told, soon enough for a test."""
    return f'[alerting]\ngather_s = 0.2\ngather_urgent_s = 0.1\n[alerts.channels.phone]\nurl = "{phone.url}"\n'


async def start(guard: GuardProcess) -> None:
    """Start it with its key in files alone, and wait until it guards."""
    await guard.start(before=OWN_SESSION, environment=NOT_IN_THE_ENVIRONMENT)
    await guard.wait_mode("guarding")


async def said(guard: GuardProcess, *words: str, code: int = ExitCode.OK) -> str:
    """What a command answers, which must end with this code."""
    found, output, errors = await seawall(guard, *words)
    assert found == code, f"seawall {' '.join(words)}: {output}{errors}"
    return output + errors


async def told_of(phone: Receiver, group: str) -> dict[str, Any]:
    """Wait until the telephone rings for this group; the first message of it."""

    async def has_rung() -> dict[str, Any]:
        return next((each for each in phone.bodies if each["group"] == group), {})

    found: dict[str, Any] = await until(has_rung, f"people to be told of {group}")
    return found


def assert_told_once(phone: Receiver, group: str) -> None:
    """P10: no message twice, and one message of this group in the whole day."""
    ids = [each["alert_id"] for each in phone.bodies]
    assert len(ids) == len(set(ids))
    assert [each["group"] for each in phone.bodies].count(group) == 1


async def assert_still_rests(bot: Rest, stop: dict[str, Any]) -> None:
    """P2, P3: the same order at the same price, and no other."""
    assert [(each["orderID"], each["stopPx"]) for each in await guard_stops(bot)] == [(stop["orderID"], stop["stopPx"])]


async def be_told_and_acknowledge(
    guard: GuardProcess, exchange: EmbeddedExchange, phone: Receiver, stop: dict[str, Any]
) -> None:
    """The price falls toward the stop: one message says what, what was done and what to do; a person has it."""
    exchange.venue.submit(prices(XBTUSD=58_990))
    message = await told_of(phone, "distance")
    assert message["level"] == "warn"
    assert f"stop at {stop['stopPx']:g}" in message["text"]
    assert all(message[part] for part in ("did", "will", "you_can", "facts"))
    assert "seawall ack distance" in message["you_can"]
    assert "acknowledged: distance" in await said(guard, "ack", "distance", "--comment", "adding margin")
    assert await is_acknowledged(guard)


async def is_acknowledged(guard: GuardProcess) -> bool:
    """Whether the guard knows that somebody has it."""
    _, answer = await asyncio.to_thread(call, guard.folder / "state" / SOCKET_NAME, "GET", "/v1/alerts")
    (distance,) = (each for each in answer["alerts"] if each["key"] == "distance")
    return bool(distance["is_acknowledged"])


async def rotate_the_key(guard: GuardProcess, exchange: EmbeddedExchange, old: ApiKey, mine: ApiKey) -> None:
    """The new key beside the old one, its words over the old words, a reload, and only then the old one goes."""
    new = another_key(exchange, mine, secret="the-new-secret-" + "hgfedcba" * 4)
    keep_in_files(guard, new)
    assert f"key: {old.key_id} -> {new.key_id}" in await said(guard, "reload")
    disable(exchange, old)
    await guard.wait_mode("guarding")


async def change_the_policy(guard: GuardProcess, phone: Receiver) -> None:
    """A looser one is taken and moves no stop; of a broken one every problem is named, and nothing of it is taken."""
    with_files(guard, LOOSER)
    assert "stop.buffer_percent: 2 -> 1" in await said(guard, "reload")
    with_files(guard, BROKEN)
    refusal = await said(guard, "reload", code=ExitCode.BAD_INPUT)
    assert "stop.buffer_percent must be above 0" in refusal
    assert "stop.style" in refusal
    with_files(guard, LOOSER)


def go_back_a_version(guard: GuardProcess) -> None:
    """Leave settings, socket and journal as an older version would have: its positions have another shape."""
    guard.settings.write_text("[control]\nenabled = false\n" + guard.settings.read_text())
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(guard.folder / "state" / "status.sock"))
    journal = guard.folder / "state" / "journal"
    state = recover(journal, Policy()).state
    assert state is not None
    for segment in journal.iterdir():
        segment.unlink()
    segment_path(journal, 1).write_bytes(an_older_checkpoint(state))


def an_older_checkpoint(state: GuardState) -> bytes:
    """The first line of a journal of a version that described positions otherwise."""
    document = {**msgspec.to_builtins(state), "positions": {"XBTUSD": {"shape": "of another version"}}}
    checkpoint = Checkpoint(state=msgspec.Raw(msgspec.json.encode(document)), unanswered=(), version="0.0.1")
    return sealed(encode_checkpoint(1, checkpoint), NO_CHAIN.encode(), is_first=True)[0]


async def upgrade(guard: GuardProcess) -> None:
    """Stop in good order, exchange the version, and let `seawall migrate` bring settings and state along."""
    assert await guard.terminate() == ExitCode.OK
    go_back_a_version(guard)
    told = await said(guard, "migrate")
    assert "control.enabled (line 2): true" in told
    assert "commands use control.sock now" in told
    assert "go into a new journal" in told
    await start(guard)


async def test_a_day_of_a_new_operator(tmp_path: Path) -> None:
    """P2, P3, P7, P10, P11: the stop rests from its first second to the crash, people hear once, no secret is said."""
    async with (
        running() as exchange,
        Rest(exchange) as bot,
        a_receiver() as phone,
        a_guard(tmp_path, exchange) as guard,
    ):
        old, mine = another_key(exchange, guard.key, key_id="TheOldKeyOfTheGuard12345"), guard.key
        guard.settings.write_text(guard.settings.read_text() + channel(phone))
        keep_in_files(guard, old)
        with_files(guard)
        assert "may place orders and may not withdraw" in await said(guard, "check")
        await start(guard)
        await open_long(bot)
        stop = await wait_stop(bot)
        await be_told_and_acknowledge(guard, exchange, phone, stop)
        await rotate_the_key(guard, exchange, old, mine)
        await change_the_policy(guard, phone)
        await assert_still_rests(bot, stop)
        await guard.kill()
        await assert_still_rests(bot, stop)
        await start(guard)
        await assert_still_rests(bot, stop)
        assert await is_acknowledged(guard)
        await upgrade(guard)
        await assert_still_rests(bot, stop)
        assert await is_acknowledged(guard)
        exchange.venue.submit(prices(XBTUSD=int(stop["stopPx"]) - 5))
        assert "stop" in (await told_of(phone, "position"))["text"]
        assert await position_size(bot) == 0
        assert_told_once(phone, "distance")
        assert await guard.terminate() == ExitCode.OK
        assert old.secret not in guard.words()
