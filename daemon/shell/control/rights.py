"""Who calls, and what they may do: by the kernel's word on the socket, by a bearer token over TCP.

`read` shows everything that holds no secret, and lets a bot say that it lives. `operate` changes what the guard does.
The user that the guard runs as and root may operate; members of the socket's group may do what the settings say.
"""

from __future__ import annotations

import hmac
import os
import pwd
import socket
import struct
from dataclasses import dataclass

from config.control import Right
from config.credentials import Secret

_GUARDS = frozenset({0, os.geteuid()})
"""Users who may do everything: root, and the one that this process runs as."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """The one at the other end of a connection."""

    name: str
    """For the journal."""
    right: Right
    via: str
    """"socket" or "tcp"."""

    def may(self, right: Right) -> bool:
        """Whether the right is his: who may operate may read."""
        return self.right is Right.OPERATE or right is Right.READ


def peer_of(connection: socket.socket, *, group_may: Right) -> Caller:
    """Return the process at the other end of a Unix socket, as the kernel knows it.

    Args:
        connection: Just accepted.
        group_may: What somebody may do who is neither the guard's user nor root.

    Raises:
        OSError: If the kernel does not say.
    """
    size = struct.calcsize("3i")
    _, user_id, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    right = Right.OPERATE if user_id in _GUARDS else group_may
    return Caller(name=_user_name(user_id), right=right, via="socket")


def _user_name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return f"user {user_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """What a caller over TCP has to show; a right without a token cannot be had that way."""

    read: Secret | None = None
    operate: Secret | None = None

    def caller(self, authorization: str) -> Caller | None:
        """Return who shows this header; None for a token that is none of ours.

        Both are compared, in constant time, so that an answer's delay tells nothing.
        """
        scheme, _, shown = authorization.partition(" ")
        word = shown.strip().encode() if scheme.lower() == "bearer" else b""
        operates, reads = _is(self.operate, word), _is(self.read, word)
        if operates:
            return Caller(name="token operate", right=Right.OPERATE, via="tcp")
        return Caller(name="token read", right=Right.READ, via="tcp") if reads else None


def _is(token: Secret | None, shown: bytes) -> bool:
    return token is not None and bool(shown) and hmac.compare_digest(token.reveal().encode(), shown)
