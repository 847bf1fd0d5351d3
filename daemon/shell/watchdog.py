"""The service manager's protocol: ready, alive, stopping, and "give me more time".

Why: systemd should restart a guard that hangs, and must not restart one that waits for an exchange which is away. So
"alive" is sent only after a completed decision cycle, whatever the cycle concluded, and never by a timer of its own;
while the start has to wait, the deadline is pushed ahead. Without `NOTIFY_SOCKET` all of this does nothing.

Source: sd_notify(3).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

_SEND_TIMEOUT_S = 0.2


class ServiceNotifier:
    """Speaks to the service manager over its datagram socket."""

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._is_ready = False
        self.failures = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> ServiceNotifier:
        """Return a notifier for the socket that the service manager named, if any."""
        return cls(environ.get("NOTIFY_SOCKET") or None)

    def cycle_completed(self, status: str) -> None:
        """One decision cycle is done: the process is alive, and from the first one on it is ready."""
        if not self._is_ready:
            self._is_ready = True
            self._send(f"READY=1\nSTATUS={status}\nWATCHDOG=1")
        else:
            self._send(f"STATUS={status}\nWATCHDOG=1")

    def waiting(self, status: str, *, more_s: float) -> None:
        """The start takes longer, for a reason: push the deadline of the service manager ahead."""
        self._send(f"STATUS={status}\nEXTEND_TIMEOUT_USEC={int(more_s * 1e6)}\nWATCHDOG=1")

    def stopping(self, status: str, *, more_s: float) -> None:
        """The orderly stop began and may take this long."""
        self._send(f"STOPPING=1\nSTATUS={status}\nEXTEND_TIMEOUT_USEC={int(more_s * 1e6)}\nWATCHDOG=1")

    def _send(self, message: str) -> None:
        """Send one datagram. A service manager that does not listen must never hurt the guard: count and go on."""
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(_SEND_TIMEOUT_S)
                sender.sendto(message.encode(), address)
        except OSError:
            self.failures += 1
