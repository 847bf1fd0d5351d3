"""Names of hosts to addresses, in a thread of one's own.

Why: the event loop looks names up in a small shared pool, and a name server that does not answer holds a place there
for many seconds. The streams to the exchange need that pool to reconnect. So each channel has one thread at most, which
nobody waits for at the end of the process.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from contextlib import suppress

from daemon.shell.alerts.channel import NotDelivered

_MOST_ADDRESSES = 3


class LookUp:
    """Looks up one name at a time."""

    def __init__(self) -> None:
        self._is_busy = False

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the first few addresses of a host; its own if it is one.

        Raises:
            NotDelivered: If there is none, an earlier look-up still hangs, or the machine has no thread for it.
        """
        with suppress(ValueError):
            return (str(ipaddress.ip_address(host)),)
        if self._is_busy:
            raise NotDelivered("the name look-up hangs")
        self._is_busy = True
        answer: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        thread = threading.Thread(target=self._look, args=(host, port, answer), daemon=True, name="alert look-up")
        try:
            thread.start()
        except RuntimeError as error:  # the machine has no thread to spare: nothing is under way that could hang
            self._is_busy = False
            raise NotDelivered("no thread for the name look-up") from error
        return await answer

    def _look(self, host: str, port: int, answer: asyncio.Future[tuple[str, ...]]) -> None:
        found: tuple[str, ...] = ()
        with suppress(OSError, UnicodeError):
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = tuple(dict.fromkeys(str(row[4][0]) for row in rows))[:_MOST_ADDRESSES]
        with suppress(RuntimeError):  # the loop is gone: nobody asks any more
            answer.get_loop().call_soon_threadsafe(self._answer, answer, found)

    def _answer(self, answer: asyncio.Future[tuple[str, ...]], found: tuple[str, ...]) -> None:
        self._is_busy = False
        if answer.done():
            return
        if found:
            answer.set_result(found)
        else:
            answer.set_exception(NotDelivered("its name is not known"))
