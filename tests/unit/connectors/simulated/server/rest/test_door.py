"""What passes the door, in which order it looks, and how refusals read."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.simulated.engine.switches import DisarmedAnswer, Switches
from connectors.simulated.server.fates import Arrival, Fate, Reply, gateway_page
from connectors.simulated.server.rest import door
from connectors.simulated.server.settings import AnswerOrder, RateLimits, RowStyle
from tests.unit.connectors.simulated.server.rest.visitor import HOME, NOW_MS, Visitor

ORDER = {"symbol": "XBTUSD", "orderQty": 100, "price": 50_000}
EXPIRED = f"This request has expired - `expires` is in the past. Current time: {NOW_MS // 1_000}"


def message(reply: Reply) -> tuple[int, str, str]:
    """Return status, class and text of an error."""
    error = json.loads(reply.body)["error"]
    return reply.status, error["name"], error["message"]


# ------------------------------------------------------------------ signing


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/order",
        "/api/v1/order?",
        "/api/v1/order?filter=%7B%22open%22%3A+true%7D",
        "/api/v1/order?filter=%7b%22open%22%3a%20true%7d&count=5",
        '/api/v1/order?filter={"open":true}',
        "/api/v1/order?symbol=XBTUSD&columns=price,side",
    ],
)
def test_a_signature_covers_path_and_query_as_sent(target: str) -> None:
    """Any way to escape a query, none at all, and a lone question mark: what counts is what was sent."""
    visitor = Visitor()
    assert visitor.send("GET", target, key=visitor.key()).status == 200


def test_a_signature_of_other_bytes_is_refused() -> None:
    """The same request in another escaping, with another body or verb, is another request."""
    visitor = Visitor()
    request = visitor.request("DELETE", "/api/v1/order?text=a%20b", b'{"orderID":"x"}', key=visitor.key())
    assert visitor.door.reply(request).status == 200
    others = (
        replace(request, query=b"text=a+b"),
        replace(request, body=b'{"orderID": "x"}'),
        replace(request, body=b""),
        replace(request, verb="POST"),
        replace(request, raw_path="/api/v1/%6frder"),
        replace(request, fields={**request.fields, "api-expires": str(NOW_MS)}),
    )
    assert {message(visitor.door.reply(one)) for one in others} == {(401, "HTTPError", "Signature not valid.")}


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"api_expires": str(NOW_MS // 1_000 - 1)}, EXPIRED),
        ({"api_expires": ""}, "Signature not valid."),
        ({"api_expires": "", "api_nonce": "1518064236"}, "Signature not valid."),
        ({"api_expires": "1e12"}, "Signature not valid."),
        ({"api_expires": "9" * 5_000}, "Signature not valid."),
        ({"api_signature": ""}, "Signature not valid."),
        ({"api_signature": "00" * 32}, "Signature not valid."),
        ({"api_signature": "\udcff"}, "Signature not valid."),
        ({"api_key": ""}, "Invalid API Key."),
        ({"api_key": "nobody"}, "Invalid API Key."),
    ],
)
def test_claims_that_are_not_whole_or_not_right(fields: dict[str, str], refusal: str) -> None:
    """Late, without one of the three headers, by nonce, with junk: 401 in the venue's words, and no budget told."""
    visitor = Visitor()
    reply = visitor.send("GET", "/api/v1/order", key=visitor.key(), **fields)
    assert message(reply) == (401, "HTTPError", refusal)
    assert not reply.headers


def test_without_any_of_the_three_headers_a_private_endpoint_asks_for_them() -> None:
    """Nobody signed: 401, and the address's budget is told."""
    reply = Visitor().send("GET", "/api/v1/position")
    assert message(reply) == (401, "HTTPError", "Authorization Required")
    assert reply.headers["x-ratelimit-limit"] == "30"


