"""REST of the embedded exchange, over real HTTP, as a client sees it."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from connectors.simulated.server.settings import RateLimits, RowStyle
from tests.integration.exchange_client import Rest, feed, prices, running, sign

ORDER = {"symbol": "XBTUSD", "orderQty": 100, "price": 50_000}


PUBLIC_PATHS = """
/instrument /instrument/active /instrument/indices /instrument/activeAndIndices /instrument/activeIntervals
/instrument/compositeIndex?symbol=.BXBT /orderBook/L2?symbol=XBTUSD&depth=10 /quote /quote/bucketed /trade
/trade/bucketed?binSize=1m&partial=true /funding /liquidation /insurance /settlement /stats /wallet/assets
/schema /schema/websocketHelp /announcement /chat /chat/channels /chat/connected /chat/pinned /leaderboard
/stats/history /stats/historyUSD /trade?symbol=.BXBT&count=1&reverse=true /wallet/networks
"""
PRIVATE_PATHS = """
/order /position /execution /execution/tradeHistory /user /user/margin /user/wallet /user/walletHistory
/user/walletSummary /user/commission /user/tradingVolume /apiKey /apiKey/self /user/marginingMode
/user/affiliateStatus /user/depositAddress?currency=XBt&network=btc /globalNotification /announcement/urgent
/user/executionHistory?symbol=XBTUSD&timestamp=2026-05-03T12:00:00.000Z /user/quoteFillRatio /user/quoteValueRatio
/user/staking /user/unstakingRequests /userEvent /userAffiliates /address /user/tradingSettings /leaderboard/name
"""


async def test_public_reads_need_no_key() -> None:
    """Every public endpoint that clients lean on answers with JSON."""
    async with running() as exchange, Rest(exchange) as rest:
        for path in PUBLIC_PATHS.split():
            response = await rest.plain("GET", path)
            assert response.status_code == 200, (path, response.text)
            assert response.headers["content-type"].startswith("application/json")
        root = (await rest.plain("GET", "")).json()
        assert set(root) == {"name", "version", "timestamp"}
        assert abs(root["timestamp"] - time.time() * 1_000) < 60_000


async def test_an_index_has_prints_on_rest() -> None:
    """`GET /trade` of an index: size 0, no match behind it; asked for by nobody, it does not hide the trades."""
    async with running() as exchange, Rest(exchange) as rest:
        (row, *_) = (await rest.plain("GET", "/trade?symbol=.BXBT&reverse=true")).json()
        assert (row["size"], row["price"], row["trdType"], row["trdMatchID"]) == (0, 60_000, "Referential", None)


async def test_one_day_of_executions() -> None:
    """`GET /user/executionHistory` holds that day's balance changes of that instrument."""
    async with running() as exchange, Rest(exchange) as rest:
        filled = await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100)
        (row,) = await rest.ask("GET", "/user/executionHistory", symbol="XBTUSD", timestamp=filled["timestamp"])
        assert (row["orderID"], row["execType"]) == (filled["orderID"], "Trade")
        assert await rest.ask("GET", "/user/executionHistory", symbol="XBTUSD", timestamp="2020-01-01") == []


async def test_endpoints_describe_themselves() -> None:
    """Generated clients find every route in the Swagger document."""
    async with running() as exchange, httpx.AsyncClient(base_url=exchange.http_url) as client:
        document = (await client.get("/api/explorer/swagger.json")).json()
        assert document["paths"]["/order"]["post"]["operationId"] == "Order.new"
        assert document["paths"]["/order/all"]["delete"]["tags"] == ["Order"]


async def test_private_reads() -> None:
    """Every private endpoint answers for the account of the key, and for nobody else."""
    async with running() as exchange, Rest(exchange) as rest:
        for path in PRIVATE_PATHS.split():
            assert (await rest.plain("GET", path)).status_code == 401, path
            await rest.ask("GET", path)
        assert (await rest.ask("GET", "/user/margin"))["currency"] == "XBt"
        assert {row["currency"] for row in await rest.ask("GET", "/user/margin", currency="all")} == {"XBt", "USDt"}
        assert await rest.refusal("GET", "/user/margin", currency="DOGE") == (400, "Account has no [DOGE]")
        assert await rest.refusal("GET", "/user/walletHistory", start=-1) == (400, "start/count is invalid")


