"""Everything that was recorded of the real BitMEX, 2017 to 2026, through the connector's own decoding."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.bitmex.protocol import answers, parse
from connectors.bitmex.protocol.frames import (
    Granted,
    Pong,
    Refused,
    TableFrame,
    Unremarkable,
    Welcome,
    read_frame,
)
from connectors.bitmex.protocol.marks import exact_mark, mark_rows
from connectors.bitmex.protocol.refusals import Answer, error_message, refusal
from connectors.bitmex.protocol.tables import Action, Table, TableBroken
from connectors.errors import Misconfigured, OutcomeUnknown, Rejected, Unavailable
from connectors.vocabulary import ContractKind, ExecutionKind, OrderKind, OrderStatus

RECEIVED = re.compile(rb"^[\d.]+: (.*)$")
PUBLIC_SESSIONS = ("bitmex-ws-public-2021-04-05.txt.gz", "bitmex-ws-public-2021-07-22.txt.gz")
FRAME_FILES = (
    "bitmex-ws-frames-2019-06-01.jsonl",
    "bitmex-ws-frames-2021_2023.jsonl",
    "bitmex-ws-liquidation-2024-11-13.jsonl",
    "bitmex-ws-liquidation-adl-docs-example.jsonl",
    "bitmex-ws-orderBookL2-xbtusd-2025-04-25.jsonl.gz",
    "bitmex-ws-partials-schema-2024_2025.jsonl",
    "bitmex-ws-position-testnet-2020-04-11.jsonl",
)


def lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, packed or not."""
    written = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    yield from (line.strip() for line in written.split(b"\n") if line.strip())


def exact(value: bytes) -> Any:
    """Decode a value as the connector does."""
    return msgspec.json.Decoder(float_hook=Decimal).decode(value)


def parse_row(table: str, row: Any) -> object:
    """Read one row of a table that the connector knows."""
    match table:
        case "order":
            return parse.parse_order(row)
        case "execution":
            return parse.parse_execution(row)
        case "margin":
            return parse.parse_margin(row)
        case "instrument":
            return parse.parse_instrument(row)
        case _:
            return None


@pytest.mark.parametrize("name", FRAME_FILES)
def test_recorded_frames_are_known(name: str, real_data: Path) -> None:
    """Every recorded frame is of a known kind, and its rows can be read."""
    for line in lines(real_data / "ws" / name):
        frame = read_frame(line)
        assert not isinstance(frame, Unremarkable | Pong), line[:200]
        if isinstance(frame, TableFrame) and frame.table != "position":
            for row in frame.rows:
                if frame.table != "order" or frame.action is not Action.UPDATE:
                    parse_row(frame.table, row)


@pytest.mark.parametrize("name", PUBLIC_SESSIONS)
def test_recorded_sessions_replay_without_a_broken_table(name: str, real_data: Path) -> None:
    """Minutes of a real public session: every delta finds its row once its partial has come."""
    tables: dict[str, Table] = {}
    applied = 0
    for line in lines(real_data / "ws" / name):
        received = RECEIVED.match(line)
        if received is None:
            continue
        frame = read_frame(received.group(1))
        assert isinstance(frame, TableFrame | Welcome | Granted | Refused)
        if isinstance(frame, TableFrame):
            table = tables.setdefault(frame.table, Table(frame.table))
            table.apply(frame.action, frame.rows, keys=frame.keys, covered=frame.covered)
            applied += 1
    assert applied > 1000


def test_recorded_liquidation_table_replays(real_data: Path) -> None:
    """Inserts, updates and deletes of the liquidation table, 2024, each in its place."""
    table = Table("liquidation")
    seen = set()
    for line in lines(real_data / "ws" / "bitmex-ws-liquidation-2024-11-13.jsonl"):
        frame = read_frame(line)
        if isinstance(frame, TableFrame):
            try:
                table.apply(frame.action, frame.rows, keys=frame.keys, covered=frame.covered)
            except TableBroken:  # the recording was cut from a longer one: some rows began before it
                assert frame.action in {Action.UPDATE, Action.DELETE}
            seen.add(frame.action)
    assert seen == set(Action)


