"""The OpenAPI document: made from the routes, whole, and its schemas are those of the types that read requests."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from daemon.shell.control.application import ROUTES
from daemon.shell.control.openapi import document
from tests.asgi import asked

DOCUMENT: dict[str, Any] = msgspec.json.decode(document(ROUTES))


async def test_it_is_served_and_lists_every_route() -> None:
    """Nothing is served that it does not describe, and the other way round."""
    status, answer = await asked("GET", "/v1/openapi.json")
    assert (status, msgspec.json.decode(answer)) == (200, DOCUMENT)
    described = {(verb.upper(), path) for path, verbs in DOCUMENT["paths"].items() for verb in verbs}
    assert described == {(route.verb, route.path) for route in ROUTES}
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere() -> None:
    """No schema is named that is not there, and names of operations are unique."""
    text = document(ROUTES).decode()
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert named <= set(DOCUMENT["components"]["schemas"])
    operations = [verb["operationId"] for verbs in DOCUMENT["paths"].values() for verb in verbs.values()]
    assert len(set(operations)) == len(operations)


def test_every_change_needs_an_id_and_says_what_may_come() -> None:
    """The header is required; refusals have one form."""
    for route in ROUTES:
        operation = DOCUMENT["paths"][route.path][route.verb.lower()]
        headers = [each for each in operation["parameters"] if each["in"] == "header"]
        assert [each["required"] for each in headers] == ([True] if route.needs_id else [])
        assert {"200", "400", "401", "403", "413", "500"} <= set(operation["responses"])


async def test_bounds_of_the_document_are_those_that_hold() -> None:
    """The longest pause that it allows is taken, one second more is not."""
    longest = DOCUMENT["components"]["schemas"]["PauseBody"]["properties"]["seconds"]["maximum"]
    headers = [(b"idempotency-key", b"r-1")]
    statuses = [
        (await asked("POST", "/v1/pause", headers=headers, body=msgspec.json.encode({"seconds": seconds})))[0]
        for seconds in (longest, longest + 1)
    ]
    assert statuses == [404, 400]
