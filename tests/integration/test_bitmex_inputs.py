"""What surrounds the positions, over the wire: wallets, the insurance fund, liquidations, bid and ask.

The embedded exchange shows what a venue in order sends; a scripted one refuses, garbles and stays silent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connectors.bitmex import BitmexDropCopy, BitmexMarketData
from connectors.simulated.engine.inputs import Deposit, FundInsurance
from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.settings import RowStyle
from connectors.vocabulary import OrderSide, Quote, Wallet
from tests.integration import exchange_client
from tests.integration.bitmex_clients import ROWS, a_drop_copy, a_market
from tests.integration.bitmex_fakes import Line, realtime, running, until
from tests.integration.exchange_client import Rest, prices
from tests.integration.test_bitmex_against_embedded import credentials_of, settings_of
from tests.unit.connectors.bitmex.bitmex_builders import (
    INSTRUMENT_ROW,
    INSURANCE_ROW,
    LIQUIDATION_ROW,
    WALLET_ROW,
    RememberingSink,
    change,
    partial,
    raw,
)

SYMBOL = "XBTUSD"
EXTRAS = ("insurance", "liquidation", "wallet")
both_generations = pytest.mark.parametrize("rows", list(RowStyle), ids=lambda style: style.value)


@dataclass
class Watch:
    """An exchange whose prices stand still, and both streams of one account, live."""

    exchange: EmbeddedExchange
    market: BitmexMarketData
    sink: RememberingSink
    bot: Rest

    def wallet(self) -> Wallet:
        """The last wallet row of bitcoin."""
        found: Wallet = [row for row in self.sink.of("wallet") if row.currency == "XBt"][-1]
        return found

    async def until_moved(self, amount_sat: int, since: Wallet) -> Wallet:
        """Wait until the movements add up to so much more than they did."""
        assert since.transfers_sat is not None
        wanted = since.transfers_sat + amount_sat
        await until(lambda: self.wallet().transfers_sat == wanted)
        return self.wallet()


@asynccontextmanager
async def watching(**settings: Any) -> AsyncIterator[Watch]:
    """Attach both streams to an exchange and wait until the topics beside them are there."""
    async with exchange_client.running(**settings) as exchange:
        sink = RememberingSink()
        venue = settings_of(exchange)
        market = BitmexMarketData(settings=venue, sink=sink, jitter=lambda: 0.5)
        account = BitmexDropCopy(
            settings=venue, credentials=credentials_of(exchange.key()), sink=sink, jitter=lambda: 0.5
        )
        async with Rest(exchange) as bot, running(market.run(), account.run()):
            await until(lambda: len(sink.of("topic")) == len(EXTRAS))
            assert dict(sink.of("topic")) == dict.fromkeys(EXTRAS, "")
            yield Watch(exchange, market, sink, bot)


@both_generations
async def test_deposit_and_withdrawal_reach_the_wallet(rows: RowStyle) -> None:
    """Money put in and taken out through the control port: the movements say how much, and the balance agrees."""
    async with watching(rows=rows) as one, httpx.AsyncClient(base_url=one.exchange.control_url) as control:
        before = one.wallet()
        for amount in (5_000_000, -1_250_000):
            asked = {"account": one.exchange.account, "currency": "XBt", "amount": amount}
            (await control.post("/accounts/deposit", json=asked)).raise_for_status()
        after = await one.until_moved(3_750_000, before)
        assert after.amount_sat == (before.amount_sat or 0) + 3_750_000
        await until(lambda: one.sink.of("margin")[-1].amount_sat == after.amount_sat)


async def test_a_trade_moves_no_money_in_or_out() -> None:
    """Fees, losses and gains are results: the movements stand still, so a rule can tell the two apart."""
    async with watching() as one:
        before = one.wallet()
        await one.bot.ask("POST", "/order", symbol=SYMBOL, orderQty=1000, ordType="Market")
        await one.bot.ask("POST", "/order", symbol=SYMBOL, orderQty=-1000, ordType="Market")
        one.exchange.venue.submit(Deposit(account=one.exchange.account, currency="XBt", amount=7))
        assert (await one.until_moved(7, before)).amount_sat == (before.amount_sat or 0) + 7
        await until(lambda: one.sink.of("margin")[-1].wallet_balance_sat < (before.amount_sat or 0))


async def test_the_fund_is_told_by_currency_and_again_when_it_changes() -> None:
    """The partial tells what each currency has; a publication follows a change."""
    async with watching() as one:
        known = {fund.currency: fund.balance_sat for fund in one.sink.of("insurance")}
        assert known["XBt"] > 0
        one.exchange.venue.submit(FundInsurance(currency="XBt", amount=-1_000_000))
        await until(lambda: one.sink.of("insurance")[-1].balance_sat != known["XBt"])
        last = one.sink.of("insurance")[-1]
        assert (last.currency, last.balance_sat) == ("XBt", known["XBt"] - 1_000_000)


async def test_a_liquidation_is_told_from_first_to_last() -> None:
    """Somebody's long is closed in parts: the order shrinks, then it is gone; side and symbol stay known."""
    async with watching() as one:
        await one.bot.ask("POST", "/position/leverage", symbol=SYMBOL, leverage=25)
        await one.bot.ask("POST", "/order", symbol=SYMBOL, orderQty=60_000, ordType="Market")
        (row,) = await one.bot.ask("GET", "/position", filter={"symbol": SYMBOL})
        for _ in range(5):
            one.exchange.venue.submit(prices(XBTUSD=int(row["bankruptPrice"]) + 200))
        await until(lambda: one.sink.of("liquidation") and one.sink.of("liquidation")[-1][1])
        told = one.sink.of("liquidation")
        assert [order.leaves_quantity for order, is_gone in told if not is_gone] == [60_000, 45_000, 30_000, 15_000]
        assert {(order.symbol, order.side) for order, _ in told} == {(SYMBOL, OrderSide.SELL)}


