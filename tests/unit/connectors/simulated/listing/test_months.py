"""The calendar of dated contracts, against dates of the venue."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from pathlib import Path

import pytest

from connectors.simulated.listing import months


@pytest.mark.parametrize(
    ("text", "expiry"),
    [("H27", "2027-03-26"), ("Z26", "2026-12-25"), ("F26", "2026-01-30"), ("Z21", "2021-12-31"), ("X24", "2024-11-29")],
)
def test_last_friday_at_noon(text: str, expiry: str) -> None:
    """A month ends on its last Friday at 12:00 UTC."""
    month = months.month_of_code(text)
    assert month is not None
    assert months.wire(months.expiry_of(month)) == f"{expiry}T12:00:00.000Z"
    assert months.code(month) == text


@pytest.mark.parametrize("text", ["", "H2", "A27", "H2x", "USD", "H270"])
def test_what_is_no_month_code(text: str) -> None:
    """Other endings of symbols are not taken for months."""
    assert months.month_of_code(text) is None


def test_listing_dates_of_the_venue(real_data: Path) -> None:
    """All contracts of the six series of 2024 to 2026 ended on the rule's day; nine of ten were listed on it."""
    with gzip.open(real_data / "rest" / "bitmex-instrument-all-2026-05-03.csv.gz", "rt") as lines:
        rows = [row for row in csv.DictReader(lines) if row["typ"] == "FFCCSX"]
    late = []
    for row in rows:
        root, month = row["symbol"][:-3], months.month_of_code(row["symbol"][-3:])
        if root not in {"XBT", "ADA", "ETH", "ETHUSD", "XBTUSDT", "XRP"} or month is None or month < 2024 * 12:
            continue
        assert months.wire(months.expiry_of(month)) == row["settle"], row["symbol"]
        listing = months.listing_of(month, lead=9 if root == "XBT" else 3)
        late.append(abs(datetime.fromisoformat(row["listing"]) - listing).days)
    assert len(late) > 70
    assert max(late) < 30
    assert late.count(0) / len(late) > 0.9