async def test_orders_from_placement_to_cancel() -> None:
    """Place, read by filter, amend, cancel; a second cancel is a row with an error, status 200."""
    async with running() as exchange, Rest(exchange) as rest:
        placed = await rest.ask("POST", "/order", clOrdID="one", **ORDER)
        assert (placed["ordStatus"], placed["ordType"], placed["workingIndicator"]) == ("New", "Limit", True)
        stop = await rest.ask(
            "POST", "/order", symbol="xbtusd", side="Sell", orderQty=100, stopPx=55_000, execInst="MarkPrice,ReduceOnly"
        )
        assert (stop["ordType"], stop["workingIndicator"]) == ("Stop", False)
        assert not stop["triggered"]
        found = await rest.ask("GET", "/order", filter={"open": True}, columns=["price"], reverse=True)
        assert [set(row) for row in found] == [{"orderID", "price"}] * 2
        assert found[0]["orderID"] == stop["orderID"]
        amended = await rest.ask("PUT", "/order", origClOrdID="one", price=50_100.5)
        assert amended["price"] == 50_100.5
        (canceled,) = await rest.ask("DELETE", "/order", clOrdID="one")
        assert canceled["ordStatus"] == "Canceled"
        (again,) = await rest.ask("DELETE", "/order", orderID=[placed["orderID"]])
        assert again["error"].startswith("Unable to cancel order due to existing state")
        assert len(await rest.ask("DELETE", "/order/all")) == 1
        assert await rest.ask("GET", "/order", filter={"ordStatus.isTerminated": False}) == []


async def test_cancel_all_by_filter_and_symbol() -> None:
    """`DELETE /order/all` may be narrowed by symbol and by any column."""
    async with running() as exchange, Rest(exchange) as rest:
        for symbol, price in (("XBTUSD", 50_000), ("XBTUSD", 70_000), ("ETHUSD", 2_000)):
            side = "Sell" if price == 70_000 else "Buy"
            await rest.ask("POST", "/order", symbol=symbol, side=side, orderQty=100, price=price)
        sells = await rest.ask("DELETE", "/order/all", filter={"side": "Sell"})
        assert [row["price"] for row in sells] == [70_000]
        assert [row["symbol"] for row in await rest.ask("DELETE", "/order/all", symbol="ETHUSD")] == ["ETHUSD"]
        assert len(await rest.ask("GET", "/order", filter={"open": True})) == 1


async def test_form_bodies_and_deletes_by_query() -> None:
    """Form encoding and a DELETE whose fields are in the query are signed and read like JSON."""
    async with running() as exchange, Rest(exchange) as rest, httpx.AsyncClient(base_url=exchange.http_url) as client:
        body = b"symbol=XBTUSD&orderQty=-100&price=70000&clOrdID=f%2F1"
        headers = sign(rest.key, "POST", "/api/v1/order", body)
        headers["content-type"] = "application/x-www-form-urlencoded"
        placed = (await client.post("/api/v1/order", content=body, headers=headers)).json()
        assert (placed["side"], placed["orderQty"], placed["clOrdID"]) == ("Sell", 100, "f/1")
        path = "/api/v1/order?clOrdID=f%2F1&text=bye"
        (gone,) = (await client.delete(path, headers=sign(rest.key, "DELETE", path))).json()
        assert gone["ordStatus"] == "Canceled"


