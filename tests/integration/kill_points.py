"""The real daemon with a death in it: `python -m tests.integration.kill_points N run --config FILE`.

It dies by `kill -9` at the Nth boundary of a command for the venue. Each such command has five:

    decided     the core has spoken, nothing is written yet
    journalled  the command's record is in memory, on its way to the disk
    handed      it waits to be carried
    leaving     right before the port that sends it
    answered    the answer is here, and the core has not heard of it

Why a program of its own: a boundary is between two statements, and no signal from outside can be timed to that. The
code in between is the product's, unchanged; only the doors at its boundaries are watched.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable
from typing import get_args

from daemon.cli import main
from daemon.core.commands import Command, VenueCommand
from daemon.core.events import Event
from daemon.shell.calls import Calls
from daemon.shell.journal import Journal
from daemon.shell.outbox import Outbox

MARK = "killed at"
"""What the last line of a daemon that died of itself begins with, on standard error."""
_VENUE_COMMANDS = get_args(VenueCommand)


class Fuse:
    """Counts boundaries, and burns down."""

    def __init__(self, left: int) -> None:
        self._left = left

    def burn(self, where: str, command: Command) -> None:
        """Pass one boundary; the last one is the end."""
        if not isinstance(command, _VENUE_COMMANDS):
            return
        self._left -= 1
        if self._left == 0:
            os.write(2, f"{MARK} {where} {type(command).__name__}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def watch_doors(fuse: Fuse) -> None:
    """Burn the fuse at every boundary of the product."""
    append, put, attempt = Journal.append_commands, Outbox.put_nowait, Calls.attempt

    def append_commands(self: Journal, commands: Iterable[Command]) -> None:
        decided = tuple(commands)
        for command in decided:
            fuse.burn("decided", command)
        append(self, decided)
        for command in decided:
            fuse.burn("journalled", command)

    def put_nowait(self: Outbox, command: Command) -> None:
        put(self, command)
        fuse.burn("handed", command)

    async def attempted(self: Calls, command: VenueCommand) -> Event:
        fuse.burn("leaving", command)
        outcome = await attempt(self, command)
        fuse.burn("answered", command)
        return outcome

    Journal.append_commands = append_commands  # type: ignore[method-assign]
    Outbox.put_nowait = put_nowait  # type: ignore[method-assign]
    Calls.attempt = attempted  # type: ignore[method-assign]


if __name__ == "__main__":
    watch_doors(Fuse(int(sys.argv[1])))
    sys.exit(main(sys.argv[2:]))
