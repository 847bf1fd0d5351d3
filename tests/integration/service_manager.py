"""Plays systemd to a real daemon: listens on the notify socket, knows who speaks, and keeps a watchdog."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.integration.guard_process import DEADLINE_S, REPOSITORY, GuardProcess

_CREDENTIALS = struct.Struct("3i")


class ServiceManager:
    """The other end of NOTIFY_SOCKET, as systemd keeps it with `NotifyAccess=main`.

    Attributes:
        sender: Process number of whoever spoke last, by the kernel's word.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.sender = 0

    @property
    def environment(self) -> dict[str, str]:
        """What a service finds in its environment."""
        return {"NOTIFY_SOCKET": str(self._listener.getsockname())}

    async def message(self) -> dict[str, str]:
        """Wait for one datagram."""
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._listener, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._listener)
        data, ancillary, _, _ = self._listener.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        self.sender = _CREDENTIALS.unpack(ancillary[0][2])[0]
        return dict(line.split("=", 1) for line in data.decode().split("\n"))

    async def until(self, **wanted: str) -> list[dict[str, str]]:
        """Wait for a datagram with these assignments; return it as the last of all that came."""
        heard: list[dict[str, str]] = []
        async with asyncio.timeout(DEADLINE_S):
            while not heard or not wanted.items() <= heard[-1].items():
                heard.append(await self.message())
        return heard

    async def watchdog_runs_out(self, within_s: float) -> None:
        """Wait until nobody has fed the watchdog for this long."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    async with asyncio.timeout(within_s):
                        while "WATCHDOG" not in await self.message():
                            pass
        except TimeoutError:
            return


@contextmanager
def a_service_manager(folder: Path) -> Iterator[ServiceManager]:
    """Listen, and learn of each datagram who sent it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        listener.bind(str(folder / "notify"))
        yield ServiceManager(listener)


async def last_act(guard: GuardProcess, end: Mapping[str, str]) -> str:
    """Run `ExecStopPost=` as systemd does after such an end, and return what it wrote."""
    secrets = {"SEAWALL_KEY": guard.key.key_id, "SEAWALL_SECRET": guard.key.secret}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "last-act", "--config", str(guard.settings)),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **secrets, **end},
    )
    async with asyncio.timeout(DEADLINE_S):
        written, _ = await process.communicate()
    assert process.returncode == 0, written.decode()
    return written.decode()
