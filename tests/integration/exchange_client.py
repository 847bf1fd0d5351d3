"""A tiny independent client of the embedded exchange: its own signer, httpx and websockets directly.

Why: the exchange must be checked by something that shares no code with it or with our connector.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Self

import httpx
import websockets

from connectors.simulated.engine.inputs import SetPrices, SymbolPrices
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.clock import Clock, system_clock
from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.settings import ExchangeSettings, RateLimits
from connectors.simulated.tape.tape import Step

DEADLINE_S = 10.0
START_MS = 1_782_864_000_000
_START = {"XBTUSD": 60_000, "XBTUSDT": 60_000, "ETHUSD": 2_400, "XBTH27": 60_100}
NO_LIMITS = RateLimits(is_on=False)


def prices(tape_ms: int = START_MS, **marks: int) -> SetPrices:
    """Return prices of all contracts, some of them moved (`XBTUSD=55_000`); mark, index and last agree."""
    rows = []
    for symbol, start in _START.items():
        price = Decimal(marks.get(symbol, start))
        half_spread = Decimal("0.5") if start > 10_000 else Decimal("0.05")
        rows.append(
            SymbolPrices(symbol=symbol, mark=price, index=price, last=price, half_spread=half_spread, depth=1_000_000)
        )
    return SetPrices(tape_ms=tape_ms, prices=tuple(rows))


class StillTape:
    """A tape of so many steps without movement; tests move prices by hand."""

    def __init__(self, length: int = 1, *, real_ms: int = 0) -> None:
        self.length = length
        self.real_ms = real_ms

    def steps(self, start: int = 0) -> Iterator[Step]:
        for index in range(start, self.length):
            tape_ms = START_MS + index * 1_000
            yield Step(index=index, tape_ms=tape_ms, real_ms=self.real_ms, prices=prices(tape_ms).prices)


@asynccontextmanager
async def running(
    tape: StillTape | None = None, *, clock: Clock = system_clock, **settings: Any
) -> AsyncIterator[EmbeddedExchange]:
    """Run an exchange whose prices stand still."""
    defaults: dict[str, Any] = {"limits": NO_LIMITS, "accounts": 2, "position_refresh_ms": 50, "image_period_ms": 0}
    wanted = ExchangeSettings(**{**defaults, **settings})
    async with EmbeddedExchange(wanted, tape=tape or StillTape(), clock=clock) as exchange:
        yield exchange


def sign(key: ApiKey, verb: str, path: str, body: bytes = b"", *, expires: int | None = None) -> dict[str, str]:
    """Return the three headers, from the description of the scheme alone."""
    when = int(time.time()) + 5 if expires is None else expires
    message = f"{verb}{path}{when}".encode() + body
    digest = hmac.new(key.secret.encode(), message, hashlib.sha256).hexdigest()
    return {"api-key": key.key_id, "api-expires": str(when), "api-signature": digest}


def _client(url: str) -> httpx.AsyncClient:
    """Return a client for loopback: no proxies to look up, no certificates to load."""
    return httpx.AsyncClient(base_url=url, timeout=DEADLINE_S, verify=False, trust_env=False)  # noqa: S501


class Rest:
    """Signed requests to one exchange."""

    def __init__(self, exchange: EmbeddedExchange, key: ApiKey | None = None) -> None:
        self.key = key or exchange.key()
        self._client = _client(exchange.http_url)

    @classmethod
    def of_process(cls, described: dict[str, Any]) -> Self:
        """Return a client of an exchange that runs as a process, from its first line of output."""
        one = cls.__new__(cls)
        one.key = ApiKey(
            name="trading",
            key_id=described["key"],
            secret=described["secret"],
            account=described["account"],
            permissions=frozenset(),
        )
        one._client = _client(described["http"])
        return one

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def plain(self, verb: str, path: str, **options: Any) -> httpx.Response:
        """Send without a signature."""
        return await self._client.request(verb, f"/api/v1{path}", **options)

    async def send(self, verb: str, path: str, fields: dict[str, Any] | None = None) -> httpx.Response:
        """Send signed; fields go into the query of a GET and the JSON body of the rest."""
        query = ""
        body = b""
        if fields and verb == "GET":
            texts = {name: json.dumps(one) if isinstance(one, dict | list) else one for name, one in fields.items()}
            query = f"?{httpx.QueryParams(texts)}"
        elif fields:
            body = json.dumps(fields).encode()
        headers = sign(self.key, verb, f"/api/v1{path}{query}", body)
        if body:
            headers["content-type"] = "application/json"
        return await self._client.request(verb, f"/api/v1{path}{query}", content=body, headers=headers)

    async def ask(self, verb: str, path: str, **fields: Any) -> Any:
        """Send signed and return the answer, which must be a 200."""
        response = await self.send(verb, path, fields)
        assert response.status_code == 200, response.text
        return response.json()

    async def refusal(self, verb: str, path: str, **fields: Any) -> tuple[int, str]:
        """Send signed and return status and message of the error."""
        response = await self.send(verb, path, fields)
        return response.status_code, response.json()["error"]["message"]


class Feed:
    """One WebSocket, its messages, and its copy of the tables."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.seen: list[Any] = []

    async def say(self, message: object) -> None:
        """Send a text, or anything else as JSON."""
        await self.socket.send(message if isinstance(message, str) else json.dumps(message))

    async def next(self) -> Any:
        """Return the next message: JSON, or the text if it is none."""
        async with asyncio.timeout(DEADLINE_S):
            text = await self.socket.recv()
        message = text if text == "pong" else json.loads(text)
        self.seen.append(message)
        return message

    async def until(self, is_it: Callable[[Any], bool]) -> Any:
        """Read on until a message is the one."""
        while True:
            message = await self.next()
            if is_it(message):
                return message

    async def table(self, name: str, action: str) -> Any:
        """Read on until a frame of this table and action; return its rows."""
        frame = await self.until(
            lambda one: isinstance(one, dict) and (one.get("table"), one.get("action")) == (name, action)
        )
        return frame["data"]

    async def subscribe(self, *topics: str) -> None:
        """Subscribe and wait for the last partial."""
        await self.say({"op": "subscribe", "args": list(topics)})
        await self.table(topics[-1].partition(":")[0], "partial")

    async def sign_in(self, key: ApiKey) -> Any:
        """Sign in by message and return the reply."""
        headers = sign(key, "GET", "/realtime")
        args = [headers["api-key"], int(headers["api-expires"]), headers["api-signature"]]
        await self.say({"op": "authKeyExpires", "args": args})
        return await self.next()


@asynccontextmanager
async def feed(
    exchange: EmbeddedExchange, *, key: ApiKey | None = None, query: str = "", greet: bool = True
) -> AsyncIterator[Feed]:
    """Open a WebSocket, signed in by headers when a key is given, past the welcome."""
    headers = sign(key, "GET", "/realtime") if key else {}
    async with websockets.connect(exchange.ws_url + query, additional_headers=headers, proxy=None) as socket:
        one = Feed(socket)
        if greet:
            await one.next()
        yield one