def test_recorded_marks(real_data: Path) -> None:
    """The marks of recorded instrument frames, exact from the raw frame, and the same float the fast way."""
    found = 0
    for name in FRAME_FILES:
        for line in lines(real_data / "ws" / name):
            frame = read_frame(line)
            if not isinstance(frame, TableFrame) or frame.table != "instrument":
                continue
            as_update = mark_rows(line.replace(b'"action":"partial"', b'"action":"update"', 1)) or []
            fast = {row.symbol: row.markPrice for row in as_update}
            for row in frame.rows:
                exactly, symbol = exact_mark(line, str(row["symbol"])), str(row["symbol"])
                assert exactly == row.get("markPrice")
                assert fast[symbol] == (None if exactly is None else float(exactly))
                found += exactly is not None
    assert found


def test_recorded_cancel_reject(real_data: Path) -> None:
    """The real CancelReject of 2025 tells of the request, not of the order."""
    row = exact((real_data / "ws" / "bitmex-execution-cancelreject-2025-09-05.json").read_bytes())
    assert parse.is_refused_request(row)
    assert parse.refusal_reason(row) == "Invalid orderID"


def test_recorded_liquidation_of_an_account(real_data: Path) -> None:
    """The documented liquidation as a client sees it: the execution is one, the position ends flat without prices."""
    table = Table("position")
    keys = ("account", "symbol")
    kinds, last = [], None
    for line in lines(real_data / "ws" / "bitmex-ws-liquidation-adl-docs-example.jsonl"):
        frame = read_frame(line)
        assert isinstance(frame, TableFrame)
        if frame.table == "execution":
            kinds += [parse.parse_execution(row).kind for row in frame.rows]
        if frame.table == "position" and frame.rows:
            if not table.is_known:
                table.apply(Action.PARTIAL, frame.rows, keys=keys)
            for whole in table.apply(Action.INSERT, frame.rows):
                last = parse.parse_position(whole)
    assert ExecutionKind.LIQUIDATION in kinds
    assert last is not None
    if last.quantity == 0:
        assert last.liquidation_price is None


def test_recorded_positions(real_data: Path) -> None:
    """Every recorded position row of 2017 to 2026, both generations, with its margin row where there is one."""
    read = 0
    for line in lines(real_data / "positions" / "real-rows.jsonl"):
        record = exact(line)
        position = {"account": 1, **record["position"]}
        found = parse.parse_position(position)
        assert found.quantity == int(position.get("currentQty") or 0)
        if found.quantity and position.get("liquidationPrice") is not None:
            assert found.liquidation_price == Decimal(str(position["liquidationPrice"]))
        read += 1
    assert read > 20


