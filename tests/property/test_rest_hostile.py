"""Whatever arrives at the door: an answer in the venue's form, no 500, no hang, and nobody's money moved."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated.server.rest.routes import ROUTES
from tests.unit.connectors.simulated.server.rest.visitor import Visitor

ENDPOINTS = sorted(ROUTES)
FIELDS = sorted({field.rstrip("!") for route in ROUTES.values() for field in route.fields} | {"_format", "depth"})
HOSTILE = [
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "1e999999999999", "0x10", "1_000", "٣", "1e18", "-0",
    "9" * 400, "2147483648", "-9223372036854775809", "0.1", "\x00", "\ud800", "'; --", "{}", "[]", "[[]]", "{", '["a"',
    '{"open":true}', '{"open":"maybe"}', '{"symbol":["XBTUSD",null]}', '{"timestamp.date":"2026-07-01"}', "null",
    '{"orderID":{}}', '{"startTime":"never"}', '{"price":1e999}', "true", "XBTUSD", "xbt", "XBT:", ":", ".BXBT",
    "2026-13-45T99:99:99Z", "0001-01-01", "-1", "99999999999999999999999", "Sell", "Close", "ReduceOnly,Close", "Stop",
    "MarkPrice,LastPrice", "Limit", "Pegged", "TrailingStopPeg", "GoodTillCancel", "XBt", "all", "csv", "xml", "50000",
]  # fmt: skip

texts = st.sampled_from(HOSTILE) | st.text(max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
named = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=10), values, max_size=8)
sensible = st.fixed_dictionaries(
    {"symbol": st.sampled_from(["XBTUSD", "ETHUSD", ".BXBT", "xbt"])},
    optional={
        "side": st.sampled_from(["Buy", "Sell"]),
        "orderQty": st.integers(-1_000, 1_000) | scalars,
        "price": st.sampled_from([50_000, 60_000, 70_000]) | scalars,
        "stopPx": st.sampled_from([50_000, 70_000]) | scalars,
        "leverage": st.sampled_from([0, 1, 100, 1e9]) | scalars,
        "amount": st.integers(-(10**9), 10**9) | scalars,
        "riskLimit": st.integers() | scalars,
    },
)
content_types = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded",
        "text/xml",
        "",
        "\x00",
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bytes, str, str]:
    """Draw verb, target, body, content type and key: fields in query, JSON or form, or bytes without sense."""
    verb, path = draw(
        st.sampled_from(ENDPOINTS) | st.tuples(st.sampled_from(["GET", "PUT", "TRACE"]), texts.map(quote_path))
    )
    fields: dict[str, Any] = draw(named) | draw(sensible | st.just({}))
    content_type, key = (
        draw(content_types),
        draw(st.sampled_from(["trading", "trading", "read-only", "cancel-only", ""])),
    )
    form = urlencode(
        {name: one if isinstance(one, str) else json.dumps(one) for name, one in fields.items()}, errors="replace"
    )
    where = draw(st.sampled_from(["query", "json", "form", "bytes"]))
    if where == "query":
        return verb, f"{path}?{form}", b"", content_type, key
    if where == "form":
        return verb, path, form.encode(), "application/x-www-form-urlencoded", key
    if where == "json":
        return verb, path, json.dumps(fields).encode(), content_type, key
    return verb, f"{path}?{quote(draw(texts), errors='replace')}", draw(st.binary(max_size=60)), content_type, key


def quote_path(text: str) -> str:
    """Return a path below the API's."""
    return "/api/v1/" + quote(text, errors="replace")


def deposits(visitor: Visitor) -> list[object]:
    """Return what came in and went out of each wallet, and the account that does nothing at all."""
    exchange = visitor.venue.exchange
    first, second = visitor.venue.accounts
    moved = [(row["deposited"], row["withdrawn"]) for row in exchange.wallet_rows(first)]
    return [moved, exchange.wallet_rows(second), exchange.order_rows(second), exchange.position_rows(second)]


@given(st.lists(requests(), min_size=1, max_size=8))
def test_any_request_gets_an_answer_and_moves_no_money(asked: list[tuple[str, str, bytes, str, str]]) -> None:
    """The whole table of routes under fields of every kind: status below 500, JSON, and all sums kept."""
    visitor = Visitor()
    before = deposits(visitor)
    for verb, target, body, content_type, key in asked:
        reply = visitor.send(verb, target, body, key=visitor.key(key) if key else None, content_type=content_type)
        assert reply.status < 500, (verb, target, body)
        if reply.content_type.startswith("application/json"):
            answer = json.loads(reply.body)
            assert reply.status == 200 or set(answer["error"]) >= {"message", "name"}
    assert visitor.venue.exchange.money_is_conserved()
    assert deposits(visitor) == before


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "NaN", "Infinity", "1e999999999999", "9" * 5_000, "0." + "1" * 5_000]
)
@pytest.mark.parametrize("field", ["orderQty", "price", "stopPx", "displayQty"])
def test_numbers_beyond_measure_are_refused(field: str, number: str) -> None:
    """As JSON and as a form: 400, nothing placed, and no time lost on digits."""
    visitor = Visitor()
    rest = {"orderQty": 100, "price": 50_000, "stopPx": 70_000, "displayQty": 0}
    del rest[field]
    raw = f'{{"symbol":"XBTUSD",{json.dumps(rest)[1:-1]},"{field}":{number}}}'.encode()
    form = urlencode({"symbol": "XBTUSD", **rest, field: number}).encode()
    for body, kind in ((raw, "application/json"), (form, "application/x-www-form-urlencoded")):
        assert visitor.send("POST", "/api/v1/order", body, key=visitor.key(), content_type=kind).status == 400
    assert visitor.venue.exchange.order_rows(visitor.venue.accounts[0]) == []


def test_deep_wide_and_many() -> None:
    """A body nested fifty thousand deep, ten thousand ids, a filter of ten thousand values, and a thousand columns."""
    visitor = Visitor()
    key = visitor.key()
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    assert visitor.send("POST", "/api/v1/order", deep, key=key).status == 400
    ids = [f"id{number}" for number in range(10_000)]
    assert visitor.send("DELETE", "/api/v1/order", json.dumps({"clOrdID": ids}).encode(), key=key).status in {200, 400}
    wide = json.dumps({"filter": {"clOrdID": ids}}).encode()
    assert json.loads(visitor.send("GET", "/api/v1/order", wide, key=key).body) == []
    columns = json.dumps({"columns": ["price"] * 1_000}).encode()
    assert visitor.send("GET", "/api/v1/order", columns, key=key).status == 200
    many = "&".join(f"f{number}=1" for number in range(10_000))
    assert visitor.send("GET", f"/api/v1/stats?{many}").status in {200, 400}


@pytest.mark.parametrize("count", [-1, 501, 10**30, "a", 0.5, "1e400"])
def test_counts_out_of_range(count: object) -> None:
    """Negative, above the limit, fractions and words: 400, on any table."""
    visitor = Visitor()
    for path in ("/order", "/position", "/execution", "/instrument"):
        assert visitor.ask("GET", path, {"count": count})[0] == 400
        assert visitor.ask("GET", path, {"start": -1})[0] == 400