async def test_bid_and_ask_are_at_hand() -> None:
    """The newest quote of a contract, moved by the book; none of a symbol that does not exist."""
    async with watching() as one:
        quote = one.market.quote(SYMBOL)
        assert quote is not None
        assert quote.spread is not None
        assert Decimal(0) < quote.spread < Decimal(5)
        assert one.market.quote("NOTHING") is None
        one.exchange.venue.submit(prices(XBTUSD=55_000))
        await until(lambda: (one.market.quote(SYMBOL) or quote).bid != quote.bid)
        moved = one.market.quote(SYMBOL)
        assert moved is not None
        assert moved.bid is not None
        assert abs(moved.bid - 55_000) < 5


async def test_contract_figures_come_with_their_schedule() -> None:
    """A perpetual says when funding is charged next, a future when it settles."""
    async with watching() as one:
        figures = {each.symbol: each for each in one.sink.of("instrument")}
        assert figures[SYMBOL].funding_interval_ns == 8 * 3600 * 10**9
        assert figures[SYMBOL].funding_at_ns > 0
        assert figures[SYMBOL].base_risk_limit_sat > 0
        assert (figures["XBTH27"].funding_at_ns, figures["XBTH27"].expires_ns > 0) == (0, True)


# ---------------------------------------------------------------------- a venue that does not play along


async def account_of(line: Line, answer: list[bytes]) -> None:
    """Open a private line, wait for the extra topic, answer it."""
    await line.account(**ROWS)
    assert (await line.hear())["args"] == ["wallet"]
    await line.say(*answer)
    await line.listen()


async def told_of(answer: list[bytes]) -> RememberingSink:
    """Return what a drop copy said until it had spoken of its extra topic."""

    async def story(line: Line) -> None:
        await account_of(line, answer)

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: sink.of("topic"))
        await until(lambda: sink.pongs > 2)  # pings go on being answered: the stream lives
    return sink


REFUSALS = {
    "repeated": {"status": 400, "error": "Unknown table: wallet", "request": {"op": "subscribe", "args": ["wallet"]}},
    "bare": {"status": 403, "error": "Access to wallet denied"},
    "forbidden": {"status": 401, "error": "no rights", "request": {"op": "subscribe", "args": "wallet"}},
}


@pytest.mark.parametrize("refusal", list(REFUSALS.values()), ids=list(REFUSALS))
async def test_a_refused_topic_costs_no_stream(refusal: dict[str, Any]) -> None:
    """P12: the wallet is missing and the sink hears why; the account stays live."""
    sink = await told_of([raw(refusal)])
    ((topic, problem),) = sink.of("topic")
    assert topic == "wallet"
    assert problem.startswith("refused: ")
    assert sink.of("lost") == []