def test_expiry_may_be_in_milliseconds_and_its_last_second_counts() -> None:
    """There is no upper bound, and a request is late only when its second has passed."""
    visitor = Visitor()
    key = visitor.key()
    visitor.now_ms = NOW_MS + 5_999
    assert visitor.send("GET", "/api/v1/order", key=key).status == 200


# ------------------------------------------------------------------ keys


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("trading", (200, 200, 200, 403)),
        ("read-only", (200, 403, 403, 403)),
        ("cancel-only", (200, 403, 200, 403)),
        ("withdrawing", (200, 200, 200, 200)),
        ("disabled", (401, 401, 401, 401)),
        ("elsewhere", (403, 403, 403, 403)),
    ],
)
def test_rights_of_the_ready_made_keys(name: str, statuses: tuple[int, ...]) -> None:
    """Read, place, cancel and withdraw with a key of each kind."""
    visitor = Visitor()
    key = visitor.key(name)
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/order", {}),
        ("POST", "/order", ORDER),
        ("POST", "/order/cancelAllAfter", {"timeout": 0}),
        ("POST", "/user/requestWithdrawal", {"currency": "XBt", "amount": 1_000}),
    ]
    assert tuple(visitor.ask(*one, key=key)[0] for one in asked) == statuses


def test_what_a_refused_key_is_told() -> None:
    """A right it lacks, a switched-off key, and an address that is not on its list read differently."""
    visitor = Visitor()
    tell = {name: visitor.refusal("POST", "/order", ORDER, key=visitor.key(name)) for name in ("read-only", "disabled")}
    tell["elsewhere"] = visitor.refusal("GET", "/order", key=visitor.key("elsewhere"))
    assert tell == {
        "read-only": (403, "Access Denied"),
        "disabled": (401, "This key is disabled."),
        "elsewhere": (403, "This IP address is not allowed to use this key."),
    }
    home = visitor.send("GET", "/api/v1/order", key=visitor.key("elsewhere"), address="203.0.113.7")
    assert home.status == 200


def test_a_key_withdrawn_in_use_is_unknown_at_the_next_request() -> None:
    """The owner deletes the key on the web page between two requests."""
    visitor = Visitor()
    key = visitor.key()
    assert visitor.ask("GET", "/order", key=key)[0] == 200
    visitor.venue.keyring.remove(key.key_id)
    assert visitor.refusal("GET", "/order", key=key) == (401, "Invalid API Key.")


def test_the_list_of_keys_has_no_secrets() -> None:
    """Permissions, networks and state of each key of the account, and which one is asking."""
    visitor = Visitor()
    _, rows = visitor.ask("GET", "/apiKey")
    by_name = {row["name"]: row for row in rows}
    assert all(row["secret"] is None for row in rows)
    assert (by_name["disabled"]["enabled"], by_name["trading"]["cidrs"]) == (False, ["0.0.0.0/0"])
    assert by_name["elsewhere"]["cidr"] == "198.51.100.0/24"
    assert [by_name[name]["permissions"] for name in ("read-only", "withdrawing")] == [[], ["order", "withdraw"]]
    assert visitor.ask("GET", "/apiKey/self", key=visitor.key("cancel-only"))[1]["permissions"] == ["orderCancel"]
    assert visitor.ask("GET", "/apiKey", {"reverse": True})[1][0]["name"] == "elsewhere"


# ------------------------------------------------------------------ paths, bodies, parameters


@pytest.mark.parametrize(
    ("verb", "path"),
    [("GET", "/orders"), ("DELETE", "/stats"), ("PATCH", "/order"), ("POST", "/order/bulk"), ("OPTIONS", "/order")],
)
def test_what_is_not_there_is_not_found(verb: str, path: str) -> None:
    """A path or verb that is none, and `/order/bulk` unless it is switched on: 404 with the budget told."""
    visitor = Visitor()
    reply = visitor.send(verb, f"/api/v1{path}", key=visitor.key())
    assert message(reply) == (404, "HTTPError", "Not Found")
    assert reply.headers["x-ratelimit-limit"] == "120"


