"""The routes of the page. It only reads, and says nothing to anybody who came by another name than a loopback one.

    GET /             the page; GET /page.css, /page.js beside it
    GET /picture      the guard's newest picture
    GET /next         the same, a second later

Why no stream: a browser opens six connections to one server, and a stream keeps one for as long as its tab is open. The
seventh tab would stay white. A request that is held back for a second lets any number of tabs take turns.

Why the host is looked at: a page of somebody else's, open in the same browser, may point its own name at 127.0.0.1 and
read from here as if it were ours. The name it came by gives it away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from daemon.web.follow import EVERY_S, Follower

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


def application(follower: Follower) -> Starlette:
    """Return the page's application, which asks `follower` for what the guard says."""
    routes = [Route(path, _own(_file(name, media)), methods=["GET"]) for path, (name, media) in _FILES.items()]
    routes.append(Route("/picture", _own(_picture(follower, after_s=0)), methods=["GET"]))
    routes.append(Route("/next", _own(_picture(follower, after_s=EVERY_S)), methods=["GET"]))
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


def _picture(follower: Follower, *, after_s: float) -> Answer:
    async def answer(_request: Request) -> Response:
        await asyncio.sleep(after_s)
        return Response(msgspec.json.encode(await follower.picture()), media_type="application/json")

    return answer