def test_recorded_account_snapshot(real_data: Path) -> None:
    """A real cross short of 2026 whose liquidation price is the sentinel; margin rows of three currencies."""
    with (real_data / "rest" / "bitmex-position-snapshot-2026-05-03.csv").open(encoding="utf-8") as file:
        reports = [exact(line["positionReport"].encode()) for line in csv.DictReader(file)]
    short, flat = (parse.parse_position(report) for report in reports)
    assert (short.quantity, short.is_cross, short.liquidation_price) == (-1438000, True, 1000000)
    assert flat.quantity == 0
    with (real_data / "rest" / "bitmex-user-margin-snapshot-2026-05.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            cells = {name: int(cell) for name, cell in line.items() if re.fullmatch(r"-?\d+", cell)}
            margin = parse.parse_margin({"account": 1, "currency": line["currency"], **cells})
            assert margin.margin_balance_sat == int(line["marginBalance"])
            assert not margin.is_multi_asset


def instrument_rows(real_data: Path) -> Iterator[Any]:
    """Yield the recorded instruments of 2021 and 2025-26."""
    yield from exact(b"".join(lines(real_data / "rest" / "bitmex-instrument-active-2021-07-22.json.gz")))
    for line in lines(real_data / "rest" / "bitmex-instrument-2025_2026.jsonl"):
        yield exact(line)


def test_recorded_instruments(real_data: Path) -> None:
    """Perpetuals and futures are read with their kind; the spread without a mark price is left out."""
    found = {row["symbol"]: parse.parse_instrument(row) for row in instrument_rows(real_data)}
    assert found["XBTM26-XBTU26"] is None
    xbt, eth = found["XBTUSD"], found["ETHUSD"]
    assert xbt is not None
    assert eth is not None
    assert (xbt.kind, eth.kind) == (ContractKind.INVERSE, ContractKind.QUANTO)
    assert sum(instrument is not None for instrument in found.values()) > 25


def test_every_instrument_ever_listed(real_data: Path) -> None:
    """All 3,000 rows of 2026: no row breaks the parser, and open contracts are found among them."""
    with gzip.open(real_data / "rest" / "bitmex-instrument-all-2026-05-03.csv.gz", "rt", encoding="utf-8") as file:
        rows = [{name: csv_cell(cell) for name, cell in line.items()} for line in csv.DictReader(file)]
    found = [parse.parse_instrument(row) for row in rows]
    opened = [instrument for instrument in found if instrument is not None and instrument.is_open]
    assert len(rows) > 3000
    assert {instrument.kind for instrument in opened} == set(ContractKind)


def csv_cell(cell: str) -> object:
    """Return a cell of a table file as JSON would have it."""
    if cell in {"true", "false"}:
        return cell == "true"
    try:
        return Decimal(cell)
    except ArithmeticError:
        return cell


def test_recorded_order_replies(real_data: Path) -> None:
    """Order rows of 2025: placed, amended, cancelled, and a cancel that found nothing."""
    statuses = []
    for line in lines(real_data / "rest" / "bitmex-rest-order-replies-2025.jsonl"):
        for row in answers.rows_of(line):
            if "ordStatus" in row:
                order = parse.parse_order(row)
                statuses.append(order.status)
                assert order.kind in {OrderKind.LIMIT, OrderKind.MARKET}
            elif "orderID" in row:
                assert answers.cancelled_order(line, str(row["orderID"])) is None
            else:
                assert error_message(line) == "Invalid leavesQty"
    assert {OrderStatus.NEW, OrderStatus.CANCELED} <= set(statuses)


def test_recorded_errors(real_data: Path) -> None:
    """Error replies of the testnet, 2018 to 2020, each to its kind; the answers that are none are read."""
    kinds = {
        400: Rejected,
        401: Misconfigured,
        404: Rejected,
        429: Unavailable,
        502: OutcomeUnknown,
        503: OutcomeUnknown,
    }
    met = set()
    for line in lines(real_data / "rest" / "bitmex-testnet-rest-cassettes.jsonl.gz"):
        record = json.loads(line)
        reply = record["response"]
        status = reply.get("status_code")
        if status is None:
            continue
        body = (reply["body"] or "").encode()
        if status in kinds:
            answer = Answer(status=status, headers={}, body=body)
            assert type(refusal(answer, is_write=True, expires_after_s=10.0)) is kinds[status], record["name"]
            met.add(status)
        else:
            assert_readable(record["request"]["url"], body)
    assert met == set(kinds)


def assert_readable(url: str, body: bytes) -> None:
    """Read the rows of a successful reply as its endpoint asks."""
    rows = answers.rows_of(body)
    for ending, table in (
        ("/order", "order"),
        ("/position", "position"),
        ("/margin", "margin"),
        ("/instrument", "instrument"),
    ):
        if url.split("?", maxsplit=1)[0].endswith(ending):
            for row in rows:
                if table == "position":
                    parse.parse_position(row)
                else:
                    parse_row(table, row)
