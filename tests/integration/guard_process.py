"""The real daemon as a process of its own, as a user would run it, for tests that kill it and look at what it left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.embedded import EmbeddedExchange
from daemon.shell.control.client import SOCKET_NAME, DaemonUnreachable, ask_status
from tests.integration.exchange_client import Rest

DEADLINE_S = 20.0
POLL_S = 0.02
REPOSITORY = Path(__file__).resolve().parents[2]
SETTINGS = """\
[venue]
environment = "embedded"
rest_url = "{http}"
realtime_url = "{ws}"
[health]
reconcile_every_s = 5
[state]
directory = "state"
[log]
level = "debug"
"""


async def until(condition: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Wait until a condition gives something true, and return that."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not (found := await condition()):  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(POLL_S)
            return found
    except TimeoutError:
        raise AssertionError(f"waited {DEADLINE_S:g} s in vain: {what}") from None


class GuardProcess:
    """One daemon that may be killed and started again over the same folder."""

    def __init__(self, folder: Path, exchange: EmbeddedExchange, *, key: ApiKey | None = None) -> None:
        self.folder = folder
        self.key = key or exchange.key()
        self.settings = folder / "seawall.toml"
        self.settings.write_text(SETTINGS.format(http=exchange.http_url, ws=exchange.ws_url))
        self.log = folder / "guard.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        before: tuple[str, ...] = (),
        output: int | None = None,
        module: tuple[str, ...] = ("daemon",),
    ) -> None:
        """Start `seawall run`, behind the words of `before`; the log goes on in the same file, or to `output`.

        `module` runs it inside another program, with the first words of that program's command line.
        """
        secrets = {"SEAWALL_KEY": self.key.key_id, "SEAWALL_SECRET": self.key.secret}
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *before,
                *(sys.executable, "-m", *module, "run", "--config", str(self.settings), *arguments),
                cwd=REPOSITORY,
                stdout=log if output is None else output,
                stderr=log,
                env={**os.environ, **secrets, **(environment or {})},
            )

    async def start_guarding(self, *arguments: str) -> None:
        """Start it and wait until it sees and can act."""
        await self.start(*arguments)
        await self.wait_mode("guarding")

    async def kill(self) -> None:
        """End it as `kill -9` does."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def terminate(self) -> int:
        """Ask for an orderly stop and return the exit code."""
        assert self._process is not None
        self._process.terminate()
        return await self.wait_exit()

    async def wait_exit(self) -> int:
        """Wait for its end."""
        assert self._process is not None
        async with asyncio.timeout(DEADLINE_S):
            return await self._process.wait()

    async def close(self) -> None:
        """Leave nothing running."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    async def status(self) -> dict[str, Any]:
        """What it says of itself; empty while nobody answers."""
        try:
            return await asyncio.to_thread(ask_status, self.folder / "state" / SOCKET_NAME)
        except DaemonUnreachable:
            return {}

    async def wait_mode(self, mode: str) -> dict[str, Any]:
        """Wait until it is in a mode."""

        async def is_there() -> dict[str, Any]:
            assert self._process is not None
            ended = self._process.returncode
            assert ended is None, f"the guard ended with {ended}; log:\n{self.words()[-3000:]}"
            status = await self.status()
            return status if status.get("mode") == mode else {}

        found: dict[str, Any] = await until(is_there, f"mode {mode}; see {self.log}")
        return found

    def words(self) -> str:
        """Everything it wrote for people."""
        return self.log.read_text() if self.log.exists() else ""

    def lines(self) -> list[dict[str, Any]]:
        """Its log lines."""
        return [json.loads(line) for line in self.words().splitlines() if line.startswith("{")]


@asynccontextmanager
async def a_guard(folder: Path, exchange: EmbeddedExchange, **options: Any) -> AsyncIterator[GuardProcess]:
    """A daemon that is not running yet and surely not afterwards."""
    guard = GuardProcess(folder, exchange, **options)
    try:
        yield guard
    finally:
        await guard.close()


async def open_long(bot: Rest, quantity: int = 10_000) -> None:
    """Open an isolated long with twenty times leverage."""
    await bot.ask("POST", "/position/leverage", symbol="XBTUSD", leverage=20)
    await bot.ask("POST", "/order", symbol="XBTUSD", side="Buy", orderQty=quantity, ordType="Market")


async def guard_stops(bot: Rest) -> list[dict[str, Any]]:
    """The guard's stops that rest at the exchange."""
    rows = await bot.ask("GET", "/order", filter={"open": True})
    return [row for row in rows if row["clOrdID"].startswith("sw-") and row["ordStatus"] == "New"]


async def wait_stop(bot: Rest, *, but: str = "") -> dict[str, Any]:
    """Wait until exactly one stop of the guard rests, another than the one named, and return it."""

    async def is_there() -> dict[str, Any]:
        stops = await guard_stops(bot)
        return stops[0] if len(stops) == 1 and stops[0]["clOrdID"] != but else {}

    found: dict[str, Any] = await until(is_there, "one resting stop of the guard")
    return found


async def position_size(bot: Rest) -> int:
    """Signed contracts of XBTUSD."""
    rows = await bot.ask("GET", "/position", filter={"symbol": "XBTUSD"})
    return sum(row["currentQty"] for row in rows)
