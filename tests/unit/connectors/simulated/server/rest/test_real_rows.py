"""Answers against real ones, column by column: order replies of 2025, and the account of May 2026."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.engine.contracts import Kind
from connectors.simulated.listing.opening import venue_catalogue
from connectors.simulated.server.settings import RowStyle
from tests.unit.connectors.simulated.server.rest.visitor import Visitor

OF_ITS_OWN = {"account", "clOrdID", "orderID", "symbol", "timestamp", "transactTime"}
LINEAR = {"symbol": "XBTUSDT", "orderQty": 1_000, "price": 32_000, "clOrdID": "x"}


@pytest.fixture(scope="module")
def replies(real_data: Path) -> list[Any]:
    """Return the recorded replies: two cancels, a cancel of nothing, a refused amend, a new order, an amend."""
    lines = (real_data / "rest" / "bitmex-rest-order-replies-2025.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in lines.splitlines()]


def assert_like(ours: dict[str, Any], real: dict[str, Any]) -> None:
    """Columns and values agree but for those of a spot symbol, which has no settlement currency, and of 2026."""
    assert set(ours) - {"settlCurrency", "pool"} == set(real) - {"settlCurrency", "pool"}
    same = set(real) - OF_ITS_OWN
    assert {name: ours[name] for name in same} == {name: real[name] for name in same}


def test_sparse_order_replies_are_like_the_recorded_ones(replies: list[Any]) -> None:
    """Placed, amended, cancelled, and nothing there to cancel."""
    visitor = Visitor(rows=RowStyle.SPARSE)
    _, placed = visitor.ask("POST", "/order", LINEAR)
    assert_like(placed, replies[4])
    named = {"orderID": placed["orderID"]}
    _, amended = visitor.ask("PUT", "/order", {**named, "price": 32_323})
    assert_like({**amended, "text": "Amended orderQty price\nSubmitted via API."}, replies[5])
    assert amended["text"] == "Amended price\nSubmitted via API."
    _, (canceled,) = visitor.ask("DELETE", "/order", named)
    assert_like(canceled, replies[1][0])
    _, (nothing,) = visitor.ask("DELETE", "/order", {"orderID": replies[2][0]["orderID"]})
    assert_like(nothing, replies[2][0])
    assert nothing["orderID"] == replies[2][0]["orderID"]


def test_a_filled_market_close_is_like_the_recorded_one() -> None:
    """The reply of 2026 that ccxt/ccxt quotes has a `pool`, and no price besides `avgPx`."""
    visitor = Visitor(rows=RowStyle.SPARSE)
    visitor.ask("POST", "/order", {"symbol": "XBTUSDT", "orderQty": 1_000})
    _, closed = visitor.ask("POST", "/order", {"symbol": "XBTUSDT", "side": "Sell", "execInst": "Close"})
    recorded = (
        "account avgPx cumQty currency execInst leavesQty ordStatus ordType orderID orderQty pool settlCurrency side "
        "strategy symbol text timeInForce timestamp transactTime workingIndicator"
    )
    assert list(closed) == recorded.split()
    assert [closed[name] for name in ("pool", "ordStatus", "execInst")] == ["Primary", "Filled", "Close"]


def test_full_rows_have_every_column_of_the_sparse_ones() -> None:
    """The two styles differ in what is empty and in nothing else."""
    for path, fields in (("/order", LINEAR), ("/position/leverage", {"symbol": "XBTUSD", "leverage": 5})):
        full, sparse = (Visitor(rows=style).ask("POST", path, fields)[1] for style in RowStyle)
        assert {name: cell for name, cell in full.items() if cell is not None} == sparse


def rows_of(file: Path) -> list[dict[str, str]]:
    """Return the rows of a table that was saved as CSV."""
    text = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize(
    ("file", "path", "elsewhere"),
    [
        ("bitmex-position-snapshot-2026-05-03.csv", "/position", {"positionReport"}),
        ("bitmex-user-margin-snapshot-2026-05.csv", "/user/margin", set()),
        ("bitmex-user-wallet-snapshot-2026-05.csv", "/user/wallet", set()),
        ("bitmex-user-walletHistory-2020-05_2023-12.csv.gz", "/user/walletHistory", {"network", "orderID"}),
        ("bitmex-user-walletSummary-2026-05.csv", "/user/walletSummary", set()),
        ("bitmex-wallet-assets-2026-05.csv", "/wallet/assets", {"assetID"}),
    ],
)
def test_account_tables_have_the_columns_of_a_real_account(
    file: str, path: str, elsewhere: set[str], real_data: Path
) -> None:
    """What a real account of 2026 shows is there; columns of its owner's own making, or of coins on chains, are not."""
    visitor = Visitor()
    visitor.ask("POST", "/order", {"symbol": "XBTUSD", "orderQty": 1_000})
    _, answer = visitor.ask("GET", path)
    ours = set().union(*(answer if isinstance(answer, list) else [answer]))
    assert set(rows_of(real_data / "rest" / file)[0]) - elsewhere <= ours


def test_scales_of_currencies_are_the_real_ones(real_data: Path) -> None:
    """Clients turn minor units into coins by this table alone."""
    real = {row["currency"]: row for row in rows_of(real_data / "rest" / "bitmex-wallet-assets-2026-05.csv")}
    _, assets = Visitor().ask("GET", "/wallet/assets")
    assert {asset["currency"] for asset in assets} == real.keys()
    traded = {one.underlying for one in venue_catalogue().table.contracts if one.kind is Kind.SPOT}
    assert traded <= {asset["asset"] for asset in assets}
    for asset in assets:
        row = real[asset["currency"]]
        assert (asset["asset"], asset["scale"]) == (row["asset"], int(row["scale"]))
        assert asset["memoRequired"] is (row["memoRequired"] == "true")
        assert asset["isMarginCurrency"] is (row["isMarginCurrency"] == "true")
        assert [one["asset"] for one in asset["networks"]] == [one["asset"] for one in json.loads(row["networks"])]
