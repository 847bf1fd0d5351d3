"""The service manager's protocol, over a real datagram socket."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.shell.watchdog import ServiceNotifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen as systemd does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


def heard(manager: socket.socket) -> list[str]:
    """Take one datagram."""
    return manager.recv(4096).decode().split("\n")


def test_ready_is_said_once_with_the_first_completed_cycle(manager: socket.socket) -> None:
    """From the first decision cycle on the service is ready; every cycle feeds the watchdog."""
    notifier = ServiceNotifier.from_environment({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.cycle_completed("blind")
    notifier.cycle_completed("guarding")
    assert heard(manager) == ["READY=1", f"MAINPID={os.getpid()}", "STATUS=blind", "WATCHDOG=1"]
    assert heard(manager) == ["STATUS=guarding", "WATCHDOG=1"]


def test_waiting_pushes_the_deadline_ahead(manager: socket.socket) -> None:
    """A venue that is away must not become a failed start."""
    ServiceNotifier(manager.getsockname()).waiting("waiting", more_s=60)
    assert "EXTEND_TIMEOUT_USEC=60000000" in heard(manager)


def test_stopping_is_said(manager: socket.socket) -> None:
    """An orderly stop announces itself and its time."""
    ServiceNotifier(manager.getsockname()).stopping("stopping", more_s=20)
    assert heard(manager)[0] == "STOPPING=1"


def test_abstract_sockets_work() -> None:
    """The manager may name a socket without a file, with an @ in front."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("")
        listener.settimeout(5)
        name = listener.getsockname()[1:].decode()
        ServiceNotifier("@" + name).cycle_completed("ok")
        assert heard(listener)[0] == "READY=1"


def test_without_a_manager_nothing_happens(tmp_path: Path) -> None:
    """Run from a terminal, or with a manager that went away: no error, at most a count."""
    ServiceNotifier.from_environment({}).cycle_completed("ok")
    gone = ServiceNotifier(str(tmp_path / "gone"))
    gone.cycle_completed("ok")
    assert gone.failures == 1


def test_ready_names_the_process_that_is_watched(manager: socket.socket) -> None:
    """Started through a wrapper, the service manager still learns whom to watch."""
    ServiceNotifier(manager.getsockname()).cycle_completed("ok")
    assert f"MAINPID={os.getpid()}" in heard(manager)


def test_a_reload_is_bracketed(manager: socket.socket) -> None:
    """A reload begins with a stamp of the machine's clock and ends with READY."""
    notifier = ServiceNotifier(manager.getsockname())
    notifier.cycle_completed("ok")
    heard(manager)
    with notifier.reloading("reading"):
        assert re.fullmatch(r"RELOADING=1 MONOTONIC_USEC=\d+ STATUS=reading", " ".join(heard(manager)))
    assert heard(manager) == ["READY=1"]


def test_a_reload_during_the_start_does_not_make_it_ready(manager: socket.socket) -> None:
    """READY is said after the first full reconciliation alone, not by a reload that came before it."""
    notifier = ServiceNotifier(manager.getsockname())
    with notifier.reloading("reading"):
        pass
    notifier.waiting("waiting")
    assert heard(manager)[0] == "STATUS=waiting"


def test_a_status_is_one_line(manager: socket.socket) -> None:
    """What a venue answers may hold anything; it must not become a message of its own to the service manager."""
    ServiceNotifier(manager.getsockname()).waiting("bad\nSTOPPING=1\n" + "x" * 1_000)
    lines = heard(manager)
    assert lines[0].startswith("STATUS=bad STOPPING=1 xxx")
    assert len(lines) == 3
    assert len(lines[0]) < 500
