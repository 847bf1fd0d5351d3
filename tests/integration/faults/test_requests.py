"""Every fault of requests and keys over real HTTP: it bites, and clearing it heals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from connectors.simulated.engine.faults.catalogue import CATALOGUE
from connectors.simulated.engine.faults.kinds import Place
from connectors.simulated.engine.inputs import ClearFault, SetFault
from connectors.simulated.server.embedded import EmbeddedExchange
from tests.integration.exchange_client import Rest, running

LIMIT = {"symbol": "XBTUSD", "side": "Buy", "orderQty": 100, "price": 50_000}
STOP = {"symbol": "XBTUSD", "side": "Sell", "stopPx": 50_000, "ordType": "Stop", "execInst": "Close"}
OVERLOADED = "The system is currently overloaded. Please try again later."


@pytest.fixture
async def venue() -> AsyncIterator[tuple[EmbeddedExchange, Rest]]:
    """A running exchange and a client of it that gives up soon."""
    async with running() as exchange, Rest(exchange) as rest:
        rest._client.timeout = httpx.Timeout(0.25)
        yield exchange, rest


def put(exchange: EmbeddedExchange, name: str, **fields: Any) -> None:
    """Set a fault; what is no field of it is a parameter."""
    scope = {key: fields.pop(key) for key in tuple(fields) if key in SetFault.__struct_fields__}
    exchange.venue.submit(SetFault(name=name, parameters=fields, **scope))


def heal(exchange: EmbeddedExchange) -> None:
    """Clear all faults."""
    exchange.venue.submit(ClearFault())


def open_orders(exchange: EmbeddedExchange) -> int:
    """Orders the engine holds, whatever anybody was told."""
    return len(exchange.venue.exchange.order_rows(exchange.account))


async def outcome(rest: Rest, verb: str = "POST", path: str = "/order", **fields: Any) -> str:
    """What the client notices: status and message, or the error's name."""
    try:
        answer = await rest.send(verb, path, fields or (LIMIT if verb == "POST" else None))
    except httpx.HTTPError as error:
        return type(error).__name__
    try:
        body = answer.json()
    except ValueError:
        return f"{answer.status_code} {answer.headers['content-type'].split(';')[0]} {len(answer.content) > 0}"
    error = body.get("error", {}) if isinstance(body, dict) else {}
    return f"{answer.status_code} {error.get('message', '')}".strip()


BITES: list[tuple[str, dict[str, Any], str, int]] = [
    ("request-lost", {}, "RemoteProtocolError", 0),
    ("request-lost", {"ending": "reset"}, "ReadError", 0),
    ("request-lost", {"ending": "hang"}, "ReadTimeout", 0),
    ("reply-lost", {}, "RemoteProtocolError", 1),
    ("reply-lost", {"ending": "hang"}, "ReadTimeout", 1),
    ("reply-lost", {"ending": "reset"}, "ReadError", 1),
    ("reply-lost", {"ending": "torn"}, "RemoteProtocolError", 1),
    ("request-late", {"ms": 400}, "ReadTimeout", 0),
    ("reply-late", {"ms": 400}, "ReadTimeout", 1),
    ("request-twice", {}, "200", 2),
    ("reply-garbled", {}, "200 text/html True", 1),
    ("reply-garbled", {"form": "empty"}, "200 application/json False", 1),
    ("overload", {}, f"503 {OVERLOADED}", 0),
    ("gateway-error", {}, "502 text/html True", 0),
    ("gateway-error", {"status": 504, "executed": True}, "504 text/html True", 1),
    ("gateway-error", {"status": 503, "form": "json"}, "503 Service unavailable", 0),
    ("rate-limited", {"retry_after": 7}, "429 Rate limit exceeded, retry in 7 seconds.", 0),
    ("banned", {}, "403 text/html True", 0),
    ("maintenance", {"message": "Back soon"}, "503 Back soon", 0),
    ("pending-new", {}, "200", 1),
    ("key-disabled", {}, "401 This key is disabled.", 0),
    ("key-rights-changed", {}, "403 Access Denied", 0),
    ("address-refused", {}, "403 This IP address is not allowed to use this key.", 0),
    ("signature-refused", {}, "401 Signature not valid.", 0),
]


@pytest.mark.parametrize(("name", "fields", "seen", "orders"), BITES)
async def test_a_fault_bites_and_clearing_it_heals(
    venue: tuple[EmbeddedExchange, Rest], name: str, fields: dict[str, Any], seen: str, orders: int
) -> None:
    """The client sees the fault, the engine holds what took effect, and the next order is as usual."""
    exchange, rest = venue
    put(exchange, name, **fields)
    assert await outcome(rest) == seen
    assert open_orders(exchange) == orders
    heal(exchange)
    assert await outcome(rest) == "200"
    assert open_orders(exchange) == orders + 1


ELSEWHERE = {"reply-twice", "reads-stale", "positions-missing", "clock-skewed", "handshake-refused"}


