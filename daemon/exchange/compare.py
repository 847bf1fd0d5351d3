"""`seawall exchange compare`: where two snapshots differ."""

from __future__ import annotations

import sys
from pathlib import Path

from connectors.simulated.engine.snapshot import SnapshotError, differences
from connectors.simulated.server.snapshot_file import StateError, read_snapshot
from daemon.exit_codes import CommandFailed, ExitCode

_WIDEST = 200  # characters of a value


def compare(left: Path, right: Path) -> int:
    """Write one line for each difference; return whether there was one.

    Raises:
        CommandFailed: If one of the files is no snapshot.
    """
    try:
        documents = [read_snapshot(path, {})[1] for path in (left, right)]
        found = list(differences(*documents))
    except (SnapshotError, StateError) as error:
        raise CommandFailed(str(error), ExitCode.BAD_INPUT) from error
    for one in found:
        sys.stdout.write(f"{one.path}: {_short(one.left)} | {_short(one.right)}\n")
    return ExitCode.DIFFERENT if found else ExitCode.OK


def _short(text: str | None) -> str:
    if text is None:
        return "(nothing)"
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}..."
