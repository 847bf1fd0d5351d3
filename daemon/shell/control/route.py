"""One route of the control API, and how a request to it is read, allowed, carried out and answered.

The same table serves the requests and makes the OpenAPI document, so that neither can say what the other does not do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from config.control import Right
from daemon.shell.control.client import COMMAND_HEADER, ID_HEADER
from daemon.shell.control.counter import Act, Asked, Counter, Refused, Reply
from daemon.shell.control.rights import Caller
from daemon.shell.control.shapes import Nothing, Problem

BODY_LIMIT_BYTES: Final = 4 * 1024
LONGEST_ID: Final = 64

log = structlog.get_logger("control")


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """What may be asked, by whom, and what comes back."""

    verb: str
    path: str
    right: Right
    summary: str
    act: Act
    answer: type
    """What a 200 holds; `bytes` for a page, `str` for a stream of events."""
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] | None = None
    needs_id: bool = False
    """It changes something, so it carries an id: the same one again is the same request."""
    refusals: dict[int, str] = field(default_factory=dict)
    """Statuses of its own besides 200, and when."""


class Routes:
    """Answers requests to the routes of one guard."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    async def answer(self, route: Route, request: Request) -> Response:
        """Answer one request; whatever is wrong with it is said in words."""
        try:
            reply = await route.act(self._counter, await _read(route, request))
        except Refused as refused:
            return refusal(refused.status, str(refused), headers=refused.headers, more=refused.more)
        if isinstance(reply, dict):
            return _json(200, reply)
        if reply.stream is not None:
            stream: Response = reply.stream
            return stream
        if reply.answer is not None:
            return _json(reply.status, reply.answer)
        return Response(reply.content, status_code=reply.status, headers={"content-type": reply.media})


async def _read(route: Route, request: Request) -> Asked:
    """Read a request, and refuse it if it is too large, not understood or not allowed."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 18 or int(length) > BODY_LIMIT_BYTES:
        raise Refused(413, f"a body of more than {BODY_LIMIT_BYTES} bytes is not taken")
    caller = _allowed(route, request)
    via = "command" if caller.via == "socket" and COMMAND_HEADER in request.headers else caller.via
    return Asked(
        caller=caller,
        via=via,
        path=dict(request.path_params),
        query=_query(route, request),
        body=await _body(route, request),
        request_id=_request_id(route, request),
        hold=request.state.connection.hold,
    )


def _allowed(route: Route, request: Request) -> Caller:
    caller: Caller | None = request.state.connection.caller(request.headers.get("authorization", ""))
    if caller is None:
        words = "a bearer token is needed: Authorization: Bearer ..."
        raise Refused(401, words, headers={"www-authenticate": "Bearer"})
    if not caller.may(route.right):
        raise Refused(403, f"{caller.name} may {caller.right.value}, and this needs the right to {route.right.value}")
    return caller


def _query(route: Route, request: Request) -> msgspec.Struct:
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise Refused(400, f"{name} is given twice")
        if value:
            given[name] = value
    try:
        return msgspec.convert(given, type=route.query, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(field.name for field in msgspec.structs.fields(route.query)) or "none"
        raise Refused(400, f"{error}; parameters here: {known}") from error


async def _body(route: Route, request: Request) -> msgspec.Struct | None:
    if route.body is None:
        return None
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > BODY_LIMIT_BYTES:
                raise Refused(413, f"a body of more than {BODY_LIMIT_BYTES} bytes is not taken")
    except ClientDisconnect as error:
        raise Refused(400, "the body did not come") from error
    if not content and route.body is not Nothing:
        raise Refused(
            400, "a JSON object is needed as the body, for nothing said could mean everything; {} if so meant"
        )
    try:
        return msgspec.json.decode(bytes(content) or b"{}", type=route.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        known = ", ".join(field.name for field in msgspec.structs.fields(route.body)) or "none"
        raise Refused(400, f"the body is not understood: {error}; fields here: {known}") from error


def _request_id(route: Route, request: Request) -> str:
    if not route.needs_id:
        return ""
    given = request.headers.get(ID_HEADER, "")
    if not 0 < len(given) <= LONGEST_ID or not all("!" <= each <= "~" for each in given):
        words = (
            f"needs the header Idempotency-Key: 1 to {LONGEST_ID} letters or digits of your choice, new for each wish"
        )
        raise Refused(400, words)
    return given


def _json(status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    body = msgspec.json.encode(answer) + b"\n"
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def refusal(
    status: int, words: str, *, headers: dict[str, str] | None = None, more: dict[str, Any] | None = None
) -> Response:
    """Return the form that every refusal has."""
    problem = Problem(error=words, **(more or {}))
    answer = msgspec.to_builtins(problem)
    return _json(status, answer if problem.problems else {"error": words}, headers)


def reply_of(answer: Any, status: int) -> Reply:  # noqa: ANN401 - JSON
    """Return an answer with another status than 200."""
    return Reply(status=status, answer=answer)
