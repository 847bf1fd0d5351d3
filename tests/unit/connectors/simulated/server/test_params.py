"""Fields of a request in the forms that clients send them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.params import Params, parse_params
from connectors.simulated.server.tables import ORDER, TRADE


def params(query: bytes = b"", body: bytes = b"", content_type: str = "application/json") -> Params:
    """Return the fields of a request."""
    return parse_params(query=query, body=body, content_type=content_type)


@pytest.mark.parametrize(
    ("query", "body", "content_type"),
    [
        (b"symbol=XBTUSD&orderQty=100", b"", ""),
        (b"", b'{"symbol":"XBTUSD","orderQty":100}', "application/json"),
        (b"", b"symbol=XBTUSD&orderQty=100", "application/x-www-form-urlencoded"),
        (b"symbol=ETHUSD&orderQty=100", b'{"symbol":"XBTUSD"}', "application/json"),
        (b"", b'{"symbol":"XBTUSD","orderQty":100.0}', ""),
    ],
)
def test_query_json_and_form_say_the_same(query: bytes, body: bytes, content_type: str) -> None:
    """Fields may come in any of three ways; the body wins over the query."""
    one = params(query, body, content_type)
    assert one.required_text("symbol") == "XBTUSD"
    assert one.whole("orderQty") == 100


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b'{"orderID":"a"}', ("a",)),
        (b'{"orderID":"a,b"}', ("a", "b")),
        (b'{"orderID":["a","b"]}', ("a", "b")),
        (b'{"orderID":"[\\"a\\",\\"b\\"]"}', ("a", "b")),
        (b"{}", ()),
        (b'{"orderID":null}', ()),
    ],
)
def test_lists_of_ids(raw: bytes, names: tuple[str, ...]) -> None:
    """One id, a comma list, a list, a list as JSON text."""
    assert params(body=raw).names("orderID") == names


@pytest.mark.parametrize(
    "form",
    [b"orderID=a,b", b"orderID[]=a&orderID[]=b", b"orderID[0]=a&orderID[1]=b", b"orderID%5B%5D=a&orderID%5B%5D=b"],
)
def test_lists_of_ids_in_forms(form: bytes) -> None:
    """Clients write lists with brackets, numbered or not, escaped or not."""
    assert params(form).names("orderID") == ("a", "b")
    assert params(body=form, content_type="application/x-www-form-urlencoded").names("orderID") == ("a", "b")


def test_a_filter_may_be_spread_over_a_query() -> None:
    """`filter[open]=true` is the object `{"open": "true"}`; contradictions of form lose the later part."""
    assert params(b"filter[open]=true&filter[ordStatus.isTerminated]=false").conditions(ORDER) == {
        "open": "true",
        "ordStatus.isTerminated": "false",
    }
    assert params(b"orderID=a&orderID[]=b&orderID[c]=d").names("orderID") == ("a",)


@pytest.mark.parametrize(("text", "truth"), [(b"true", True), (b"True", True), (b"1", True), (b"False", False)])
def test_truth_values(text: bytes, truth: bool) -> None:
    """`True` as well as `true`."""
    assert params(b"enabled=" + text).flag("enabled", default=not truth) is truth


@pytest.mark.parametrize("body", [b"{", b"[1]", b"7", b'"text"', b"[" * 50_000, b"\xff"])
def test_malformed_bodies_are_refused(body: bytes) -> None:
    """A body that is no JSON object is a 400, whatever it is."""
    with pytest.raises(Refused) as refusal:
        params(body=body)
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda one: one.decimal("price"), "Invalid price"),
        (lambda one: one.whole("orderQty"), "Invalid orderQty"),
        (lambda one: one.names("orderID"), "Invalid orderID"),
        (lambda one: one.text("symbol"), "Invalid symbol"),
        (lambda one: one.flag("enabled", default=True), "Invalid enabled"),
        (lambda one: one.required_text("missing"), "'missing' is a required arg."),
        (lambda one: one.whole("huge"), "Invalid huge"),
    ],
)
def test_values_of_another_kind_are_refused(read: Callable[[Params], object], text: str) -> None:
    """Each reader names the field it could not read."""
    fields = {
        "price": "cheap",
        "orderQty": Decimal("1.5"),
        "orderID": [["a"]],
        "symbol": {},
        "enabled": "maybe",
        "huge": Decimal("1e400"),
    }
    with pytest.raises(Refused, match=text):
        read(Params(fields))


def test_common_query() -> None:
    """Count, start, reverse, times and columns together."""
    one = params(b"count=5&start=2&reverse=true&startTime=2026-07-01&columns=price,side&filter=%7B%22open%22%3Atrue%7D")
    selection = one.selection(ORDER)
    assert (selection.count, selection.start, selection.is_reverse) == (5, 2, True)
    assert selection.start_time == "2026-07-01T00:00:00.000Z"
    assert list(selection.columns) == ["price", "side"]
    assert selection.conditions == {"open": True}


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (b"count=501", "start/count is invalid"),
        (b"count=-1", "start/count is invalid"),
        (b"start=-1", "start/count is invalid"),
        (b"filter=%7B", "filter values are not valid"),
        (b"filter=%5B%5D", "filter values are not valid"),
        (b"filter=%7B%22colour%22%3A1%7D", "filter columns are not valid"),
        (b"columns=colour", "columns are not valid"),
        (b"endTime=tomorrow", "startTime/endTime is invalid"),
        (b"startTime=9999999999999999999", "startTime/endTime is invalid"),
    ],
)
def test_bad_common_query(query: bytes, text: str) -> None:
    """Each part of the query is refused with the venue's text."""
    with pytest.raises(Refused, match=text):
        params(query).selection(ORDER)


def test_market_tables_give_more_rows() -> None:
    """Trades come up to a thousand at a time."""
    assert params(b"count=1000").selection(TRADE).count == 1_000
