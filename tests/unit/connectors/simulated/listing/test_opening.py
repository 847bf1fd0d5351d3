"""What is listed: the table against the venue's own listing, and what the calendar makes of it."""

from __future__ import annotations

import csv
import gzip
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.simulated.engine.contracts import CONTRACTS, INDICES, Contract, Kind
from connectors.simulated.engine.switches import Switches
from connectors.simulated.engine.tables.instrument_rows import index_row, instrument_row
from connectors.simulated.engine.world import World
from connectors.simulated.listing.opening import file_catalogue, venue_catalogue

LISTING = "bitmex-instrument-all-2026-05-03.csv.gz"
# Columns that move with the market or the clock; everything else has to be exactly the venue's.
_MOVING = (
    "timestamp askPrice bidPrice midPrice impactAskPrice impactBidPrice impactMidPrice hasLiquidity lastPrice "
    "lastPriceProtected lastTickDirection lastChangePcnt highPrice lowPrice vwap markPrice fairPrice fairBasis "
    "fairBasisRate indicativeSettlePrice fundingRate indicativeFundingRate fundingTimestamp openInterest openValue "
    "prevClosePrice prevPrice24h prevTotalTurnover prevTotalVolume totalTurnover totalVolume turnover turnover24h "
    "volume volume24h homeNotional24h foreignNotional24h openingTimestamp closingTimestamp limitDownPrice "
    "limitUpPrice"
)
MOVING = frozenset(_MOVING.split())


def at(day: str) -> int:
    """Return noon of a day in protocol ms."""
    return int(datetime.fromisoformat(day).replace(hour=12, minute=1, tzinfo=UTC).timestamp()) * 1000


def dated(day: str) -> dict[str, Contract]:
    """Return the contracts that end, listed on a day."""
    return {one.symbol: one for one in venue_catalogue().contracts_at(at(day)) if one.expiry is not None}


def listed(folder: Path) -> dict[str, dict[str, str]]:
    """Return the venue's listing by symbol."""
    with gzip.open(folder / "rest" / LISTING, "rt") as lines:
        return {row["symbol"]: row for row in csv.DictReader(lines)}


def shown(cell: object) -> str:
    """Return a cell as the listing writes it, numbers by value."""
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def same(ours: object, theirs: str) -> bool:
    """Return whether a cell of ours says what the listing says."""
    if isinstance(ours, int | Decimal) and not isinstance(ours, bool):
        return theirs != "" and Decimal(theirs) == ours
    return shown(ours) == theirs


def test_every_open_contract_is_the_venues_column_by_column(real_data: Path) -> None:
    """129 contracts of five types: every column that does not move equals the listing of May 2026."""
    rows = listed(real_data)
    theirs = {symbol for symbol, row in rows.items() if row["state"] == "Open"}
    contracts = venue_catalogue().table.contracts
    assert {one.symbol for one in contracts} == theirs
    world = World(switches=Switches(), quote_to_settle=1279)  # satoshi in a dollar that day
    for market in world.open_markets(contracts, ()):
        row = instrument_row(world, market)
        wrong = {
            name: (row.get(name), theirs)
            for name, theirs in rows[market.contract.symbol].items()
            if name not in MOVING and not same(row.get(name), theirs)
        }
        assert not wrong, (market.contract.symbol, wrong)


def test_every_index_is_the_venues_column_by_column(real_data: Path) -> None:
    """The rows behind the contracts; those the listing lacks are made from their contract."""
    rows = listed(real_data)
    moving = MOVING | {"openInterest", "openValue"}
    world = World(switches=Switches())
    world.open_markets((), venue_catalogue().table.indices)
    known = {symbol: prints for symbol, prints in world.indices.items() if symbol in rows}
    assert len(known) > 240
    for symbol, prints in known.items():
        row = index_row(prints, at_ms=0)
        wrong = {
            name: (row.get(name), theirs)
            for name, theirs in rows[symbol].items()
            if name not in moving | {"reference", "minPrice"} and not same(row.get(name), theirs)
        }
        assert not wrong, (symbol, wrong)


def test_the_table_is_what_its_source_gives(real_data: Path) -> None:
    """Read from the venue's file, the same contracts and indices come out."""
    table = file_catalogue(real_data / "rest" / LISTING).table
    assert table.contracts == venue_catalogue().table.contracts
    assert set(table.indices) == set(venue_catalogue().table.indices)


