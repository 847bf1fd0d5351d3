"""What the control API needs of a guard, and what passes over the counter: a question, an answer, a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol

from daemon.core.operator_requests import OperatorRequest
from daemon.core.state import GuardState
from daemon.shell.bot_desk import BotDesk
from daemon.shell.control.feed import RecordFeed
from daemon.shell.control.rights import Caller

Answer = dict[str, Any]


class Refused(Exception):
    """It was not done, and why; becomes an HTTP status and `{"error": ...}`."""

    def __init__(self, status: int, words: str, *, headers: dict[str, str] | None = None, more: Any = None) -> None:  # noqa: ANN401 - JSON
        super().__init__(words)
        self.status = status
        self.headers = headers
        self.more: Answer = more or {}


def not_yet() -> NoReturn:
    """Refuse what needs a guard that knows its account."""
    words = "the guard does not know its account yet, so nothing was done; ask again in a moment"
    raise Refused(503, words, headers={"retry-after": "1"})


class Operate(Protocol):
    """Carries out one request of an operator."""

    async def __call__(self, who: str, request_id: str, request: OperatorRequest, *, via: str) -> Answer:
        """Return `done`, or `error`."""


class Reload(Protocol):
    """Reads the settings anew."""

    async def __call__(self, who: str, *, may_loosen: bool) -> Answer:
        """Return `done`, or `error` and `problems`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counter:
    """One guard, as those who call see it. What a guard cannot do is None, and answered with 404."""

    bots: BotDesk
    describe: Callable[[], Awaitable[Answer]]
    """All that `seawall status` shows."""
    state: Callable[[], GuardState | None]
    """The newest; None while the guard does not know its account."""
    operate: Operate | None = None
    reload: Reload | None = None
    settings: Callable[[], Answer] | None = None
    """Without anything secret."""
    tail: Callable[[int, bool], list[Answer]] | None = None
    """The newest records of the journal; blocks."""
    one_tail: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One at a time: each takes megabytes, and a thread that looking up the venue's address may wait for."""
    alerts: Callable[[], Answer] | None = None
    metrics: Callable[[], Awaitable[tuple[bytes, str]]] | None = None
    """The page and its media type."""
    feed: RecordFeed = field(default_factory=RecordFeed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request, read and allowed."""

    caller: Caller
    via: str
    """"command", "socket" or "tcp", for the journal."""
    path: dict[str, str]
    """Parts of the path that stand for something."""
    query: Any
    """Of the route's own type."""
    body: Any
    """Of the route's own type."""
    request_id: str
    hold: Callable[[], bool]
    """Ask for a connection that outlives the deadline; False: too many have one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer that is more than 200 and JSON."""

    status: int = 200
    content: bytes = b""
    media: str = "application/json"
    answer: Answer | None = None
    stream: Any = None
    """An ASGI response of its own, instead."""


Act = Callable[[Counter, Asked], Awaitable[Reply | Answer]]
