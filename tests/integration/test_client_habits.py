"""What public clients lean on, read in their sources: one row a habit, tried on the wire.

Why: not every client can be installed here. Each row sends what such a client sends, byte for byte where that matters,
and asks for what it reads out of the answer. The clients that can be installed run themselves: `make interop`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.integration.exchange_client import Rest, feed, running, sign

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Habit:
    """A request as some client makes it, and what it relies on in the answer.

    Attributes:
        of: The client, and what is particular.
        verb: In capitals.
        target: Path below `/api/v1` and query, exactly as sent.
        body: As sent.
        content_type: Of the body.
        reads: What the client takes out of the answer; true when it finds it.
    """

    of: str
    verb: str = "GET"
    target: str
    body: str = ""
    content_type: str = JSON
    reads: Callable[[httpx.Response], Any] = lambda answer: answer.status_code == 200


def rows(answer: httpx.Response) -> Any:
    """The rows of a table that answered, if there are some."""
    return answer.status_code == 200 and isinstance(answer.json(), list) and answer.json()


def row(**wanted: object) -> Callable[[httpx.Response], bool]:
    """A row with these values, alone or in a list."""

    def reads(answer: httpx.Response) -> bool:
        found = answer.json() if isinstance(answer.json(), list) else [answer.json()]
        return answer.status_code == 200 and any(wanted.items() <= one.items() for one in found)

    return reads


def headers(*names: str) -> Callable[[httpx.Response], bool]:
    """Whole numbers in these headers."""
    return lambda answer: all(answer.headers[name].isdigit() for name in names)


ORDER_ID = "{orderID}"
"""Stands for the id of an order that rests at 40,000 with clOrdID `resting`."""

HABITS = (
    # -- numbers as text
    Habit(
        of="ccapi: all values of a JSON order are strings",
        verb="POST",
        target="/order",
        body='{"orderQty":"100","price":"41000","side":"Buy","symbol":"XBTUSD"}',
        reads=row(orderQty=100, price=41_000),
    ),
    Habit(
        of="BitMEX.Net: amends with strings",
        verb="PUT",
        target="/order",
        body='{"orderID":"{orderID}","orderQty":"200","price":"40100.5","text":"Sent"}',
        reads=row(orderQty=200, price=40_100.5),
    ),
    Habit(
        of="BitMEX.Net: leverage as a string",
        verb="POST",
        target="/position/leverage",
        body='{"symbol":"XBTUSD","leverage":"3"}',
        reads=row(leverage=3, crossMargin=False),
    ),
    Habit(
        of="BitMEX.Net: cross leverage as a string",
        verb="POST",
        target="/position/crossLeverage",
        body='{"symbol":"XBTUSD","leverage":"3"}',
        reads=row(symbol="XBTUSD"),
    ),
    # -- forms, queries, and bodies where one does not expect them
    Habit(
        of="swagger-codegen (Go, Java): form bodies, escaped",
        verb="POST",
        target="/order",
        body="symbol=XBTUSD&side=Sell&orderQty=100&stopPx=39000.5&ordType=Stop&execInst=MarkPrice%2CReduceOnly",
        content_type=FORM,
        reads=row(ordType="Stop", stopPx=39_000.5, execInst="MarkPrice,ReduceOnly"),
    ),
    Habit(
        of="swagger-codegen: a charset in the content type",
        verb="POST",
        target="/order",
        body='{"symbol":"XBTUSD","orderQty":100,"price":41000}',
        content_type="application/json; charset=utf-8",
        reads=row(side="Buy"),
    ),
    Habit(
        of="sample-market-maker: a negative quantity sells",
        verb="POST",
        target="/order",
        body='{"symbol": "XBTUSD", "orderQty": -100, "price": 90000, "clOrdID": "mm_bitmex_1a/oemUeQ4CAJZgP3fjHsA"}',
        reads=row(side="Sell", orderQty=100, clOrdID="mm_bitmex_1a/oemUeQ4CAJZgP3fjHsA"),
    ),
    Habit(
        of="sample-market-maker: cancels a list in the body of a DELETE",
        verb="DELETE",
        target="/order",
        body='{"orderID": ["{orderID}"]}',
        reads=row(ordStatus="Canceled"),
    ),
    Habit(
        of="ccapi: cancels by query", verb="DELETE", target="/order?clOrdID=resting", reads=row(ordStatus="Canceled")
    ),
    Habit(
        of="BitMEX.Net: cancels a comma list",
        verb="DELETE",
        target="/order",
        body='{"clOrdID":"resting,never","text":"Sent"}',
        reads=row(ordStatus="Canceled"),
    ),
    Habit(
        of="BitMEX.Net: cancels all of every paired account",
        verb="DELETE",
        target="/order/all",
        body='{"targetAccountIds":"*","text":"Sent"}',
        reads=row(ordStatus="Canceled"),
    ),
    Habit(
        of="go-bitmex: a DELETE without a body says it is JSON",
        verb="DELETE",
        target="/order/all?symbol=XBTUSD",
        reads=row(ordStatus="Canceled"),
    ),
    # -- filters, columns, times
    Habit(
        of="ccapi: a filter with escaped quotes and a blank",
        target="/order?filter=%7B%22open%22%3A%20true%7D&symbol=XBTUSD",
        reads=row(clOrdID="resting"),
    ),
    Habit(
        of="sample-market-maker: a dotted filter, blanks as plus signs",
        target="/order?filter=%7B%22ordStatus.isTerminated%22%3A+false%2C+%22symbol%22%3A+%22XBTUSD%22%7D&count=500",
        reads=row(clOrdID="resting"),
    ),
    Habit(
        of="sample-market-maker: looks a duplicate up by a list of ids",
        target="/order?filter=%7B%22clOrdID%22%3A%5B%22resting%22%5D%7D",
        reads=row(clOrdID="resting"),
    ),
    Habit(
        of="bitmex-async-rest: one order by its id",
        target="/order?filter=%7B%22orderID%22%3A%22{orderID}%22%7D",
        reads=row(clOrdID="resting"),
    ),
    Habit(
        of="hand-written: an unescaped filter",
        target='/order?filter={"open":true}',
        reads=row(clOrdID="resting"),
    ),
    Habit(
        of="Python, C#: booleans capitalised",
        target="/order?reverse=True&count=5",
        reads=row(clOrdID="resting"),
    ),
    Habit(
        of="ccxt: ISO times with milliseconds",
        target="/order?startTime=2017-01-01T00%3A00%3A00.000Z",
        reads=row(clOrdID="resting"),
    ),
    Habit(
        of="swagger-codegen: times with an offset",
        target="/order?startTime=2017-01-01T00%3A00%3A00%2B00%3A00",
        reads=row(clOrdID="resting"),
    ),
    Habit(
        of="BitMEX.Net: a time as milliseconds",
        target="/order?startTime=1483228800000&endTime=4102444800000",
        reads=row(clOrdID="resting"),
    ),
    Habit(of="notebooks: a day as a time", target="/order?startTime=2017-01-01", reads=row(clOrdID="resting")),
    Habit(
        of="roq: columns as a JSON array",
        target="/instrument?symbol=XBTUSD&columns=%5B%22lotSize%22%2C%22tickSize%22%5D",
        reads=row(symbol="XBTUSD", lotSize=100),
    ),
    Habit(
        of="bitmex-backtest: columns as a comma list", target="/instrument?symbol=XBTUSD&columns=lotSize", reads=rows
    ),
    Habit(of="XChange: a contract by its series and period", target="/instrument?symbol=XBT%3Aperpetual", reads=rows),
    Habit(of="bots: lower case symbols", target="/instrument?symbol=xbtusd", reads=row(symbol="XBTUSD")),
    Habit(of="bots: depth 0 is the whole book", target="/orderBook/L2?symbol=XBTUSD&depth=0", reads=rows),
    Habit(of="bots: empty values", target="/order?symbol=&filter=", reads=row(clOrdID="resting")),
    Habit(of="bots: CSV", target="/instrument?symbol=XBTUSD&_format=csv", reads=lambda answer: b"," in answer.content),
    Habit(of="widgets: the last print of a bare series", target="/trade?symbol=xbt&count=1&reverse=true", reads=rows),
    Habit(
        of="recorders: a thousand prints of an index", target="/trade?symbol=.BXBT&count=1000&columns=price", reads=rows
    ),
    Habit(of="recorders: a slash too many", target="/trade/bucketed/?binSize=1m&partial=true&symbol=XBTUSD"),
    Habit(of="recorders: 750 candles", target="/trade/bucketed?binSize=1d&symbol=XBTUSD&count=750&reverse=false"),
    Habit(
        of="indicators: candles of an index", target="/trade/bucketed?binSize=1m&symbol=.BXBT&count=125&reverse=True"
    ),
    Habit(of="recorders: a time with a blank", target="/trade?symbol=XBTUSD&startTime=2020-04-17%2010:00", reads=rows),
    Habit(
        of="recorders: prints of one time of day",
        target="/trade?symbol=XBTUSD&filter=%7B%22timestamp.time%22%3A%2200%3A00%22%7D",
    ),
    # -- the account
    Habit(of="BitMEX.Net: wallets of all currencies", target="/user/wallet?currency=all", reads=rows),
    Habit(of="XChange: margin of all currencies", target="/user/margin?currency=all", reads=rows),
    Habit(
        of="BitMEX.Net: margin by a symbol that is none", target="/user/margin?symbol=all", reads=row(currency="XBt")
    ),
    Habit(of="BitMEX.Net: history of all currencies", target="/user/walletHistory?currency=all", reads=rows),
    Habit(of="bots: history with a count", target="/user/walletHistory?currency=XBt&count=1000&start=0", reads=rows),
    Habit(of="BitMEX.Net: summary of all currencies", target="/user/walletSummary?currency=all"),
    Habit(
        of="BitMEX.Net: user events in an object",
        target="/userEvent?count=5",
        reads=lambda answer: isinstance(answer.json()["userEvents"], list),
    ),
    Habit(of="BitMEX.Net: fill ratio of all accounts", target="/user/quoteFillRatio?targetAccountId=*"),
    Habit(of="BitMEX.Net: fees by symbol", target="/user/commission", reads=lambda answer: "XBTUSD" in answer.json()),
    Habit(of="bitmex-cli: the key in use", target="/apiKey/self", reads=lambda answer: answer.json()["id"]),
    # -- what is read from the headers
    Habit(
        of="bitmex-async-rest, sample-market-maker: the budget in every answer",
        target="/position",
        reads=headers("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    ),
)


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.of)
async def test_a_request_as_a_client_makes_it(habit: Habit) -> None:
    """Every habit is met."""
    async with running() as exchange, Rest(exchange) as rest:
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100)  # so that there is a print
        order = await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100, price=40_000, clOrdID="resting")
        target = f"/api/v1{habit.target.replace(ORDER_ID, order['orderID'])}"
        body = habit.body.replace(ORDER_ID, order["orderID"]).encode()
        request = sign(rest.key, habit.verb, str(httpx.URL(exchange.http_url + target).raw_path, "ascii"), body)
        request |= {"content-type": habit.content_type}
        async with httpx.AsyncClient(base_url=exchange.http_url, trust_env=False) as client:
            answer = await client.request(habit.verb, target, content=body, headers=request)
        assert habit.reads(answer), (answer.status_code, answer.text[:300], dict(answer.headers))


async def test_a_book_frame_is_of_one_symbol() -> None:
    """bitmex-trio-websocket raises when a frame of the book holds two symbols; gocryptotrader reads the first row's."""
    async with running(image_period_ms=0) as exchange, feed(exchange) as one:
        await one.say({"op": "subscribe", "args": ["orderBookL2:XBTUSD", "orderBookL2:XBTUSDT"]})
        frames = [await one.until(lambda frame: frame.get("table") == "orderBookL2") for _ in range(2)]
        assert [len({row["symbol"] for row in frame["data"]}) for frame in frames] == [1, 1]