def test_head_is_answered_like_get_and_a_slash_at_the_end_changes_nothing() -> None:
    """Load balancers and browsers ask so."""
    visitor = Visitor()
    assert visitor.send("HEAD", "/api/v1").status == 200
    assert visitor.send("GET", "/api/v1/stats/").status == 200
    assert visitor.ask("GET", "/apikey")[0] == 200


@pytest.mark.parametrize(
    ("body", "content_type", "refusal"),
    [
        (b"{", "application/json", "Unable to parse the request body or query."),
        (b"[1]", "application/json", "Unable to parse the request body or query."),
        (b"\xff\xfe", "application/json", "Unable to parse the request body or query."),
        (b'{"a":' * 5_000, "application/json", "Unable to parse the request body or query."),
        (b"{}", "application/json", "'symbol' is a required arg."),
        (b"", "application/json", "'symbol' is a required arg."),
        (json.dumps(ORDER).encode(), "application/x-www-form-urlencoded", "'symbol' is a required arg."),
        (b"------x", "multipart/form-data; boundary=----x", "'symbol' is a required arg."),
    ],
)
def test_bodies_that_hold_no_order(body: bytes, content_type: str, refusal: str) -> None:
    """Not JSON, nothing at all, and JSON sent as a form, which is how a client without the right header looks."""
    visitor = Visitor()
    reply = visitor.send("POST", "/api/v1/order", body, key=visitor.key(), content_type=content_type)
    status, _, text = message(reply)
    assert (status, text) == (400, refusal)


def test_fields_may_be_spread_over_query_and_body() -> None:
    """What a query names and a body does not counts as well; the body wins where both do."""
    visitor = Visitor()
    target = "/api/v1/order?symbol=XBTUSD&orderQty=500&price=50000"
    reply = visitor.send("POST", target, b'{"orderQty":200}', key=visitor.key())
    row = json.loads(reply.body)
    assert (reply.status, row["orderQty"], row["price"]) == (200, 200, 50_000)
    form = b"orderQty=-300&price=70000&clOrdID=a+b%2F"
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    row = json.loads(
        visitor.send("POST", "/api/v1/order?symbol=xbtusd", form, key=visitor.key(), content_type=kind).body
    )
    assert (row["side"], row["orderQty"], row["clOrdID"]) == ("Sell", 300, "a b/")


def test_parameters_that_are_unknown_are_ignored() -> None:
    """Clients of all years send columns that have gone, or a time stamp against caches."""
    visitor = Visitor()
    assert visitor.ask("POST", "/order", {**ORDER, "simpleOrderQty": None, "exDestination": "XBME"})[0] == 200
    assert visitor.ask("GET", "/instrument", {"symbol": "XBTUSD", "_": 1_518_064_236})[0] == 200


# ------------------------------------------------------------------ limits, bans, overload


def test_budgets_headers_and_the_switch_of_the_name() -> None:
    """Both layers are told on each answer; beyond them 429, retry-after, and either class."""
    for name in ("RateLimitError", "HTTPError"):
        visitor = Visitor(limits=RateLimits(signed_per_minute=2, orders_per_second=5, error_name=name))
        key = visitor.key()
        first = visitor.send("POST", "/api/v1/order", json.dumps(ORDER).encode(), key=key)
        assert (first.status, first.headers["x-ratelimit-remaining"], first.headers["x-ratelimit-remaining-1s"]) == (
            200,
            "1",
            "4",
        )
        assert visitor.send("GET", "/api/v1/nothing", key=key).headers["x-ratelimit-remaining"] == "0"
        refused = visitor.send("GET", "/api/v1/order", key=key)
        assert message(refused) == (429, name, "Rate limit exceeded, retry in 30 seconds.")
        assert refused.headers["retry-after"] == "30"


