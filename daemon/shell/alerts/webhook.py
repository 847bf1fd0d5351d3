"""The webhook channel: one POST of one JSON object per alert."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import msgspec

from config.credentials import Secret
from daemon.shell.alerts.channel import Channel
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.post import Post


class Webhook(Channel):
    """Delivers alerts to one address."""

    def __init__(self, url: Secret, *, timeout_s: float) -> None:
        self._post = Post(url, timeout_s=timeout_s)

    async def __aenter__(self) -> Self:
        await self._post.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._post.__aexit__(kind, error, trace)

    async def deliver(self, alert: Alert) -> None:
        """POST one alert."""
        await self._post.send(msgspec.json.encode(alert))
