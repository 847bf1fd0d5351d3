"""The control API's part that breaks things and builds states, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.simulated.engine.faults.catalogue import CATALOGUE
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.embedded import EmbeddedExchange
from tests.integration.exchange_client import Rest, running


class Desk:
    """The control port of one exchange."""

    def __init__(self, exchange: EmbeddedExchange) -> None:
        self.exchange = exchange
        self.client = httpx.AsyncClient(base_url=exchange.control_url, trust_env=False)

    async def ask(self, method: str, path: str, /, **fields: Any) -> Any:
        """Send JSON; return the answer, which must be a 200."""
        answer = await self.client.request(method, path, json=fields or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refusal(self, method: str, path: str, /, **fields: Any) -> str:
        """Send JSON; return the text of the refusal."""
        answer = await self.client.request(method, path, json=fields or None)
        assert answer.status_code in {400, 404, 405}, answer.text
        return str(answer.json()["error"]["message"])

    async def price(self, column: str = "markPrice") -> float:
        """A column of XBTUSD."""
        rows = self.exchange.venue.exchange.instrument_rows()
        return float(str(next(row[column] for row in rows if row["symbol"] == "XBTUSD")))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A running exchange's control port."""
    async with running() as exchange:
        desk = Desk(exchange)
        yield desk
        await desk.client.aclose()


async def test_the_catalogue_is_told(desk: Desk) -> None:
    """Every fault with its meaning, its parameters and what it can be limited to."""
    shown = (await desk.ask("GET", "/faults"))["catalogue"]
    assert [one["name"] for one in shown] == list(CATALOGUE)
    late = next(one for one in shown if one["name"] == "request-late")
    assert late["parameters"][0] == {
        "name": "ms",
        "sort": "whole number",
        "default": 3000,
        "choices": [],
        "meaning": "delay",
    }
    assert late["limited_to"] == ["account", "operation", "path", "verb"]


async def test_a_fault_is_set_bites_is_counted_and_cleared(desk: Desk) -> None:
    """What is no field of a fault is a parameter; hits are shown."""
    number = (await desk.ask("POST", "/faults", name="gateway-error", verb="POST", status="504", count=5))["number"]
    async with Rest(desk.exchange) as rest:
        assert (await rest.send("POST", "/order", {"symbol": "XBTUSD", "orderQty": 100})).status_code == 504
    [active] = (await desk.ask("GET", "/faults"))["active"]
    assert (active["number"], active["hits"], active["count"], active["is_on"]) == (number, 1, 5, True)
    assert active["parameters"] == {"status": 504, "executed": False, "form": "html"}
    assert active["scope"] == {"verb": "POST"}
    assert await desk.ask("DELETE", f"/faults?number={number}") == {"cleared": 1}
    assert (await desk.ask("GET", "/faults"))["active"] == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "'name' is a required arg."),
        ({"name": "overlaod"}, "no fault 'overlaod'; `seawall exchange fault list` shows all"),
        ({"name": "overload", "speed": 1}, "fault overload has no parameter 'speed'; it takes no parameters"),
        ({"name": "overload", "account": 7}, "Invalid account"),
        ({"name": "mark-frozen", "symbol": "DOGE"}, "Invalid symbol"),
        ({"name": "overload", "count": "many"}, "Invalid count"),
    ],
)
async def test_a_wrong_fault_is_refused_in_one_line(desk: Desk, fields: dict[str, Any], reason: str) -> None:
    """Nothing is set, and the text says what is wrong."""
    assert await desk.refusal("POST", "/faults", **fields) == reason
    assert (await desk.ask("GET", "/faults"))["active"] == []


async def test_clearing_what_is_not_set_is_refused(desk: Desk) -> None:
    """A slip in the name does not look like success."""
    assert await desk.refusal("DELETE", "/faults?name=overload") == "fault overload is not set"


async def test_prices_are_pinned_pushed_and_let_go(desk: Desk) -> None:
    """Each shows at once; the second takes the place of the first."""
    await desk.ask("POST", "/prices", symbol="XBTUSD", mark=48_000)
    assert (await desk.price(), await desk.price("lastPrice")) == (48_000, 60_000)
    await desk.ask("POST", "/prices", symbol="XBTUSD", percent=-10)
    assert (await desk.price(), await desk.price("lastPrice")) == (54_000, 54_000)
    assert await desk.ask("DELETE", "/prices") == {"cleared": 1}
    assert await desk.price() == 60_000
    assert await desk.refusal("POST", "/prices", symbol="XBTUSD") == "give mark, last or index, or percent"