async def test_rows_that_cannot_be_read_cost_no_stream() -> None:
    """P12: garbled wallet rows, and updates of rows that never came: told once, the rest goes on."""
    bad = change("wallet", "update", {"account": 273093, "currency": "USDt", "deposited": 1})
    garbled = {**WALLET_ROW, "deposited": "a lot"}
    sink = await told_of([partial("wallet", [WALLET_ROW]), bad, bad, change("wallet", "insert", garbled)])
    await_problem = [problem for _, problem in sink.of("topic") if problem]
    assert len(await_problem) == 1
    assert await_problem[0].startswith("cannot be read: ")
    assert len(sink.of("wallet")) == 1
    assert sink.of("lost") == []


async def test_an_error_nobody_can_place_costs_one_connection_and_no_second() -> None:
    """The next connection leaves the extra topics alone, says so, and stays."""

    async def first(line: Line) -> None:
        await account_of(line, [raw({"status": 500, "error": "Internal error"})])

    async def second(line: Line) -> None:
        await line.account(**ROWS)
        with pytest.raises(ConnectionError):
            await line.hear()  # nothing but pings until the client goes away

    sink = RememberingSink()
    async with realtime(first, second) as fake, running(a_drop_copy(fake, sink).run()):
        await until(lambda: len(sink.of("live")) == 2 and sink.of("topic"))
        assert fake.open_lines == 1
    ((topic, problem),) = sink.of("topic")
    assert (topic, problem) == ("wallet", "left out: the venue may have ended the last connection over it")
    assert len(sink.of("lost")) == 1


async def test_the_public_topics_are_as_expendable() -> None:
    """Insurance is garbled, liquidation refused: prices go on, and each quote survives a bid that cannot be read."""

    async def story(line: Line) -> None:
        await line.greet(signed_in=False)
        await line.say(partial("instrument", [{**INSTRUMENT_ROW, "bidPrice": "?", "askPrice": 97850}]))
        asked = [await line.hear(), await line.hear()]
        assert [each["args"] for each in asked] == [["insurance"], ["liquidation"]]
        await line.say(partial("insurance", [{**INSURANCE_ROW, "walletBalance": "much"}]))
        await line.say(raw({"status": 400, "error": "Unknown table", "request": asked[1]}))
        await line.say(change("instrument", "update", {"symbol": SYMBOL, "bidPrice": 97840.5}))
        await line.say(change("instrument", "update", {"symbol": SYMBOL, "askPrice": None, "markPrice": 97845}))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake:
        market = a_market(fake, sink)
        async with running(market.run()):
            await until(lambda: len(sink.of("mark")) == 2)
            assert market.quote(SYMBOL) == Quote(symbol=SYMBOL, bid=Decimal("97840.5"), ask=None)
    problems = [(topic, problem.split(":")[0]) for topic, problem in sink.of("topic") if problem]
    assert problems == [("insurance", "cannot be read"), ("liquidation", "refused")]
    assert sink.of("lost") == []


async def test_a_liquidation_is_followed_by_its_id() -> None:
    """Updates name the order only; what they leave out is known from before. Years of the fund tell a week."""

    async def story(line: Line) -> None:
        await line.greet(signed_in=False)
        await line.say(partial("instrument", [INSTRUMENT_ROW]))
        await line.hear()
        await line.hear()
        days = [{**INSURANCE_ROW, "timestamp": f"2024-05-{day:02}T12:00:00.000Z"} for day in range(1, 29)]
        await line.say(partial("insurance", days), partial("liquidation", [LIQUIDATION_ROW]))
        of_it = {"orderID": LIQUIDATION_ROW["orderID"]}
        await line.say(change("liquidation", "update", {**of_it, "leavesQty": 100}))
        await line.say(change("liquidation", "delete", of_it))
        await line.listen()

    sink = RememberingSink()
    async with realtime(story) as fake, running(a_market(fake, sink).run()):
        await until(lambda: len(sink.of("liquidation")) == 3)
    assert [(o.leaves_quantity, gone) for o, gone in sink.of("liquidation")] == [
        (60_000, False),
        (100, False),
        (100, True),
    ]
    assert len(sink.of("insurance")) == 8