def test_a_ban_is_html_for_everybody_behind_the_address() -> None:
    """Twenty refusals, then the load balancer's page with its own headers and no budget; later all is well."""
    visitor = Visitor(limits=RateLimits(signed_per_minute=1, ban_ms=60_000))
    for _ in range(21):
        visitor.send("GET", "/api/v1/order", key=visitor.key())
    banned = visitor.send("GET", "/api/v1/stats")
    assert (banned.status, banned.content_type) == (403, "text/html")
    assert banned.headers == {"server": "awselb/2.0", "connection": "close"}
    assert visitor.send("GET", "/api/v1/stats", address="127.0.0.9").status == 200
    visitor.now_ms += 60_001
    assert visitor.send("GET", "/api/v1/stats").status == 200


def test_errors_of_other_kinds_lead_to_a_ban_as_well() -> None:
    """Somebody hammers a path that is none."""
    visitor = Visitor(limits=RateLimits(unsigned_per_minute=1_000, ban_after_errors=5))
    statuses = [visitor.send("GET", "/api/v1/nothing").status for _ in range(6)]
    assert statuses == [404] * 5 + [403]


class Befall:
    """Faults of one kind for every request."""

    def __init__(self, fate: Fate, skew_ms: int = 0) -> None:
        self._fate = fate
        self._skew_ms = skew_ms
        self.seen: list[Arrival] = []

    def fate(self, arrival: Arrival) -> Fate | None:
        """Return the one fate."""
        self.seen.append(arrival)
        return self._fate

    def clock_skew_ms(self) -> int:
        """Return how far the front-ends' clock is ahead."""
        return self._skew_ms


