"""The routes of the page. It only reads, and says nothing to anybody who came by another name than a loopback one.

    GET /             the page; GET /page.css, /page.js beside it
    GET /picture      the guard's newest picture, once
    GET /pictures     the same as server-sent events, one a second

Why the host is looked at: a page of somebody else's, open in the same browser, may point its own name at 127.0.0.1 and
read from here as if it were ours. The name it came by gives it away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from daemon.web.follow import EVERY_S, Follower

MOST_VIEWERS: Final = 32
"""Streams at a time; each is a task and a connection of this process, none of the guard's."""
_OWN_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_FILES: Final = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}

Answer = Callable[[Request], Awaitable[Response]]


def application(follower: Follower, *, is_ending: Callable[[], bool]) -> Starlette:
    """Return the page's application.

    Args:
        follower: Knows the guard.
        is_ending: The server was told to stop; streams end by themselves then, within `EVERY_S`.
    """
    viewers = _Viewers(follower, is_ending)
    routes = [Route(path, _own(_file(name, media)), methods=["GET"]) for path, (name, media) in _FILES.items()]
    routes.append(Route("/picture", _own(viewers.once), methods=["GET"]))
    routes.append(Route("/pictures", _own(viewers.stream), methods=["GET"]))
    return Starlette(routes=routes)


def _own(answer: Answer) -> Answer:
    """Answer only who came by a name of this machine, and say to the browser what it must not do."""

    async def guarded(request: Request) -> Response:
        if (request.url.hostname or "") not in _OWN_NAMES:
            return PlainTextResponse("this page answers to 127.0.0.1 and localhost only\n", 421, headers=_HEADERS)
        response = await answer(request)
        response.headers.update(_HEADERS)
        return response

    return guarded


def _file(name: str, media: str) -> Answer:
    body = files("daemon.web").joinpath(name).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(body, headers={"content-type": media})

    return answer


class _Viewers:
    """Those who look at the moment."""

    def __init__(self, follower: Follower, is_ending: Callable[[], bool]) -> None:
        self._follower = follower
        self._is_ending = is_ending
        self._open = 0

    async def once(self, _request: Request) -> Response:
        picture = await self._follower.picture()
        return Response(msgspec.json.encode(picture), media_type="application/json")

    async def stream(self, _request: Request) -> Response:
        if self._open >= MOST_VIEWERS:
            return PlainTextResponse(f"{MOST_VIEWERS} pages are open already: close one\n", 503)
        return StreamingResponse(self._pictures(), media_type="text/event-stream")

    async def _pictures(self) -> AsyncIterator[bytes]:
        self._open += 1
        try:
            while not self._is_ending():  # a browser that goes away ends it too: the server closes this generator
                yield b"data: " + msgspec.json.encode(await self._follower.picture()) + b"\n\n"
                await asyncio.sleep(EVERY_S)
        finally:
            self._open -= 1
