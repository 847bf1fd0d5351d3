"""What becomes of orders, as two accounts see it over the wire: failed requests, icebergs, pegs, brackets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.simulated.engine.inputs import SetPrices, SymbolPrices
from connectors.simulated.engine.switches import Switches
from connectors.simulated.server.embedded import EmbeddedExchange
from tests.integration.exchange_client import START_MS, Rest, feed, running

REJECT_COLUMNS = (
    "execID",
    "orderID",
    "account",
    "execType",
    "ordStatus",
    "workingIndicator",
    "ordRejReason",
    "text",
    "transactTime",
    "timestamp",
)
"""Of a row of 2025-09, github.com/roq-trading/roq-bitmex."""


def other(exchange: EmbeddedExchange) -> Rest:
    """Return a client of the second account."""
    return Rest(exchange, exchange.key(exchange.venue.accounts[1]))


@pytest.mark.parametrize(("verb", "kind"), [("DELETE", "CancelReject"), ("PUT", "AmendReject")])
async def test_failed_request_comes_over_the_stream(verb: str, kind: str) -> None:
    """An unknown order: the answer says so, and the execution table carries a row about the request."""
    unknown = "ece0a2cc-7729-4f4c-bc6c-65d7c723e75b"
    async with running() as exchange, Rest(exchange) as rest, feed(exchange) as one:
        await one.sign_in(exchange.key())
        await one.subscribe("execution")
        await rest.send(
            verb, "/order", {"orderID": unknown, "price": 40_000} if verb == "PUT" else {"orderID": unknown}
        )
        row = (await one.table("execution", "insert"))[0]
        listed = await rest.ask("GET", "/execution")
    assert set(REJECT_COLUMNS) <= {name for name, cell in row.items() if cell is not None}
    assert (row["execType"], row["ordStatus"], row["orderID"]) == (kind, "Rejected", unknown)
    assert (row["ordRejReason"], row["text"]) == ("Invalid orderID", "Invalid orderID")
    assert row.get("symbol") is row.get("side") is None
    assert [one["execType"] for one in listed] == [kind]


async def test_public_book_shows_the_displayed_part_only() -> None:
    """An iceberg shows 300 of 1,000, a hidden order nothing; both trade."""
    async with running() as exchange, Rest(exchange) as rest, other(exchange) as bob:
        sell = {"symbol": "XBTUSD", "side": "Sell"}
        await rest.ask("POST", "/order", **sell, orderQty=1_000, price=60_000.2, displayQty=300)
        await rest.ask("POST", "/order", **sell, orderQty=500, price=60_000.1, displayQty=0)
        rows = await rest.ask("GET", "/orderBook/L2", symbol="XBTUSD", depth=3)
        bought = await bob.ask("POST", "/order", symbol="XBTUSD", orderQty=600, price=60_000.2)
        after = await rest.ask("GET", "/orderBook/L2", symbol="XBTUSD", depth=3)

    def best(book: Any) -> tuple[float, int]:
        row = next(row for row in reversed(book) if row["side"] == "Sell")
        return row["price"], row["size"]

    assert best(rows) == (60_000.2, 300)
    assert (bought["ordStatus"], bought["avgPx"]) == ("Filled", pytest.approx(60_000.1167, abs=1e-4))
    assert best(after) == (60_000.2, 200)


async def test_bracket_over_the_wire() -> None:
    """With the switch on: entry, target and stop as a client sends them; the entry fills, the stop ends the rest."""
    switches = Switches(linked_orders=True)
    async with running(switches=switches) as exchange, Rest(exchange) as rest:
        link = {"symbol": "XBTUSD", "clOrdLinkID": "bracket", "orderQty": 100}
        leg = {**link, "side": "Sell", "contingencyType": "OneCancelsTheOther", "execInst": "ReduceOnly"}
        entry = await rest.ask("POST", "/order", **link, price=49_000, contingencyType="OneTriggersTheOther")
        target = await rest.ask("POST", "/order", **leg, price=51_000)
        await rest.ask("POST", "/order", **leg, ordType="Stop", stopPx=48_000)
        assert (target["workingIndicator"], target["contingencyType"]) == (False, "OneCancelsTheOther")
        for mark in (48_900, 47_900):
            price = Decimal(mark)
            step = SymbolPrices(
                symbol="XBTUSD", mark=price, index=price, last=price, half_spread=Decimal("0.5"), depth=1_000
            )
            exchange.venue.submit(SetPrices(tape_ms=START_MS, prices=(step,)))
        rows = {row["orderID"]: row for row in await rest.ask("GET", "/order")}
        held = await rest.ask("GET", "/position")
    assert rows[entry["orderID"]]["ordStatus"] == "Filled"
    assert (rows[target["orderID"]]["ordStatus"], rows[target["orderID"]]["triggered"]) == ("Canceled", "Triggered")
    assert held[0]["currentQty"] == 0


async def test_pegged_order_over_the_wire() -> None:
    """A pegged limit at the own touch; the answer carries its price."""
    async with running() as exchange, Rest(exchange) as rest:
        peg = {"pegPriceType": "PrimaryPeg", "pegOffsetValue": -1, "execInst": "Fixed", "ordType": "Pegged"}
        row = await rest.ask("POST", "/order", symbol="XBTUSD", side="Buy", orderQty=100, **peg)
        book = await rest.ask("GET", "/orderBook/L2", symbol="XBTUSD", depth=1)
    assert row["price"] == book[-1]["price"] - 1
    assert (row["pegPriceType"], row["pegOffsetValue"], row["ordStatus"]) == ("PrimaryPeg", -1, "New")
