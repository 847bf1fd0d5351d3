"""Recorded requests, sent again: every cassette of the testnet whose state can be set up, over real HTTP.

Each request goes out as it was recorded (verb, path, body in the body even of a GET), signed anew, with the ids of the
exchange in place of the recorded ones. The answer is compared field by field: status, columns, the type of each value,
and the values that follow from what was set up. Columns that the venue has dropped or added since are named here.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.fates import Arrival, Fate, Reply, gateway_page
from connectors.simulated.server.settings import RateLimits
from tests.integration.exchange_client import START_MS, Rest, prices, running, sign

RICH = {"XBt": 10**15, "USDt": 10**12}
"""Orders of the recordings are far from the market, at a price of 1: a hundred contracts cost a hundred bitcoin."""
EIGHT_HOURS_MS = 28_800_000

GONE = {
    "order": "exDestination multiLegReportingType simpleCumQty simpleLeavesQty simpleOrderQty",
    "position": """currentTimestamp execBuyCost execBuyQty execComm execCost execQty execSellCost execSellQty
        grossExecCost grossOpenCost indicativeTax indicativeTaxRate lastPrice lastValue longBankrupt openingComm
        openingCost openingTimestamp posAllowance posCost2 prevClosePrice realisedGrossPnl realisedTax sessionMargin
        shortBankrupt simpleCost simplePnl simplePnlPcnt simpleQty simpleValue targetExcessMargin taxBase taxableMargin
        unrealisedGrossPnl unrealisedTax varMargin""",
    "margin": """action commission confirmedDebit excessMarginPcnt grossLastValue indicativeTax marginBalancePcnt
        pendingCredit pendingDebit prevState prevUnrealisedPnl sessionMargin syntheticMargin taxableMargin
        unrealisedProfit varMargin""",
    "instrument": """bankruptLimitDownPrice bankruptLimitUpPrice buyLeg closingTimestamp indicativeTaxRate insuranceFee
        inverseLeg openingTimestamp optionMultiplier optionStrikePcnt optionStrikePrice optionStrikeRound
        optionUnderlyingPrice sellLeg sessionInterval""",
}
"""Columns of 2018 and 2019 that rows of today do not have."""
NEW = {
    "order": "strategy pool",
    "position": "strategy posState posInit openOrderRealisedPnl",
    "margin": """foreignMarginBalance foreignRequirement isolatedUnrealisedPnl makerFeeDiscount
        systemWithdrawableMargin takerFeeDiscount""",
    "instrument": """fundingBaseRate fundingQuoteRate instantPnl instrumentID listedSettle minPrice minTick pool
        settledPriceAdjustmentRate closingTimestamp openingTimestamp capped farLegSymbol nearLegSymbol referencePrice
        homeNotional24h foreignNotional24h""",
    "index": "indexMultiplier sourcePrice conversionIndex conversionIndexPrice",
}
"""Columns that came after the recordings."""
NOT_REPLAYED = {
    "request/error_no_connection": "no server answered: the name did not resolve, which is before any exchange",
}


@dataclass(frozen=True, kw_only=True)
class Take:
    """How one cassette is set up and what of its answer is determined.

    Attributes:
        kind: Which columns may have gone or come.
        settings: Of the exchange.
        prepare: Brings the exchange to the recorded state; returns what to put in place of recorded fields.
        same: Columns whose recorded value must come back.
        is_signed: Whether the recorder had a key.
        is_forged: Whether its signature was wrong.
    """

    kind: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[EmbeddedExchange, Rest], Awaitable[dict[str, Any]]] | None = None
    same: str = ""
    is_signed: bool = True
    is_forged: bool = False


class Always:
    """One fate for every request: what stood between the recorder and the exchange that day."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def fate(self, _arrival: Arrival) -> Fate:
        """Return the recorded answer instead of carrying anything out."""
        return Fate(reply=self._reply)

    def clock_skew_ms(self) -> int:
        """Return nothing: the clocks agree."""
        return 0


def behind(reply: Reply) -> Callable[[EmbeddedExchange, Rest], Awaitable[dict[str, Any]]]:
    """Return a preparation that puts somebody else's answer between."""

    async def prepare(exchange: EmbeddedExchange, _rest: Rest) -> dict[str, Any]:
        exchange.venue.faults = Always(reply)
        return {}

    return prepare


