"""One HTTP request at a time: admitted by the budget, signed, sent, and its failure mapped once.

Why: this is the one place that knows httpx. Connections are kept open, because setting one up costs more than the
request. Every wait has an end: for the budget, for a connection, for the answer, and for the whole. Nothing is retried
here.

Source: www.bitmex.com/app/restAPI.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import httpx
import structlog

from config.credentials import SigningKey
from config.venue import VenueSettings
from connectors.bitmex.endpoints import Endpoint
from connectors.bitmex.protocol.bans import Bans
from connectors.bitmex.protocol.budget import RequestBudget
from connectors.bitmex.protocol.echoes import Echoes, is_from_between
from connectors.bitmex.protocol.refusals import (
    Answer,
    connection_trouble,
    is_ban,
    not_sent,
    refusal,
    unanswered,
)
from connectors.bitmex.protocol.requests import VenueRequest
from connectors.bitmex.protocol.signing import signed_headers
from connectors.errors import Misconfigured, OutcomeUnknown, Unavailable, VenueError
from connectors.ports import BudgetPicture

PROTECTIVE_PATIENCE_S: Final = 0.25
"""A protective request waits this long for a token (the bucket of ten a second refills in a tenth)."""
READ_PATIENCE_S: Final = 2.0
_IDLE_CONNECTION_S: Final = 75.0
"""Below the venue's 90 s, so that a connection the venue is about to close is not used; above the minute in which its
clock is read, so that a protective request finds one open however rarely the account is read."""
_OVERSIZE_PAUSE_S: Final = 30.0
"""It would only be as large again at once."""
_PAUSE_MARGIN_S: Final = 0.05
"""On top of what the venue asks for: its clock ticks in another place, and a hair too early counts against us."""
_UNSIGNED_PER_MINUTE: Final = 30
_MEGABYTE: Final = 1024 * 1024
LARGEST_BODY: Final = 64 * _MEGABYTE
"""Unpacked. The list of all instruments has some megabytes; what goes on for ever must not take the memory along."""
_WATCHED_CONNECTION: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 2))
        if hasattr(socket, name)  # not every system has all of them
    ),
)
"""An idle connection that a router forgot is found dead in 20 s, instead of swallowing the next stop."""
_NS_PER_S: Final = 1_000_000_000

_log = structlog.get_logger("connectors.bitmex.rest")


class RestClient:
    """Signed requests over kept-open connections."""

    def __init__(
        self,
        *,
        settings: VenueSettings,
        credentials: SigningKey,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._now_ns = now_ns
        self._budget = RequestBudget(
            per_minute=settings.requests_per_minute,
            per_second=settings.requests_per_second,
            reserve=settings.protective_reserve,
        )
        self._address_budget = RequestBudget(
            per_minute=_UNSIGNED_PER_MINUTE, per_second=settings.requests_per_second, reserve=0
        )
        self._queues: defaultdict[tuple[bool, ...], asyncio.Lock] = defaultdict(asyncio.Lock)
        """Who waits for the budget, by the kind of request: a lock lets them through in the order of their coming."""
        self._echoes = Echoes()
        self._bans = Bans()
        self._http = httpx.AsyncClient(
            base_url=settings.rest_url,
            timeout=httpx.Timeout(settings.request_timeout_s, connect=settings.connect_timeout_s),
            transport=httpx.AsyncHTTPTransport(
                limits=httpx.Limits(
                    max_connections=20, max_keepalive_connections=10, keepalive_expiry=_IDLE_CONNECTION_S
                ),
                socket_options=_WATCHED_CONNECTION,
                trust_env=False,
            ),
            headers={"accept": "application/json", "user-agent": "seawall"},
            follow_redirects=False,
            trust_env=False,
        )

    async def send(self, request: VenueRequest) -> Answer:
        """Send one request and return its answer if that is success.

        Raises:
            Rejected, Unavailable, OutcomeUnknown, Misconfigured: See `connectors.errors`.
        """
        await self._admit(request.endpoint)
        answer = await self._exchange(request)
        if not is_ban(answer):
            self._bans.over()
        if 200 <= answer.status < 300:
            self._learn(request.endpoint, answer)
            return answer
        error = refusal(
            answer, is_write=request.endpoint.is_write, expires_after_s=float(self._settings.expires_after_s)
        )
        if answer.status != 401 and not isinstance(error, Misconfigured):
            self._learn(request.endpoint, answer)  # else the venue did not know whose bucket to tell of
        self._note(request.endpoint, answer, error)
        raise error

    def budget(self) -> BudgetPicture:
        """Return what is left of the account's budget."""
        standing = self._budget.standing(_steady_s())
        return BudgetPicture(
            tokens=standing.tokens,
            capacity=standing.capacity,
            reserve=standing.reserve,
            paused_for_s=standing.paused_for_s,
            is_banned=standing.is_banned,
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def _admit(self, endpoint: Endpoint) -> None:
        """Wait, within bounds, until the budget has a token for this request; those of one kind leave in their order.

        What the core decided later must not leave first: it was decided in the knowledge of what went before.

        Raises:
            Unavailable: If it will not have one soon enough; nothing was sent.
        """
        budget = self._budget_of(endpoint)
        patience_s = PROTECTIVE_PATIENCE_S if endpoint.is_protective else READ_PATIENCE_S
        give_up_s = _steady_s() + patience_s
        async with self._queues[_kind(endpoint)]:
            while True:
                now_s = _steady_s()
                wait_s = budget.take(
                    now_s,
                    is_protective=endpoint.is_protective,
                    is_sparing=endpoint.is_sparing,
                    is_limited_by_second=endpoint.is_limited_by_second,
                )
                if wait_s <= 0:
                    return
                if now_s + wait_s > give_up_s:
                    raise Unavailable("no request budget left; nothing was sent", retry_after_s=wait_s, is_limit=True)
                await asyncio.sleep(wait_s)

    def _build(self, request: VenueRequest) -> httpx.Request:
        """Sign exactly what goes over the wire: the path and body as the HTTP library will write them."""
        headers = {"content-type": "application/json"} if request.body else {}
        built = self._http.build_request(
            request.endpoint.verb, request.target, content=request.body or None, headers=headers
        )
        if request.endpoint.is_signed:
            built.headers.update(
                signed_headers(
                    self._credentials,
                    verb=request.endpoint.verb,
                    path=built.url.raw_path.decode("ascii"),
                    expires_s=self._now_ns() // _NS_PER_S + self._settings.expires_after_s,
                    body=request.body,
                )
            )
        return built

    async def _exchange(self, request: VenueRequest) -> Answer:
        is_write = request.endpoint.is_write
        if self._http.is_closed:
            raise not_sent("the connections were let go; nothing was sent")
        started_s = _steady_s()
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s + self._settings.request_timeout_s):
                response = await self._http.send(self._build(request), stream=True)
                try:
                    answer = await self._read(request.endpoint, response, started_s)
                    if is_from_between(answer):
                        await _break_off(response)
                    if self._echoes.is_repeated(answer):
                        self._heed(request.endpoint, answer)
                        await _break_off(response)
                        raise unanswered("the answer to another request came once more", is_write=is_write)
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as broken:
            raise _unreachable(broken) from broken
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as broken:
            raise Misconfigured(f"the address of the venue cannot be used: {type(broken).__name__}") from broken
        except (httpx.TransportError, httpx.DecodingError, OSError) as broken:  # TLS that breaks later is an OSError
            raise unanswered(f"no answer: {type(broken).__name__}", is_write=is_write) from broken
        return answer

    async def _read(self, endpoint: Endpoint, response: httpx.Response, started_s: float) -> Answer:
        """Read an answer to its end; what its head says of the budget holds although the rest never comes."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        try:
            body = await _bounded(response, is_write=endpoint.is_write)
        except BaseException:
            self._heed_head(endpoint, Answer(status=response.status_code, headers=headers, body=b"", took_s=0.0))
            raise
        return Answer(status=response.status_code, headers=headers, body=body, took_s=_steady_s() - started_s)

    def _heed_head(self, endpoint: Endpoint, head: Answer) -> None:
        """Take the count, a request to wait and a page of the load balancer from an answer that broke off (P8)."""
        if head.status not in {401, 403}:
            self._learn(endpoint, head)
        self._heed(endpoint, head)
        if is_ban(head) and "html" in head.headers.get("content-type", ""):
            self._shut_out()

    def _shut_out(self) -> float:
        """The load balancer refuses this address: send nothing at all; return for how long."""
        now_s = _steady_s()
        away_s = self._bans.page(now_s)
        for budget in (self._budget, self._address_budget):
            budget.ban(now_s, away_s)
        return away_s

    def _learn(self, endpoint: Endpoint, answer: Answer) -> None:
        """Correct the budget that the answer counts."""
        self._budget_of(endpoint).read_headers(_steady_s(), answer.headers)

    def _budget_of(self, endpoint: Endpoint) -> RequestBudget:
        """Unsigned requests draw on a bucket of the address, shared with everybody behind it: none of the account's."""
        return self._budget if endpoint.is_signed else self._address_budget

    def _heed(self, endpoint: Endpoint, answer: Answer) -> None:
        """Stay away for a 429 that came before: while the bucket is empty, two of them may be alike to the byte."""
        if answer.status != 429:
            return
        error = refusal(answer, is_write=endpoint.is_write, expires_after_s=float(self._settings.expires_after_s))
        if isinstance(error, Unavailable):
            self._pause(endpoint, error, _steady_s())

    def _pause(self, endpoint: Endpoint, error: Unavailable, now_s: float) -> None:
        self._budget_of(endpoint).pause(now_s, error.retry_after_s + _PAUSE_MARGIN_S)

    def _note(self, endpoint: Endpoint, answer: Answer, error: VenueError) -> None:
        """Remember to stay away, and leave a line for people."""
        now_s = _steady_s()
        if isinstance(error, Unavailable) and answer.status == 429:
            self._pause(endpoint, error, now_s)
            self._budget_of(endpoint).empty(now_s)
        if isinstance(error, Unavailable) and is_ban(answer):
            error.retry_after_s = self._shut_out()
        _log.warning(
            "request failed",
            verb=endpoint.verb,
            path=endpoint.path,
            status=answer.status,
            kind=type(error).__name__,
            reason=error.reason,
            request_id=answer.headers.get("x-request-id", ""),
        )


