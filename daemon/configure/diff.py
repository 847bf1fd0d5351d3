"""`seawall config diff`: what two settings differ in, and which of it a reload can change."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from config.compare import Change, changes
from daemon.configure.running import settings_in_force
from daemon.configure.show import read
from daemon.exit_codes import ExitCode
from daemon.shell.reload import why_at_start


def diff(before: Path, after: Path | None, *, as_json: bool) -> int:
    """Print what two files differ in; without a second one, what the daemon has in force and the file."""
    found = settings_in_force(before) if after is None else changes(read(before).settings, read(after).settings)
    if as_json:
        rows = [
            {"key": each.place, "before": each.before, "after": each.after, "restart": why_at_start(each)}
            for each in found
        ]
        sys.stdout.write(msgspec.json.encode({"is_same": not found, "changes": rows}).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_lines(found)) + "\n")
    return ExitCode.DIFFERENT if found else ExitCode.OK


def _lines(found: tuple[Change, ...]) -> list[str]:
    if not found:
        return ["no difference"]
    return [f"{each}{_restart(each)}" for each in found]


def _restart(change: Change) -> str:
    why = why_at_start(change)
    return f"  (needs a restart: {why})" if why else ""