async def a_resting_order(_exchange: EmbeddedExchange, rest: Rest, quantity: int = 100) -> dict[str, Any]:
    """Place the recorded order, in lots of today; its id goes into the request."""
    row = await rest.ask("POST", "/order", symbol="XBTUSD", side="Buy", orderQty=quantity, price=1)
    return {"orderID": row["orderID"]}


async def an_order_to_shrink(exchange: EmbeddedExchange, rest: Rest) -> dict[str, Any]:
    """Place an order larger than what it is amended to, in lots of today."""
    return {**await a_resting_order(exchange, rest, 200), "leavesQty": 100}


async def a_lot(_exchange: EmbeddedExchange, _rest: Rest) -> dict[str, Any]:
    """One contract of then is a lot of a hundred today."""
    return {"orderQty": 100}


async def two_fundings(exchange: EmbeddedExchange, _rest: Rest) -> dict[str, Any]:
    """Let the tape pass two funding stamps."""
    for number in (1, 2):
        exchange.venue.submit(prices(START_MS + number * EIGHT_HOURS_MS))
    return {}


async def a_position(_exchange: EmbeddedExchange, rest: Rest) -> dict[str, Any]:
    """Hold something, with an order beside it."""
    await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=1_000)
    return {}


async def nothing_left(exchange: EmbeddedExchange, rest: Rest) -> dict[str, Any]:
    """Use up the budget: sixty a minute, as then."""
    limits, now_ms = exchange.venue.limits, exchange.venue.wall()
    while limits.admit(account=rest.key.account, address="", is_order=False, now_ms=now_ms).retry_after_s is None:
        pass
    return {}


async def an_index_of_today(_exchange: EmbeddedExchange, _rest: Rest) -> dict[str, Any]:
    """The recorded index has gone."""
    return {"symbol": ".BXBT"}


ORDER_VALUES = (
    "symbol side price leavesQty cumQty ordType timeInForce ordStatus workingIndicator currency settlCurrency"
)
OVERLOAD = b'{"error":{"message":"The system is currently overloaded. Please try again later.","name":"HTTPError"}}'
TAKES = {
    "funding/index_ok": Take(prepare=two_fundings, same="symbol", is_signed=False),
    "http_client/auth_delete_ok": Take(
        kind="order", settings={"balances": RICH}, prepare=a_resting_order, same=f"{ORDER_VALUES} avgPx"
    ),
    "http_client/auth_get_ok": Take(
        kind="order",
        settings={"balances": RICH},
        prepare=a_resting_order,
        same="side ordType timeInForce ordStatus workingIndicator cumQty currency settlCurrency",
    ),
    "http_client/non_auth_get_ok": Take(is_signed=False),
    "instrument/active_intervals_ok": Take(is_signed=False),
    "instrument/active_ok": Take(kind="instrument", is_signed=False, same="state"),
    "instrument/composite_index_ok": Take(kind="index", prepare=an_index_of_today, is_signed=False),
    "instrument/composite_index_with_params_ok": Take(kind="index", prepare=an_index_of_today, is_signed=False),
    "instrument/index_ok": Take(kind="instrument", is_signed=False),
    "instrument/index_with_params_ok": Take(kind="instrument", is_signed=False),
    "orders/amend_ok": Take(
        kind="order",
        settings={"balances": RICH},
        prepare=an_order_to_shrink,
        same="symbol side price cumQty ordType timeInForce ordStatus workingIndicator currency settlCurrency",
    ),
    "orders/buy_limit_error_bad_request": Take(),
    "orders/cancel_ok": Take(
        kind="order", settings={"balances": RICH}, prepare=a_resting_order, same=f"{ORDER_VALUES} avgPx"
    ),
    "orders/create_buy_limit_ok": Take(
        kind="order",
        settings={"balances": RICH},
        prepare=a_lot,
        same="symbol side price cumQty ordType timeInForce ordStatus workingIndicator text currency settlCurrency",
    ),
    "orders/create_insufficient_balance": Take(settings={"coded_errors": False}),
    "position/index_ok": Take(kind="position", prepare=a_position, same="currency quoteCurrency crossMargin leverage"),
    "request/error_bad_gateway": Take(prepare=behind(gateway_page(502)), is_signed=False),
    "request/error_bad_request": Take(),
    "request/error_invalid_signature": Take(is_forged=True),
    "request/error_not_found": Take(),
    "request/error_overloaded": Take(prepare=behind(Reply(status=503, body=OVERLOAD)), is_signed=False),
    "request/error_rate_limited": Take(settings={"limits": RateLimits(signed_per_minute=60)}, prepare=nothing_left),
    "request/ok_payload_json": Take(is_signed=False),
    "request/ok_with_rate_limit": Take(is_signed=False),
    "user/affiliate_status_ok": Take(same="referrerAccount referralDiscount affiliatePayout"),
    "user/commission_ok": Take(),
    "user/margin_ok": Take(kind="margin", same="currency"),
}