async def served(visitor: Visitor, verb: str, target: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Send a signed request as an ASGI server would; return status, headers and body."""
    request = visitor.request(verb, target, body, key=visitor.key())
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(one: Any) -> None:
        messages.append(one)

    headers = [(name.encode(), value.encode()) for name, value in request.fields.items()]
    scope = {
        "type": "http",
        "method": verb,
        "path": request.path,
        "raw_path": request.raw_path.encode(),
        "query_string": request.query,
        "headers": headers,
        "client": (HOME, 1),
    }
    await visitor.door(scope, receive, send)
    start, end = messages
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, end["body"]


async def test_overload_sheds_orders_and_lets_cancels_through() -> None:
    """503 with the one text, the connection closed, the request counted, and nothing done."""
    visitor = Visitor(limits=RateLimits(signed_per_minute=10))
    faults = Befall(Fate(is_overloaded=True))
    visitor.venue.faults = faults
    status, headers, body = await served(visitor, "POST", "/api/v1/order", json.dumps(ORDER).encode())
    assert body == (
        b'{"error":{"message":"The system is currently overloaded. Please try again later.","name":"HTTPError"}}'
    )
    assert (status, headers["content-length"], headers["connection"]) == (503, "102", "close")
    assert headers["x-ratelimit-remaining"] == "9"
    assert (await served(visitor, "DELETE", "/api/v1/order/all"))[0] == 200
    assert visitor.venue.exchange.order_rows(visitor.venue.accounts[0]) == []
    (arrival, _) = faults.seen
    assert (arrival.operation, arrival.account) == ("Order.new", visitor.venue.accounts[0])


async def test_a_fate_answers_repeats_and_rewrites() -> None:
    """A gateway's page instead of the order; the order twice; the answer with a row missing."""
    visitor = Visitor()
    order = json.dumps({**ORDER, "clOrdID": "once"}).encode()
    visitor.venue.faults = Befall(Fate(reply=gateway_page(502)))
    status, headers, _ = await served(visitor, "POST", "/api/v1/order", order)
    assert (status, headers["content-type"]) == (502, "text/html")
    assert "x-ratelimit-limit" in headers
    visitor.venue.faults = Befall(Fate(times=2))
    status, _, body = await served(visitor, "POST", "/api/v1/order", order)
    assert (status, json.loads(body)["clOrdID"]) == (200, "once")
    visitor.venue.faults = Befall(Fate(rewrite=lambda _: []))
    assert (await served(visitor, "GET", "/api/v1/order"))[2] == b"[]"
    visitor.venue.faults = None
    assert len(visitor.ask("GET", "/order")[1]) == 1


async def test_a_clock_that_is_ahead_finds_requests_late() -> None:
    """The front-ends look at the expiry with a clock of their own."""
    visitor = Visitor()
    visitor.venue.faults = Befall(Fate(), skew_ms=60_000)
    status, _, body = await served(visitor, "GET", "/api/v1/order")
    assert status == 401
    assert b"has expired" in body


# ------------------------------------------------------------------ switches


def test_an_error_with_a_number_in_both_generations() -> None:
    """`CodedHTTPError` with details, or a `ValidationError` without."""
    huge = {"symbol": "XBTUSD", "orderQty": 9_000_000, "price": 50_000}
    found = {
        is_coded: Visitor(coded_errors=is_coded).ask("POST", "/order", huge)[1]["error"] for is_coded in (True, False)
    }
    assert (found[True]["name"], found[True]["details"]) == ("CodedHTTPError", "19000")
    assert (found[False]["name"], "details" in found[False]) == ("ValidationError", False)
    assert found[True]["message"].startswith("Account has insufficient Available Balance, ")


def test_expired_requests_get_401_or_400() -> None:
    """Recorded were both."""
    for status in (401, 400):
        visitor = Visitor(expired_status=status)
        reply = visitor.send("GET", "/api/v1/order", key=visitor.key(), api_expires="1")
        assert message(reply) == (status, "HTTPError", EXPIRED)


def test_answers_may_leave_the_verdict_to_the_stream() -> None:
    """A market order that fills at once answers as pending; the order itself is filled."""
    visitor = Visitor(switches=Switches(pending_answers=True))
    _, row = visitor.ask("POST", "/order", {"symbol": "XBTUSD", "orderQty": 100})
    assert (row["ordStatus"], row["leavesQty"], row["cumQty"], row["avgPx"]) == ("PendingNew", 100, 0, None)
    (found,) = visitor.ask("GET", "/order")[1]
    assert (found["orderID"], found["ordStatus"]) == (row["orderID"], "Filled")


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        (DisarmedAnswer.NULL, {"cancelTime": None}),
        (DisarmedAnswer.ABSENT, {}),
        (DisarmedAnswer.EMPTY, {"cancelTime": ""}),
        (DisarmedAnswer.ZERO, {"cancelTime": 0}),
    ],
)
def test_a_dead_mans_switch_that_is_off_reads_in_four_ways(style: DisarmedAnswer, shown: dict[str, Any]) -> None:
    """Nobody knows which is the venue's; armed it reads the same in all, and the style of rows does not matter."""
    for rows in RowStyle:
        visitor = Visitor(switches=Switches(disarmed_answer=style), rows=rows)
        now = "2026-07-01T00:00:00.000Z"
        assert visitor.ask("POST", "/order/cancelAllAfter", {"timeout": 0}) == (200, {"now": now, **shown})
        armed = {"now": now, "cancelTime": "2026-07-01T00:01:00.000Z"}
        assert visitor.ask("POST", "/order/cancelAllAfter", {"timeout": 60_000}) == (200, armed)


