"""Real frames of 2017 to 2025 against ours of the same table and action: keys, types, presence, order.

Why: the wire is written from descriptions; recordings are what it was. Whole rows and the hints of old partials belong
to the old generation (up to 2023), sparse rows and bare partials to the new one, so ours are made in both styles.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.inputs import CancelAll, PlaceOrder, SetLeverage
from connectors.simulated.server.clock import iso, parse_iso
from connectors.simulated.server.settings import RowStyle
from connectors.simulated.server.tables import TABLES
from tests.integration.exchange_client import START_MS, feed, prices, running
from tests.unit.connectors.simulated.server.talks import a_session, a_venue, key_of, subscribe

FIRST_NEW_YEAR = 2024
BOOKS = frozenset({"orderBookL2", "orderBookL2_25"})
GREW_SINCE = frozenset({"instrument", "margin"})
"""Tables that have more columns now than in the recording."""
KINDS: dict[str, tuple[type, ...]] = {
    "symbol": (str,),
    "guid": (str,),
    "timestamp": (str,),
    "timespan": (str,),
    "string": (str,),
    "": (str, list),
    "long": (int,),
    "integer": (int,),
    "float": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True)
class Recorded:
    """One real frame and the year of its recording."""

    year: int
    body: dict[str, Any]

    @property
    def style(self) -> RowStyle:
        """The generation it belongs to."""
        return RowStyle.SPARSE if self.year >= FIRST_NEW_YEAR else RowStyle.FULL


def recorded(real_data: Path) -> Iterator[Recorded]:
    """Yield every real frame of all files with a frame a line."""
    for path in sorted([*(real_data / "ws").glob("*.jsonl*"), *(real_data / "ws").glob("*.txt.gz")]):
        year = int(next(iter(re.findall(r"20\d\d", path.name)), "2017"))
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
        for line in text.splitlines():
            frame = re.sub(r"^[\d.]+: ", "", line)
            if frame.startswith("{"):
                yield Recorded(year, json.loads(frame))


def in_tables(real_data: Path) -> Iterator[Recorded]:
    """Yield the frames of tables."""
    return (one for one in recorded(real_data) if "table" in one.body)


async def everything(style: RowStyle) -> dict[tuple[str, str], list[Any]]:
    """Let all that has been recorded happen once; return our frames by table and action."""
    venue = a_venue(rows=style)
    account, session_key = venue.accounts[0], key_of(venue)
    session, outlet = a_session(venue, key=session_key)
    for table in TABLES:
        subscribe(session, f"{table}:XBTUSD" if table in BOOKS else table)
    venue.submit(SetLeverage(account=account, symbol="XBTUSD", leverage=Decimal(25)))
    venue.submit(PlaceOrder(account=account, symbol="XBTUSD", order_qty=10_000, side="Buy"))
    venue.submit(PlaceOrder(account=account, symbol="XBTUSD", order_qty=100, side="Buy", price=Decimal(58_500)))
    venue.submit(CancelAll(account=account, symbol=None, text=None))
    for step, mark in enumerate((60_010, 59_000, 58_990, 50_000, 50_010), start=1):
        venue.submit(prices(START_MS + step * 1_000, XBTUSD=mark))
        venue.refresh(account)
    venue.hub.publish(list(liquidations()))
    later = parse_iso(str(venue.exchange.quote_rows("XBTUSD")[-1]["timestamp"])) + 5 * 60_000
    quote = {**venue.exchange.quote_rows("XBTUSD")[-1], "timestamp": iso(later)}
    venue.hub.publish([Change(table="quote", account=None, row=quote)])
    found: dict[tuple[str, str], list[Any]] = {}
    for frame in outlet.taken():
        if "table" in frame:
            found.setdefault((frame["table"], frame["action"]), []).append(frame)
    return found


def liquidations() -> Iterator[Change]:
    """Yield a liquidation that moves and ends."""
    row: Row = {"orderID": "f4bc97af", "symbol": "XBTUSD", "side": "Buy", "price": Decimal("88225.6"), "leavesQty": 900}
    yield Change(table="liquidation", account=None, row=row)
    yield Change(table="liquidation", account=None, row={**row, "price": Decimal("88234.5")})
    yield Change(table="liquidation", account=None, row=row, is_delete=True)


@cache
def known(table: str) -> dict[str, str]:
    """Return our types of a table."""
    return dict(TABLES[table].types)


def fits(value: object, declared: str) -> bool:
    """Return whether a JSON value is of the declared type; empty ones are of any."""
    return value is None or (isinstance(value, KINDS[declared]) and isinstance(value, bool) == (declared == "boolean"))


def test_recorded_partials_describe_their_tables_as_ours_do(real_data: Path) -> None:
    """Keys, types in their order, and where they are given: hints, foreign keys, the shape of the filter."""
    seen = set()
    for one in in_tables(real_data):
        body = one.body
        if "keys" not in body or one.year < FIRST_NEW_YEAR:
            continue
        table = TABLES[body["table"]]
        seen.add(table.name)
        assert body["keys"] == list(table.keys)
        ours = known(table.name)
        shared = {name: ours.get(name) for name in body["types"]}
        assert shared == body["types"], table.name
        assert [name for name in ours if name in shared] == list(body["types"]), table.name
        assert table.name in GREW_SINCE or len(shared) == len(ours)
        assert set(body["filter"]) <= ({"account"} if table.is_private else {"symbol"})
    assert {"execution", "margin", "position", "instrument", "funding", "settlement", "liquidation", "quote"} <= seen


def test_old_partials_carry_the_hints_that_ours_carry(real_data: Path) -> None:
    """`foreignKeys` and `attributes` of quotes, trades, books and positions, word for word."""
    compared = set()
    for one in in_tables(real_data):
        body = one.body
        if "foreignKeys" not in body:
            continue
        table = TABLES[body["table"]]
        assert body["foreignKeys"] == dict(table.foreign_keys), table.name
        if table.name not in BOOKS:  # `symbol` was parted or grouped there, by the year
            assert body["attributes"] == dict(table.attributes), table.name
        compared.add(table.name)
    assert {"quote", "trade", "orderBookL2", "position"} <= compared


@pytest.mark.parametrize("style", RowStyle)
async def test_partials_have_the_parts_of_their_generation(real_data: Path, style: RowStyle) -> None:
    """The same names on top, in the same order."""
    ours = await everything(style)
    for one in in_tables(real_data):
        body = one.body
        whole = body["action"] == "partial" and "types" in body and next(iter(body)) == "table" and "filter" in body
        if whole and one.style is style and list(body)[1] == "action":
            assert list(ours[body["table"], "partial"][0]) == list(body), body["table"]


@pytest.mark.parametrize("style", RowStyle)
async def test_rows_have_values_of_the_declared_types(real_data: Path, style: RowStyle) -> None:
    """Real rows fit our types, so ours must as well; what we call a number they never write as text."""
    for one in in_tables(real_data):
        ours = known(one.body["table"])
        for row in one.body["data"]:
            wrong = [name for name, value in row.items() if name in ours and not fits(value, ours[name])]
            assert not wrong, (one.body["table"], row)
    for (table, action), frames in (await everything(style)).items():
        for frame in frames:
            for row in frame["data"]:
                declared = known(table)
                wrong = [name for name, value in row.items() if name not in declared or not fits(value, declared[name])]
                assert not wrong, (table, action, row)


@pytest.mark.parametrize("style", RowStyle)
async def test_every_recorded_kind_of_frame_is_ours_too(real_data: Path, style: RowStyle) -> None:
    """Each table and action that was recorded happens here, with the columns that were always there."""
    ours = await everything(style)
    always: dict[tuple[str, str], set[str]] = {}
    for one in in_tables(real_data):
        if one.style is style:
            kind = (one.body["table"], one.body["action"])
            for row in one.body["data"]:
                always[kind] = always.get(kind, set(row)) & set(row)
    for (table, action), columns in always.items():
        if table == "orderBook10" or (table, action) == ("settlement", "partial"):
            continue  # edited by the recorder; nothing has settled yet
        rows = [row for frame in ours.get((table, action), ()) for row in frame["data"]]
        assert rows or action == "partial", f"no {action} of {table}"
        needed = columns & set(known(table))
        lacking = [row for row in rows if action != "update" and not needed <= set(row)]
        assert style is RowStyle.SPARSE or not lacking, (table, action, needed)
        assert all(set(TABLES[table].keys) <= set(row) for row in rows), (table, action)


async def test_deletes_of_liquidations_are_as_recorded(real_data: Path) -> None:
    """Key and symbol, nothing else; updates name what changed."""
    ours = await everything(RowStyle.SPARSE)
    theirs = {
        action: {tuple(row) for one in in_tables(real_data) if is_liquidation(one, action) for row in one.body["data"]}
        for action in ("insert", "update", "delete")
    }
    for action, shapes in theirs.items():
        made = {frozenset(row) for frame in ours["liquidation", action] for row in frame["data"]}
        assert made <= {frozenset(shape) for shape in shapes}, action


def is_liquidation(one: Recorded, action: str) -> bool:
    """Return whether a frame is of the liquidations of 2024."""
    return (one.year, one.body["table"], one.body["action"]) == (2024, "liquidation", action)


def story(frames: list[Any]) -> dict[str, list[str]]:
    """Return for each topic what came about it, repetitions left out; the welcome under its own name."""
    told: dict[str, list[str]] = {}
    for frame in frames:
        if frame == "pong":
            continue
        if "info" in frame:
            told["welcome"] = [f"{len(told)} before"]
        elif "subscribe" in frame:
            told.setdefault(frame["subscribe"], []).append("success")
        elif "table" in frame:
            for symbol in {frame.get("filter", {}).get("symbol"), *(row.get("symbol") for row in frame["data"])} - {
                None
            }:
                said = told.setdefault(f"{frame['table']}:{symbol}", [])
                what = "partial" if frame["action"] == "partial" else "delta"
                if said[-1:] != [what]:
                    said.append(what)
    return told


def test_the_recorded_session_has_the_order_that_clients_rely_on(real_data: Path) -> None:
    """Two real sessions: welcome, then for each topic success, partial, deltas."""
    for name in ("bitmex-ws-public-2021-04-05.txt.gz", "bitmex-ws-public-2021-07-22.txt.gz"):
        lines = gzip.decompress((real_data / "ws" / name).read_bytes()).decode().splitlines()
        frames = [json.loads(line.partition(": ")[2]) for line in lines if re.match(r"^[\d.]+: \{", line)]
        told = story(frames)
        assert told.pop("welcome") == ["0 before"]
        assert {tuple(said) for said in told.values()} <= {("success", "partial"), ("success", "partial", "delta")}


async def test_our_session_has_the_same_order() -> None:
    """The same talk with us, over a socket: three requests of two topics each, partials at the tick."""
    topics = [[f"{table}:{symbol}" for symbol in ("XBTUSD", "ETHUSD")] for table in ("quote", "trade", "orderBookL2")]
    async with running(image_period_ms=40, heartbeat_ms=5) as exchange, feed(exchange, greet=False) as one:
        for request in topics:
            await one.say({"op": "subscribe", "args": request})
        for _ in topics[-1]:
            await one.table("orderBookL2", "partial")
        exchange.venue.submit(prices(START_MS + 1_000, XBTUSD=59_000, ETHUSD=2_300))
        await one.say("ping")
        await one.until(lambda frame: frame == "pong")
    told = story(one.seen)
    assert told.pop("welcome") == ["0 before"]
    assert {tuple(said) for said in told.values()} == {("success", "partial", "delta")}
