"""An exchange that lists everything, over its wire: what clients build their markets from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.settings import ListingChoice, RowStyle
from connectors.simulated.tape.source import tape_of_scenario
from tests.integration.exchange_client import NO_LIMITS, Rest, feed, running

# What public clients take from each row to build a market.
_NEEDED = (
    "symbol rootSymbol state typ underlying quoteCurrency tickSize lotSize multiplier isQuanto isInverse instantPnl "
    "maxOrderQty maxPrice timestamp makerFee takerFee lastPrice volume24h turnover24h"
)
NEEDED = tuple(_NEEDED.split())


@pytest.fixture
async def venue() -> AsyncIterator[EmbeddedExchange]:
    """Run an exchange with the whole listing and the calm tape."""
    tape: Any = tape_of_scenario("calm", seed=1)
    async with running(tape, listing=ListingChoice.VENUE) as exchange:
        yield exchange


async def test_markets_of_a_client(venue: EmbeddedExchange) -> None:
    """Every active row has what clients need, settled in a currency unless it is spot; integers are integers."""
    async with Rest(venue) as rest:
        rows = await rest.ask("GET", "/instrument/active")
        text = (await rest.plain("GET", "/instrument/active")).text
    assert len(rows) > 120
    for row in rows:
        assert not [name for name in NEEDED if row[name] is None], row["symbol"]
        assert (row["settlCurrency"] is None) is (row["typ"] == "IFXXXP")
        assert row["typ"] in {"IFXXXP", "FFMCSX"} or (row["initMargin"] and row["markPrice"]), row["symbol"]
        if row["typ"] in {"FFWCSX", "FFSCSX"} and not row["isInverse"] and not row["isQuanto"]:
            assert row["underlyingToPositionMultiplier"]
    assert '"lotSize":100.0' not in text


async def test_every_market_moves_by_itself(venue: EmbeddedExchange) -> None:
    """Nobody trades, and yet quotes of markets off the tape come within seconds."""
    async with feed(venue) as one:
        await one.subscribe("quote:SOLUSDT", "quote:SPYUSDT", "quote:XBT_USDT")
        seen: set[str] = set()
        async with asyncio.timeout(8):
            while len(seen) < 3:
                seen |= {row["symbol"] for row in await one.table("quote", "insert")}
        assert seen == {"SOLUSDT", "SPYUSDT", "XBT_USDT"}


async def test_no_market_falls_silent_while_the_tape_stands() -> None:
    """After the last step every market is quoted again and again, at the price where it stood."""
    async with running(listing=ListingChoice.VENUE, heartbeat_ms=20) as exchange, feed(exchange) as one:
        await one.subscribe("quote:SOLUSDT", "quote:XBTUSD")
        async with asyncio.timeout(8):
            rows = [row for _ in range(8) for row in await one.table("quote", "insert")]
    for symbol in ("SOLUSDT", "XBTUSD"):
        assert len({row["timestamp"] for row in rows if row["symbol"] == symbol}) > 1
        assert len({row["bidPrice"] for row in rows if row["symbol"] == symbol}) == 1


async def test_groups_of_everything(venue: EmbeddedExchange) -> None:
    """Contracts, spot pairs and indices are groups; plain `instrument` is all of them, rates of funding too."""
    async with feed(venue) as one:
        await one.say({"op": "subscribe", "args": ["instrument:SPOT", "instrument:INDICES", "instrument"]})
        spot, indices, everything = [await one.table("instrument", "partial") for _ in range(3)]
    assert {row["typ"] for row in spot} == {"IFXXXP"}
    assert {".BXBT", ".XBTBON8H", ".USDBON8H", ".XBTUSDPI8H", ".BSPYT"} <= {row["symbol"] for row in indices}
    assert len(everything) > len(spot) + len(indices) + 100


async def test_a_follower_is_traded_like_any_contract(venue: EmbeddedExchange) -> None:
    """A linear, a quanto on stocks' margin and a dated contract: orders fill and positions are there."""
    async with Rest(venue) as rest:
        rows = {row["symbol"]: row for row in await rest.ask("GET", "/instrument/active")}
        dated = next(name for name, row in rows.items() if row["typ"] == "FFCCSX" and name.startswith("ETHUSD"))
        for symbol in ("SOLUSDT", "EURUSD", "SPYUSDT", dated):
            order = await rest.ask("POST", "/order", symbol=symbol, orderQty=rows[symbol]["lotSize"])
            assert order["ordStatus"] == "Filled", symbol
        held = {row["symbol"]: row["currentQty"] for row in await rest.ask("GET", "/position")}
        assert held["SOLUSDT"] == rows["SOLUSDT"]["lotSize"]
        assert await rest.refusal("POST", "/order", symbol="XBT_USDT", orderQty=1_000) == (400, "Market is not open")
        assert (await rest.ask("GET", "/user/commission"))["SPYUSDT"]["takerFee"] == 0.0005
        assert await rest.ask("GET", "/stats")
    assert venue.venue.exchange.money_is_conserved()


async def test_a_restart_lists_the_same(tmp_path: Any) -> None:
    """The listing is in the journal: another start on the same directory has the same instruments and positions."""
    settings: dict[str, Any] = {"listing": ListingChoice.VENUE, "state_dir": tmp_path, "limits": NO_LIMITS}
    tape: Any = tape_of_scenario("calm", seed=1)
    async with running(tape, **settings) as exchange, Rest(exchange) as rest:
        await rest.ask("POST", "/order", symbol="SOLUSDT", orderQty=100)
        before = exchange.venue.exchange.symbols()
    async with running(tape, **settings) as exchange, Rest(exchange) as rest:
        assert exchange.venue.exchange.symbols() == before
        (position,) = await rest.ask("GET", "/position", filter='{"symbol":"SOLUSDT"}')
        assert position["currentQty"] == 100


async def test_sparse_rows_leave_out_what_is_empty() -> None:
    """In the style of today a spot row has no settlement currency, and a perpetual no expiry."""
    tape: Any = tape_of_scenario("calm", seed=1)
    async with running(tape, listing=ListingChoice.VENUE, rows=RowStyle.SPARSE) as exchange, Rest(exchange) as rest:
        rows = {row["symbol"]: row for row in await rest.ask("GET", "/instrument/active")}
    assert "settlCurrency" not in rows["XBT_USDT"]
    assert "expiry" not in rows["XBTUSD"]
    assert all("expiry" in row for row in rows.values() if row["typ"] == "FFCCSX")
