"""A webhook on loopback that takes the guard's alerts, as a chat bridge would.

Why: the demo shows alerts as people get them: over the network, possibly twice, possibly late.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

HOST = "127.0.0.1"
PATH = "/alerts"


class ReceivedFact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that an alert tells of."""

    topic: str
    state: str
    symbol: str
    since_ns: int
    text: str = ""


class ReceivedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an alert that the demo shows."""

    alert_id: str
    severity: str
    topic: str
    state: str
    symbol: str
    text: str
    raised_ns: int
    facts: dict[str, str] = {}
    members: tuple[ReceivedFact, ...] = ()


def only_news(alerts: Iterable[ReceivedAlert]) -> Iterator[ReceivedAlert]:
    """Each message with what no earlier one said; one that says nothing new is left out.

    A message tells the whole of its group, so that it can be read alone. In a list each fact is read once.
    """
    said: set[tuple[str, str, str]] = set()
    for alert in alerts:
        if not alert.members:
            yield alert
            continue
        news = {(fact.topic, fact.symbol, fact.text): fact.text for fact in alert.members}
        fresh = [text for key, text in news.items() if key not in said]
        said.update(news)
        if fresh:
            yield msgspec.structs.replace(alert, text=" ".join(fresh))


class AlertReceiver:
    """Keeps each alert once, in the order in which they were raised."""

    def __init__(self) -> None:
        self._alerts: dict[str, ReceivedAlert] = {}
        self.url = ""

    @property
    def alerts(self) -> list[ReceivedAlert]:
        """What arrived so far."""
        return sorted(self._alerts.values(), key=lambda alert: alert.raised_ns)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on a free loopback port; `url` is the address."""
        listener = socket.socket()
        listener.bind((HOST, 0))
        listener.listen()  # from now on, so that whoever comes first waits rather than being refused
        self.url = f"http://{HOST}:{listener.getsockname()[1]}{PATH}"
        app = Starlette(routes=[Route(PATH, self._take, methods=["POST"])])
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]), name="alert receiver")
            try:
                yield
            finally:
                server.should_exit = True

    async def _take(self, request: Request) -> Response:
        try:
            alert = msgspec.json.decode(await request.body(), type=ReceivedAlert)
        except (msgspec.MsgspecError, ClientDisconnect):  # a guard killed half way; the next one sends it again
            return Response(status_code=400)
        self._alerts[alert.alert_id] = alert
        return Response(status_code=204)


class _Server(uvicorn.Server):
    """Leaves signals to the demo."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
