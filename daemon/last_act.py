"""`seawall last-act`: what the service manager runs when the guard's process is gone (`ExecStopPost=`).

Why: somebody has to say what a death means for the account, and to disarm a switch that could only take the stops. What
to do is decided in `daemon/core/operators/last_act.py`; here is the reading, the one request and the telling, each with
a deadline, because the next start waits for all of it. Where another guard runs already, nothing is done.

Source of the variables: systemd.exec(5), "Environment Variables in Spawned Processes".
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called
from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from daemon.arguments import Commands, add_command
from daemon.exit_codes import ExitCode

if TYPE_CHECKING:
    from config.model import Settings
    from connectors.ports import OrderEntry
    from daemon.core.operators.last_act import Death, Deaths, Findings
    from daemon.core.state import GuardState
    from daemon.shell.clock import Clock

RECOVER_S: Final = 5.0
ASK_S: Final = 4.0
SAVE_S: Final = 1.5
"""The message of a death that is followed by a start: the outbox file has it, and the start delivers it."""
DELIVER_S: Final = 4.5
"""The message of a death that is followed by nothing."""
DEATHS_NAME: Final = "deaths.json"

T = TypeVar("T")


def add_last_act(commands: Commands) -> None:
    """Add the command."""
    last_act = add_command(
        commands,
        "last-act",
        "what the service manager runs when the guard is gone",
        "Tells people what the end of the guard's process means for the account, and disarms a dead man's switch that "
        "could only take the stops. Never arms, places, moves or cancels anything; does nothing while a guard runs. "
        "Reads SERVICE_RESULT, EXIT_CODE and EXIT_STATUS as systemd sets them for ExecStopPost=.",
        "  seawall last-act --config seawall.toml",
    )
    last_act.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings file (TOML)")
    last_act.set_defaults(command=_last_act)


def _last_act(options: argparse.Namespace) -> int:
    from daemon.inputs import read_settings
    from daemon.shell.lock import AlreadyRunning, StateFolderUnusable, hold_state_folder

    settings = read_settings(options.config)
    folder = Path(settings.state.directory)
    _set_up_logs(settings)
    try:
        with hold_state_folder(folder):
            asyncio.run(act(settings, folder, os.environ))
    except AlreadyRunning as running:
        sys.stdout.write(f"nothing to do: {running}\n")
    except StateFolderUnusable:
        asyncio.run(act(settings, folder, os.environ))  # a broken disk is when people need to hear
    return ExitCode.OK


def _set_up_logs(settings: Settings) -> None:
    from config.secrets_from import CredentialsError, load_credentials
    from daemon.shell.alerts.opening import alert_secrets
    from daemon.shell.logs import secrets_of_address, set_up_logs

    secrets = [part for each in alert_secrets(settings.alerts) for part in secrets_of_address(each)]
    with suppress(CredentialsError):
        secrets.append(load_credentials(settings.credentials).secret.reveal())
    set_up_logs(settings.log, secrets=secrets, output=sys.stdout, is_terminal=sys.stdout.isatty())


async def act(settings: Settings, folder: Path, environ: Mapping[str, str]) -> Findings | None:
    """Do and say what is left; return what was found, or None after an orderly stop.

    Args:
        settings: Of the guard that died.
        folder: Its state folder.
        environ: With the service manager's word about the end.
    """
    from daemon.core.operators.last_act import is_orderly
    from daemon.shell.clock import SystemClock

    clock = SystemClock()
    death = death_of(environ, clock.now_ns())
    state = await _within(RECOVER_S, lambda: _recovered(settings, folder))
    if is_orderly(death, state):
        return None
    found = await _looked_at(settings, state, death, _remembered(folder).with_one(death.at_ns), clock)
    await _tell(settings, folder, found, clock)
    return found


def death_of(environ: Mapping[str, str], at_ns: int) -> Death:
    """Read how it ended; run by hand there is no such word, and the end is taken for a bad one."""
    from daemon.core.operators.last_act import Death

    status = environ.get("EXIT_STATUS", "")
    meaning = ExitCode(int(status)).meaning if status.isdecimal() and int(status) in set(ExitCode) else ""
    return Death(result=environ.get("SERVICE_RESULT", ""), status=status, meaning=meaning, at_ns=at_ns)


async def _within(deadline_s: float, work: Callable[[], T]) -> T | None:
    """Let a thread work that is left behind when it is late: a disk that hangs must not hold up the next start."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    result: list[T] = []

    def run() -> None:
        try:
            result.append(work())
        finally:
            with suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="last act", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline_s):
            await done.wait()
    return result[0] if result else None


def _recovered(settings: Settings, folder: Path) -> GuardState | None:
    from daemon.shell.recover import recover

    return recover(folder / "journal", settings.policy).state


# ---------------------------------------------------------------------- the venue