async def test_position_life() -> None:
    """Leverage, a fill, isolation, margin transfer, risk limit, and out by closePosition."""
    async with running() as exchange, Rest(exchange) as rest:
        assert (await rest.ask("POST", "/position/leverage", symbol="XBTUSD", leverage=5))["crossMargin"] is False
        filled = await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=1_000, ordType="Market")
        assert filled["ordStatus"] == "Filled"
        (position,) = await rest.ask("GET", "/position", filter={"isOpen": True})
        assert (position["currentQty"], position["leverage"]) == (1_000, 5)
        assert 0 < position["liquidationPrice"] < 60_000
        moved = await rest.ask("POST", "/position/transferMargin", symbol="XBTUSD", amount=1_000)
        assert moved["posMargin"] > position["posMargin"]
        assert (await rest.ask("POST", "/position/isolate", symbol="XBTUSD", enabled="False"))["crossMargin"] is True
        await rest.ask("POST", "/position/riskLimit", symbol="XBTUSD", riskLimit=30_000_000_000)
        await rest.ask("POST", "/position/crossLeverage", symbol="XBTUSD", leverage=10)
        bid = await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100, price=30_000)
        refused = await rest.refusal("POST", "/order/closePosition", symbol="XBTUSD", price=60_000.03)
        assert refused == (400, "Invalid price tickSize")
        assert [row["orderID"] for row in await rest.ask("GET", "/order", filter={"open": True})] == [bid["orderID"]]
        closed = await rest.ask("POST", "/order/closePosition", symbol="XBTUSD")
        assert await rest.ask("GET", "/order", filter={"open": True}) == []
        assert closed["ordStatus"] == "Filled"
        (flat,) = await rest.ask("GET", "/position", filter={"symbol": "XBTUSD"})
        assert (flat["currentQty"], flat["isOpen"]) == (0, False)
        kinds = {row["execType"] for row in await rest.ask("GET", "/execution/tradeHistory")}
        assert kinds == {"Trade"}


async def test_signature_errors() -> None:
    """Wrong key, wrong secret, late request, tampered body: the venue's status and words."""
    async with running() as exchange, Rest(exchange) as rest, httpx.AsyncClient(base_url=exchange.http_url) as client:
        path = "/api/v1/order"

        async def message(headers: dict[str, str]) -> tuple[int, str]:
            response = await client.get(path, headers=headers)
            return response.status_code, response.json()["error"]["message"]

        right = sign(rest.key, "GET", path)
        assert (await client.get(path, headers=right)).status_code == 200
        assert await message({**right, "api-key": "nobody"}) == (401, "Invalid API Key.")
        assert await message({**right, "api-signature": "0" * 64}) == (401, "Signature not valid.")
        assert await message(sign(rest.key, "GET", f"{path}?a=1")) == (401, "Signature not valid.")
        status, text = await message(sign(rest.key, "GET", path, expires=1))
        assert status == 401
        assert text.startswith("This request has expired")
        assert (await client.get(path, headers=sign(rest.key, "GET", path, expires=2_000_000_000_000))).is_success


async def test_a_public_read_with_a_bad_signature_is_refused() -> None:
    """Whoever signs is checked, also where nobody has to."""
    async with running() as exchange, Rest(exchange) as rest:
        headers = {**sign(rest.key, "GET", "/api/v1/instrument"), "api-signature": "f" * 64}
        assert (await rest.plain("GET", "/instrument", headers=headers)).status_code == 401


async def test_key_permissions() -> None:
    """A cancel-only key cannot place a stop, a read-only key cannot even cancel."""
    async with (
        running() as exchange,
        Rest(exchange, exchange.key(name="cancel-only")) as canceller,
        Rest(exchange, exchange.key(name="read-only")) as reader,
    ):
        assert await canceller.refusal("POST", "/order", **ORDER) == (403, "Access Denied")
        assert await canceller.refusal("POST", "/position/leverage", symbol="XBTUSD", leverage=1) == (
            403,
            "Access Denied",
        )
        assert "cancelTime" in await canceller.ask("POST", "/order/cancelAllAfter", timeout=60_000)
        assert await canceller.ask("DELETE", "/order/all") == []
        assert await reader.refusal("DELETE", "/order/all") == (403, "Access Denied")
        assert (await reader.ask("GET", "/apiKey/self"))["permissions"] == []
        assert {row["secret"] for row in await reader.ask("GET", "/apiKey")} == {None}


async def test_accounts_do_not_see_each_other() -> None:
    """Orders of one account are invisible to the other."""
    async with running() as exchange:
        other = exchange.key(exchange.venue.accounts[1])
        async with Rest(exchange) as mine, Rest(exchange, other) as theirs:
            order_id = (await mine.ask("POST", "/order", **ORDER))["orderID"]
            assert await theirs.ask("GET", "/order") == []
            (row,) = await theirs.ask("DELETE", "/order", orderID=order_id)
            assert "error" in row
            assert len(await mine.ask("GET", "/order", filter={"open": True})) == 1


