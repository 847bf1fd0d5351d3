"""Fixtures every folder of tests may use, and the wall that keeps tests from talking beyond this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent
TESTNET_HOSTS = frozenset({"testnet.bitmex.com", "ws.testnet.bitmex.com"})

settings.register_profile("fast", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("SEAWALL_HYPOTHESIS", "fast"))


def pytest_configure() -> None:
    """Draw once, before any test file is read, what is drawn anew in each run: its processes have to agree."""
    for name, drawn in (("SIM_START", 1_000 + int(time.time()) % 1_000_000), ("FUZZ_START", int(time.time()))):
        if not os.environ.get(name):
            os.environ[name] = str(drawn)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of recorded market data; skip where it is not installed."""
    named = os.environ.get("SEAWALL_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if named and not folder.is_dir():
        pytest.fail(f"SEAWALL_DATA names {named}, which is not a folder")
    if not folder.is_dir():
        pytest.skip("SEAWALL_DATA is not set and ../shared/data does not exist")
    return folder


@pytest.fixture(autouse=True)
def _logs_as_found() -> Iterator[None]:
    """Undo what a test did to the log set-up: the stream it wrote to is closed by the time the next test logs."""
    yield
    structlog.reset_defaults()


def has_testnet_keys() -> bool:
    """Whether this run may talk to BitMEX testnet."""
    return bool(os.environ.get("SEAWALL_TESTNET_KEY") and os.environ.get("SEAWALL_TESTNET_SECRET"))


class BeyondThisMachineError(AssertionError):
    """A test tried to reach another host."""


def _is_here(host: object) -> bool:
    """Whether an address (text or bytes; None and "" mean this machine) is loopback."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """Let no test connect to, or look up, another host; with testnet keys the two testnet hosts are open."""
    really_connect, really_connect_ex, really_look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )
    testnet = has_testnet_keys()

    def check(sock: socket.socket, address: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6} and not testnet and not _is_here(address[0]):
            raise BeyondThisMachineError(f"a test tried to connect to {address!r}")

    def connect(sock: socket.socket, address: Any) -> None:
        check(sock, address)
        really_connect(sock, address)

    def connect_ex(sock: socket.socket, address: Any) -> int:
        check(sock, address)
        return really_connect_ex(sock, address)

    def look_up(host: Any, *rest: Any, **named: Any) -> Any:
        if not _is_here(host) and not (testnet and host in TESTNET_HOSTS):
            raise BeyondThisMachineError(f"a test tried to look up {host!r}")
        return really_look_up(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket, "getaddrinfo", look_up)
        yield