def test_every_contract_has_its_indices() -> None:
    """Reference and funding symbols of every contract are listed, each once."""
    table = venue_catalogue().table
    symbols = [index.symbol for index in table.indices]
    assert len(symbols) == len(set(symbols))
    for one in table.contracts:
        named = (one.reference_symbol, one.funding_base_symbol, one.funding_quote_symbol, one.funding_premium_symbol)
        assert {name for name in named if name} <= set(symbols), one.symbol


def test_the_four_of_the_tests_are_those_of_the_table() -> None:
    """Contracts and indices that unit tests open have the table's figures; the later future follows from its series."""
    table = {one.symbol: one for one in (*venue_catalogue().table.contracts, *dated("2026-07-01").values())}
    assert [table[one.symbol] for one in CONTRACTS] == list(CONTRACTS)
    behind = {one.symbol: one for one in venue_catalogue().table.indices}
    assert [behind[one.symbol] for one in INDICES] == [replace(one) for one in INDICES]


def test_listing_of_the_days_own() -> None:
    """On the table's day exactly its futures are listed, and the spreads between the quarters."""
    found = dated("2026-05-03")
    outright = {one.symbol for one in venue_catalogue().table.contracts if one.expiry is not None}
    assert {symbol for symbol, one in found.items() if one.kind is not Kind.SPREAD} == outright
    assert {"XBTM26-XBTU26", "XBTU26-XBTZ26"} <= set(found)


@pytest.mark.parametrize(
    ("day", "here", "gone"),
    [
        ("2026-11-22", "XBTZ26 XBTH27 XBTM27 XBTX26 ETHUSDZ26 XBTZ26-XBTH27", "XBTU26 XBTF27 P_POWELLK26 ETHH27"),
        ("2026-11-27", "XBTZ26 XBTF27", "XBTX26"),  # the day it ends, one minute later
        ("2027-03-26", "XBTM27 XBTU27 XBTZ27", "XBTH27 XBTH27-XBTM27"),
        ("2020-03-12", "XBTH20 XBTM20 XBTZ20", "XBTH27 XBTH20-XBTM20"),
    ],
)
def test_dated_contracts_follow_the_calendar(day: str, here: str, gone: str) -> None:
    """Quarters nine months ahead, other series three, months between two; what has ended is gone."""
    found = dated(day)
    assert set(here.split()) <= set(found)
    assert not set(gone.split()) & set(found)


def test_a_later_month_has_the_figures_of_its_series() -> None:
    """Dates and symbol are its own, all else is the latest contract's of the series."""
    template = {one.symbol: one for one in venue_catalogue().table.contracts}["ETHUSDM26"]
    later = dated("2026-11-22")["ETHUSDZ26"]
    assert (later.listing, later.expiry) == ("2026-09-08T04:00:00.000Z", "2026-12-25T12:00:00.000Z")
    own = {"symbol": "", "listing": "", "expiry": None, "instrument_id": 0}
    assert replace(later, **own) == replace(template, **own)  # type: ignore[arg-type]


def test_ids_are_unique() -> None:
    """No two instruments share an `instrumentID`, made-up ones included."""
    ids = [one.instrument_id for one in venue_catalogue().contracts_at(at("2026-11-22"))]
    assert len(ids) == len(set(ids))


def test_a_file_of_another_day_is_listed_as_it_is(real_data: Path) -> None:
    """The active contracts of July 2021 with the figures of then; the calendar adds nothing."""
    catalogue = file_catalogue(real_data / "rest" / "bitmex-instrument-active-2021-07-22.json.gz")
    found = {one.symbol: one for one in catalogue.contracts_at(at("2021-07-22"))}
    assert (found["XBTUSD"].tick_size, found["XBTUSD"].maker_fee) == (Decimal("0.5"), Decimal("-0.00025"))
    assert "XRPU21" in found
    assert "XBTU21-XBTZ21" not in found
    behind = {one.symbol: one for one in catalogue.table.indices}
    assert behind[".BXBT"].level is not None
    assert 31_000 < behind[".BXBT"].level < 33_000
    assert "XRPU21" not in {one.symbol for one in catalogue.contracts_at(at("2026-11-22"))}
