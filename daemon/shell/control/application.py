"""The routes of the control API as one application, for the server and for tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Served

from config.control import Right
from daemon.shell.control.actions import ACTIONS
from daemon.shell.control.counter import Asked, Counter, Reply
from daemon.shell.control.openapi import document
from daemon.shell.control.reads import READS
from daemon.shell.control.route import Route, Routes, refusal

log = structlog.get_logger("control")


async def _openapi(_counter: Counter, _asked: Asked) -> Reply:
    return Reply(content=document(ROUTES))


ROUTES: Final = (
    *READS,
    *ACTIONS,
    Route(
        verb="GET",
        path="/v1/openapi.json",
        right=Right.READ,
        summary="This document",
        act=_openapi,
        answer=dict,
    ),
)


def application(counter: Counter) -> Starlette:
    """Return every route of one guard."""
    routes = Routes(counter)
    served = [Served(each.path, _endpoint(routes, each), methods=[each.verb]) for each in ROUTES]
    made = Starlette(routes=served, exception_handlers={HTTPException: _in_words, Exception: _failed})
    made.router.redirect_slashes = False
    return made


def _endpoint(routes: Routes, route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await routes.answer(route, request)

    return answer


async def _in_words(_request: Request, error: Exception) -> Response:
    """Answer what no route takes: an unknown path, or a wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    headers = None if error.headers is None else dict(error.headers)
    return refusal(error.status_code, f"{error.detail}; GET /v1/openapi.json lists what there is", headers=headers)


async def _failed(request: Request, error: Exception) -> Response:
    """Say what broke while answering; the guard itself goes on, or ends by its own invariants."""
    log.error("a question to the control API broke", path=request.url.path, why=f"{type(error).__name__}: {error}")
    return refusal(500, "the guard could not answer; take it for halted")