async def test_a_state_is_built_in_three_requests(desk: Desk) -> None:
    """Account with money, key with rights, position; the key works."""
    account = (await desk.ask("POST", "/accounts", balances={"XBt": 200_000_000}))["account"]
    row = await desk.ask("POST", "/positions", account=account, symbol="XBTUSD", quantity=-1_000, price=50_000)
    assert (row["currentQty"], row["avgEntryPrice"]) == (-1_000, 50_000)
    made = await desk.ask("POST", "/keys", account=account, permissions=["orderCancel"], name="cancels")
    key = ApiKey(name="", key_id=made["key"], secret=made["secret"], account=account, permissions=frozenset())
    async with Rest(desk.exchange, key) as rest:
        assert (await rest.ask("GET", "/position"))[0]["currentQty"] == -1_000
        assert await rest.refusal("POST", "/order", symbol="XBTUSD", orderQty=100) == (403, "Access Denied")
        await desk.ask("POST", "/keys", key=made["key"], enabled=False)
        assert await rest.refusal("GET", "/position") == (401, "This key is disabled.")
        await desk.ask("POST", "/keys", key=made["key"], enabled=True, cidrs=["10.0.0.0/8"])
        assert (await rest.refusal("GET", "/position"))[0] == 403
        await desk.ask("DELETE", f"/keys?key={made['key']}")
        assert await rest.refusal("GET", "/position") == (401, "Invalid API Key.")
    assert desk.exchange.venue.exchange.money_is_conserved()


async def test_a_new_key_never_takes_anothers_place(desk: Desk) -> None:
    """Made, removed, made again: each key has an id that no other had."""
    account = desk.exchange.account
    first, second = [await desk.ask("POST", "/keys", account=account, permissions=["order"]) for _ in range(2)]
    await desk.ask("DELETE", f"/keys?key={first['key']}")
    third = await desk.ask("POST", "/keys", account=account)
    assert len({one["key"] for one in (first, second, third)}) == 3
    assert second in await desk.ask("GET", "/keys")


async def test_what_is_no_json_is_refused(desk: Desk) -> None:
    """A slip in the body is a 400 that says so."""
    answer = await desk.client.post(
        "/faults", content=b'{"name": overload}', headers={"content-type": "application/json"}
    )
    assert (answer.status_code, "message" in answer.json()["error"]) == (400, True)


async def test_money_comes_and_goes(desk: Desk) -> None:
    """A deposit and a withdrawal; more than is there is refused."""
    account = desk.exchange.account
    assert (await desk.ask("POST", "/accounts/deposit", account=account, currency="XBt", amount=5))["balances"][
        "XBt"
    ] == 100_000_005
    refused = await desk.refusal("POST", "/accounts/deposit", account=account, currency="XBt", amount=-(10**9))
    assert refused == "Insufficient withdrawable balance"


@pytest.mark.parametrize(
    ("path", "fields", "reason"),
    [
        ("/keys", {"account": 1}, "Invalid account"),
        ("/keys", {"account": 100_001, "permissions": ["all"]}, "no permission 'all'; there are order, orderCancel"),
        ("/keys", {"account": 100_001, "cidrs": ["home"]}, "'home' is no network"),
        ("/accounts", {"balances": {"XBt": 1.5}}, "Invalid balances"),
        ("/accounts", {"balances": {"DOGE": 1}}, "Invalid currency"),
        ("/accounts", {"account": -5}, "Invalid account"),
        ("/accounts", {"account": 10**20}, "Invalid account"),
        ("/orders", {}, "no POST /orders here"),
        ("/state", {}, "no POST /state here"),
        ("/positions", {"account": 100_001, "symbol": "XBTUSD", "quantity": 1}, "multiple of lot size"),
    ],
)
async def test_a_state_that_cannot_be_is_refused(desk: Desk, path: str, fields: dict[str, Any], reason: str) -> None:
    """One line says why."""
    assert reason in await desk.refusal("POST", path, **fields)


async def test_announcements_are_kept(desk: Desk) -> None:
    """What the venue announces is a row with an id and a date."""
    row = await desk.ask("POST", "/announcements", title="Maintenance", content="At noon", urgent=True)
    assert (row["id"], row["title"]) == (1, "Maintenance")
    assert desk.exchange.venue.exchange.announcement_rows(only_urgent=True) == [row]


async def test_a_restart_keeps_faults_keys_and_counts(tmp_path: Path) -> None:
    """After a restart from the journal all is as it was set."""
    async with running(state_dir=tmp_path) as exchange, Rest(exchange) as rest:
        desk = Desk(exchange)
        await desk.ask("POST", "/faults", name="overload", count=3)
        await desk.ask("POST", "/prices", symbol="XBTUSD", mark=59_000)
        made = await desk.ask("POST", "/keys", account=exchange.account, permissions=["order"])
        assert (await rest.send("POST", "/order", {"symbol": "XBTUSD", "orderQty": 100})).status_code == 503
        await desk.client.aclose()
    async with running(state_dir=tmp_path) as exchange:
        faults = list(exchange.venue.exchange.faults().active.values())
        assert next((one.fault.name, one.hits) for one in faults) == ("overload", 1)
        assert await Desk(exchange).price() == 59_000
        assert exchange.venue.keyring.get(made["key"]) is not None
