"""`seawall stress` on a running daemon and on the exchange itself: the same account, seen from both."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from daemon.exit_codes import CommandFailed, ExitCode
from daemon.shell.control.client import SOCKET_NAME
from daemon.stress.account import Happening
from daemon.stress.moves import stress
from daemon.stress.sources import daemon_account, live_account
from daemon.stress.words import mark_on_grid
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import a_guard, open_long, wait_stop


async def test_daemon_and_exchange_tell_of_the_same_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guarded long: both show the position and the guard's stop, which fires before anything is liquidated."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        stop = await wait_stop(bot)
        monkeypatch.setenv("SEAWALL_KEY", guard.key.key_id)
        monkeypatch.setenv("SEAWALL_SECRET", guard.key.secret)
        told = await asyncio.to_thread(daemon_account, None, guard.folder / "state" / SOCKET_NAME)
        asked = await asyncio.to_thread(live_account, guard.settings)
        for account in (told, asked):
            found = stress(account)
            assert [event.kind for event in found.down.events] == [Happening.STOP]
            assert mark_on_grid(found, found.down.events[0]) == Decimal(str(stop["stopPx"]))
            assert [event.kind for event in found.bare_down.events] == [Happening.LIQUIDATION]
        assert told.rows.positions == asked.rows.positions
        assert told.rows.instruments == asked.rows.instruments
        assert told.notes == ()


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    """No daemon behind the socket."""
    with pytest.raises(CommandFailed, match="no daemon answers") as refusal:
        daemon_account(None, tmp_path / "control.sock")
    assert refusal.value.code is ExitCode.VENUE_UNREACHABLE
