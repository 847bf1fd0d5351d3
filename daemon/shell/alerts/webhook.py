"""The webhook channel: one POST of one JSON object per alert.

The address often carries a token, so it never appears in an error or a log line; only its host does.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import httpx
import msgspec

from daemon.shell.alerts.message import Alert

_THIS_ALERT_IS_REFUSED = frozenset({400, 413, 415, 422})
"""Any other failure is about the channel (an expired token, a receiver being moved): it may be mended while we wait."""


class NotDelivered(Exception):
    """The alert did not arrive; trying later may help."""


class DeliveryRefused(Exception):
    """The receiver will not take this alert, now or later."""


class Webhook:
    """Delivers alerts to one address."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._url = url
        self.host = httpx.URL(url).host
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(timeout=timeout_s, headers={"content-type": "application/json"})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def deliver(self, alert: Alert) -> None:
        """POST one alert.

        Raises:
            NotDelivered: No connection, no answer in time, or an answer that is about the channel.
            DeliveryRefused: The receiver objects to this very alert.
        """
        try:
            async with asyncio.timeout(self._timeout_s):  # httpx's own limits begin again with every byte received
                response = await self._client.post(self._url, content=msgspec.json.encode(alert))
        except (httpx.HTTPError, OSError) as error:
            raise NotDelivered(f"{self.host}: {type(error).__name__}") from error
        if response.is_success:
            return
        if response.status_code in _THIS_ALERT_IS_REFUSED:
            raise DeliveryRefused(f"{self.host} answered {response.status_code}")
        raise NotDelivered(f"{self.host} answered {response.status_code}")
