"""One guard per state folder, held by a lock that dies with the process.

Why: two processes writing one journal would make both worthless. The lock is the kernel's (`flock`), so a `kill -9`
frees it and a left-over file means nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_NAME = "lock"


class AlreadyRunning(Exception):
    """Another process holds the state folder."""


class StateFolderUnusable(Exception):
    """The state folder cannot be made or written."""


@contextmanager
def hold_state_folder(directory: Path) -> Iterator[Path]:
    """Make the folder if need be (mode 0700) and hold it while the block runs.

    Raises:
        AlreadyRunning: If another process holds it.
        StateFolderUnusable: If it cannot be made or written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateFolderUnusable(f"the state folder {directory} cannot be used: {error.strerror}") from error
    try:
        _lock(descriptor, directory)
        yield directory
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        raise AlreadyRunning(f"another guard (process {holder}) runs in {directory}") from error
    with contextlib.suppress(OSError):  # the number is a courtesy: a full disk must not keep a guard from guarding
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
