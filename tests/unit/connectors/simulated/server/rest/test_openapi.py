"""The OpenAPI document, and that the exchange follows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.simulated.server.rest.openapi import PATHS, document
from connectors.simulated.server.settings import RowStyle
from tests.unit.connectors.simulated.server.rest.visitor import Visitor

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KINDS = {"string": str, "number": int | float, "boolean": bool, "array": list, "object": dict}
ENOUGH = {
    "Order.new": {"orderQty"},
    "Order.amend": {"orderID", "orderQty"},
    "Order.cancel": {"orderID"},
    "Order.cancelBulk": {"clOrdID"},
    "Position.updateCrossLeverage": {"leverage"},
}
"""What an operation needs besides what is required always: one of several."""
ONLY_FOR_PEOPLE = set(
    """APIKey.new APIKey.remove APIKey.enable APIKey.disable User.savePreferences User.communicationToken
    User.confirmEmail User.logout Chat.new Address.new""".split()  # noqa: SIM905 - a list of words
)
NOTHING_THERE = {"User.cancelPendingWithdrawal", "User.cancelWithdrawal", "User.confirmWithdrawal"}
NOBODY_THERE = {"User.walletTransfer"}
DOCUMENT: Any = document(has_bulk=True)
OPERATIONS = [
    (verb.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for verb, operation in operations.items()
]


def faults(value: Any, schema: dict[str, Any], where: str = "answer") -> Iterator[str]:
    """Yield where a value departs from a schema; a field that is not described is a fault, too."""
    if "$ref" in schema:
        schema = DOCUMENT["definitions"][schema["$ref"].rpartition("/")[2]]
    if value is None and schema.get("x-nullable"):
        return
    kind = schema["type"]
    if not isinstance(value, KINDS[kind]) or (kind == "number" and isinstance(value, bool)):
        yield f"{where} is {value!r}, not {kind}"
    elif kind == "array":
        for number, one in enumerate(value):
            yield from faults(one, schema["items"], f"{where}[{number}]")
    elif kind == "object":
        yield from faults_of_object(value, schema, where)
    else:
        yield from faults_of_form(value, schema.get("format"), where)


def faults_of_object(value: dict[str, Any], schema: dict[str, Any], where: str) -> Iterator[str]:
    """Yield missing and unknown fields, and the faults of the rest."""
    known = schema.get("properties")
    yield from (f"{where} lacks {name}" for name in schema.get("required", ()) if name not in value)
    for name, one in value.items():
        if "additionalProperties" in schema:
            yield from faults(one, schema["additionalProperties"], f"{where}.{name}")
        elif known:
            yield from faults(one, known[name], f"{where}.{name}") if name in known else [f"{where} has {name}"]


def faults_of_form(value: Any, form: str | None, where: str) -> Iterator[str]:
    """Yield a number or text of another form than described."""
    is_wrong = (
        (form in {"int32", "int64"} and not isinstance(value, int))
        or (form == "date-time" and not TIME.fullmatch(value))
        or (form == "guid" and not GUID.fullmatch(value))
    )
    if is_wrong:
        yield f"{where} is {value!r}, not {form}"


def sample(operation: str, parameter: dict[str, Any], order_id: str) -> Any:
    """Return a value for a parameter: one that makes sense where only that will do, else from its description."""
    sensible = {
        "symbol": "XBTUSD",
        "orderQty": 100,
        "price": 50_000,
        "orderID": order_id,
        "leverage": 5,
        "crossLeverage": 5,
        "timeout": 60_000,
        "amount": 1_000,
        "riskLimit": 20_000_000_000,
        "timestamp": "2026-07-01T00:00:00.000Z",
        "filter": '{"symbol":"XBTUSD"}' if "instrument" in operation.lower() else "{}",
        "columns": '["id"]' if operation.startswith("Announcement") else '["timestamp"]',
        "orders": '[{"symbol":"XBTUSD","orderQty":100,"price":50000},{"symbol":"XBTUSD","orderQty":-1}]',
        "clOrdID": "mine",
        "model": "order",
    }
    if parameter["name"] in sensible:
        return sensible[parameter["name"]]
    by_type = {"number": 1, "boolean": True, "string": "text", "JSON": "[]", "date-time": "2026-07-01T00:00:00.000Z"}
    made = by_type.get(parameter.get("format", ""), by_type[parameter["type"]])
    return parameter.get("enum", [parameter.get("default", made)])[0]


def expected_status(operation: str) -> int:
    """Return the status of an operation that is asked with all it needs."""
    by_group = ((ONLY_FOR_PEOPLE, 403), (NOTHING_THERE, 404), (NOBODY_THERE, 400))
    return next((status for group, status in by_group if operation in group), 200)


def prepared(**settings: Any) -> tuple[Visitor, str]:
    """Return an exchange with a position, an order in the book and one in the history, and the book's order."""
    visitor = Visitor(bulk_orders=True, **settings)
    visitor.ask("POST", "/order", {"symbol": "XBTUSD", "orderQty": 1_000})
    visitor.ask("POST", "/order", {"symbol": "XBTUSD", "side": "Sell", "stopPx": 50_000, "execInst": "Close"})
    visitor.ask("POST", "/position/leverage", {"symbol": "XBTUSD", "leverage": 3})
    _, order = visitor.ask("POST", "/order", {"symbol": "XBTUSD", "orderQty": 200, "price": 55_000, "clOrdID": "mine"})
    return visitor, order["orderID"]


