"""`seawall alert test [CHANNEL]`: does what the settings name reach anybody?

It opens the channels by itself, so it works whether or not a daemon runs, and shows what a wrong token, a dead host or
a missing package looks like before the night in which it matters. The outside heartbeat is left alone: a ping would say
that a guard is well.

Exit codes: 0 every channel took its message; 3 the settings are wrong, or name no such channel; 14 one did not take it.
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called, so that --help is instant
from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.arguments import Commands, add_command, add_json
from daemon.exit_codes import CommandFailed, ExitCode

if TYPE_CHECKING:
    from config.model import Settings
    from daemon.shell.alerts.trial import Trial


def add_alert(commands: Commands) -> None:
    """Add the command."""
    alert = add_command(
        commands,
        "alert",
        "try the alert channels",
        "What concerns the ways by which people are told ([alerts.channels.NAME], docs/alerts.md).",
        "  seawall alert test --config seawall.toml\n  seawall alert test phone --config seawall.toml",
    )
    verbs = alert.add_subparsers(title="verbs", metavar="VERB", required=True)
    test = add_command(
        verbs,
        "test",
        "send a test message through each channel, or one",
        "Sends a test message through every channel of the settings, or the one that is named, each for itself and "
        "without its fallback, and says which took it. Exits with 14 if one did not.",
        "  seawall alert test --config seawall.toml\n  seawall alert test phone --config seawall.toml --json",
    )
    test.add_argument("channel", metavar="CHANNEL", nargs="?", help="its name, as in the settings; all if left out")
    test.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings file (TOML)")
    add_json(test)
    test.set_defaults(command=_test)


def _test(options: argparse.Namespace) -> int:
    import asyncio

    from config.model import LogSettings
    from daemon.inputs import read_settings
    from daemon.shell.logs import set_up_logs

    settings = read_settings(options.config)
    set_up_logs(LogSettings(level="critical"), secrets=[], output=sys.stderr, is_terminal=sys.stderr.isatty())
    trials = asyncio.run(try_channels(settings, options.channel))
    write_trials(trials, as_json=options.as_json)
    return ExitCode.OK if all(trial.problem is None for trial in trials) else ExitCode.NOT_DELIVERED


async def try_channels(settings: Settings, channel: str | None) -> list[Trial]:
    """Open the channels and try them.

    Raises:
        CommandFailed: If there is none, or none of that name.
    """
    import asyncio
    from contextlib import AsyncExitStack

    from daemon.shell.alerts.opening import Openings, channels_of
    from daemon.shell.alerts.trial import sample_chart, try_outlets
    from daemon.shell.clock import SystemClock

    names = list(channels_of(settings.alerts))
    if not names:
        raise CommandFailed("the settings name no channel: alerts go to the log only", ExitCode.BAD_INPUT)
    if channel is not None and channel not in names:
        raise CommandFailed(f"there is no channel {channel}: known here are {', '.join(names)}", ExitCode.BAD_INPUT)
    clock = SystemClock()
    async with AsyncExitStack() as resources, asyncio.TaskGroup() as tasks:
        openings = Openings(clock=clock, resources=resources, picture=lambda _alert: sample_chart(clock.now_ns()))
        outlets = [each for each in await openings.outlets(settings.alerts) if channel in {None, each.name}]
        messenger = tasks.create_task(openings.messenger.run()) if openings.uses_messenger else None
        trials = await try_outlets(outlets, now_ns=clock.now_ns())
        if messenger is not None:
            messenger.cancel()
    return trials


def write_trials(trials: Iterable[Trial], *, as_json: bool) -> None:
    """Write the answer to standard output."""
    import json
    from dataclasses import asdict

    rows = [asdict(trial) for trial in trials]
    if as_json:
        sys.stdout.write(json.dumps({"ok": all(row["problem"] is None for row in rows), "channels": rows}) + "\n")
        return
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        words = f"delivered in {row['took_s']} s" if row["problem"] is None else f"NOT delivered: {row['problem']}"
        sys.stdout.write(f"{row['name']:<{width}}  {row['kind']:<12}  {words}\n")
