"""Is this machine fit for it? Who may change the settings, the state folder, room and speed of the disk, free ports.

Nothing of the guard's own is written: the disk is tried with a file that has no name, where the system can do that.
Units: bytes and seconds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from config.compare import values
from config.model import Settings
from daemon.checks.findings import Finding, advice, ok, problem
from daemon.exit_codes import ExitCode
from daemon.shell.lock import LOCK_NAME

MEGABYTE: Final = 1024 * 1024
LEAST_FREE_MB: Final = 100
"""Below that the journal stops before anybody looks."""
SLOW_SYNC_S: Final = 0.05
"""The journal is made durable in groups beside the path; an acknowledgement to an operator waits for one."""
HOPELESS_SYNC_S: Final = 1.0
_TRIES: Final = 5
_GROUP: Final = bytes(16 * 1024)
"""About what a busy second of the journal is."""


def machine(settings: Settings, path: Path) -> Iterator[Finding]:
    """Yield what is to be said of the machine."""
    yield settings_file(path)
    folder = Path(settings.state.directory)
    kept = state_folder(folder)
    yield kept
    if not kept.code:
        yield free_space(settings, folder)
        yield disk_speed(folder)
    yield from free_ports(settings)


def settings_file(path: Path) -> Finding:
    """Whoever can change the settings can turn the guard off."""
    file, folder = path.stat(), path.resolve().parent.stat()
    trusted = {os.geteuid(), 0}
    if file.st_mode & stat.S_IWOTH or (folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX):
        text = f"everybody on this machine may change {path}: chmod o-w the file and its folder"
        return problem("permissions", text, ExitCode.BAD_INPUT)
    if file.st_uid not in trusted:
        text = f"{path} belongs to another user, who decides what the guard does: chown it to root or to this user"
        return advice("permissions", text)
    return ok("permissions", f"{path} is changed by its owner alone")


def state_folder(folder: Path) -> Finding:
    """It is there and private, or it can be made."""
    if not folder.exists():
        above = next(each for each in folder.parents if each.exists())
        if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            return ok("state", f"{folder} will be made, for this user alone")
        text = f"{folder} cannot be made: this user may not write to {above}"
        return problem("state", text, ExitCode.BAD_INPUT)
    return _kept_folder(folder, folder.stat())


def _kept_folder(folder: Path, found: os.stat_result) -> Finding:
    if not stat.S_ISDIR(found.st_mode):
        return problem("state", f"{folder} is not a folder: name another in state.directory", ExitCode.BAD_INPUT)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        text = f"this user may not write to {folder}: give the folder to it (chown)"
        return problem("state", text, ExitCode.BAD_INPUT)
    if found.st_mode & (stat.S_IWOTH | stat.S_IWGRP):
        text = f"others may change {folder}, which holds journal and sockets: chmod 700 {folder}"
        return problem("state", text, ExitCode.BAD_INPUT)
    if found.st_mode & stat.S_IRWXO:
        return advice("state", f"everybody may look into {folder}, which holds the journal: chmod 700 {folder}")
    return ok("state", f"{folder} is this user's alone")


def free_space(settings: Settings, folder: Path) -> Finding:
    """The journal grows to its bound; what is there already counts as room."""
    free = shutil.disk_usage(_existing(folder)).free
    wanted = settings.state.journal_mb * MEGABYTE
    used = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) if folder.exists() else 0
    if free < LEAST_FREE_MB * MEGABYTE:
        text = (
            f"only {free // MEGABYTE} MB are free on the disk of {folder}: the journal needs {LEAST_FREE_MB} at least"
        )
        return problem("disk", text, ExitCode.BAD_INPUT)
    if free + used < wanted:
        text = (
            f"{free // MEGABYTE} MB are free on the disk of {folder}, and the journal may grow to"
            f" {settings.state.journal_mb} MB: lower state.journal_mb, or make room"
        )
        return advice("disk", text)
    return ok("disk", f"{free // MEGABYTE} MB are free for a journal of up to {settings.state.journal_mb} MB")


def disk_speed(folder: Path) -> Finding:
    """How long until the disk says that something is on it, the slowest of a few times."""
    try:
        took_s = sync_s(_existing(folder))
    except OSError as error:
        text = f"nothing can be made durable in {folder}: {error.strerror}"
        return problem("fsync", text, ExitCode.BAD_INPUT)
    shown = f"{took_s * 1000:.1f} ms"
    if took_s > HOPELESS_SYNC_S:
        text = f"the disk of {folder} takes {shown} to make a record durable: put state.directory on another one"
        return problem("fsync", text, ExitCode.BAD_INPUT)
    if took_s > SLOW_SYNC_S:
        text = f"the disk of {folder} takes {shown} to make a record durable; operators wait that long for an answer"
        return advice("fsync", text)
    return ok("fsync", f"a record is durable after {shown} at most")


def sync_s(folder: Path) -> float:
    """Return the longest of a few times from writing to durable.

    Raises:
        OSError: If the disk does not take it.
    """
    longest = 0.0
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_TRIES):
            begun = time.perf_counter()
            file.write(_GROUP)
            file.flush()
            os.fsync(file.fileno())
            longest = max(longest, time.perf_counter() - begun)
    return longest


def free_ports(settings: Settings) -> Iterator[Finding]:
    """Each place where the guard is to listen on TCP."""
    taken: dict[str, str] = {}
    for place, value in values(settings).items():
        if not place.endswith(".listen") or not isinstance(value, str):
            continue
        if value in taken:
            text = f"{place} and {taken[value]} are both {value}: give each a port of its own"
            yield problem("ports", text, ExitCode.BAD_INPUT)
            continue
        taken[value] = place
        yield _free_port(place, value, is_running=_is_running(Path(settings.state.directory)))


def _free_port(place: str, address: str, *, is_running: bool) -> Finding:
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        with ExitStack() as stack:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, int(port)))
    except (OSError, ValueError, OverflowError) as error:
        if is_running:
            return ok("ports", f"{place} = {address} is in use, and a guard runs over this state folder")
        why = error.strerror if isinstance(error, OSError) else str(error)
        text = f"{place} = {address} cannot be listened on: {why}: choose another port, or end what holds it"
        return problem("ports", text, ExitCode.IN_USE)
    return ok("ports", f"{place} = {address} is free")


def _is_running(folder: Path) -> bool:
    """Whether a guard seems to hold the folder; only to be kind about what it holds."""
    try:
        with (folder / LOCK_NAME).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else next(each for each in folder.parents if each.exists())
