"""Unix sockets of the daemon: bound with the right mode from the first moment, at paths of any length.

Why: a socket that is open to everybody for one instant is open; and the kernel takes addresses of 108 bytes only, which
a state folder deep in somebody's home exceeds.
"""

from __future__ import annotations

import errno
import grp
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_ADDRESS = 100
"""Unix socket addresses end at 108 bytes; longer paths are reached through their folder's descriptor."""
_LONGEST_NAME = 80
"""Of it, behind the descriptor."""
_PROBE_S = 0.2


class SocketTaken(OSError):
    """Somebody else answers at that path, or something else than a socket lies there."""


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Yield an address for the socket that is short enough for the kernel.

    Raises:
        OSError: If its folder is not there, or its own name is too long for any address.
    """
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    if len(os.fsencode(path.name)) > _LONGEST_NAME:
        raise OSError(errno.ENAMETOOLONG, f"a socket's own name has at most {_LONGEST_NAME} bytes", str(path))
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@contextmanager
def bound_socket(path: Path, *, group: str | None = None) -> Iterator[socket.socket]:
    """Bind a socket that its owner alone may open, or its owner and a group.

    Args:
        path: Where. Nothing may lie there: see `clear_stale`.
        group: Members of it may connect as well.

    Raises:
        OSError: If it cannot be made, or there is no such group, or it is not ours to give.
    """
    with address_of(path) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)
        try:
            listener.bind(address)
        finally:
            os.umask(before)
        if group is not None:
            _open_to(path, group)
        listener.setblocking(False)
        yield listener


def _open_to(path: Path, group: str) -> None:
    try:
        number = grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise OSError(errno.EINVAL, f"there is no group called {group}", str(path)) from error
    if path.stat().st_gid != number:  # a sandbox may refuse the call even where it would change nothing
        os.chown(path, -1, number)
    path.chmod(0o660)


def clear_stale(path: Path) -> None:
    """Remove what a process that is gone left behind.

    Raises:
        SocketTaken: If a process still listens there, or it is no socket: neither is ours to remove.
    """
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SocketTaken(errno.EEXIST, "something else than a socket lies there", str(path))
    except FileNotFoundError:
        return
    if _is_answered(path):
        raise SocketTaken(errno.EADDRINUSE, "another process listens there", str(path))
    path.unlink(missing_ok=True)


def _is_answered(path: Path) -> bool:
    with address_of(path) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        asker.settimeout(_PROBE_S)
        try:
            asker.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            # Not ours to open, or its queue is full: somebody is there.
            return True
        return True


def remove_own(path: Path, listener_inode: int) -> None:
    """Remove a socket file that is still the one we made: a successor may have put its own there."""
    try:
        if path.lstat().st_ino == listener_inode:
            path.unlink()
    except FileNotFoundError:
        return
