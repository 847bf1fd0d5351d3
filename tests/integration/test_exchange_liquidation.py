"""A liquidation, the deleveraging behind it and a settlement, as clients on the wire see them."""

from __future__ import annotations

from connectors.simulated.engine.inputs import FundInsurance, SettleContract
from connectors.simulated.server.embedded import EmbeddedExchange
from tests.integration.exchange_client import Feed, Rest, feed, prices, running

FUND = 3_500_000_000_000


async def long_at(rest: Rest, leverage: int = 25) -> int:
    """Take an isolated long of 60,000 and return its bankruptcy price, to the dollar."""
    await rest.ask("POST", "/position/leverage", symbol="XBTUSD", leverage=leverage)
    await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=60_000, ordType="Market")
    (row,) = await rest.ask("GET", "/position", filter={"symbol": "XBTUSD"})
    return int(row["bankruptPrice"])


def move(exchange: EmbeddedExchange, mark: int, times: int = 1) -> None:
    """Move XBTUSD, several times to the same price."""
    for _ in range(times):
        exchange.venue.submit(prices(XBTUSD=mark))


async def sizes(one: Feed) -> list[int]:
    """Return what is left of a liquidation order, frame by frame, up to its delete."""
    left = [row["leavesQty"] for row in await one.table("liquidation", "insert")]
    while True:
        frame = await one.until(lambda frame: frame.get("table") == "liquidation")
        if frame["action"] == "delete":
            return left
        left += [row["leavesQty"] for row in frame["data"] if "leavesQty" in row]


async def test_liquidation_on_the_public_tables() -> None:
    """Insert, three updates and a delete; REST shows the order meanwhile, the fund has grown afterwards."""
    async with running() as exchange, Rest(exchange) as rest, feed(exchange) as one:
        await one.subscribe("liquidation")
        bankrupt = await long_at(rest)
        move(exchange, bankrupt + 200)
        (shown,) = (await rest.plain("GET", "/liquidation")).json()
        assert (shown["side"], shown["leavesQty"]) == ("Sell", 60_000)
        move(exchange, bankrupt + 200, 4)
        assert await sizes(one) == [60_000, 45_000, 30_000, 15_000]
        assert (await rest.plain("GET", "/liquidation")).json() == []
        funds = {row["currency"]: row["walletBalance"] for row in (await rest.plain("GET", "/insurance")).json()}
        assert funds["XBt"] > FUND


async def test_liquidation_on_the_private_tables() -> None:
    """The holder sees the states of the position, one execution of zeros, and a flat row."""
    async with running() as exchange, Rest(exchange) as rest:
        bankrupt = await long_at(rest)
        async with feed(exchange, key=exchange.key()) as one:
            await one.subscribe("position", "execution")
            move(exchange, bankrupt + 200)
            states = [row["posState"] for row in await one.table("position", "update")]
            assert states == ["Liquidation", "Liquidated"]
            (execution,) = await one.table("execution", "insert")
            assert (execution["text"], execution["orderID"][:8]) == ("Liquidation", "00000000")
            (flat,) = await one.table("position", "update")
            assert (flat["currentQty"], flat["isOpen"], flat["posState"]) == (0, False, None)


async def test_deleveraging_reaches_the_other_side() -> None:
    """With an empty fund the opposing account is closed at the bankruptcy price and told so."""
    async with running() as exchange, Rest(exchange) as rest:
        other = exchange.key(account=exchange.account + 1)
        async with Rest(exchange, other) as short, feed(exchange, key=other) as one:
            exchange.venue.submit(FundInsurance(currency="XBt", amount=-FUND))
            bankrupt = await long_at(rest)
            await short.ask("POST", "/order", symbol="XBTUSD", orderQty=-60_000, ordType="Market")
            await one.subscribe("execution")
            move(exchange, bankrupt - 3_000, 3)
            told = await one.until(lambda frame: frame.get("action") == "insert")
            assert [row["text"] for row in told["data"]] == ["Deleverage"]
            assert abs(told["data"][0]["lastPx"] - bankrupt) < 1


async def test_settlement_on_the_wire() -> None:
    """The row of the table, over the stream and over REST; the instrument is settled, orders are refused."""
    async with running() as exchange, Rest(exchange) as rest, feed(exchange) as one:
        await one.subscribe("settlement")
        await rest.ask("POST", "/order", symbol="XBTH27", orderQty=1_000, ordType="Market")
        exchange.venue.submit(SettleContract(symbol="XBTH27"))
        (row,) = await one.table("settlement", "insert")
        assert (row["symbol"], row["settlementType"], row["settledPrice"]) == ("XBTH27", "Settlement", 60_100)
        assert [r["symbol"] for r in (await rest.plain("GET", "/settlement")).json()] == ["XBTH27"]
        (instrument,) = (await rest.plain("GET", "/instrument?symbol=XBTH27")).json()
        assert (instrument["state"], instrument["settledPrice"]) == ("Settled", 60_100)
        refused = await rest.refusal("POST", "/order", symbol="XBTH27", orderQty=100, price=1_000)
        assert refused == (400, "Instrument expired")
