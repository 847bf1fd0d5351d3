"""The embedded exchange: how fast its engine is, and how fast it answers over its ports.

The engine runs in this process. For the ports `seawall exchange` runs as a process of its own; the load comes from raw
sockets with prepared requests, one request in flight on each, so that the client costs little. Request limits are off.
The floor over HTTP is the cheapest answer there is: the venue's clock. Frames are measured by `bench_stream`.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec
import uvloop

from connectors.simulated.engine.inputs import AmendOrder, OpenAccount, SetPrices
from connectors.simulated.server.auth import ApiKey
from tests.benchmarks.bench_start import an_exchange
from tests.benchmarks.measure import Action, median_costs, print_costs, print_table, quantile
from tests.integration.exchange_client import sign
from tests.unit.connectors.simulated.engine.desk import Desk, prices

REQUESTS, CONNECTIONS = 1_500, 4
ORDER = {"symbol": "XBTUSD", "side": "Buy", "orderQty": 100, "price": 10_000, "timeInForce": "ImmediateOrCancel"}
"""Goes through all checks and ends at once: an account may hold so many open orders only."""


def moving(desk: Desk) -> Action:
    """Return one step of the tape: four contracts move, nothing triggers."""
    marks = itertools.cycle((50_000, 50_010, 49_990))

    def move() -> None:
        mark = next(marks)
        names = ("XBTUSD", "XBTUSDT", "ETHUSD", "XBTH27")
        values = (mark, mark, mark * 3 // 50, mark + 500)
        steps = tuple(prices(name, value) for name, value in zip(names, values, strict=True))
        desk.tape_ms += 1_000
        desk.apply(SetPrices(tape_ms=desk.tape_ms, prices=steps))
        desk.exchange.take_changes()

    return move


def ordering(desk: Desk) -> Action:
    """Return one resting order placed and cancelled again: two requests."""

    def place_and_cancel() -> None:
        desk.cancel(desk.place(100, ord_type="Limit", price=Decimal(10_000))["orderID"])
        desk.exchange.take_changes()

    return place_and_cancel


def crowd(accounts: int, orders: int, *, hold: bool = False) -> Desk:
    """Return a desk with so many accounts, each with so many orders resting on both sides, and maybe two positions."""
    desk = Desk()
    for number in range(1_000, 1_000 + accounts):
        desk.apply(OpenAccount(account=number, balances={"XBt": 10**12}))
        for symbol, quantity in (("XBTUSD", 1_000), ("ETHUSD", 10)) if hold else ():
            desk.place(quantity if number % 2 else -quantity, account=number, symbol=symbol)
        for place in range(orders):
            sign = 1 if place % 2 else -1
            desk.place(100 * sign, account=number, price=50_000 - sign * (1_000 + 10 * place))
    desk.exchange.take_changes()
    return desk


def trading(desk: Desk) -> Action:
    """Return three requests of the next account: an order placed, moved and cancelled."""
    accounts = itertools.cycle([number for number in desk.exchange.accounts() if number >= 1_000])

    def place_amend_cancel() -> None:
        account = next(accounts)
        row = desk.place(100, account=account, price=48_000)
        order_id = str(row["orderID"])
        desk.apply(AmendOrder(account=account, order_id=order_id, price=Decimal(47_000)))
        desk.cancel(order_id, account=account)
        desk.exchange.take_changes()

    return place_amend_cancel


def engine() -> None:
    """Print what the engine costs without any port."""
    idle, busy, finished = Desk(), Desk(), Desk()
    busy.place(10_000)
    for number in range(100):
        busy.place(100, ord_type="Limit", price=Decimal(10_000 + number))
    for number in range(8):
        busy.stop(40_000 + number)
    steps = {
        "SetPrices, nobody in the market": moving(idle),
        "SetPrices, a position, 100 bids, 8 stops": moving(busy),
        "SetPrices, 200 accounts of 20 orders and 2 positions": moving(crowd(200, 20, hold=True)),
    }
    print_costs("engine, a step of four contracts, CPU us", median_costs(steps, rounds=5), floor=next(iter(steps)))
    place = "place, amend, cancel; "
    asking = {
        "place and cancel": (ordering(finished), 2),
        f"{place}200 accounts of 20 orders": (trading(crowd(200, 20)), 3),
        f"{place}200 accounts of 20 orders and 2 positions": (trading(crowd(200, 20, hold=True)), 3),
        f"{place}20 accounts of 190 orders": (trading(crowd(20, 190)), 3),
        f"{place}200 accounts of 190 orders and 2 positions": (trading(crowd(200, 190, hold=True)), 3),
    }
    taken = median_costs({name: action for name, (action, _) in asking.items()}, rounds=5)
    each = {name: taken[name] / number for name, (_, number) in asking.items()}
    print_costs("engine, one order request, CPU us", each, floor="place and cancel")


def requests(described: dict[str, Any], verb: str, path: str, body: bytes = b"") -> Iterator[bytes]:
    """Yield signed requests, each with a signature of its own second."""
    key = ApiKey(
        name="trading",
        key_id=described["key"],
        secret=described["secret"],
        account=described["account"],
        permissions=frozenset(),
    )
    host = urlsplit(described["http"]).netloc
    while True:
        headers = sign(key, verb, f"/api/v1{path}", body) if path else {}
        lines = [f"{verb} /api/v1{path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        yield "\r\n".join([*lines, "content-type: application/json", "", ""]).encode() + body


async def converse(http_url: str, asked: list[bytes]) -> list[float]:
    """Send prepared requests over one connection, one after the other; return the microseconds of each."""
    where = urlsplit(http_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    times = []
    for request in asked:
        started_ns = time.perf_counter_ns()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        assert head.startswith(b"http/1.1 200"), body
        times.append((time.perf_counter_ns() - started_ns) / 1e3)
    writer.close()
    return times


async def load(described: dict[str, Any], verb: str, path: str, body: bytes = b"") -> tuple[float, float, float]:
    """Return requests a second over all connections, and p50 and p99 of one."""
    asked = requests(described, verb, path, body)
    shares = [list(itertools.islice(asked, REQUESTS // CONNECTIONS)) for _ in range(CONNECTIONS)]
    started_ns = time.perf_counter_ns()
    async with asyncio.TaskGroup() as tasks:
        talks = [tasks.create_task(converse(described["http"], share)) for share in shares]
    took_s = (time.perf_counter_ns() - started_ns) / 1e9
    times = [one for talk in talks for one in talk.result()]
    return len(times) / took_s, statistics.median(times), quantile(times, 0.99)


async def over_ports() -> None:
    """Print what the HTTP port carries."""
    with an_exchange("--start-paused") as (described, _):
        order = msgspec.json.encode(ORDER)
        rows = [
            ("floor: GET the venue's clock", *await load(described, "GET", "")),
            ("GET positions, signed", *await load(described, "GET", "/position")),
            ("POST an order that ends at once", *await load(described, "POST", "/order", order)),
        ]
    floor = rows[0][1]
    title = f"over HTTP, {CONNECTIONS} connections, wall us"
    print_table(title, ["", "per s", "p50", "p99", "ratio"], [(*row, row[1] / floor) for row in rows])


if __name__ == "__main__":
    engine()
    uvloop.run(over_ports())
