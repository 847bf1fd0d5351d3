"""What the status says of proof, freshness and budget."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from daemon.core import events as e
from daemon.core.commands import FindOrders, PlaceStop
from daemon.core.ledger import BudgetFacts, StreamFacts
from daemon.shell.status import describe_state
from daemon.shell.status_proofs import describe_freshness, freshness_lines
from daemon.status import in_words
from tests.builders import SECOND, a_position, an_order
from tests.driven import Driven


def described(guard: Driven) -> dict[str, Any]:
    """The status as its readers get it."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(describe_state(guard.state, now_ns=guard.now)))
    return {"version": "1", "venue": "embedded", "uptime_s": 12.0, **found}


def covered() -> Driven:
    """A long and its stop, a bot's quote, and a ledger that was read a moment ago."""
    guard = Driven().up()
    guard.rest(guard.only(PlaceStop, guard.position(a_position())))
    guard.order(an_order("b-1", "bot-1"))
    guard.now += 3 * SECOND
    read_at = guard.now
    guard.give(
        e.LedgerRead(
            at_ns=guard.now,
            market=StreamFacts(connected_ns=read_at - 60 * SECOND, pong_ns=0, data_ns=read_at),
            account=StreamFacts(pong_ns=read_at - 2 * SECOND, data_ns=read_at - SECOND, topics={"order": read_at}),
            budget=BudgetFacts(tokens=77, capacity=120, reserve=30),
        )
    )
    return guard


def test_the_proof_is_shown_with_its_witness() -> None:
    """P2: which order, which side, trigger and size, who saw it, how long ago; in a line for people."""
    guard = covered()
    (position,) = described(guard)["positions"]
    (proof,) = position["protection"]["proof"]
    assert position["protection"]["stage"] == "proved"
    assert (proof["seen_by"], proof["side"], proof["trigger"], proof["quantity"]) == ("stream", "sell", "918.0", 100)
    assert proof["seen_age_s"] == pytest.approx(3.0)
    line = "XBTUSDT: covered by sw-7-XBTUSDT-L-s1: sell 100 at 918.0, seen by stream 3 s ago"
    assert line in in_words(described(guard))


def test_a_naked_position_is_shown_as_such() -> None:
    """P12: with how long, and how far the guard has got."""
    guard = Driven().up()
    guard.position(a_position())
    guard.wait(3 * SECOND)
    assert "XBTUSDT: NAKED for 3.0 s (late)" in in_words(described(guard))


def test_socket_pong_and_data_are_three_facts() -> None:
    """P6: a line for each stream; what never came is said, not shown as zero."""
    words = in_words(described(covered()))
    assert "market stream: connected 60 s, no pong, last data 0 s ago" in words
    assert "account stream: not connected, last pong 2 s ago, last data 1 s ago (order 0 s)" in words


def test_what_is_known_now_counts_before_what_the_core_was_told() -> None:
    """Prices that came a moment ago are not shown as old because the core is told of them every few seconds only."""
    guard = covered()
    guard.now += 4 * SECOND
    fresh = StreamFacts(connected_ns=guard.now - 9 * SECOND, data_ns=guard.now - SECOND // 10, pong_ns=0, topics={})
    told = describe_freshness(guard.state, now_ns=guard.now, market=fresh)
    words = list(freshness_lines(msgspec.json.decode(msgspec.json.encode(told))))
    assert words[0] == "market stream: connected 9 s, no pong, last data 0 s ago"
    assert words[1].startswith("account stream: not connected, last pong 6 s ago, last data 5 s ago")


def test_fields_that_matter_have_ages_of_their_own() -> None:
    """P12: quantity and liquidation price by both witnesses, marks by symbol."""
    guard = covered()
    status = described(guard)
    fields = status["positions"][0]["protection"]["fields"]
    assert fields["quantity"]["stream"] == {"quantity": 100, "age_s": pytest.approx(3.0, abs=0.1)}
    assert fields["liquidation_price"]["stream"]["price"] == "900"
    assert set(status["freshness"]["marks"]) == {"XBTUSDT"}


def test_the_budget_has_a_line() -> None:
    """P8: what is left, what is kept, and a ban where there is one."""
    guard = covered()
    assert "request budget: 77 of 120 a minute, 30 kept for what protects" in in_words(described(guard))
    banned = BudgetFacts(tokens=0, capacity=120, reserve=30, paused_until_ns=guard.now + 90 * SECOND, is_banned=True)
    guard.give(e.LedgerRead(at_ns=guard.now, market=StreamFacts(), account=StreamFacts(), budget=banned))
    assert "the venue refuses this address for 90 s more at least" in in_words(described(guard))


def test_what_may_exist_is_listed() -> None:
    """P5: which request, since when, and when it can be proved at the earliest."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    silent = e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="time-out")
    find = guard.only(FindOrders, guard.give(silent))
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))
    line = f"may exist: place {place.client_order_id} (XBTUSDT), for 0 s; to be proved in 18 s at the earliest"
    assert line in in_words(described(guard))


def test_orders_of_others_are_counted() -> None:
    """They are left alone, and seen."""
    guard = covered()
    assert "others' orders in XBTUSDT: 1 may add exposure; left alone" in in_words(described(guard))


def test_a_daemon_of_an_older_build_is_shown_without_them() -> None:
    """The command may be newer than the daemon it asks."""
    status = described(covered())
    for name in ("freshness", "budget", "may_exist", "others"):
        del status[name]
    for position in status["positions"]:
        del position["protection"]
    assert "XBTUSDT" in in_words(status)
