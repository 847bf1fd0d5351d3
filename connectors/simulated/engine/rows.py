"""Rows of the embedded exchange: what all of them share.

Why: most public clients read full rows, so a column without a value is None, never left out.
A server may thin rows out; it can not invent columns.

Units: as on the wire: minor units, contracts, quote prices, ISO 8601 times in UTC.
Source: columns and types of the venue's partials of 2024 to 2026.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import assert_never

from connectors.simulated.engine.contracts import EXACT, Contract, Kind
from connectors.simulated.engine.resting.orders import tidy

SATOSHI_CURRENCY = "XBt"
MAJOR = {"XBt": 100_000_000, "USDt": 1_000_000}  # minor units in one of the currency
SHARE_PLACES = Decimal("0.0001")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def iso(at_ms: int) -> str:
    """Return a time as the venue writes it, such as `2026-05-03T05:01:40.510Z`."""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def share(part: int, whole: int | Decimal) -> Decimal:
    """Return a quotient to four decimals; zero when there is no whole."""
    if not whole:
        return Decimal(0)
    return tidy(EXACT.divide(Decimal(part), Decimal(whole)).quantize(SHARE_PLACES))


def notionals(contract: Contract, quantity: int, price: Decimal, *, quote_to_settle: int) -> tuple[Decimal, Decimal]:
    """Return (home, foreign): underlying with the sign of a quantity, quote with the opposite.

    Args:
        contract: What is held or traded.
        quantity: Signed contracts.
        price: Price to value them at.
        quote_to_settle: Satoshi per unit of quote currency, for quanto contracts settled in XBT.
    """
    if not quantity:
        return Decimal(0), Decimal(0)
    sign = -1 if quantity < 0 else 1
    value = contract.value(quantity, price)
    match contract.kind:
        case Kind.INVERSE:
            home = Decimal(value) / MAJOR[contract.settl_currency]
            return tidy(home * sign), Decimal(-quantity)
        case Kind.LINEAR:
            home = Decimal(quantity) / (contract.underlying_to_position or 1)
            return tidy(home), tidy(Decimal(-value * sign) / MAJOR[contract.settl_currency])
        case Kind.QUANTO:
            is_satoshi = contract.settl_currency == SATOSHI_CURRENCY
            foreign = Decimal(value) / (quote_to_settle if is_satoshi else contract.quote_to_settle or 1)
            places = Decimal("0.00000001")
            home = (foreign / price).quantize(places, ROUND_HALF_EVEN) if price else Decimal(0)
            return tidy(home * sign), tidy((foreign * -sign).quantize(places, ROUND_HALF_EVEN))
        case Kind.SPOT:
            home = Decimal(quantity) / (contract.underlying_to_position or 1)
            return tidy(home), tidy(Decimal(-value * sign) / (contract.quote_to_settle or 1))
        case Kind.SPREAD:
            return Decimal(0), Decimal(0)
        case _:
            assert_never(contract.kind)