async def test_budget_headers_and_refusal() -> None:
    """The answers count down; the request after the last token is a 429 with a time to wait."""
    limits = RateLimits(signed_per_minute=3, orders_per_second=2, ban_after_refusals=1_000)
    async with running(limits=limits) as exchange, Rest(exchange) as rest:
        first = await rest.send("POST", "/order", ORDER)
        assert first.headers["x-ratelimit-limit"] == "3"
        assert first.headers["x-ratelimit-remaining"] == "2"
        assert first.headers["x-ratelimit-limit-1s"] == "2"
        assert int(first.headers["x-ratelimit-reset"]) >= time.time()
        await rest.send("POST", "/order", {})
        wrong = await rest.send("GET", "/nothing")
        assert (wrong.status_code, wrong.headers["x-ratelimit-remaining"]) == (404, "0")
        refused = await rest.send("GET", "/order")
        wait_s = refused.headers["retry-after"]
        assert refused.status_code == 429
        assert refused.json() == {
            "error": {"message": f"Rate limit exceeded, retry in {wait_s} seconds.", "name": "RateLimitError"}
        }


async def test_no_two_answers_are_alike() -> None:
    """A client that drops a repeated answer is not to take two that say the same for one, limits or none."""
    for is_on in (True, False):
        async with running(limits=RateLimits(is_on=is_on)) as exchange, Rest(exchange) as rest:
            answers = [await rest.send("GET", "/order") for _ in range(5)]
            assert {each.text for each in answers} == {"[]"}
            assert len({each.headers["x-request-id"] for each in answers}) == 5


async def test_a_signed_public_read_is_charged_to_the_account() -> None:
    """Signed, the address keeps its own small budget; every kind of answer carries the headers."""
    limits = RateLimits(signed_per_minute=50, unsigned_per_minute=5, ban_after_refusals=1_000)
    async with running(limits=limits) as exchange, Rest(exchange) as rest:
        for left in (49, 48, 47):
            signed = await rest.send("GET", "/instrument", {"symbol": "XBTUSD"})
            assert (signed.headers["x-ratelimit-limit"], signed.headers["x-ratelimit-remaining"]) == ("50", str(left))
        plain = await rest.plain("GET", "/instrument?symbol=XBTUSD")
        assert (plain.headers["x-ratelimit-limit"], plain.headers["x-ratelimit-remaining"]) == ("5", "4")
        too_large = await rest.plain("POST", "/order", content=b"x" * (exchange.settings.body_bytes + 1))
        unknown = await rest.plain("GET", "/nothing")
        unsigned = await rest.plain("GET", "/order")
        answers = [(too_large, 413), (unknown, 404), (unsigned, 401)]
        assert [(one.status_code, one.headers["x-ratelimit-remaining"]) for one, _ in answers] == [
            (status, str(3 - number)) for number, (_, status) in enumerate(answers)
        ]


async def test_a_ban_is_html_and_ends_the_sockets() -> None:
    """Whoever goes on at zero gets 403 pages instead of JSON, and loses the feed too."""
    limits = RateLimits(signed_per_minute=1, ban_after_refusals=5)
    async with running(limits=limits) as exchange, Rest(exchange) as rest, feed(exchange) as one:
        statuses = [(await rest.send("GET", "/order")).status_code for _ in range(7)]
        assert statuses == [200, 429, 429, 429, 429, 429, 403]
        page = await rest.plain("GET", "/instrument")
        assert page.headers["content-type"].startswith("text/html")
        assert "x-ratelimit-limit" not in page.headers
        async with asyncio.timeout(5):
            await one.socket.wait_closed()
        with pytest.raises(Exception, match="403"):
            async with feed(exchange):
                pass


