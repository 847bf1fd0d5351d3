"""Cells of a wire row, read as exact values.

Why: the venue writes numbers as integers, decimals, exponents and with the noise of binary floats
(`44047.299999999996`), leaves cells out or sends null and "". A cell that cannot be meant raises `MalformedRow`; it is
never rounded into a decision.

Units: money and quantities `int`, prices and ratios `Decimal`, times `int` nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError)
"""What decoding raises for bytes that are not JSON, not text, nested beyond all sense, or numbers that cannot be."""

Row = Mapping[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_EXPONENT = 25
"""More digits than any amount on the venue has; a wild exponent must not become a number of megabytes."""
_DOUBLE_DIGITS = 15
"""Significant digits that every binary double keeps; what stands behind them is noise."""
_TIDY_DIGITS = 12
_INTEGER_NOISE = Decimal("0.000001")


class MalformedRow(ValueError):
    """A row that cannot be read. Its text names table and column, never a value of a private row."""


def number(row: Row, column: str) -> Decimal | None:
    """Return a number exactly as sent; None when it is absent, null or "".

    Raises:
        MalformedRow: If the cell is no finite number of a sane size.
    """
    cell = row.get(column)
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool) or not isinstance(cell, int | Decimal):
        raise MalformedRow(f"{column} is not a number")
    exact = Decimal(cell)
    if not exact.is_finite() or (exact and abs(exact.adjusted()) > _LARGEST_EXPONENT):
        raise MalformedRow(f"{column} is out of range")
    return exact


def price(row: Row, column: str) -> Decimal | None:
    """Return a price or ratio with the noise of binary floats taken off; None when absent, null or "".

    Raises:
        MalformedRow: As `number`.
    """
    exact = number(row, column)
    return None if exact is None else without_float_noise(exact)


def without_float_noise(value: Decimal) -> Decimal:
    """Return the short decimal a binary double stands for, if there is one, else the value itself.

    Example:
        >>> without_float_noise(Decimal("44047.299999999996"))
        Decimal('44047.3')
        >>> without_float_noise(Decimal("0.3333333333333333"))
        Decimal('0.3333333333333333')
    """
    if len(value.as_tuple().digits) <= _DOUBLE_DIGITS:
        return value
    tidy = Decimal(f"{value:.{_DOUBLE_DIGITS - 1}e}").normalize()
    return Decimal(f"{tidy:f}") if len(tidy.as_tuple().digits) <= _TIDY_DIGITS else value


def integer(row: Row, column: str) -> int | None:
    """Return a whole number (`200`, `200.0` and `199.99999999999997` are one); None when absent, null or "".

    Raises:
        MalformedRow: If the cell is no whole number.
    """
    exact = number(row, column)
    if exact is None:
        return None
    whole = int(exact.to_integral_value())
    if abs(exact - whole) > _INTEGER_NOISE:
        raise MalformedRow(f"{column} is not a whole number")
    return whole


def text(row: Row, column: str) -> str:
    """Return a text; "" when absent or null.

    Raises:
        MalformedRow: If the cell is something else.
    """
    cell = row.get(column)
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise MalformedRow(f"{column} is not text")
    return cell


def flag(row: Row, column: str) -> bool:
    """Return whether a cell is true; absent and null are false.

    Raises:
        MalformedRow: If the cell is something else.
    """
    cell = row.get(column)
    if cell is None or cell == "":
        return False
    if not isinstance(cell, bool):
        raise MalformedRow(f"{column} is not a flag")
    return cell


def time_ns(row: Row, column: str) -> int:
    """Return an ISO 8601 time in nanoseconds since 1970 UTC; 0 when absent, null or "".

    Raises:
        MalformedRow: If the cell is no such time.
    """
    stamp = text(row, column)
    if not stamp:
        return 0
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        raise MalformedRow(f"{column} is not a time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


_DAY_OF_SPANS = datetime(2000, 1, 1, tzinfo=UTC)


def span_ns(row: Row, column: str) -> int:
    """Return a span of time in nanoseconds; 0 when absent, null or "".

    The venue writes a span as the time it takes from the start of the year 2000: `2000-01-01T08:00:00.000Z` is 8 hours.

    Raises:
        MalformedRow: If the cell is no such time, or one before that year.
    """
    if not text(row, column):
        return 0
    span = time_ns(row, column) - (_DAY_OF_SPANS - _EPOCH) // timedelta(microseconds=1) * 1_000
    if span < 0:
        raise MalformedRow(f"{column} is not a span of time")
    return span


def required_text(row: Row, column: str) -> str:
    """Return a text that a row must have.

    Raises:
        MalformedRow: If it is missing or cannot be read.
    """
    found = text(row, column)
    if not found:
        raise MalformedRow(f"{column} is missing")
    return found


def required_integer(row: Row, column: str) -> int:
    """Return a whole number that a row must have.

    Raises:
        MalformedRow: If it is missing or cannot be read.
    """
    found = integer(row, column)
    if found is None:
        raise MalformedRow(f"{column} is missing")
    return found


def required_price(row: Row, column: str) -> Decimal:
    """Return a price or ratio that a row must have.

    Raises:
        MalformedRow: If it is missing or cannot be read.
    """
    found = price(row, column)
    if found is None:
        raise MalformedRow(f"{column} is missing")
    return found
