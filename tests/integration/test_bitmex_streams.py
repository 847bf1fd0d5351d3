"""The account's stream against a scripted venue that breaks on cue."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError

from connectors.bitmex.drop_copy import TOPICS
from connectors.bitmex.feed import StraightConnect
from connectors.ports import Feed
from connectors.vocabulary import OrderStatus
from tests.integration.bitmex_clients import ROWS, a_drop_copy, whole_account
from tests.integration.bitmex_fakes import Line, realtime, running, until
from tests.unit.connectors.bitmex.bitmex_builders import (
    CANCEL_REJECT_ROW,
    EXECUTION_ROW,
    EXPIRED_TOKEN,
    MARGIN_ROW,
    POSITION_ROW,
    SECRET,
    SIGNED_IN,
    STOP_ROW,
    RememberingSink,
    change,
    partial,
    raw,
)

ORDER_ID = str(STOP_ROW["orderID"])


async def test_account_from_sign_in_to_live() -> None:
    """Snapshots come before LIVE, each table once, and the sign-in precedes the subscription."""
    sink = RememberingSink()
    async with realtime(whole_account) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("live"))
    assert [name for name, _ in sink.log] == ["orders", "positions", "margin", "live"]
    (stops,), (positions,) = sink.of("orders"), sink.of("positions")
    assert stops[0].is_resting_stop
    assert positions[0].quantity == 100
    assert sink.of("live") == [Feed.ACCOUNT]
    assert sink.signs_of_life >= 6


async def test_a_renewed_stream_tells_its_tables_whole_again() -> None:
    """The connection is given up with the reason that is told, and the next one starts from partials."""
    sink = RememberingSink()
    async with realtime(whole_account) as fake:
        drop_copy = a_drop_copy(fake, sink)
        drop_copy.renew("too early: nothing is there yet")
        async with running(drop_copy.run()):
            await until(lambda: sink.of("live"))
            drop_copy.renew("in doubt")
            assert sink.of("lost") == ["in doubt"]
            drop_copy.renew("twice is once")
            await until(lambda: len(sink.of("live")) == 2)
            assert (fake.open_lines, len(fake.lines)) == (1, 2)
    assert sink.of("lost") == ["in doubt"]
    assert len(sink.of("positions")) == 2


async def test_nothing_is_believed_before_its_partial() -> None:
    """Changes that overtake their partial are dropped."""

    async def hasty(line: Line) -> None:
        await line.greet()
        await line.say(change("order", "insert", STOP_ROW), change("position", "update", POSITION_ROW))
        await line.say(change("execution", "insert", EXECUTION_ROW), change("margin", "update", MARGIN_ROW))
        for table in ("order", "position", "margin", "execution"):
            await line.say(partial(table))
        await line.listen()

    sink = RememberingSink()
    async with realtime(hasty) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("live"))
    assert sink.log == [("orders", ()), ("positions", ()), ("live", Feed.ACCOUNT)]


async def test_life_of_a_stop_on_the_stream() -> None:
    """Insert, trigger, fill: whole rows each time; a late word about the finished order does not break the feed."""

    async def story(line: Line) -> None:
        await line.account(position=[POSITION_ROW])
        await line.say(
            change("order", "insert", STOP_ROW),
            change("order", "update", {"orderID": ORDER_ID, "triggered": "StopOrderTriggered"}),
            change("order", "update", {"orderID": ORDER_ID, "ordStatus": "Filled", "leavesQty": 0, "cumQty": 100}),
            change("order", "update", {"orderID": ORDER_ID, "avgPx": 47990.5}),
            change("execution", "insert", EXECUTION_ROW, EXECUTION_ROW),
            change("position", "update", {**_key(), "currentQty": 0, "isOpen": False}),
        )
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("position"))
    new, triggered, filled, late = sink.of("order")
    assert new.is_resting_stop
    assert (triggered.is_triggered, triggered.stop_price) == (True, new.stop_price)
    assert filled.status is late.status is OrderStatus.FILLED
    assert len(sink.of("execution")) == 1
    assert sink.of("position")[0].liquidation_price is None
    assert sink.of("lost") == []


def _key() -> dict[str, Any]:
    return {column: POSITION_ROW[column] for column in ("account", "symbol", "strategy")}


async def test_refused_cancel_on_the_stream_is_no_order_status() -> None:
    """A CancelReject row tells of the request; no order is reported rejected."""

    async def story(line: Line) -> None:
        await line.account(**ROWS)
        await line.say(change("execution", "insert", CANCEL_REJECT_ROW))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("refused"))
    assert sink.of("refused") == [("", CANCEL_REJECT_ROW["orderID"], "Invalid orderID")]
    assert sink.of("order") == []


async def test_connection_lost_in_the_middle_of_an_update() -> None:
    """The feed is lost, comes back on a new connection, and starts from partials that replace what was known."""

    async def cut(line: Line) -> None:
        await line.account(**ROWS)
        await line.say(change("order", "insert", {**STOP_ROW, "orderID": "second"}))
        line.socket.transport.abort()

    async def empty(line: Line) -> None:
        await line.account()
        await line.listen()

    sink = RememberingSink()
    async with realtime(cut, empty) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: len(sink.of("live")) == 2)
    assert len(sink.of("lost")) == 1
    assert sink.of("orders")[-1] == ()
    assert fake.most_open_lines == 1


async def test_an_ended_subscription_costs_the_connection() -> None:
    """P12: the token has expired: lost by name, then a fresh picture."""

    async def story(line: Line) -> None:
        await line.account(**ROWS)
        await line.say(raw(EXPIRED_TOKEN))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story, whole_account) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: len(sink.of("live")) == 2)
    assert len(sink.of("lost")) == 1
    assert len(fake.lines) == 2


@pytest.mark.parametrize(
    ("poison", "tables"),
    [
        (change("order", "update", {"orderID": "unknown", "leavesQty": 1}), ["order"]),
        (change("position", "update", {"account": 273093, "symbol": "XBTUSD", "currentQty": 5}), ["position"]),
        (change("position", "insert", {**POSITION_ROW, "symbol": "ETHUSD", "currentQty": 0.5}), ["position"]),
        (b'{"table":"order"', ["order"]),
        (b"<html>", list(TOPICS)),
    ],
    ids=["unknown row", "missing key", "unreadable row", "cut", "not the protocol"],
)
async def test_what_cannot_be_read_is_asked_for_anew(poison: bytes, tables: list[str]) -> None:
    """P12: a lost row or an unreadable frame: its tables are doubted by name, and whole again on one connection."""

    async def story(line: Line) -> None:
        await line.account(**ROWS)
        await line.say(poison)
        assert (await line.hear_op("unsubscribe"))["args"] == tables
        assert (await line.hear_op("subscribe"))["args"] == tables
        for table in tables:
            await line.say(partial(table, ROWS.get(table, [])))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: [table for table, problem in sink.of("doubted") if not problem] == tables)
    assert [table for table, problem in sink.of("doubted") if problem] == tables
    assert sink.of("lost") == []
    assert len(fake.lines) == 1


async def test_silent_socket_is_given_up() -> None:
    """A venue that stops talking is pinged, and given up when it does not answer."""

    async def mute(line: Line) -> None:
        await line.account(**ROWS)
        await line.socket.wait_closed()

    sink = RememberingSink()
    async with realtime(mute, whole_account) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: len(sink.of("live")) == 2)
    assert sink.of("lost") == ["silent: no answer to a ping"]


async def test_quiet_venue_that_answers_pings_stays() -> None:
    """A private feed without news lives on pongs."""
    sink = RememberingSink()
    async with realtime(whole_account) as fake:
        settled = sink.pongs
        async with running(a_drop_copy(fake, sink, ping_after_s=0.03, pong_within_s=1.0).run()):
            await until(lambda: sink.pongs >= settled + 12)
    assert sink.of("lost") == []
    assert len(fake.lines) == 1


async def test_refused_hand_shakes_are_tried_again() -> None:
    """A venue that is deploying refuses hand-shakes; nothing listens at all: both are tried again."""
    sink = RememberingSink()
    async with realtime(whole_account, refuse_with=[503, 502]) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("live"))
    assert sink.of("lost") == ["hand-shake answered 503", "hand-shake answered 502"]


async def test_connection_reset_during_the_hand_shake(monkeypatch: pytest.MonkeyPatch) -> None:
    """P12: a firewall, or a venue that is just going down: the feed is lost and tries again; nothing ends."""

    class Reset:
        """A connection that is gone before the request could be written."""

        async def __aenter__(self) -> None:
            raise ConnectionClosedError(None, None)

        async def __aexit__(self, *_: object) -> None:
            """Nothing was entered."""

    waiting = [Reset(), Reset()]
    monkeypatch.setattr(
        "connectors.bitmex.feed.StraightConnect",
        lambda *args, **options: waiting.pop() if waiting else StraightConnect(*args, **options),
    )
    sink = RememberingSink()
    async with realtime(whole_account) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("live"))
    assert not waiting
    assert sink.of("lost") == ["no connection: ConnectionClosedError"] * 2


async def test_venue_that_is_not_there() -> None:
    """No host at all: lost by name, again and again, and stoppable."""
    async with realtime(whole_account) as fake:
        sink, drop_copy = RememberingSink(), None
        drop_copy = a_drop_copy(fake, sink)
    async with running(drop_copy.run()):
        await until(lambda: len(sink.of("lost")) >= 3)
    assert set(sink.of("lost")) == {"no connection: ConnectionRefusedError"}


async def test_banned_address_stays_away() -> None:
    """P8: a hand-shake refused with 403 is a ban; there is no second attempt for a long while."""
    sink = RememberingSink()
    async with realtime(whole_account, refuse_with=[403]) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("lost"))
        with pytest.raises(TimeoutError):
            await until(lambda: fake.lines, within_s=0.3)
    assert "banned" in sink.of("lost")[0]


async def test_refused_sign_in_is_told() -> None:
    """A wrong key is named, without the key's signature, and not tried again at once."""

    async def story(line: Line) -> None:
        request = await line.hear()
        await line.say(raw({"status": 401, "error": "Invalid API Key.", "meta": {}, "request": request}))
        await line.socket.close()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("lost"))
    assert sink.of("lost") == ["sign-in refused: Invalid API Key."]
    assert len(fake.lines) == 1


