"""What is listed at a time: the table, with its dated contracts moved on by the calendar.

Why: the table was taken on one day, an exchange may start on any other. What has expired by then is left
out, what has appeared since is made from the latest contract of its series, and whatever the
table itself says about a contract stands.

Units: times in milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path

from connectors.simulated.engine.contracts import CONTRACTS, ONE, Contract, Kind
from connectors.simulated.listing import months
from connectors.simulated.listing.reading import (
    SPREAD_TYPE,
    Listing,
    complete,
    contract_of,
    index_of,
    read_file,
    rows_of_csv,
)

_CODE = len("H27")
_MAIN_SERIES = "XBT"
_MAIN_LEAD, _OTHER_LEAD = 9, 3  # months before its own in which a quarter appears
_FIRST_SPREADS = "2026-04-29T09:00:00.000Z"
_MADE_UP_IDS = 100_000  # beyond all ids the venue has given


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """Everything that may be listed, whenever that is.

    Attributes:
        table: Contracts and indices as they were read.
        follows_calendar: Whether dated contracts after the table's own follow from their series.
    """

    table: Listing
    follows_calendar: bool = True

    def contracts_at(self, at_ms: int) -> tuple[Contract, ...]:
        """Return what is listed at a time: what never expires, what has not, and the spreads between them."""
        lasting = [one for one in self.table.contracts if one.expiry is None]
        dated = [one for one in self._dated(at_ms) if _ms(one.listing) <= at_ms < _ms(one.expiry or "")]
        spreads = [one for one in _spreads(dated) if _ms(one.listing) <= at_ms]
        return (*lasting, *dated, *spreads)

    def _dated(self, at_ms: int) -> Iterator[Contract]:
        known = {one.symbol: one for one in self.table.contracts if one.expiry is not None}
        if not self.follows_calendar:
            yield from known.values()
            return
        known = {one.symbol: one for one in CONTRACTS if one.expiry is not None} | known
        for root, template in _series(known.values()).items():
            is_main = root == _MAIN_SERIES
            lead = _MAIN_LEAD if is_main else _OTHER_LEAD
            for month in months.listed_months(at_ms, lead=lead, is_monthly=is_main):
                known.setdefault(root + months.code(month), _of_month(template, root, month, lead))
        yield from known.values()


@cache
def venue_catalogue() -> Catalogue:
    """Return what the venue listed in May 2026 and, by the calendar, before and after."""
    folder = resources.files(__package__)
    contracts = rows_of_csv(folder.joinpath("contracts.csv").read_text("utf-8"))
    indices = {one.symbol: one for one in map(index_of, rows_of_csv(folder.joinpath("indices.csv").read_text("utf-8")))}
    return Catalogue(table=complete(map(contract_of, contracts), indices, contracts))


def file_catalogue(path: Path) -> Catalogue:
    """Return what a file lists, and nothing beyond it.

    Raises:
        ListingError: If the file cannot be used.
    """
    return Catalogue(table=read_file(path), follows_calendar=False)


def _series(dated: Iterable[Contract]) -> Mapping[str, Contract]:
    """Return the contract that ends last, by what stands before the month in its symbol; outright futures only."""
    latest: dict[str, Contract] = {}
    for one in sorted(dated, key=lambda contract: contract.expiry or ""):
        root, month = one.symbol[:-_CODE], months.month_of_code(one.symbol[-_CODE:])
        if one.typ == "FFCCSX" and month is not None:
            latest[root] = one
    return latest


def _of_month(template: Contract, root: str, month: int, lead: int) -> Contract:
    return replace(
        template,
        symbol=root + months.code(month),
        listing=months.wire(months.listing_of(month, lead=lead)),
        expiry=months.wire(months.expiry_of(month)),
        instrument_id=_MADE_UP_IDS + template.instrument_id * 1_000 + month % 1_000,
    )


def _spreads(dated: Iterable[Contract]) -> list[Contract]:
    """Return the spreads between neighbouring quarters of the main series."""
    quarters = [one for one in dated if one.symbol[:-_CODE] == _MAIN_SERIES and _ends_quarter(one)]
    return [_spread(near, far) for near, far in pairwise(sorted(quarters, key=lambda one: one.expiry or ""))]


def _ends_quarter(contract: Contract) -> bool:
    month = months.month_of_code(contract.symbol[-_CODE:])
    return month is not None and months.is_quarter(month)


def _spread(near: Contract, far: Contract) -> Contract:
    return replace(
        near,
        symbol=f"{near.symbol}-{far.symbol}",
        kind=Kind.SPREAD,
        typ=SPREAD_TYPE,
        listing=max(near.listing, far.listing, _FIRST_SPREADS),
        reference=None,
        reference_symbol=near.symbol,
        multiplier=1,
        init_margin=ONE,  # not shown; nothing is margined
        maint_margin=ONE,
        instrument_id=_MADE_UP_IDS * 10 + near.instrument_id,
        mark_method="",
        is_instant=False,
        near_leg=near.symbol,
        far_leg=far.symbol,
    )


def _ms(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp()) * 1000
