"""`seawall migrate`: bring settings and state of an older version to this one; what is right already stays untouched.

Settings are changed line by line, so comments stay; what was there before is kept beside them. A file says by a comment
which version of the settings it is of (`# seawall-settings-version: 2`); one that does not is of the first. The result
is read before it is written: a migration that would make a file worse changes nothing.

State is read by recovery as it is, older journals too. Only where a checkpoint is not understood any more is it carried
over: what people and rules decided (latches, budgets, the day's books) into a new first record, the old files aside.
"""

from __future__ import annotations

import argparse
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from config.load import SettingsError, load_settings
from config.model import Settings
from config.places import lines_of
from daemon.arguments import Commands, add_command, add_json
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.shell.lock import LOCK_NAME, AlreadyRunning, StateFolderUnusable, hold_state_folder

SETTINGS_VERSION: Final = 2
_MARK: Final = re.compile(r"^# seawall-settings-version: (\d{1,6})\s*$", re.MULTILINE)
_OLD_SOCKET: Final = "status.sock"
"""Where the first version answered commands; the control API does now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that is not as this version wants it."""

    what: str
    """In one line, with its place."""
    carry_out: Callable[[], None]


def add_migrate(commands: Commands) -> None:
    """Add `seawall migrate`."""
    migrate = add_command(
        commands,
        "migrate",
        "bring settings and state of an older version to this one",
        "Changes what an older version wrote and this one does not understand, or understands otherwise. Keeps a copy "
        "of every file that it changes; does nothing the second time. The daemon must not run.",
        "  seawall migrate --config seawall.toml --dry-run\n  seawall migrate --config seawall.toml",
    )
    migrate.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings file (TOML)")
    migrate.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    add_json(migrate)
    migrate.set_defaults(command=_migrate)


def _migrate(options: argparse.Namespace) -> int:
    path: Path = options.config
    done = [*_settings(path, is_dry=options.dry_run), *_state(path, is_dry=options.dry_run)]
    if options.as_json:
        sys.stdout.write(msgspec.json.encode({"dry_run": options.dry_run, "changes": done}).decode() + "\n")
    else:
        verb = "would be changed" if options.dry_run else "changed"
        sys.stdout.write("\n".join([f"{verb}: {each}" for each in done] or ["nothing to do"]) + "\n")
    return ExitCode.OK


# ---------------------------------------------------------------------- settings


