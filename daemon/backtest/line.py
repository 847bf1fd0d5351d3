"""Requests to an exchange in the same process: signed, admitted, answered and refused as over HTTP, without a socket.

Why: what is sent is built by the connector, what is answered comes through the exchange's own door, so orders are
checked, refused and recognised as duplicates exactly as in life. Nothing here waits, so the connector's coroutines run
to their end by hand and no event loop is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from config.credentials import Credentials
from connectors.bitmex.protocol.refusals import Answer, refusal
from connectors.bitmex.protocol.requests import VenueRequest
from connectors.bitmex.protocol.signing import signed_headers
from connectors.simulated.server.rest.arrivals import HttpRequest
from connectors.simulated.server.rest.door import Door

EXPIRES_AFTER_S: Final = 10
_NS_PER_S: Final = 1_000_000_000

T = TypeVar("T")


class WouldWait(Exception):
    """A coroutine wanted to wait for something that an in-process exchange never makes anybody wait for."""


def run_now(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing to its end.

    Raises:
        WouldWait: If it does wait.
    """
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise WouldWait("the exchange in this process answers at once; nothing may wait for it")


class DoorLine:
    """One key's requests to the door; a `connectors.bitmex.order_entry.Line`.

    Attributes:
        sent: Requests so far, by verb and path.
        refused: Answers other than success so far, by status.
    """

    def __init__(self, door: Door, credentials: Credentials, *, address: str, now_ns: Callable[[], int]) -> None:
        self._door = door
        self._credentials = credentials
        self._address = address
        self._now_ns = now_ns
        self.sent: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()

    async def send(self, request: VenueRequest) -> Answer:
        """Carry one request to the door and its answer back; both take no time here."""
        endpoint = request.endpoint
        self.sent[f"{endpoint.verb} {endpoint.path}"] += 1
        reply = self._door.reply(self._signed(request))
        answer = Answer(status=reply.status, headers=reply.headers, body=reply.body)
        if 200 <= answer.status < 300:
            return answer
        self.refused[answer.status] += 1
        raise refusal(answer, is_write=endpoint.is_write, expires_after_s=EXPIRES_AFTER_S)

    async def close(self) -> None:
        """Nothing is held open."""

    def _signed(self, request: VenueRequest) -> HttpRequest:
        verb, target = request.endpoint.verb, request.target
        path, _, query = target.partition("?")
        fields = signed_headers(
            self._credentials,
            verb=verb,
            path=target,
            expires_s=self._now_ns() // _NS_PER_S + EXPIRES_AFTER_S,
            body=request.body,
        )
        if request.body:
            fields["content-type"] = "application/json"
        return HttpRequest(
            verb=verb,
            path=path,
            raw_path=path,
            query=query.encode(),
            fields=fields,
            body=request.body,
            address=self._address,
        )