@pytest.mark.parametrize("style", RowStyle)
@pytest.mark.parametrize(
    ("verb", "path", "operation"), OPERATIONS, ids=[operation["operationId"] for *_, operation in OPERATIONS]
)
def test_every_operation_answers_as_described(verb: str, path: str, operation: Any, style: RowStyle) -> None:
    """Driven by its own parameters, each answer has the declared shape, and each refusal that of an error."""
    visitor, order_id = prepared(rows=style)
    name = operation["operationId"]
    required = {
        one["name"]: sample(name, one, order_id)
        for one in operation["parameters"]
        if one["required"] or one["name"] in ENOUGH.get(name, ())
    }
    optional = {one["name"]: sample(name, one, order_id) for one in operation["parameters"]}
    key = visitor.key("withdrawing")
    for number, fields in enumerate([required, *({**required, field: optional[field]} for field in optional)]):
        status, answer = visitor.ask(verb, path if path != "/" else "", fields, key=key)
        response = operation["responses"][str(status)]
        assert not list(faults(answer, response["schema"])), fields
        assert number or status == expected_status(name), answer
        assert status < 500


@pytest.mark.parametrize(
    ("verb", "path", "operation"), OPERATIONS, ids=[operation["operationId"] for *_, operation in OPERATIONS]
)
def test_what_needs_a_key_says_so(verb: str, path: str, operation: Any) -> None:
    """Without a signature an operation answers unless it declares security, and then with 401."""
    is_public = operation.get("security") == []
    reply = Visitor(bulk_orders=True).send(verb, f"/api/v1{path if path != '/' else ''}")
    assert (reply.status != 401) is is_public


def test_the_document_is_served_where_clients_look_for_it() -> None:
    """One text under each address, complete, and without `/order/bulk` unless that is switched on."""
    bodies = {Visitor().send("GET", path).body for path in PATHS}
    assert len(bodies) == 1
    served = json.loads(bodies.pop())
    assert "/order/bulk" not in served["paths"]
    assert "/order/bulk" in json.loads(Visitor(bulk_orders=True).send("GET", PATHS[0]).body)["paths"]
    used = set(re.findall(r"#/definitions/(\w+)", json.dumps(served)))
    assert used == set(served["definitions"])


def test_operation_ids_are_unique_and_grouped() -> None:
    """Generated clients make `client.Order.Order_new` of tag and id."""
    names = [operation["operationId"] for *_, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(operation["tags"] == [operation["operationId"].partition(".")[0]] for *_, operation in OPERATIONS)
