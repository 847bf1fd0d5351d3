"""The calendar of dated contracts: month codes, when each ends, when it appears.

Why: which futures are listed is a matter of the date alone, so an exchange started on any day lists
what the venue would have listed, and goes on listing as time passes.

A contract ends on the last Friday of its month at 12:00 UTC. Quarters appear on the second Tuesday
of the month a series' lead before, the months between on the fourth Tuesday two months before.
Source: listing and settlement dates of 2024 to 2026 in `GET /instrument`; a few came days later.
Units: months are counted (`year * 12 + month - 1`), times in milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

MONTH_CODES = "FGHJKMNQUVXZ"
_FRIDAY, _TUESDAY = 4, 1
_QUARTER = 3
_MONTHLY_LEAD = 2
_EXPIRY_HOUR, _LISTING_HOUR = 12, 4
_SECOND, _FOURTH = 2, 4


def month_of(at_ms: int) -> int:
    """Return the month a time lies in."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.year * 12 + moment.month - 1


def code(month: int) -> str:
    """Return a month as symbols end in it, such as `H27`."""
    return f"{MONTH_CODES[month % 12]}{month // 12 % 100:02d}"


def month_of_code(text: str) -> int | None:
    """Return the month of a code such as `H27`, None if the text is none."""
    letter, year = text[:1], text[1:]
    if len(text) != len("H27") or letter not in MONTH_CODES or not (year.isascii() and year.isdigit()):
        return None
    return (2000 + int(year)) * 12 + MONTH_CODES.index(letter)


def is_quarter(month: int) -> bool:
    """Return whether a month ends a quarter."""
    return (month + 1) % _QUARTER == 0


def expiry_of(month: int) -> datetime:
    """Return when the contract of a month ends."""
    following = datetime((month + 1) // 12, (month + 1) % 12 + 1, 1, _EXPIRY_HOUR, tzinfo=UTC)
    last = following - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - _FRIDAY) % 7)


def listing_of(month: int, *, lead: int) -> datetime:
    """Return when the contract of a month appears.

    Args:
        month: The month it ends in.
        lead: Months before, for a quarter; the months between have a lead of their own.
    """
    before, which = (month - lead, _SECOND) if is_quarter(month) else (month - _MONTHLY_LEAD, _FOURTH)
    first = datetime(before // 12, before % 12 + 1, 1, _LISTING_HOUR, tzinfo=UTC)
    return first + timedelta(days=(_TUESDAY - first.weekday()) % 7 + 7 * (which - 1))


def listed_months(at_ms: int, *, lead: int, is_monthly: bool) -> Iterator[int]:
    """Yield the months whose contracts are listed at a time, the next to end first.

    Args:
        at_ms: The time.
        lead: Months before its own in which a quarter appears.
        is_monthly: Whether the series has the months between the quarters too.
    """
    now = datetime.fromtimestamp(at_ms / 1000, UTC)
    for month in range(month_of(at_ms), month_of(at_ms) + max(lead, _MONTHLY_LEAD) + 1):
        if (is_monthly or is_quarter(month)) and listing_of(month, lead=lead) <= now < expiry_of(month):
            yield month


def wire(moment: datetime) -> str:
    """Return a time as the venue writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