async def test_cancelled_feed_closes_its_socket() -> None:
    """Stopping a feed is not swallowed and leaves no connection behind."""
    sink = RememberingSink()
    async with realtime(whole_account) as fake:
        async with running(a_drop_copy(fake, sink).run()):
            await until(lambda: sink.of("live"))
        await until(lambda: fake.open_lines == 0)
    assert sink.of("lost") == []


async def test_no_secret_leaves_by_log_or_report(caplog: pytest.LogCaptureFixture) -> None:
    """P11: with every logger at DEBUG, neither secret nor signature is written while signing in, failing, echoing."""
    caplog.set_level(logging.DEBUG)

    async def story(line: Line) -> None:
        request = await line.hear()
        await line.say(raw({"success": True, "request": request}))
        await line.say(raw({"status": 401, "error": "Signature not valid. " + request["args"][2], "request": request}))
        await line.listen()

    sink = RememberingSink()
    signatures: list[str] = []

    async def recorded(line: Line) -> None:
        original = line.hear

        async def hear() -> Any:
            request = await original()
            signatures.append(request["args"][2])
            return request

        line.hear = hear  # type: ignore[method-assign]
        await story(line)

    async with realtime(recorded) as fake:
        drop_copy = a_drop_copy(fake, sink)
        async with running(drop_copy.run()):
            await until(lambda: sink.of("lost"))
    client_lines = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets.server")]
    written = "\n".join([*client_lines, repr(sink.log), repr(drop_copy), repr(vars(drop_copy))])
    assert signatures
    assert SECRET not in written
    assert signatures[0] not in written


async def test_scarce_connections_slow_the_return() -> None:
    """The venue says that the hour has few connections left: the next one waits, however short the cap."""

    async def story(line: Line) -> None:
        await line.say(raw({"info": "Welcome", "version": "2.0.0", "limit": {"remaining": 3}}))
        await line.socket.close()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("lost"))
        with pytest.raises(TimeoutError):
            await until(lambda: len(fake.lines) > 1, within_s=0.2)


async def test_rate_limited_subscription_goes_live_on_the_same_connection() -> None:
    """429 on subscribing: asked again after the pause, without a new connection."""

    async def story(line: Line) -> None:
        await line.say(raw({"status": 200}))
        await line.hear()
        await line.say(raw(SIGNED_IN))
        asked = await line.hear()
        await line.say(
            raw({"status": 429, "error": "Rate limit exceeded", "meta": {"retryAfter": 0.1}, "request": asked})
        )
        assert set((await line.hear())["args"]) == set(asked["args"])
        for table in ("order", "position", "margin", "execution"):
            await line.say(partial(table))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("live"))
    assert len(fake.lines) == 1
