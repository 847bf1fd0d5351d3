"""Where running exchanges say how to reach their control API, so that a second command finds them.

Why: whoever breaks something in the next terminal should not have to copy an address. Each exchange of this
user has one small file in a folder of the user's own, named after its process; files of processes that have
ended are passed over and removed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PRIVATE = 0o700


@contextmanager
def lit(control_url: str, folder: Path | None = None) -> Iterator[None]:
    """Let this process's exchange be found while the block runs; a folder that cannot be used hides it."""
    place = folder or _folder()
    file = place / str(os.getpid())
    with suppress(OSError):
        place.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        file.write_text(control_url)
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
    return [file.read_text() for file in files if _is_running(file)]


def _is_running(file: Path) -> bool:
    try:
        os.kill(int(file.name), 0)
    except ProcessLookupError:
        with suppress(OSError):
            file.unlink()
        return False
    except PermissionError:
        return False  # the number belongs to somebody else's process now
    return True


def _folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime or tempfile.gettempdir()) / f"seawall-exchanges-{os.getuid()}"
