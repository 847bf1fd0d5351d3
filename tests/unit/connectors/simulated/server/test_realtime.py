"""One session: operations, errors, and what faults may do with it; no sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from decimal import Decimal

import pytest

from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.server.messages import Kind, Message, Target
from connectors.simulated.server.outbox import POLICY_VIOLATION
from connectors.simulated.server.realtime import Session
from connectors.simulated.server.settings import RateLimits
from connectors.simulated.server.venue import Venue
from tests.integration.exchange_client import START_MS, prices
from tests.unit.connectors.simulated.server.talks import Remembered, a_session, a_venue, key_of, signed, subscribe


def place_stop(venue: Venue) -> None:
    """Place a waiting stop for the first account."""
    order = PlaceOrder(account=venue.accounts[0], symbol="XBTUSD", order_qty=100, side="Sell", stop_px=Decimal(50_000))
    venue.submit(order)


async def test_all_replies_come_before_the_partials_of_a_tick() -> None:
    """As recorded in 2021: one success a topic, then at the tick the partials in the order of asking."""
    venue = a_venue(image_period_ms=30)
    session, outlet = a_session(venue)
    subscribe(session, "quote:XBTUSD", "trade:XBTUSD", "orderBookL2:XBTUSD")
    replies = outlet.taken()
    assert [one["subscribe"] for one in replies] == ["quote:XBTUSD", "trade:XBTUSD", "orderBookL2:XBTUSD"]
    venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
    assert outlet.taken() == []  # nothing of a table before its partial
    said: list[dict[str, object]] = []
    async with asyncio.timeout(5):
        while len(said) < 3:
            await asyncio.sleep(0.001)
            said += outlet.taken()
    assert [(one["table"], one["action"]) for one in said] == [
        ("quote", "partial"),
        ("trade", "partial"),
        ("orderBookL2", "partial"),
    ]
    venue.submit(prices(START_MS + 2_000, XBTUSD=59_100))
    assert {one["action"] for one in outlet.taken()} <= {"insert", "update", "delete"}


async def test_a_subscription_that_waits_can_be_taken_back() -> None:
    """Unsubscribed before the tick: no partial, no frames; it counts as subscribed until then."""
    venue = a_venue(image_period_ms=30)
    session, outlet = a_session(venue)
    subscribe(session, "instrument")
    subscribe(session, "instrument:*")
    session.take('{"op":"unsubscribe","args":"instrument"}')
    _, twice, gone = outlet.taken()
    assert twice["error"].startswith("You are already subscribed to this topic: instrument:*. Please see")
    assert gone["unsubscribe"] == "instrument"
    told = asyncio.Event()
    venue.hub.images.when_ready("instrument", told.set)
    await told.wait()
    assert outlet.taken() == []


@pytest.mark.parametrize(("is_told", "limit"), [(True, {"remaining": 10}), (False, {})])
async def test_the_welcome_of_either_generation(is_told: bool, limit: dict[str, int]) -> None:
    """How many connections are left was told until March 2026; the names around it stay."""
    venue = a_venue(tells_connections_left=is_told)
    outlet = Remembered()
    Session(venue, outlet=outlet, address="127.0.0.1", key=None).open(connections_left=10)
    (welcome,) = outlet.taken()
    assert welcome["limit"] == limit
    names = ["info", "version", "timestamp", "docs", "heartbeatEnabled", "limit", "appName"]
    assert list(welcome) == names


async def test_signing_in_twice_is_an_error() -> None:
    """The first sign-in stays good."""
    venue = a_venue()
    session, outlet = a_session(venue)
    for _ in range(2):
        session.take(json.dumps({"op": "authKeyExpires", "args": signed(key_of(venue))}))
    first, second = outlet.taken()
    assert (first["success"], second["status"]) == (True, 400)
    assert session.account == venue.accounts[0]
    assert not outlet.is_closed


@pytest.mark.parametrize(
    ("name", "text"), [("disabled", "This key is disabled."), ("elsewhere", "This IP address is not allowed")]
)
async def test_keys_that_are_good_but_not_here(name: str, text: str) -> None:
    """A disabled key and one with an allow-list are told so, and the session ends."""
    venue = a_venue()
    session, outlet = a_session(venue)
    (key,) = (one for one in venue.keyring.of_account(venue.accounts[0]) if one.name == name)
    session.take(json.dumps({"op": "authKeyExpires", "args": signed(key)}))
    (error,) = outlet.taken()
    assert error["error"].startswith(text)
    assert outlet.is_closed


async def test_an_expired_signature() -> None:
    """`expires` in the past, in whole seconds."""
    venue = a_venue()
    session, outlet = a_session(venue)
    session.take(json.dumps({"op": "authKeyExpires", "args": signed(key_of(venue), expires=1_600_000_000)}))
    (error,) = outlet.taken()
    assert error["status"] == 401
    assert error["error"].startswith("This request has expired - `expires` is in the past. Current time:")


async def test_many_errors_end_the_session() -> None:
    """Up to the limit each is answered; one more closes with a policy violation."""
    venue = a_venue(limits=RateLimits(errors_per_session=3))
    session, outlet = a_session(venue)
    for _ in range(3):
        session.take("nonsense")
    assert not outlet.is_closed
    session.take("nonsense")
    assert (outlet.is_closed, outlet.code, len(outlet.taken())) == (True, POLICY_VIOLATION, 4)


async def test_text_that_is_no_request_is_answered_with_an_empty_one() -> None:
    """Word for word as recorded in November 2024."""
    session, outlet = a_session(a_venue())
    session.take("subscribe")
    see = "Please see the documentation at https://www.bitmex.com/app/wsAPI."
    error = f"Unrecognized request. See the docs or send 'help' for more details. {see}"
    assert outlet.taken() == [{"status": 400, "error": error, "meta": {}, "request": {}}]


async def test_subscribing_has_a_budget() -> None:
    """Beyond it one 429 with `retryAfter` for the rest of the request."""
    venue = a_venue(limits=RateLimits(topics_per_minute=2))
    session, outlet = a_session(venue)
    subscribe(session, "quote", "trade", "funding", "settlement")
    said = outlet.taken()
    assert [one["subscribe"] for one in said if "subscribe" in one] == ["quote", "trade"]
    assert said[-1]["error"] == "Rate limit exceeded, retry in 30 seconds."
    assert (said[-1]["status"], said[-1]["meta"]) == (429, {"retryAfter": 30})


async def test_too_many_waiting_subscriptions() -> None:
    """503 without `meta`; those that wait are served all the same."""
    venue = a_venue(image_period_ms=60_000)
    session, outlet = a_session(venue)
    symbols = list(venue.exchange.symbols())
    topics = [f"{table}:{symbol}" for table in ("quote", "trade", "instrument", "orderBook10") for symbol in symbols]
    topics += [f"orderBookL2{end}:{symbol}" for end in ("", "_25") for symbol in symbols]
    for topic in topics * (500 // len(topics) + 2):
        session.take(json.dumps({"op": "subscribe", "args": f"{topic}"}))
    waiting = len(session._pending)
    assert waiting <= 500
    subscribe(session, *["quote"] * 501)
    error = outlet.taken()[-1]
    assert error["error"] == "Max Pending subscription limit reached, please try again later."
    assert (error["status"], "meta" in error) == (503, False)


async def test_an_expired_token_ends_private_subscriptions_and_nothing_else() -> None:
    """419 for each, as recorded; public data flows on, the account is silent until the session signs in anew."""
    venue = a_venue()
    session, outlet = a_session(venue, key=key_of(venue))
    subscribe(session, "order", "position:XBTUSD", "quote:XBTUSD")
    outlet.taken()
    venue.hub.expire_key(key_of(venue).key_id)
    note = "Please re-subscribe with a new token to continue receiving messages for this subscription."
    assert outlet.taken() == [
        {"error": f"Access Token expired for subscription: {topic}", "meta": {"note": note}, "status": 419}
        for topic in ("order:*", "position:XBTUSD")
    ]
    place_stop(venue)
    venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
    assert [one["table"] for one in outlet.taken()] == ["quote"]
    subscribe(session, "order")
    session.take(json.dumps({"op": "authKeyExpires", "args": signed(key_of(venue))}))
    subscribe(session, "order")
    refused, _, again, partial = outlet.taken()
    assert (refused["status"], again["success"], len(partial["data"])) == (401, True, 1)


async def test_one_table_alone_can_expire() -> None:
    """The others go on, and the same session may subscribe to it again."""
    venue = a_venue()
    session, outlet = a_session(venue, key=key_of(venue))
    subscribe(session, "order", "execution")
    session.expire("execution")
    outlet.taken()
    place_stop(venue)
    assert {one["table"] for one in outlet.taken()} == {"order"}
    subscribe(session, "execution")
    assert outlet.taken()[0]["success"] is True


class Trouble:
    """A fault that drops `quote`, doubles `order` and loses sign-ins."""

    def pass_on(self, session: Target, message: Message) -> Sequence[Message]:
        """Drop, double, or pass on."""
        if message.table == "quote" and message.kind is Kind.DELTA:
            return ()
        return (message, message) if message.table == "order" else (message,)

    def loses_sign_in(self, session: Target) -> bool:
        """Lose all."""
        return True


async def test_a_fault_decides_what_is_said() -> None:
    """Everything passes it but what is released past it."""
    venue = a_venue()
    session, outlet = a_session(venue, key=key_of(venue))
    venue.hub.interference = Trouble()
    subscribe(session, "quote:XBTUSD", "order")
    assert [one.get("table") for one in outlet.taken()] == [None, "quote", None, "order", "order"]
    venue.submit(prices(START_MS + 1_000, XBTUSD=59_000))
    assert outlet.taken() == []
    session.release(Message(kind=Kind.DELTA, payload=b'{"table":"quote"}', table="quote"))
    assert outlet.taken() == [{"table": "quote"}]


async def test_a_lost_sign_in_looks_good_and_is_blind() -> None:
    """The reply says success, the subscription 401: what a zombie connection is."""
    venue = a_venue()
    session, outlet = a_session(venue)
    venue.hub.interference = Trouble()
    session.take(json.dumps({"op": "authKeyExpires", "args": signed(key_of(venue))}))
    subscribe(session, "margin")
    reply, error = outlet.taken()
    assert (reply["success"], error["status"], session.account) == (True, 401, None)
