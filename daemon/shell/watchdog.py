"""The service manager's protocol: ready, alive, stopping, and "give me more time".

Why: systemd should restart a guard that hangs, and must not restart one that waits for an exchange which is away. So
"alive" is sent only after a completed decision cycle, whatever the cycle concluded, and never by a timer of its own;
while the start has to wait, the deadline is pushed ahead. Ready is said once, after the first full reconciliation: see
docs/decisions/0029-a-service-that-is-never-given-up.md. Without `NOTIFY_SOCKET` all of this does nothing.

Source: sd_notify(3); for `MAINPID`, `RELOADING` and `EXTEND_TIMEOUT_USEC` systemd.service(5).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_SEND_TIMEOUT_S = 0.2
_LONGEST_STATUS = 400
MORE_TIME_S = 60.0
"""What is asked for while the start waits: well above one pause and one request, or one tick."""


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
        """One decision cycle over a whole picture is done: the process is alive, and from the first one on ready."""
        if not self._is_ready:
            self._is_ready = True
            self._send("READY=1", f"MAINPID={os.getpid()}", _status(status), "WATCHDOG=1")
        else:
            self._send(_status(status), "WATCHDOG=1")

    def waiting(self, status: str, *, more_s: float = MORE_TIME_S) -> None:
        """The start takes longer, for a reason: push the deadline of the service manager ahead."""
        self._send(_status(status), f"EXTEND_TIMEOUT_USEC={int(more_s * 1e6)}", "WATCHDOG=1")

    def stopping(self, status: str, *, more_s: float) -> None:
        """The orderly stop began and may take this long."""
        self._send("STOPPING=1", _status(status), f"EXTEND_TIMEOUT_USEC={int(more_s * 1e6)}", "WATCHDOG=1")

    @contextmanager
    def reloading(self, status: str) -> Iterator[None]:
        """Settings are read anew while the block runs; the stamp is what `Type=notify-reload` wants to see."""
        if not self._is_ready:  # READY in a start would end it too early
            yield
            return
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", _status(status))
        try:
            yield
        finally:
            self._send("READY=1")

    def _send(self, *lines: str) -> None:
        """Send one datagram. A service manager that does not listen must never hurt the guard: count and go on."""
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(_SEND_TIMEOUT_S)
                sender.sendto("\n".join(lines).encode(), address)
        except OSError:
            self.failures += 1


def _status(text: str) -> str:
    """One line, whatever a venue's error says: a line of its own would be a message of its own."""
    return f"STATUS={' '.join(text.split())[:_LONGEST_STATUS]}"