def migrated(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a settings file as this version wants it, and what was changed, in words."""
    found = _MARK.search(text)
    version = 1 if found is None else int(found[1])
    if version >= SETTINGS_VERSION:
        return text, ()
    words: list[str] = []
    if version < 2:
        text = _open_the_door(text, words)
    if not words:
        return text, ()
    if found is not None:
        text = _MARK.sub(f"# seawall-settings-version: {SETTINGS_VERSION}", text, count=1)
    else:
        text = _with_mark(text)
    return text, tuple(words)


def _open_the_door(text: str, words: list[str]) -> str:
    """From version 1: `control.enabled = false` kept bots out and left commands their own socket, which is gone."""
    line = lines_of(text).get("control.enabled")
    if line is None:
        return text
    lines = text.split("\n")
    changed = re.sub(r"(=[ \t]*)false\b", r"\1true", lines[line - 1], count=1)
    if changed == lines[line - 1]:
        return text
    lines[line - 1] = changed
    words.append(f"control.enabled (line {line}): true, since every command reaches the guard through it now")
    return "\n".join(lines)


def _with_mark(text: str) -> str:
    """The mark goes to the top, behind a line that editors want first."""
    mark = f"# seawall-settings-version: {SETTINGS_VERSION}\n"
    first, end, rest = text.partition("\n")
    return f"{first}{end}{mark}{rest}" if first.startswith("#:schema") else mark + text


def _settings(path: Path, *, is_dry: bool) -> Iterator[str]:
    before = _text_of(path)
    after, words = migrated(before)
    if not words:
        return
    _require_no_worse(path, before, after)
    if not is_dry:
        kept = _keep(path)
        _replace(path, after)
        yield from (f"{path}: {each}" for each in words)
        yield f"{path}: what was there before is in {kept}"
    else:
        yield from (f"{path}: {each}" for each in words)


def _text_of(path: Path) -> str:
    """Read the file with its line ends as they are, since they are written back.

    Raises:
        CommandFailed: If it cannot be read, or is no text.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = (
            f"{path}: cannot be read ({error.strerror}): --config names the settings file to bring to this version"
        )
        raise CommandFailed(problem, ExitCode.BAD_INPUT) from error
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{path}: is not UTF-8 text: save it as UTF-8", ExitCode.BAD_INPUT) from error


def _require_no_worse(path: Path, before: str, after: str) -> None:
    """A file that could be read can be read afterwards.

    Raises:
        CommandFailed: If it could not; nothing was changed.
    """
    if _problems(path, after) and not _problems(path, before):
        words = f"{path}: after the change it could not be read any more, so nothing was changed"
        raise CommandFailed("\n".join([words, *_problems(path, after)]), ExitCode.BAD_INPUT)


def _problems(path: Path, text: str) -> tuple[str, ...]:
    trial = path.with_name(f".{path.name}.trial-{os.getpid()}")
    try:
        trial.write_text(text, encoding="utf-8")
        load_settings(trial)
    except SettingsError as error:
        return error.problems
    except OSError as error:
        raise CommandFailed(f"{path.parent} cannot be written: {error.strerror}", ExitCode.BAD_INPUT) from error
    finally:
        trial.unlink(missing_ok=True)
    return ()


def _keep(path: Path) -> Path:
    """Copy a file beside itself, under a name that is free, with its mode."""
    for number in range(1, 1_000):
        kept = path.with_name(f"{path.name}.before-{number}")
        try:
            descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IMODE(path.stat().st_mode))
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(path.read_bytes())
            os.fsync(file.fileno())
        _give(kept, path)
        return kept
    raise CommandFailed(f"{path.parent} holds a thousand copies already: tidy up first", ExitCode.BAD_INPUT)


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, with the owner and the mode that it had."""
    trial = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        with trial.open("w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            file.flush()
            os.fsync(file.fileno())
        _give(trial, path)
        trial.replace(path)
    finally:
        trial.unlink(missing_ok=True)


def _give(made: Path, like: Path) -> None:
    """Give what was made the owner of what was there: root migrates, and the guard's own user has to read the result.

    Raises:
        CommandFailed: If only root could; nothing was changed for good.
    """
    owner, mine = like.stat(), made.stat()
    if (owner.st_uid, owner.st_gid) == (mine.st_uid, mine.st_gid):
        return
    try:
        os.chown(made, owner.st_uid, owner.st_gid)
    except PermissionError as error:
        made.unlink()
        raise CommandFailed(f"{like} belongs to somebody else: run this as root", ExitCode.BAD_INPUT) from error


# ---------------------------------------------------------------------- state


def _state(path: Path, *, is_dry: bool) -> Iterator[str]:
    try:
        settings = load_settings(path, os.environ)
    except SettingsError as error:
        raise CommandFailed("\n".join(error.problems), ExitCode.BAD_INPUT) from error
    folder = Path(settings.state.directory)
    if not folder.is_dir():
        return
    if is_dry:
        yield from (each.what for each in state_changes(folder, settings))
        return
    try:
        with hold_state_folder(folder):
            _give(folder / LOCK_NAME, folder)
            for each in state_changes(folder, settings):
                each.carry_out()
                yield each.what
    except AlreadyRunning as error:
        raise CommandFailed(f"{error}: stop it first (the stops stay where they rest)", ExitCode.IN_USE) from error
    except StateFolderUnusable as error:
        raise CommandFailed(str(error), ExitCode.BAD_INPUT) from error


def state_changes(folder: Path, settings: Settings) -> Iterator[Change]:
    """Yield what in a state folder is of an older version."""
    from daemon.carry_over import carried_over  # noqa: PLC0415 - it reads the whole journal: only where it is asked for

    old = folder / _OLD_SOCKET
    if old.is_socket():
        yield Change(what=f"{old}: removed, commands use control.sock now", carry_out=old.unlink)
    carry = carried_over(folder / "journal", settings.policy)
    if carry is not None:
        yield Change(what=carry.what, carry_out=carry.carry_out)
