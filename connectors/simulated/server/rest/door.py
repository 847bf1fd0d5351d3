"""The door: what every REST request passes before its handler, and how its answer leaves.

Why: the order of the checks is the venue's: ban (HTML from the load balancer), size, expiry and
signature, budget, path, permission, overload, fields; the expiry is looked at once, on arrival.
Whatever goes wrong leaves as the venue's error body with the budget headers; no traceback ever does.

Source: www.bitmex.com/app/restAPI, www.bitmex.com/app/apiKeysUsage.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from zlib import crc32

import structlog

from connectors.simulated.engine.refusals import Refused, not_found
from connectors.simulated.server.auth import Access, ApiKey, Claim, require_access
from connectors.simulated.server.fates import (
    AS_USUAL,
    Arrival,
    Ending,
    Fate,
    Reply,
    gateway_page,
    is_shed,
    overloaded,
)
from connectors.simulated.server.json_text import dump
from connectors.simulated.server.limits import Verdict
from connectors.simulated.server.params import Params, parse_params
from connectors.simulated.server.rest import openapi
from connectors.simulated.server.rest.arrivals import (
    Gone,
    HttpRequest,
    Receive,
    Scope,
    Send,
    Unreadable,
    address_of,
    read_body,
    request_of,
)
from connectors.simulated.server.rest.call import Call
from connectors.simulated.server.rest.departures import Lines, leave
from connectors.simulated.server.rest.formats import rendered
from connectors.simulated.server.rest.routes import Route, route_of
from connectors.simulated.server.settings import AnswerOrder
from connectors.simulated.server.venue import Venue

__all__ = ["BAN_HEADERS", "BAN_PAGE", "Door", "address_of", "claim_of", "error_body", "over_limit"]

BAN_PAGE = gateway_page(403).body.decode()
BAN_HEADERS = {"server": "awselb/2.0", "connection": "close"}
_CLAIM = ("api-key", "api-expires", "api-signature")
_TOO_MANY = 429
_WRITING = frozenset({Access.ORDER, Access.CANCEL})
_AFTER_STREAM_MS = 4  # frames of the account have left by then
_MS_PER_S = 1_000
_log = structlog.get_logger()


@dataclass(slots=True)
class _Visit:
    """What is known of a request so far."""

    request: HttpRequest
    now_ms: int
    headers: dict[str, str] = field(default_factory=dict)
    key: ApiKey | None = None
    route: Route | None = None
    params: Params | None = None


class Door:
    """Answers every REST request of one venue; an ASGI application."""

    def __init__(self, venue: Venue, *, line_of: Lines | None = None) -> None:
        """Open a door.

        Args:
            venue: Behind it.
            line_of: From a peer to its connection, for answers that are lost on the way; none are without it.
        """
        self._venue = venue
        self._line_of = line_of
        self._late_answers = 0
        self._charged = 0  # numbers the answers: what a budget without limits, or one that refills, tells may be alike

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of an ASGI server."""
        fate = AS_USUAL
        try:
            visit = self._visit(request_of(scope, await read_body(receive, self._venue.settings.body_bytes)))
            reply = self._refusal(visit)
            if reply is None:
                fate = self._fate(visit)
                reply = await self._met(visit, fate)
        except Unreadable as error:
            visit = self._visit(request_of(scope, b""))
            reply = self._unread(visit, error)
        except Gone:
            return
        is_whole = fate.ending is Ending.WHOLE
        line = None if is_whole or self._line_of is None else self._line_of(scope["client"])
        await leave(reply, fate.ending, line, receive, send)

    def reply(self, request: HttpRequest) -> Reply:
        """Return the answer to a request as it is without faults; nothing is waited for."""
        visit = self._visit(request)
        return self._refusal(visit) or self._carried_out(visit, AS_USUAL)

    def met(self, request: HttpRequest) -> tuple[Reply, Fate]:
        """Return the answer to a request, and what befell it: its waits and its ending are for the caller to act on."""
        visit = self._visit(request)
        refusal = self._refusal(visit)
        if refusal is not None:
            return refusal, AS_USUAL
        fate = self._venue.faults.fate(_arrival(visit)) or AS_USUAL
        return self._outcome(visit, fate), fate

    def _visit(self, request: HttpRequest) -> _Visit:
        return _Visit(request=request, now_ms=self._venue.wall())

    def _refusal(self, visit: _Visit) -> Reply | None:
        """Return the answer to a request that does not get as far as its handler."""
        if self._venue.limits.is_banned(visit.request.address, visit.now_ms):
            return Reply(status=403, body=BAN_PAGE.encode(), content_type="text/html", headers=BAN_HEADERS)
        return self._safely(visit, lambda: self._check(visit))

    def _check(self, visit: _Visit) -> None:
        request = visit.request
        route = openapi.ROUTE if request.path in openapi.PATHS else route_of(request.verb, request.path)
        visit.key = self._identified(visit)
        self._charge(visit, is_order=route is not None and route.is_order)
        if route is None or (route.is_bulk and not self._venue.settings.bulk_orders):
            raise not_found()
        require_access(visit.key, route.access)
        visit.route = route
        visit.params = parse_params(
            query=request.query, body=request.body, content_type=request.fields.get("content-type", "")
        )

    def _unread(self, visit: _Visit, error: Unreadable) -> Reply:
        """Return the answer to a request whose body was not taken: nobody signed it, so its address pays."""

        def refuse() -> None:
            self._charge(visit, is_order=False)
            raise Refused(error.message, status=error.status)

        visit.headers["connection"] = "close"
        return self._safely(visit, refuse) or Reply(status=error.status, body=b"")

    def _skew_ms(self) -> int:
        return self._venue.faults.clock_skew_ms()

    def _fate(self, visit: _Visit) -> Fate:
        return self._venue.faults.fate(_arrival(visit)) or self._usual_fate(visit)

    def _usual_fate(self, visit: _Visit) -> Fate:
        """Return when the answer leaves: a writer that listens as well may hear of it on the stream first."""
        key, route, order = visit.key, visit.route, self._venue.settings.answer_order
        if order is AnswerOrder.ANSWER_FIRST or key is None or route is None or route.access not in _WRITING:
            return AS_USUAL
        if all(session.account != key.account for session in self._venue.hub.sessions()):
            return AS_USUAL
        self._late_answers += 1
        thrown = crc32(f"{self._venue.settings.seed}/{self._late_answers}".encode()) % _AFTER_STREAM_MS
        return Fate(wait_after_ms=_AFTER_STREAM_MS if order is AnswerOrder.STREAM_FIRST else thrown)

    async def _met(self, visit: _Visit, fate: Fate) -> Reply:
        """Return the answer to a request after what befell it."""
        if fate is AS_USUAL:
            return self._carried_out(visit, fate)
        await asyncio.sleep(fate.wait_before_ms / _MS_PER_S)
        reply = self._outcome(visit, fate)
        await asyncio.sleep(fate.wait_after_ms / _MS_PER_S)
        return reply

    def _outcome(self, visit: _Visit, fate: Fate) -> Reply:
        """Return what a request comes to, which is decided at once."""
        if fate.is_overloaded and is_shed(_arrival(visit)):
            visit.headers["connection"] = "close"
            return self._refused(visit, overloaded())
        if fate.reply is not None:
            return replace(fate.reply, headers={**visit.headers, **fate.reply.headers})
        reply, *_ = [*(self._carried_out(visit, fate) for _ in range(fate.times)), Reply(status=504, body=b"")]
        if fate.cover is None:
            return reply
        return replace(fate.cover, headers={**visit.headers, **fate.cover.headers})

    def _carried_out(self, visit: _Visit, fate: Fate) -> Reply:
        return self._safely(visit, lambda: self._handled(visit, fate)) or Reply(status=204, body=b"")

    def _handled(self, visit: _Visit, fate: Fate) -> Reply:
        route, params = visit.route, visit.params
        if route is None or params is None:
            raise RuntimeError("a request was handled that had not passed the door")
        answer = route.handler(Call(venue=self._venue, key=visit.key, params=params))
        if fate.rewrite is not None:
            answer = fate.rewrite(answer)
        body, content_type = rendered(answer, form=params.text("_format"), style=self._venue.settings.rows)
        return Reply(status=200, body=body, content_type=content_type, headers=visit.headers)

    def _safely(self, visit: _Visit, step: Callable[[], Reply | None]) -> Reply | None:
        try:
            return step()
        except Refused as refusal:
            return self._refused(visit, refusal)
        except Exception:  # noqa: BLE001 - the edge: logged once here, and the client sees no traceback
            _log.exception("request failed", method=visit.request.verb, path=visit.request.path)
            return self._refused(visit, Refused("Server Error", status=500, name="Error"))

    def _refused(self, visit: _Visit, refusal: Refused) -> Reply:
        address = visit.request.address
        if refusal.status != _TOO_MANY and self._venue.limits.note_error(address, visit.now_ms):
            self._venue.hub.hang_up(address)
        body = dump(error_body(refusal, is_coded=self._venue.settings.coded_errors))
        return Reply(status=refusal.status, body=body, headers=visit.headers)

    def _identified(self, visit: _Visit) -> ApiKey | None:
        request = visit.request
        claim = claim_of(request.fields)
        if claim is None:
            return None
        try:
            return self._venue.keyring.verify(
                claim,
                verb=request.verb,
                paths=request.signed_paths(),
                body=request.body,
                now_ms=visit.now_ms + self._skew_ms(),
                address=request.address,
            )
        except Refused:
            self._charge(visit, is_order=False)
            visit.headers.clear()  # a recorded refusal of a signature tells no budget
            raise

    def _charge(self, visit: _Visit, *, is_order: bool) -> None:
        account = None if visit.key is None else visit.key.account
        limits = self._venue.limits
        address = visit.request.address
        verdict = limits.admit(account=account, address=address, is_order=is_order, now_ms=visit.now_ms)
        visit.headers.update(verdict.headers)
        self._charged += 1
        visit.headers["x-request-id"] = f"{visit.now_ms:x}-{self._charged:x}"
        if verdict.retry_after_s is None:
            return
        if limits.is_banned(address, visit.now_ms):
            self._venue.hub.hang_up(address)
        raise over_limit(verdict, name=limits.error_name)


