"""One HTTP request to one address, as all channels and the outside heartbeat make it.

The address often carries a token, so it never appears in an error or a log line; only its host does. The answer's body
is never read: its status says all, and a receiver that talks without end must not be listened to.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self
from urllib.request import getproxies

import httpx

from config.credentials import Secret
from daemon.shell.alerts.channel import DeliveryRefused, NotDelivered
from daemon.shell.alerts.look_up import LookUp

_THIS_IS_REFUSED = frozenset({400, 413, 415, 422})
"""Any other failure is about the channel (an expired token, a receiver being moved): it may be mended while we wait."""


class Post:
    """Sends to one address; used within `async with`."""

    def __init__(self, url: Secret, *, timeout_s: float) -> None:
        self._url = httpx.URL(url.reveal())
        self.host = self._url.host
        self._timeout_s = timeout_s
        self._look_up = LookUp()
        self._client = httpx.AsyncClient(timeout=timeout_s)
        self._behind_proxy = self._url.scheme in getproxies() or "all" in getproxies()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(
        self, content: bytes = b"", *, method: str = "POST", below: str = "", content_type: str = "application/json"
    ) -> None:
        """Make one request.

        Args:
            content: The body.
            method: Of HTTP.
            below: A path below the address, such as "/fail".
            content_type: Of the body; a request without one says none.

        Raises:
            NotDelivered: No connection, no answer in time, or an answer that is about the channel.
            DeliveryRefused: The receiver objects to this very body.
        """
        url = self._url.copy_with(path=self._url.path.rstrip("/") + below) if below else self._url
        headers = {"content-type": content_type} if content else {}
        try:
            async with asyncio.timeout(self._timeout_s):  # httpx's own limits begin again with every byte received
                response = await self._try_addresses(method, url, headers, content)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise NotDelivered(f"{self.host}: no answer within {self._timeout_s:g} s") from error
        except (httpx.HTTPError, OSError) as error:
            raise NotDelivered(f"{self.host}: {type(error).__name__}") from error
        self._judge(response)

    async def _try_addresses(
        self, method: str, url: httpx.URL, headers: dict[str, str], content: bytes
    ) -> httpx.Response:
        """Send to the first address that takes a connection; a proxy does its own looking up."""
        if self._behind_proxy:
            return await self._once(self._client.build_request(method, url, headers=headers, content=content))
        named = {**headers, "host": url.netloc.decode("ascii")}
        name = url.raw_host.decode("ascii")
        *others, last = await self._look_up.addresses(name, url.port or (443 if url.scheme == "https" else 80))
        for address in (*others, last):
            request = self._client.build_request(
                method,
                url.copy_with(host=address),
                headers=named,
                content=content,
                extensions={"sni_hostname": name},
            )
            try:
                return await self._once(request)
            except httpx.ConnectError:
                if address == last:
                    raise
        raise NotDelivered(f"{self.host}: no address")  # not reached: the last address returns or raises

    async def _once(self, request: httpx.Request) -> httpx.Response:
        response = await self._client.send(request, stream=True)
        await response.aclose()
        return response

    def _judge(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        if response.status_code in _THIS_IS_REFUSED:
            raise DeliveryRefused(f"{self.host} answered {response.status_code}")
        raise NotDelivered(f"{self.host} answered {response.status_code}", retry_after_s=_asked_s(response))


def _asked_s(response: httpx.Response) -> float | None:
    """How long the other end asks to be left alone, if it says so in seconds."""
    said = response.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() and len(said) < 6 else None