@cache
def cassettes(folder: Path) -> dict[str, Any]:
    """Return all recordings by name."""
    with gzip.open(folder / "rest" / "bitmex-testnet-rest-cassettes.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {one["name"]: one for one in map(json.loads, lines)}


async def replay(exchange: EmbeddedExchange, key: ApiKey, request: Any, take: Take, put: dict[str, Any]) -> Any:
    """Send the recorded request with some fields replaced; return the response."""
    body = request["body"].encode()
    if put and body:
        body = json.dumps({**json.loads(body), **put}).encode()
    path = urlsplit(request["url"]).path
    verb = request["method"].upper()
    headers = sign(key, verb, path, body) if take.is_signed else {}
    if take.is_forged:
        headers["api-signature"] = "00" * 32
    headers["content-type"] = "application/json"
    async with httpx.AsyncClient(base_url=exchange.http_url, trust_env=False) as client:
        return await client.request(verb, path, content=body, headers=headers)


def kind_of(value: Any) -> str:
    """Return the JSON type; whole numbers and fractions are one."""
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def first_row(value: Any) -> Any:
    """Return the first row of a list, or of a map by symbol."""
    if isinstance(value, list):
        return value[0]
    return next(iter(value.values())) if all(isinstance(one, dict) for one in value.values()) else value


def differences(recorded: Any, ours: Any, take: Take) -> list[str]:
    """Return where our row departs from the recorded one."""
    gone, new = GONE.get(take.kind, "").split(), NEW.get(take.kind, "").split()
    found = [f"lacks {name}" for name in recorded if name not in ours and name not in gone]
    found += [f"has {name}" for name in ours if name not in recorded and name not in new]
    empty = (None, "")
    for name in recorded.keys() & ours.keys():
        if recorded[name] not in empty and ours[name] not in empty and kind_of(recorded[name]) != kind_of(ours[name]):
            found.append(f"{name} is {ours[name]!r}, recorded {recorded[name]!r}")
    found += [f"{name} is {ours[name]!r}" for name in take.same.split() if ours[name] != recorded[name]]
    return found


def test_every_cassette_is_replayed_or_has_a_reason(real_data: Path) -> None:
    """None is forgotten."""
    assert set(cassettes(real_data)) == set(TAKES) | set(NOT_REPLAYED)


@pytest.mark.parametrize("name", TAKES)
async def test_recorded_requests_get_the_recorded_answers(name: str, real_data: Path) -> None:
    """Status, columns, types and determined values agree with what the testnet answered."""
    take, recording = TAKES[name], cassettes(real_data)[name]
    recorded = recording["response"]
    async with running(**take.settings) as exchange, Rest(exchange) as rest:
        put = await take.prepare(exchange, rest) if take.prepare else {}
        fields = json.loads(recording["request"]["body"] or "{}")
        response = await replay(exchange, rest.key, recording["request"], take, {k: put[k] for k in put if k in fields})
    assert response.status_code == recorded["status_code"]
    if not recorded["body"].startswith(("[", "{")):
        assert response.headers["content-type"] == "text/html"
        assert "<center><h1>502 Bad Gateway</h1></center>" in response.text
        return
    theirs, ours = json.loads(recorded["body"]), response.json()
    assert type(theirs) is type(ours)
    if "error" in theirs:
        assert_same_error(theirs["error"], ours["error"])
        return
    assert not differences(first_row(theirs), first_row(ours), take)
    assert len(ours) <= fields.get("count", 500)


def assert_same_error(theirs: dict[str, str], ours: dict[str, str]) -> None:
    """Class and text agree; an amount in the text is of the account."""
    if theirs["message"].startswith("Account has insufficient Available Balance, "):
        assert ours["message"].startswith("Account has insufficient Available Balance, ")
        assert ours["message"].endswith(" XBt required")
        assert ours["name"] == theirs["name"]
    else:
        assert ours == theirs