@pytest.mark.parametrize(
    ("order", "waits"),
    [
        (AnswerOrder.ANSWER_FIRST, {0.0}),
        (AnswerOrder.STREAM_FIRST, {0.0, 0.004}),
        (AnswerOrder.EITHER, {0.0, 0.001, 0.002, 0.003}),
    ],
)
async def test_the_answer_or_the_stream_comes_first(
    order: AnswerOrder, waits: set[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that listens may find its order on the stream before the answer; one that does not never waits."""
    waited: set[float] = set()
    visitor = Visitor(answer_order=order)

    async def sleep(delay_s: float) -> None:
        waited.add(delay_s)

    monkeypatch.setattr(door.asyncio, "sleep", sleep)
    await served(visitor, "DELETE", "/api/v1/order/all")
    assert not waited
    listener = SimpleNamespace(account=visitor.venue.accounts[0])
    monkeypatch.setattr(visitor.venue.hub, "sessions", lambda: (listener,))
    for _ in range(40):
        await served(visitor, "DELETE", "/api/v1/order/all")
        await served(visitor, "GET", "/api/v1/order")
    assert waited | {0.0} == waits


def test_bulk_orders_stand_each_for_itself() -> None:
    """Where it is switched on: a refused order is a row that says why, the others are placed and amended."""
    visitor = Visitor(bulk_orders=True)
    wanted = [{**ORDER, "clOrdID": "a"}, {**ORDER, "clOrdID": "a"}, {**ORDER, "clOrdID": "b"}]
    _, rows = visitor.ask("POST", "/order/bulk", {"orders": wanted})
    assert [row["ordStatus"] for row in rows] == ["New", "Rejected", "New"]
    assert (rows[1]["error"], rows[1]["clOrdID"]) == ("Duplicate clOrdID", "a")
    changes = [{"origClOrdID": one, "orderQty": 300} for one in ("a", "b")]
    _, rows = visitor.ask("PUT", "/order/bulk", {"orders": json.dumps(changes)})
    assert [row["orderQty"] for row in rows] == [300, 300]
    assert len(visitor.ask("DELETE", "/order/bulk", {"clOrdID": ["a", "b"]})[1]) == 2
    assert visitor.refusal("POST", "/order/bulk", {"orders": "[1]"}) == (400, "Invalid orders")


def test_withdrawals_take_free_money_only() -> None:
    """The amount leaves the wallet at once; more than is free, or less than nothing, is refused."""
    visitor = Visitor()
    key = visitor.key("withdrawing")
    status, row = visitor.ask("POST", "/user/requestWithdrawal", {"currency": "XBt", "amount": 1_000}, key=key)
    assert (status, row["transactType"], row["amount"]) == (200, "Withdrawal", -1_000)
    for amount in (10**15, -5, 0):
        asked = {"currency": "XBt", "amount": amount}
        assert visitor.ask("POST", "/user/requestWithdrawal", asked, key=key)[0] == 400
    assert visitor.venue.exchange.money_is_conserved()


def test_other_accounts_and_hedge_mode_are_refused() -> None:
    """No account is paired with another one; the own number, or a star for all, is fine."""
    visitor = Visitor()
    own, other = visitor.venue.accounts
    leverage = {"symbol": "XBTUSD", "leverage": 5}
    assert visitor.ask("POST", "/position/leverage", {**leverage, "targetAccountId": own})[0] == 200
    assert visitor.refusal("POST", "/position/leverage", {**leverage, "targetAccountId": other}) == (
        400,
        "Invalid account",
    )
    assert visitor.ask("DELETE", "/order/all", {"targetAccountIds": ["*"]})[0] == 200
    assert visitor.refusal("DELETE", "/order/all", {"targetAccountIds": [own, other]}) == (400, "Invalid account")
    assert visitor.refusal("POST", "/order", {**ORDER, "strategy": "Long"}) == (400, "Invalid strategy")


def test_modes_that_are_not_modelled_are_refused() -> None:
    """One-way and single-asset can be chosen, hedging and several assets cannot."""
    visitor = Visitor()
    assert visitor.ask("POST", "/user/positionMode")[1]["positionMode"] == "OneWay"
    assert visitor.refusal("POST", "/user/positionMode", {"positionMode": "MultiWay"})[0] == 400
    assert visitor.ask("POST", "/user/marginingMode", {"selectedMarginingMode": "Isolated"})[0] == 200
    assert visitor.refusal("POST", "/user/marginingMode", {"selectedMarginingMode": "MultiAsset"})[0] == 400
