"""What the running daemon has in force, held against its settings file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from config.compare import LEFT_OUT, Change, shown, values
from daemon.configure.show import read
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.shell.control.client import DaemonUnreachable, ask

_QUESTION = "/v1/settings"


class _Answer(msgspec.Struct):
    settings: dict[str, str]


def settings_in_force(path: Path) -> tuple[Change, ...]:
    """Return what a reload of the file would change.

    Raises:
        CommandFailed: If the file cannot be used, or the daemon cannot be asked.
    """
    settings = read(path).settings
    now = {place: shown(place, value) for place, value in values(settings).items()}
    then = _ask(Path(settings.control_socket))
    places = [*then, *(place for place in now if place not in then)]
    pairs = ((place, then.get(place, LEFT_OUT), now.get(place, LEFT_OUT)) for place in places)
    return tuple(Change(place=place, before=before, after=after) for place, before, after in pairs if before != after)


def _ask(socket: Path) -> dict[str, str]:
    try:
        status, body = ask(socket, _QUESTION)
    except DaemonUnreachable as error:
        raise CommandFailed(str(error), ExitCode.VENUE_UNREACHABLE) from error
    if status != 200:
        raise CommandFailed(
            f"the daemon at {socket} does not show its settings (it answers {status})", ExitCode.REFUSED
        )
    try:
        return msgspec.json.decode(body, type=_Answer).settings
    except msgspec.MsgspecError as error:
        raise CommandFailed(f"what answers at {socket} is not a daemon of this version", ExitCode.REFUSED) from error