BAD_REQUESTS = [
    ("GET", "/nope", b"", 404),
    ("PATCH", "/order", b"", 404),
    ("POST", "/order", b"{", 400),
    ("POST", "/order", b"[" * 60_000, 400),
    ("POST", "/order", b"\xff\xfe", 400),
    ("POST", "/order", b'{"symbol":{}}', 400),
    ("POST", "/order", b'{"symbol":"XBTUSD","orderQty":1e300}', 400),
    ("POST", "/order", b'{"symbol":"XBTUSD","orderQty":"many"}', 400),
    ("POST", "/order", b'{"symbol":"NOPE","orderQty":100}', 400),
    ("POST", "/order", b"x" * 70_000, 413),
    ("GET", "/order?filter=%7B", b"", 400),
    ("GET", "/order?count=100000", b"", 400),
    ("GET", "/orderBook/L2", b"", 400),
    ("GET", "/orderBook/L2?symbol=XBTUSD&depth=-1", b"", 400),
    ("DELETE", "/order", b"", 400),
    ("POST", "/order/cancelAllAfter", b'{"timeout":-1}', 400),
    ("POST", "/position/leverage", b'{"symbol":"XBTUSD","leverage":"high"}', 400),
]


async def test_bad_requests_are_the_venues_errors() -> None:
    """Whatever comes in, the answer is JSON of BitMEX's shape and never a traceback."""
    async with running() as exchange, Rest(exchange) as rest:
        for verb, path, content, status in BAD_REQUESTS:
            headers = sign(rest.key, verb, f"/api/v1{path}", content)
            response = await rest.plain(verb, path, content=content, headers=headers)
            assert response.status_code == status, (path, response.text)
            assert set(response.json()["error"]) >= {"message", "name"}
            assert "Traceback" not in response.text


async def test_a_broken_engine_is_a_500_and_the_next_request_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error inside is logged, answered as `Server Error`, and gone."""
    async with running() as exchange, Rest(exchange) as rest:
        with monkeypatch.context() as broken:
            broken.setattr(exchange.venue.exchange, "order_rows", lambda _account: 1 / 0)
            response = await rest.send("GET", "/order")
        assert (response.status_code, response.json()["error"]["message"]) == (500, "Server Error")
        assert await rest.ask("GET", "/order") == []


async def test_rows_full_and_sparse() -> None:
    """Full rows say null, sparse rows leave out; whole numbers have no fraction either way."""
    async with running() as exchange, Rest(exchange) as rest:
        full = await rest.send("POST", "/order", ORDER)
        assert full.json()["stopPx"] is None
        assert '"price":50000,' in full.text
    async with running(rows=RowStyle.SPARSE) as exchange, Rest(exchange) as rest:
        sparse = await rest.ask("POST", "/order", **ORDER)
        assert "stopPx" not in sparse
        assert None not in sparse.values()


async def test_switch_of_the_dead_man_fires_by_itself() -> None:
    """Unfed, it cancels everything of the account, the waiting stop included."""
    async with running() as exchange, Rest(exchange) as rest, feed(exchange, key=rest.key) as one:
        await one.subscribe("order")
        await rest.ask("POST", "/order", **ORDER)
        await rest.ask("POST", "/order", symbol="ETHUSD", side="Sell", orderQty=1, stopPx=2_000, execInst="MarkPrice")
        answer = await rest.ask("POST", "/order/cancelAllAfter", timeout=60)
        assert answer["cancelTime"] > answer["now"]
        gone: set[str] = set()
        while len(gone) < 2:
            rows = await one.table("order", "update")
            gone |= {row["orderID"] for row in rows if row.get("ordStatus") == "Canceled"}
        assert (await rest.ask("POST", "/order/cancelAllAfter", timeout=0))["cancelTime"] is None


async def test_a_stop_fires_on_the_mark_and_says_so() -> None:
    """The mark falls through a reduce-only stop: triggered, filled, flat."""
    async with running() as exchange, Rest(exchange) as rest:
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=1_000, ordType="Market")
        await rest.ask(
            "POST",
            "/order",
            symbol="XBTUSD",
            side="Sell",
            orderQty=1_000,
            stopPx=58_000,
            execInst="MarkPrice,ReduceOnly",
        )
        exchange.venue.submit(prices(XBTUSD=57_900))
        (stop,) = await rest.ask("GET", "/order", filter={"ordType": "Stop"})
        assert (stop["ordStatus"], stop["triggered"]) == ("Filled", "StopOrderTriggered")
        kinds = [row["execType"] for row in await rest.ask("GET", "/execution", filter={"ordType": "Stop"})]
        assert kinds == ["New", "TriggeredOrActivatedBySystem", "Trade"]
