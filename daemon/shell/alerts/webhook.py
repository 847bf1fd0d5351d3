"""The webhook channel: one POST of one JSON object per alert.

The address often carries a token, so it never appears in an error or a log line; only its host does.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import httpx
import msgspec

from daemon.shell.alerts.message import Alert

_TRY_LATER = frozenset({408, 425, 429})


class NotDelivered(Exception):
    """The alert did not arrive; trying later may help."""


class DeliveryRefused(Exception):
    """The receiver will not take this alert, now or later."""


class Webhook:
    """Delivers alerts to one address."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._url = url
        self.host = httpx.URL(url).host
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
            NotDelivered: No connection, no answer, or an answer that asks for patience.
            DeliveryRefused: Any other answer than success.
        """
        try:
            response = await self._client.post(self._url, content=msgspec.json.encode(alert))
        except httpx.HTTPError as error:
            raise NotDelivered(f"{self.host}: {type(error).__name__}") from error
        if response.is_success:
            return
        if response.is_server_error or response.status_code in _TRY_LATER:
            raise NotDelivered(f"{self.host} answered {response.status_code}")
        raise DeliveryRefused(f"{self.host} answered {response.status_code}")
