"""Reload against the real daemon and the embedded exchange: a new policy, another key, and a stop all the time."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from connectors.simulated.engine.inputs import SetKey
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.embedded import EmbeddedExchange
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import GuardProcess, a_guard, guard_stops, open_long, until, wait_stop
from tests.integration.secrets_in import spellings

OWN_SESSION = ("setsid",)
"""Without a terminal, whoever runs the tests: there SIGHUP asks for a reload."""


def keep_in_files(guard: GuardProcess, key: ApiKey) -> None:
    """Write key and secret where the settings name them."""
    for name, word in (("key", key.key_id), ("secret", key.secret)):
        path = guard.folder / name
        path.write_text(word)
        path.chmod(0o600)


def with_files(guard: GuardProcess, more: str = "") -> None:
    """Name the files in the settings."""
    before = guard.settings.read_text().partition("[credentials]")[0]
    guard.settings.write_text(f'{before}[credentials]\nkey_file = "key"\nsecret_file = "secret"\n{more}')


async def hang_up(guard: GuardProcess) -> dict[str, Any]:
    """Ask for a reload by signal, and wait for its end."""
    before = (await guard.status())["settings"]
    os.kill((await guard.status())["process"], signal.SIGHUP)

    async def is_done() -> dict[str, Any]:
        now = (await guard.status()).get("settings", before)
        return {} if (now["reloads"], now["refused"]) == (before["reloads"], before["refused"]) else now

    found: dict[str, Any] = await until(is_done, "the reload")
    return found


def another_key(exchange: EmbeddedExchange, of: ApiKey, **changes: Any) -> ApiKey:
    """Make a key, of the same account unless said otherwise."""
    wanted = {
        "account": of.account,
        "key_id": "AnotherKeyOfTheGuard1234",
        "secret": "another-secret-" + "abcdefgh" * 4,
        "permissions": ("order",),
    }
    made = SetKey(**(wanted | changes))
    exchange.venue.submit(made)
    found = exchange.venue.keyring.get(made.key_id)
    assert found is not None
    return found


def disable(exchange: EmbeddedExchange, key: ApiKey) -> None:
    """What the operator does on the web page when the new key is in use."""
    exchange.venue.submit(SetKey(account=key.account, key_id=key.key_id, secret=key.secret, is_enabled=False))
    exchange.venue.hub.expire_key(key.key_id)


async def test_a_tighter_policy_moves_the_stop_and_it_rests_all_the_time(tmp_path: Path) -> None:
    """P2, P3: SIGHUP with a wider buffer: the same order is amended toward the mark, nothing is cancelled."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        with_files(guard)
        keep_in_files(guard, guard.key)
        await guard.start(before=OWN_SESSION)
        await guard.wait_mode("guarding")
        await open_long(bot)
        first = await wait_stop(bot)
        with_files(guard, "[stop]\nbuffer_percent = 3\nmax_room_share = 0.8\n")
        assert (await hang_up(guard))["reloads"] == 1

        async def is_nearer() -> dict[str, Any]:
            stops = await guard_stops(bot)
            return stops[0] if stops and stops[0]["stopPx"] > first["stopPx"] else {}

        nearer = await until(is_nearer, "the stop to move toward the mark")
        assert nearer["orderID"] == first["orderID"]
        with_files(guard, "[stop]\nbuffer_percent = 1\n")
        assert (await hang_up(guard))["reloads"] == 2
        (after,) = await guard_stops(bot)
        assert after["stopPx"] == nearer["stopPx"], "a looser policy loosens no stop"
        with_files(guard, '[stop]\nbuffer_percent = -1\n[state]\ndirectory = "elsewhere"\n')
        assert (await hang_up(guard))["refused"] == 1
        assert [each["stopPx"] for each in await guard_stops(bot)] == [nearer["stopPx"]]
        with_files(guard)
        guard.settings.write_text(guard.settings.read_text().replace('level = "debug"', 'level = "error"'))
        assert (await hang_up(guard))["reloads"] == 3
        assert "buffer_percent: 3 -> 1" in guard.words()
        assert "log.level" not in guard.words(), "the reload itself is told at a grade that is not written any more"
        assert await guard.terminate() == 0


async def test_a_key_is_rotated_without_a_gap(tmp_path: Path) -> None:
    """P2, P11: another key is proved and taken; the old one is disabled; a new position is covered under it."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        old, mine = another_key(exchange, guard.key, key_id="TheOldKeyOfTheGuard12345"), guard.key
        keep_in_files(guard, old)
        with_files(guard)
        await guard.start(before=OWN_SESSION, environment={"SEAWALL_KEY": "", "SEAWALL_SECRET": ""})
        await guard.wait_mode("guarding")
        await open_long(bot)
        stop = await wait_stop(bot)
        new = another_key(exchange, mine, secret="the-new-secret-" + "hgfedcba" * 4)
        keep_in_files(guard, new)
        assert (await hang_up(guard))["reloads"] == 1
        assert [each["orderID"] for each in await guard_stops(bot)] == [stop["orderID"]]
        await guard.wait_mode("guarding")
        disable(exchange, old)
        await guard.wait_mode("guarding")
        await open_long(bot)

        async def is_grown() -> bool:
            stops = await guard_stops(bot)
            return len(stops) == 1 and stops[0]["orderQty"] == 20_000

        await until(is_grown, "the stop to follow the position under the new key")
        assert await guard.terminate() == 0
        for key in (old, new):
            for spelling in spellings(key.secret):
                assert spelling not in guard.log.read_bytes()


async def test_a_key_that_fails_its_proof_is_not_used(tmp_path: Path) -> None:
    """P11: one that may withdraw, one of another account, a wrong secret: refused, and the old one guards on."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        with_files(guard)
        keep_in_files(guard, guard.key)
        await guard.start(before=OWN_SESSION)
        await guard.wait_mode("guarding")
        wrong = another_key(exchange, guard.key)
        cases = [
            ("may withdraw", exchange.key(name="withdrawing")),
            ("may not place orders", exchange.key(name="read-only")),
            ("it belongs to account", exchange.key(guard.key.account + 1)),
            ("Signature not valid", ApiKey(**{**_fields(wrong), "secret": "this-is-not-the-secret-of-that-key"})),
        ]
        for refused, (words, key) in enumerate(cases, start=1):
            keep_in_files(guard, key)
            figures = await hang_up(guard)
            assert figures["refused"] == refused
            assert words in figures["problem"]
        await open_long(bot)
        await wait_stop(bot)
        assert "this-is-not-the-secret" not in guard.words()


def _fields(key: ApiKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in key.__dataclass_fields__}
