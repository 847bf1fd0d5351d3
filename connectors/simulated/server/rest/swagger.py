"""The machine-readable description of the REST endpoints, made from the table of routes.

Why: generated clients (bravado and its like) read `/api/explorer/swagger.json` before anything
else and know an endpoint only from there. Source: form of www.bitmex.com/api/explorer/swagger.json.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.simulated.server.auth import Access
from connectors.simulated.server.rest.call import Answer, Call
from connectors.simulated.server.rest.routes import BASE_PATH, ROUTES, Route

PATH = "/api/explorer/swagger.json"
_KINDS = (
    ("price stopPx pegOffsetValue leverage crossLeverage timeout", "number", "double"),
    ("orderQty displayQty leavesQty count start depth", "integer", "int32"),
    ("amount riskLimit", "integer", "int64"),
    ("reverse enabled partial", "boolean", "boolean"),
    ("startTime endTime", "string", "date-time"),
    ("filter columns", "string", "JSON"),
)
_TYPES = {name: {"type": kind, "format": form} for names, kind, form in _KINDS for name in names.split()}
_LISTS_IN_CANCELS = frozenset({"orderID", "clOrdID"})
_HEADERS = (("apiKey", "api-key"), ("apiExpires", "api-expires"), ("apiSignature", "api-signature"))


def get_document(_call: Call) -> Answer:
    """`GET /api/explorer/swagger.json`."""
    return document()


ROUTE = Route(operation="Explorer.swagger", handler=get_document, access=Access.PUBLIC, fields=())


def document() -> dict[str, object]:
    """Return the Swagger 2.0 document."""
    paths: dict[str, dict[str, object]] = {}
    for (verb, path), route in ROUTES.items():
        inside = path.removeprefix(BASE_PATH) or "/"
        paths.setdefault(inside, {})[verb.lower()] = _operation(verb, route)
    return {
        "swagger": "2.0",
        "info": {"title": "BitMEX API, as served by the embedded exchange", "version": "1.2.0"},
        "basePath": BASE_PATH,
        "consumes": ["application/json", "application/x-www-form-urlencoded"],
        "produces": ["application/json"],
        "securityDefinitions": {name: {"type": "apiKey", "in": "header", "name": header} for name, header in _HEADERS},
        "paths": paths,
        "definitions": {},
    }


def _operation(verb: str, route: Route) -> dict[str, object]:
    group, _, _ = route.operation.partition(".")
    return {
        "tags": [group],
        "operationId": route.operation,
        "summary": (route.handler.__doc__ or "").splitlines()[0],
        "security": [] if route.access is Access.PUBLIC else [{name: [] for name, _ in _HEADERS}],
        "parameters": list(_parameters(verb, route.fields)),
        "responses": {"200": {"description": "Request was successful", "schema": {}}},
    }


def _parameters(verb: str, fields: Iterable[str]) -> Iterable[dict[str, object]]:
    place = "query" if verb == "GET" else "formData"
    for field in fields:
        name = field.rstrip("!")
        kind = {"type": "string", "format": "JSON"} if verb == "DELETE" and name in _LISTS_IN_CANCELS else None
        yield {
            "name": name,
            "in": place,
            "required": field.endswith("!"),
            **(kind or _TYPES.get(name, {"type": "string"})),
        }