def test_every_fault_of_requests_has_its_test() -> None:
    """A new row of the catalogue needs a row here, or a test of its own below."""
    named = {name for name, *_ in BITES} | ELSEWHERE
    assert named == {one.name for one in CATALOGUE.values() if one.place in {Place.REST, Place.KEYS}}


async def test_overload_lets_risk_be_reduced(venue: tuple[EmbeddedExchange, Rest]) -> None:
    """Cancels, reads and a Close without quantity pass; a Close with one is shed."""
    exchange, rest = venue
    await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=1_000)
    put(exchange, "overload")
    assert await outcome(rest, **STOP) == "200"
    assert await outcome(rest, **STOP, orderQty=1_000) == f"503 {OVERLOADED}"
    assert await outcome(rest, "GET", "/position") == "200"
    assert await outcome(rest, "DELETE", "/order/all") == "200"


async def test_an_answer_comes_twice_and_the_connection_is_of_no_more_use(
    venue: tuple[EmbeddedExchange, Rest],
) -> None:
    """The order stands once; whoever reads on finds an answer it never asked for."""
    exchange, rest = venue
    put(exchange, "reply-twice", count=1)
    assert await outcome(rest) == "200"
    assert open_orders(exchange) == 1


async def test_pending_orders_say_so(venue: tuple[EmbeddedExchange, Rest]) -> None:
    """The answer is PendingNew, the order is New."""
    exchange, rest = venue
    put(exchange, "pending-new")
    assert (await rest.ask("POST", "/order", **LIMIT))["ordStatus"] == "PendingNew"
    assert (await rest.ask("GET", "/order"))[0]["ordStatus"] == "New"


async def test_reads_stay_as_they_were(venue: tuple[EmbeddedExchange, Rest]) -> None:
    """The order is there, the list still says nothing; each question has its own memory."""
    exchange, rest = venue
    put(exchange, "reads-stale", path="/order")
    assert await rest.ask("GET", "/order") == []
    await rest.ask("POST", "/order", **LIMIT)
    assert await rest.ask("GET", "/order") == []
    heal(exchange)
    assert len(await rest.ask("GET", "/order")) == 1


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("positions-missing", {}, None),
        ("liquidation-price", {}, {"liquidationPrice": None}),
        ("liquidation-price", {"value": "100000000", "where": "rest"}, {"liquidationPrice": 100_000_000}),
        ("sources-disagree", {"quantity": -5}, {"currentQty": -5, "isOpen": True}),
        ("mark-stale", {"symbol": "xbtusd"}, {"markPrice": 60_000}),
        ("liquidation-price", {"symbol": "ETHUSD"}, "as it is"),
        ("liquidation-price", {"where": "stream"}, "as it is"),
    ],
)
async def test_positions_are_not_what_they_are(
    venue: tuple[EmbeddedExchange, Rest], name: str, fields: dict[str, Any], expected: Any
) -> None:
    """Rows of positions are missing or say something else, until it is over."""
    exchange, rest = venue
    await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=1_000)
    [honest] = await rest.ask("GET", "/position")
    put(exchange, name, **fields)
    rows = await rest.ask("GET", "/position")
    wanted = [] if expected is None else [honest if expected == "as it is" else {**honest, **expected}]
    assert rows == wanted
    heal(exchange)
    assert await rest.ask("GET", "/position") == [honest]


async def test_a_clock_ahead_lets_signatures_expire(venue: tuple[EmbeddedExchange, Rest]) -> None:
    """A signature good for five seconds is old on a clock that is sixty ahead."""
    exchange, rest = venue
    put(exchange, "clock-skewed", seconds=60)
    assert (await outcome(rest)).startswith("401 This request has expired")
    put(exchange, "clock-skewed", seconds=-60)
    assert await outcome(rest) == "200"


async def test_a_key_keeps_the_right_to_cancel(venue: tuple[EmbeddedExchange, Rest]) -> None:
    """With `cancel` left, orders are refused and cancels go on."""
    exchange, rest = venue
    put(exchange, "key-rights-changed", rights="cancel")
    assert await outcome(rest) == "403 Access Denied"
    assert await outcome(rest, "DELETE", "/order/all") == "200"


async def test_a_fault_meets_only_whom_it_names(venue: tuple[EmbeddedExchange, Rest]) -> None:
    """Another account, another verb and another operation go on."""
    exchange, rest = venue
    other = exchange.venue.accounts[1]
    put(exchange, "gateway-error", account=exchange.account, operation="Order.*", verb="POST")
    assert await outcome(rest) == "502 text/html True"
    assert await outcome(rest, "GET", "/order") == "200"
    async with Rest(exchange, exchange.key(other)) as second:
        assert await outcome(second) == "200"


async def test_a_limited_fault_is_counted(venue: tuple[EmbeddedExchange, Rest]) -> None:
    """Twice, then never again; the engine knows of both."""
    exchange, rest = venue
    put(exchange, "overload", count=2)
    assert [await outcome(rest) for _ in range(3)] == [f"503 {OVERLOADED}"] * 2 + ["200"]
    [one] = exchange.venue.exchange.faults().active.values()
    assert one.hits == 2
