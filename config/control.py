"""Settings of the control API: where it listens and who may do what there.

Pure: no input or output.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum


class Right(Enum):
    """What a caller of the control API may do."""

    READ = "read"
    """See everything that holds no secret, and say that a bot lives."""
    OPERATE = "operate"
    """And change what the guard does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlSettings:
    """The control API: HTTP on a Unix socket, the one door for commands, bots and pages on this machine."""

    enabled: bool = True
    """Commands, bots and pages can reach the running guard. Without it only signals and the log are left."""
    socket: str | None = None
    """Where it listens; left out: `control.sock` in the state folder, which only the guard's own user may enter.
    A relative path is taken from the folder of the settings file."""
    group: str | None = None
    """Members of this group may use it as well; then `socket` names a place outside the state folder."""
    group_may: Right = Right.READ
    """What they may do. The guard's own user and root may always operate."""
    listen: str | None = None
    """Listen on TCP as well, like "127.0.0.1:8791". Every request needs a bearer token then; nothing is encrypted."""
    allow_remote: bool = False
    """`listen` may name an address that other machines reach."""
    read_token_file: str | None = None
    """Holds the token for reading and for heartbeats; else SEAWALL_READ_TOKEN, or systemd's `read_token`."""
    operate_token_file: str | None = None
    """Holds the token for everything; else SEAWALL_OPERATE_TOKEN, or systemd's `operate_token`."""


def listen_address(text: str) -> tuple[str, int]:
    """Read "127.0.0.1:8791" or "[::1]:8791".

    Raises:
        ValueError: If it is no address and port.

    Example:
        >>> listen_address("[::1]:0")
        ('::1', 0)
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) <= 65_535):
        raise ValueError('must be like "127.0.0.1:8791": an address, a colon and a port')
    return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))), int(port)


def problem_of_control(settings: ControlSettings) -> tuple[str, str] | None:
    """Return the key and what is wrong with it; None if all is well."""
    if settings.group is not None and settings.socket is None:
        return "group", "needs control.socket, a place outside the state folder, which only its owner may enter"
    if settings.listen is None:
        return None
    try:
        host, _ = listen_address(settings.listen)
    except ValueError as error:
        return "listen", str(error) if str(error).startswith("must") else "must name an address, like 127.0.0.1:8791"
    if not ipaddress.ip_address(host).is_loopback and not settings.allow_remote:
        return "listen", "can be reached by other machines, and nothing is encrypted: 127.0.0.1, or allow_remote = true"
    return None