def over_limit(verdict: Verdict, *, name: str = "RateLimitError") -> Refused:
    """Return the refusal of a request beyond its budget."""
    text = f"Rate limit exceeded, retry in {verdict.retry_after_s} seconds."
    return Refused(text, status=_TOO_MANY, name=name)


def claim_of(fields: Mapping[str, str]) -> Claim | None:
    """Return the signature fields of a request, None if it carries none of them."""
    if not any(fields.get(name) for name in _CLAIM):
        return None
    key_id, expires, signature = (fields.get(name, "") for name in _CLAIM)
    return Claim(key_id=key_id, expires=expires, signature=signature)


def error_body(refusal: Refused, *, is_coded: bool = True) -> dict[str, object]:
    """Return the venue's error body.

    Args:
        refusal: What was refused.
        is_coded: Whether an error with a number shows it (since 2025) or is a `ValidationError` (before).
    """
    error = {"message": refusal.message, "name": refusal.name}
    if refusal.details is not None and is_coded:
        error["details"] = refusal.details
    elif refusal.details is not None:
        error["name"] = "ValidationError"
    return {"error": error}


def _arrival(visit: _Visit) -> Arrival:
    return Arrival(
        verb=visit.request.verb,
        path=visit.request.path,
        operation="" if visit.route is None else visit.route.operation,
        address=visit.request.address,
        account=None if visit.key is None else visit.key.account,
        key_id=None if visit.key is None else visit.key.key_id,
        params=visit.params or Params({}),
        now_ms=visit.now_ms,
    )
