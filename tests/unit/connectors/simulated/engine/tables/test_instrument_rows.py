"""Instrument rows: which columns each kind shows, and what stands in them."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.inputs import ListContracts, SetPrices
from connectors.simulated.listing.opening import venue_catalogue
from connectors.simulated.server.tables import INSTRUMENT
from connectors.simulated.tape.followers import Followers
from connectors.simulated.tape.market import FOLLOWERS, Market
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, Desk, prices

DAY_MS = 1_777_784_400_000  # 2026-05-03T05:00Z
# Not shown by the listing where nobody trades; here every market has liquidity and trades.
WITH_TRADE = frozenset(
    {"vwap", "highPrice", "lowPrice", "askPrice", "midPrice", "impactBidPrice", "impactMidPrice", "impactAskPrice"}
)
NOT_MODELLED = frozenset({"limitUpPrice", "limitDownPrice", "fairBasisRate"})  # of predictions


@pytest.fixture(scope="module")
def rows() -> Mapping[str, Row]:
    """Return all rows of the table's day, priced."""
    catalogue = venue_catalogue()
    contracts = catalogue.contracts_at(DAY_MS)
    exchange = Exchange(contracts=())
    exchange.apply(ListContracts(contracts=contracts, indices=catalogue.table.indices), at_ms=DAY_MS)
    indices = {one.symbol: one for one in catalogue.table.indices}
    carried = {one.contract.symbol for one in FOLLOWERS}
    followers = Followers(contracts, indices, carried=carried, seed=1)
    first = Decimal("78176.6")
    listed = {one.symbol for one in contracts}
    own = [
        one for one in Market(seed=1, first_price=first, tape_ms=0).prices(first, halted=False) if one.symbol in listed
    ]
    others = followers.prices(followers.moving(0, 0), {one.symbol: one for one in own}, tape_ms=0, at_ms=DAY_MS)
    for place in range(2):
        exchange.apply(SetPrices(tape_ms=place, prices=(*own, *others)), at_ms=DAY_MS + place)
    return {str(row["symbol"]): row for row in exchange.instrument_rows()}


def test_columns_with_a_value_are_those_of_the_venue(rows: Mapping[str, Row], real_data: Path) -> None:
    """For each of 129 contracts: a column is empty exactly where the listing's is, what nobody traded aside."""
    with gzip.open(real_data / "rest" / "bitmex-instrument-all-2026-05-03.csv.gz", "rt") as lines:
        real = {row["symbol"]: row for row in csv.DictReader(lines) if row["state"] == "Open"}
    for symbol, row in real.items():
        ours = {name for name, cell in rows[symbol].items() if cell is not None}
        theirs = {name for name, cell in row.items() if cell}
        assert theirs - ours <= NOT_MODELLED | WITH_TRADE, symbol
        assert ours - theirs <= WITH_TRADE | {"openInterest", "openValue"}, symbol


def test_a_spread_shows_what_the_recorded_one_shows(rows: Mapping[str, Row], real_data: Path) -> None:
    """The recorded row of a spread: same columns, but for what trades leave behind and prices it lacked."""
    lines = (real_data / "rest" / "bitmex-instrument-2025_2026.jsonl").read_text().splitlines()
    real = next(row for row in map(json.loads, lines) if row["symbol"] == "XBTM26-XBTU26")
    ours = rows["XBTM26-XBTU26"]
    assert set(real) <= set(ours)
    empty = {name for name, cell in real.items() if cell is None} | WITH_TRADE
    assert {name for name in real if ours[name] is None} <= empty
    same = ("typ", "listing", "minPrice", "maxPrice", "tickSize", "lotSize", "multiplier", "settlCurrency", "expiry")
    assert [ours[name] for name in same] == [
        Decimal(str(real[name])) if isinstance(real[name], float) else real[name] for name in same
    ]


def test_every_column_has_its_declared_type(rows: Mapping[str, Row]) -> None:
    """Whole numbers are whole, prices are decimals, flags are flags; no column is unknown to the table."""
    kinds: dict[str, tuple[type, ...]] = {
        "long": (int,),
        "float": (Decimal, int),
        "boolean": (bool,),
        "symbol": (str,),
        "timestamp": (str,),
        "timespan": (str,),
    }
    for symbol, row in rows.items():
        for name, cell in row.items():
            kind = INSTRUMENT.types[name]
            assert cell is None or isinstance(cell, kinds[kind]), (symbol, name, cell)
            assert kind == "boolean" or not isinstance(cell, bool), (symbol, name)


def test_basis_of_a_future_as_a_yearly_rate(rows: Mapping[str, Row]) -> None:
    """116.28 over 54 days is 1 % a year on the venue; ours follows the same rule."""
    row = rows["XBTM26"]
    basis, index, rate = row["fairBasis"], row["indicativeSettlePrice"], row["fairBasisRate"]
    assert isinstance(basis, Decimal)
    assert isinstance(index, Decimal)
    left_days = Decimal("54.29")
    assert abs(basis / index * 365 / left_days - Decimal(str(rate))) < Decimal("0.006")


def test_open_interest_follows_positions() -> None:
    """Longs of everybody and of the modelled liquidity, counted once, whoever trades with whom."""
    desk = Desk()
    (row,) = desk.exchange.instrument_rows("XBTUSD")
    assert (row["openInterest"], row["openValue"]) == (0, 0)
    desk.place(300)
    desk.place(-100, account=BOB)
    (row,) = desk.exchange.instrument_rows("XBTUSD")
    assert (row["openInterest"], row["openValue"]) == (300, 3 * 200_000)
    desk.place(-300, account=ALICE)
    (row,) = desk.exchange.instrument_rows("XBTUSD")
    assert row["openInterest"] == 100


def test_volume_turnover_and_average_of_trades() -> None:
    """Two trades at two prices: sums, extremes and the average price."""
    desk = Desk()
    desk.place(1_000)
    desk.move(prices(mark=60_000))
    (row,) = desk.exchange.instrument_rows("XBTUSD")
    assert row["volume24h"] == 1_200  # and two lots that the tape's moves traded
    assert (row["prevPrice24h"], row["highPrice"], row["lowPrice"]) == (50_000, 60_000, 50_000)
    assert row["lastChangePcnt"] == Decimal("0.2")
    home, foreign = row["homeNotional24h"], row["foreignNotional24h"]
    assert isinstance(home, Decimal)
    assert isinstance(foreign, Decimal)
    assert row["vwap"] == (foreign / home).quantize(Decimal("0.0001"))
    assert row["turnover24h"] == home * 100_000_000


def test_an_order_inside_the_spread_is_the_touch() -> None:
    """Quote and instrument row show the best of orders and tape together, and the tape's own when it is gone."""
    desk = Desk()
    wide = prices(half_spread=5)
    desk.move(wide)
    order = desk.place(200, price=49_998)
    (quote,) = [change.row for change in desk.move(wide) if change.table == "quote"]
    assert (quote["bidPrice"], quote["bidSize"], quote["askPrice"]) == (49_998, 200, 50_005)
    assert desk.exchange.instrument_rows("XBTUSD")[0]["bidPrice"] == 49_998
    desk.cancel(order["orderID"])
    (quote,) = [change.row for change in desk.move(wide) if change.table == "quote"]
    assert (quote["bidPrice"], quote["bidSize"]) == (49_995, 1_000_000)