async def _break_off(response: httpx.Response) -> None:
    """Close the connection that an answer came on, although it could be kept: what else lies on it is not for us."""
    connection = response.extensions.get("network_stream")
    if connection is not None:
        await connection.aclose()


async def _bounded(response: httpx.Response, *, is_write: bool) -> bytes:
    """Read a body up to the bound.

    Raises:
        Unavailable, OutcomeUnknown: If it is larger: whatever answers like that, it is no answer to a request of ours.
    """
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_BODY:
            reason = f"the answer is larger than {LARGEST_BODY // _MEGABYTE} MB"
            raise OutcomeUnknown(reason) if is_write else Unavailable(reason, retry_after_s=_OVERSIZE_PAUSE_S)
    return bytes(body)


def _kind(endpoint: Endpoint) -> tuple[bool, ...]:
    """What decides how long a request waits: those that differ in it do not stand in each other's way."""
    return endpoint.is_signed, endpoint.is_protective, endpoint.is_sparing, endpoint.is_limited_by_second


def _steady_s() -> float:
    return asyncio.get_running_loop().time()


def _unreachable(broken: httpx.TransportError) -> VenueError:
    """No connection was made, so nothing was sent. A certificate that does not fit is a matter for a person."""
    root: BaseException = broken
    while (cause := root.__cause__ or root.__context__) is not None:
        root = cause
        if isinstance(root, ssl.SSLCertVerificationError):
            return Misconfigured("the venue's certificate cannot be verified")
    return not_sent(f"no connection: {type(broken).__name__}, {connection_trouble(root)}")
