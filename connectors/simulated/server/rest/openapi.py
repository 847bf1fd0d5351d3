"""The machine-readable description of the REST endpoints, made from the table of routes.

Why: generated clients (bravado and its like) read `/api/explorer/swagger.json` before anything
else and know an endpoint only from there. Source: form of www.bitmex.com/api/explorer/swagger.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from connectors.simulated.server.auth import Access
from connectors.simulated.server.rest.call import Answer, Call
from connectors.simulated.server.rest.models import definitions, schema_of
from connectors.simulated.server.rest.parameters import described
from connectors.simulated.server.rest.routes import BASE_PATH, ROUTES, Route

PATHS = ("/api/explorer/swagger.json", "/api/v1/swagger.json", "/swagger.json")
_HEADERS = (("apiKey", "api-key"), ("apiExpires", "api-expires"), ("apiSignature", "api-signature"))
_ERRORS = {"400": "Parameter Error", "401": "Unauthorized", "403": "Access Denied", "404": "Not Found"}
_ERRORS.update({"429": "Rate limit exceeded", "503": "Overloaded"})
_SAFE = frozenset({"GET"})


def get_document(call: Call) -> Answer:
    """`GET /api/explorer/swagger.json`."""
    return document(has_bulk=call.venue.settings.bulk_orders)


ROUTE = Route(operation="Explorer.swagger", handler=get_document, access=Access.PUBLIC, fields=(), answer="Row")


@cache
def document(*, has_bulk: bool = False) -> Mapping[str, object]:
    """Return the Swagger 2.0 document.

    Args:
        has_bulk: Whether `/order/bulk` exists.
    """
    paths: dict[str, dict[str, object]] = {}
    for (verb, path), route in ROUTES.items():
        if has_bulk or not route.is_bulk:
            paths.setdefault(path.removeprefix(BASE_PATH) or "/", {})[verb.lower()] = _operation(verb, route)
    return {
        "swagger": "2.0",
        "info": {
            "title": "BitMEX API",
            "description": "REST API of BitMEX, as served by the embedded exchange.",
            "version": "1.2.0",
        },
        "basePath": BASE_PATH,
        "consumes": ["application/json", "application/x-www-form-urlencoded"],
        "produces": ["application/json", "application/xml", "text/csv"],
        "securityDefinitions": {name: {"type": "apiKey", "in": "header", "name": header} for name, header in _HEADERS},
        "security": [{name: [] for name, _ in _HEADERS}],
        "paths": paths,
        "definitions": definitions(),
    }


def _operation(verb: str, route: Route) -> dict[str, object]:
    group, _, _ = route.operation.partition(".")
    error = {"$ref": "#/definitions/Error"}
    done = {"description": "Request was successful", "schema": schema_of(route.answer)}
    public: dict[str, object] = {"security": []} if route.access is Access.PUBLIC else {}
    return {
        "tags": [group],
        "summary": (route.handler.__doc__ or "").splitlines()[0],
        "operationId": route.operation,
        "parameters": list(_parameters(verb, route)),
        "responses": {"200": done} | {code: {"description": text, "schema": error} for code, text in _ERRORS.items()},
        "deprecated": route.is_deprecated,
        **public,
    }


def _parameters(verb: str, route: Route) -> Iterable[dict[str, object]]:
    place = "query" if verb in _SAFE else "formData"
    for field in route.fields:
        name = field.rstrip("!")
        yield {"name": name, "in": place, "required": field.endswith("!"), **described(route.operation, name)}
