"""The demo's stage: the exchange, the guard, two bots and the receiver of alerts, all up and on loopback."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec

from config.credentials import Credentials, Secret
from daemon.demo.alert_receiver import AlertReceiver
from daemon.demo.bot import Bot
from daemon.demo.children import Child, ChildFailed
from daemon.demo.options import DemoOptions
from daemon.demo.plan import WALLETS
from daemon.demo.settings_file import write_settings
from daemon.demo.tape_control import TapeControl
from daemon.exit_codes import ExitCode
from daemon.shell.clock import Clock, SystemClock
from daemon.shell.control.client import SOCKET_NAME, DaemonUnreachable, ask_status

START_WITHIN_S = 30.0
POLL_S = 0.05
FINAL_CODES = frozenset({ExitCode.USAGE, ExitCode.BAD_INPUT, ExitCode.CREDENTIALS, ExitCode.IN_USE})
"""Child exit codes that starting again cannot mend."""
STATE_FOLDER = "guard-state"
GUARDING = "guarding"
"""The mode in which the guard sees and can act."""


class AnnouncedAccount(msgspec.Struct, frozen=True):
    """One account of the exchange and the key of its bot."""

    account: int
    key: str
    secret: str


class Announcement(msgspec.Struct, frozen=True):
    """The first line of `seawall exchange --json`."""

    http: str
    ws: str
    control: str
    accounts: list[AnnouncedAccount]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Everything that is up."""

    tape: TapeControl
    guarded: Bot
    unguarded: Bot
    alerts: AlertReceiver
    exchange: Child
    daemon: Child
    folder: Path

    async def guard_status(self) -> dict[str, object] | None:
        """What the daemon says of itself; None while it cannot be asked."""
        try:
            return await asyncio.to_thread(ask_status, self.folder / STATE_FOLDER / SOCKET_NAME)
        except (DaemonUnreachable, OSError):
            return None

    async def wait_guarding(self) -> None:
        """Wait until the guard sees and can act.

        Raises:
            ChildFailed: If it does not within START_WITHIN_S.
        """
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while (await self.guard_status() or {}).get("mode") != GUARDING:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise ChildFailed(f"the guard was not ready within {START_WITHIN_S:.0f} s; see guard.log") from None


async def set_up(options: DemoOptions, folder: Path, stack: AsyncExitStack) -> Stage:
    """Start the exchange, its tape standing at the first candle, and the guard of its first account.

    Everything that was started is stopped when `stack` closes, in the opposite order.

    Raises:
        ChildFailed: If the exchange does not come up.
    """
    tasks = await stack.enter_async_context(asyncio.TaskGroup())
    alerts = AlertReceiver()
    await stack.enter_async_context(alerts.serving())

    exchange, announced = await _start_exchange(options, folder, tasks, stack)
    guarded, unguarded = announced.accounts
    settings = write_settings(
        folder, http=announced.http, ws=announced.ws, webhook=alerts.url, key=guarded.key, secret=guarded.secret
    )
    daemon = Child(
        "daemon", lambda: ["run", "--config", str(settings)], log=folder / "guard.log", final_codes=FINAL_CODES
    )
    stack.push_async_callback(daemon.stop)
    tasks.create_task(daemon.run(), name="daemon")

    clock = SystemClock()
    http = await stack.enter_async_context(httpx.AsyncClient(base_url=announced.http))
    control = await stack.enter_async_context(httpx.AsyncClient(base_url=announced.control))
    return Stage(
        tape=TapeControl(control),
        guarded=_bot("guarded", guarded, http, clock),
        unguarded=_bot("unguarded", unguarded, http, clock),
        alerts=alerts,
        exchange=exchange,
        daemon=daemon,
        folder=folder,
    )


async def _start_exchange(
    options: DemoOptions, folder: Path, tasks: asyncio.TaskGroup, stack: AsyncExitStack
) -> tuple[Child, Announcement]:
    ports = ["--port", "0", "--control-port", "0"]
    fixed = ["exchange", "--json", "--start-paused", "--listing", "majors", "--accounts", "2", "--balance", WALLETS]
    fixed += ["--state", str(folder / "exchange-state")]
    exchange = Child(
        "exchange",
        lambda: [*fixed, *ports, *options.tape_arguments],
        log=folder / "exchange.log",
        final_codes=FINAL_CODES,
    )
    stack.push_async_callback(exchange.stop)
    tasks.create_task(exchange.run(), name="exchange")
    try:
        async with asyncio.timeout(START_WITHIN_S):
            announced = msgspec.json.decode(await exchange.first_line(), type=Announcement)
    except TimeoutError:
        raise ChildFailed(f"the exchange was not ready within {START_WITHIN_S:.0f} s; see exchange.log") from None
    ports[:] = ["--port", _port(announced.http), "--control-port", _port(announced.control)]
    return exchange, announced


def _port(url: str) -> str:
    return str(urlsplit(url).port)


def _bot(name: str, account: AnnouncedAccount, http: httpx.AsyncClient, clock: Clock) -> Bot:
    credentials = Credentials(key_id=account.key, secret=Secret(account.secret))
    return Bot(name, account.account, credentials, http=http, clock=clock)
