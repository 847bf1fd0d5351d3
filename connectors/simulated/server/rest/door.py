"""The door: what every REST request passes before its handler, and how its answer leaves.

Why: the order of the checks is the venue's: ban (HTML from the load balancer), path, size, expiry
and signature, budget, permission, fields; the expiry is looked at once, on arrival. Whatever goes
wrong leaves as the venue's error body with the budget headers; no traceback ever does.

Source: www.bitmex.com/app/restAPI, www.bitmex.com/app/apiKeysUsage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from connectors.simulated.engine.refusals import Refused, not_found
from connectors.simulated.server.auth import ApiKey, Claim, require_access
from connectors.simulated.server.json_text import dump
from connectors.simulated.server.limits import Verdict
from connectors.simulated.server.params import parse_params
from connectors.simulated.server.rest import swagger
from connectors.simulated.server.rest.call import Call
from connectors.simulated.server.rest.routes import ROUTES
from connectors.simulated.server.settings import RowStyle
from connectors.simulated.server.venue import Venue
from connectors.simulated.server.wire import styled

_JSON = "application/json; charset=utf-8"
BAN_PAGE = (
    "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n"
    "<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>\r\n"
)
BAN_HEADERS = {"server": "awselb/2.0", "connection": "close"}
_log = structlog.get_logger()


@dataclass(slots=True)
class _Visit:
    """What is known of a request so far."""

    request: Request
    address: str
    now_ms: int
    headers: dict[str, str] = field(default_factory=dict)


class Door:
    """Answers every REST request of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def answer(self, request: Request) -> Response:
        """Return the answer to a request, an error body included."""
        visit = _Visit(request=request, address=address_of(request.client), now_ms=self._venue.clock())
        if self._venue.limits.is_banned(visit.address, visit.now_ms):
            return Response(BAN_PAGE, status_code=403, media_type="text/html", headers=BAN_HEADERS)
        try:
            return _json(await self._pass(visit), 200, visit.headers)
        except Refused as refusal:
            return _json(error_body(refusal), refusal.status, visit.headers)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it
        except Exception:  # noqa: BLE001 - the edge: logged once here, and the client sees no traceback
            _log.exception("request failed", method=request.method, path=request.url.path)
            return _json(error_body(Refused("Server Error", status=500, name="Error")), 500, visit.headers)

    async def _pass(self, visit: _Visit) -> object:
        request = visit.request
        route = ROUTES.get((request.method, request.url.path.rstrip("/")))
        try:
            body = await _bounded_body(request, self._venue.settings.body_bytes)
        except Refused:
            self._charge(visit, None, is_order=False)
            raise
        key = self._identified(visit, body)
        self._charge(visit, key, is_order=route is not None and route.is_order)
        if request.url.path == swagger.PATH:
            return swagger.document()
        if route is None:
            raise not_found()
        require_access(key, route.access)
        params = parse_params(
            query=request.scope["query_string"],
            body=body,
            content_type=request.headers.get("content-type", ""),
        )
        answer = route.handler(Call(venue=self._venue, key=key, params=params))
        return _shaped(answer, self._venue.settings.rows)

    def _identified(self, visit: _Visit, body: bytes) -> ApiKey | None:
        claim = claim_of(visit.request.headers)
        if claim is None:
            return None
        request = visit.request
        try:
            return self._venue.keyring.verify(
                claim, verb=request.method, paths=_signed_paths(request), body=body, now_ms=visit.now_ms
            )
        except Refused:
            self._charge(visit, None, is_order=False)
            raise

    def _charge(self, visit: _Visit, key: ApiKey | None, *, is_order: bool) -> None:
        account = None if key is None else key.account
        limits = self._venue.limits
        verdict = limits.admit(account=account, address=visit.address, is_order=is_order, now_ms=visit.now_ms)
        visit.headers.update(verdict.headers)
        if verdict.retry_after_s is None:
            return
        if limits.is_banned(visit.address, visit.now_ms):
            self._venue.hub.hang_up(visit.address)
        raise over_limit(verdict)


def over_limit(verdict: Verdict) -> Refused:
    """Return the refusal of a request beyond its budget."""
    text = f"Rate limit exceeded, retry in {verdict.retry_after_s} seconds."
    return Refused(text, status=429, name="RateLimitError")


def claim_of(fields: Mapping[str, str]) -> Claim | None:
    """Return the signature fields of a request, None if it carries none of them."""
    names = ("api-key", "api-expires", "api-signature")
    if not any(fields.get(name) for name in names):
        return None
    key_id, expires, signature = (fields.get(name, "") for name in names)
    return Claim(key_id=key_id, expires=expires, signature=signature)


def error_body(refusal: Refused) -> dict[str, object]:
    """Return the venue's error body."""
    error = {"message": refusal.message, "name": refusal.name}
    if refusal.details is not None:
        error["details"] = refusal.details
    return {"error": error}


def address_of(client: object) -> str:
    """Return the peer's address without its port."""
    return str(client[0]) if isinstance(client, tuple) and client else "unknown"


def _signed_paths(request: Request) -> list[str]:
    path = request.scope["raw_path"].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    # A lone `?` is signed by some clients and not handed on by HTTP servers.
    return [f"{path}?{query}"] if query else [path, f"{path}?"]


async def _bounded_body(request: Request, most_bytes: int) -> bytes:
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > most_bytes:
            raise Refused("Request body too large", status=413)
        parts.append(part)
    return b"".join(parts)


def _shaped(answer: object, style: RowStyle) -> object:
    if style is RowStyle.FULL:
        return answer
    if isinstance(answer, list):
        return [styled(row, style) if isinstance(row, dict) else row for row in answer]
    return styled(answer, style) if isinstance(answer, dict) else answer


def _json(value: object, status: int, headers: Mapping[str, str]) -> Response:
    return Response(dump(value), status_code=status, media_type=_JSON, headers=dict(headers))