async def _looked_at(
    settings: Settings, state: GuardState | None, death: Death, deaths: Deaths, clock: Clock
) -> Findings:
    """Ask the venue where that matters, disarm where that is all that is left to do."""
    from daemon.core.operators.last_act import Findings, switch_left, wants_picture

    if not wants_picture(settings.policy, state, clock.now_ns()):
        left = switch_left(settings.policy, state, None, clock.now_ns())
        return Findings(death=death, policy=settings.policy, state=state, left=left, deaths=deaths)
    look = _Look(settings, state, clock)
    await look.take()
    left = switch_left(settings.policy, state, look.open_orders, clock.now_ns())
    return Findings(
        death=death,
        policy=settings.policy,
        state=state,
        left=left,
        is_disarmed=look.is_disarmed,
        problem=look.problem,
        deaths=deaths,
    )


class _Look:
    """One picture of the account, and the disarming if that is what it asks for. Nothing is tried twice."""

    def __init__(self, settings: Settings, state: GuardState | None, clock: Clock) -> None:
        from connectors.vocabulary import Order

        self._settings = settings
        self._state = state
        self._clock = clock
        self.open_orders: tuple[Order, ...] | None = None
        self.is_disarmed = False
        self.problem = ""

    async def take(self) -> None:
        """Ask, within the time that there is."""
        from config.secrets_from import CredentialsError, load_credentials
        from connectors.errors import VenueError
        from daemon.app import BitmexPorts

        try:
            credentials = load_credentials(self._settings.credentials)
        except CredentialsError as error:
            self.problem = str(error)
            return
        orders = BitmexPorts(self._settings, credentials, self._clock).order_entry()
        try:
            async with asyncio.timeout(ASK_S):
                await self._ask(orders)
        except VenueError as error:
            self.problem = error.reason
        except TimeoutError:
            self.problem = f"no answer within {ASK_S:g} s"
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await orders.close()

    async def _ask(self, orders: OrderEntry) -> None:
        from daemon.core.operators.last_act import SwitchLeft, switch_left

        self.open_orders = (await orders.picture()).open_orders
        left = switch_left(self._settings.policy, self._state, self.open_orders, self._clock.now_ns())
        if left is SwitchLeft.TO_DISARM:
            receipt = await orders.cancel_all_after(0)
            self.is_disarmed = receipt.cancel_time_ns is None
            self.problem = "" if self.is_disarmed else "the venue answers that a countdown runs"


# ---------------------------------------------------------------------- people


async def _tell(settings: Settings, folder: Path, found: Findings, clock: Clock) -> None:
    """Log every death; people hear of those that are news."""
    import structlog

    from daemon.core.operators.last_act import Deaths, is_to_be_told, level_of, notice_of

    notice, is_told = notice_of(found), is_to_be_told(found)
    structlog.get_logger("last_act").critical(
        notice.text, did=notice.did, will=notice.will, people_are_told=is_told, **dict(notice.facts)
    )
    if is_told:
        await _deliver(settings, folder, found, clock)
    told = Deaths(at_ns=found.deaths.at_ns, told_ns=found.death.at_ns, told_rank=level_of(found).rank)
    await _within(SAVE_S, lambda: _remember(folder, told if is_told else found.deaths))


async def _deliver(settings: Settings, folder: Path, found: Findings, clock: Clock) -> None:
    """Where a start follows, the file is enough: it delivers first of all. Where none follows, deliver here."""
    from daemon.core.operators.last_act import is_last, notice_of
    from daemon.shell.alerts.opening import open_desk
    from daemon.shell.crew import Crew

    async with AsyncExitStack() as resources, asyncio.TaskGroup() as tasks:
        crew = Crew(tasks)
        desk = await open_desk(settings, folder, clock, crew, resources)
        desk.account = 0 if found.state is None else found.state.account
        desk.notify(notice_of(found))
        is_alone = is_last(found.death, found.state)
        with suppress(TimeoutError):
            async with asyncio.timeout(DELIVER_S if is_alone else SAVE_S):
                await (desk.wait_delivered() if is_alone else desk.wait_saved())
        crew.dismiss()


def _remembered(folder: Path) -> Deaths:
    import msgspec

    from daemon.core.operators.last_act import Deaths

    try:
        return msgspec.json.decode((folder / DEATHS_NAME).read_bytes(), type=Deaths)
    except (OSError, msgspec.MsgspecError):
        return Deaths()


def _remember(folder: Path, deaths: Deaths) -> None:
    import msgspec

    with suppress(OSError):  # a full disk: then each death is told as the first
        fresh = folder / f"{DEATHS_NAME}.new"
        fresh.write_bytes(msgspec.json.encode(deaths))
        fresh.chmod(0o600)
        fresh.replace(folder / DEATHS_NAME)