@pytest.mark.parametrize("args", [[], "", ["never:subscribed"]])
async def test_a_clumsy_unsubscribe_does_no_harm(args: object) -> None:
    """XChange unsubscribes with an empty list; the stream goes on."""
    async with running(image_period_ms=0) as exchange, feed(exchange) as one:
        await one.subscribe("instrument:XBTUSD")
        await one.say({"op": "unsubscribe", "args": args})
        await one.say("ping")
        assert await one.until(lambda message: message == "pong")


async def test_a_subscription_before_the_sign_in() -> None:
    """The client gocryptotrader subscribes to public topics first and signs in last, an hour ahead."""
    async with running(image_period_ms=0) as exchange, feed(exchange) as one:
        await one.subscribe("announcement", "trade:XBTUSD")
        assert (await one.sign_in(exchange.key()))["success"]
        await one.subscribe("order", "position")


async def test_the_switch_over_the_socket_every_few_seconds() -> None:
    """bitmex-trio-websocket feeds the dead man's switch over the socket it reads from, signed in by headers."""
    async with running() as exchange, feed(exchange, key=exchange.key()) as one:
        for _ in range(2):
            await one.say({"op": "cancelAllAfter", "args": 60_000})
            assert (await one.until(lambda message: "cancelTime" in message))["cancelTime"]


async def test_topics_in_the_address_with_a_sign_in_by_header() -> None:
    """sample-market-maker subscribes to all it needs by the address, some topics with a symbol and some without."""
    topics = "quote:XBTUSD,trade:XBTUSD,instrument,order:XBTUSD,execution:XBTUSD,margin,position"
    async with (
        running(image_period_ms=0) as exchange,
        feed(exchange, key=exchange.key(), query=f"?subscribe={topics}") as one,
    ):
        tables = set()
        while tables != {topic.partition(":")[0] for topic in topics.split(",")}:
            frame = await one.until(lambda message: message.get("action") == "partial")
            assert isinstance(frame["keys"], list)
            tables.add(frame["table"])


async def test_a_refused_topic_says_which() -> None:
    """sample-market-maker stops at a frame with a status and an error, and shows its request."""
    async with running() as exchange, feed(exchange) as one:
        await one.say({"op": "subscribe", "args": ["nonsense:XBTUSD"]})
        error = await one.until(lambda message: "error" in message)
        assert error["status"] == 400
        assert json.loads(json.dumps(error["request"]))["op"] == "subscribe"
