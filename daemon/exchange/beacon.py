"""Where running exchanges say how to reach their control API, so that a second command finds them.

Why: whoever breaks something in the next terminal should not have to copy an address. Each exchange of this
user has one small file in a folder of the user's own, named after its process and locked while it runs; files
that nobody holds are left over from exchanges that were killed, and are removed.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_PRIVATE = 0o700


@contextmanager
def lit(control_url: str, folder: Path | None = None) -> Iterator[None]:
    """Let this process's exchange be found while the block runs; a folder that cannot be used hides it."""
    place = folder or _folder()
    file = place / str(os.getpid())
    with ExitStack() as held:
        with suppress(OSError):
            place.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            unnamed = file.with_suffix(".new")  # whoever looks for files passes it over until it is locked
            lock = held.enter_context(unnamed.open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.write(control_url)
            lock.flush()
            unnamed.replace(file)
        try:
            yield
        finally:
            with suppress(OSError):
                file.unlink()


def found(folder: Path | None = None) -> list[str]:
    """Return the control addresses of this user's running exchanges."""
    place = folder or _folder()
    if not place.is_dir() or place.stat().st_uid != os.getuid():
        return []
    files = [file for file in sorted(place.iterdir()) if file.name.isdigit()]
    return [address for file in files if (address := _address(file)) is not None]


def _address(file: Path) -> str | None:
    """Return what a file says while its exchange holds it; remove one that nobody holds."""
    with suppress(OSError), file.open() as lock:  # it may end this very moment, or be somebody else's
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock.read()
        file.unlink()
    return None


def _folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime or tempfile.gettempdir()) / f"seawall-exchanges-{os.getuid()}"
