"""The OpenAPI document of the control API, made from the same table of routes that answers the requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec.json import schema_components

from daemon.shell.control.client import ID_HEADER
from daemon.shell.control.route import BODY_LIMIT_BYTES, LONGEST_ID, Route
from daemon.shell.control.shapes import Nothing, Problem
from daemon.version import VERSION

_REF: Final = "#/components/schemas/{name}"
_COMMON: Final = {
    400: "not understood",
    401: "a token is needed, or this one is none of ours",
    403: "not allowed",
    413: f"more than {BODY_LIMIT_BYTES} bytes",
    500: "it broke while answering",
}
_ABOUT: Final = (
    "The guard's local API. On its Unix socket the kernel says who calls; over TCP a bearer token does."
    " Each connection serves one request. Prices are text, times ISO 8601 in UTC, durations seconds."
)


def document(routes: Iterable[Route]) -> bytes:
    """Return the document as JSON."""
    table = tuple(routes)
    kinds = [kind for route in table for kind in _kinds(route)]
    _, components = schema_components([*kinds, Problem], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.verb.lower()] = _operation(route)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Seawall control API", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": "http://localhost"}],
        "security": [{}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
    return msgspec.json.encode(whole) + b"\n"


def _kinds(route: Route) -> Iterator[type]:
    if route.answer not in {bytes, str, dict}:
        yield route.answer
    if route.body is not None:
        yield route.body


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "description": f"Needs the right to {route.right.value}.",
        "parameters": list(_parameters(route)),
        "responses": _responses(route),
    }
    if route.body is not None:
        content = {"application/json": {"schema": _schema(route.body)}}
        operation["requestBody"] = {"required": route.body is not Nothing, "content": content}
    return operation


def _name(route: Route) -> str:
    words = re.sub(r"[^a-z]+", "_", route.path.removeprefix("/v1/").lower()).strip("_")
    return f"{route.verb.lower()}_{words}"


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    _, components = schema_components([route.query], ref_template=_REF)
    shape = components[route.query.__name__]
    for name, schema in shape.get("properties", {}).items():
        plain = {key: value for key, value in _not_null(schema).items() if key != "description"}
        yield {"name": name, "in": "query", "required": name in shape.get("required", []), "schema": plain}
    if route.needs_id:
        yield {
            "name": ID_HEADER,
            "in": "header",
            "required": True,
            "description": "new for each wish; the same one again is the same request, and is done once",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "pattern": "^[!-~]+$"},
        }


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What a query may hold: an absent one is left out, never null."""
    kinds = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "default"} or value is not None}
    rest.pop("anyOf", None)
    return {**rest, **kinds[0]} if kinds else schema


def _responses(route: Route) -> dict[str, Any]:
    answers = {"200": {"description": "done" if route.needs_id else "the answer", "content": _content(route)}}
    for status, words in sorted({**_COMMON, **route.refusals}.items()):
        kind = _schema(route.answer) if status == 503 and route.path == "/v1/health" else _schema(Problem)
        answers[str(status)] = {"description": words, "content": {"application/json": {"schema": kind}}}
    return answers


def _content(route: Route) -> dict[str, Any]:
    if route.answer is str:
        return {"text/event-stream": {"schema": {"type": "string"}}}
    if route.answer is bytes:
        return {"text/plain": {"schema": {"type": "string"}}}
    return {"application/json": {"schema": _schema(route.answer)}}


def _schema(kind: type) -> dict[str, Any]:
    return {"type": "object"} if kind is dict else {"$ref": _REF.format(name=kind.__name__)}
