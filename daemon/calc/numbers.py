"""Numbers on the command line: read exactly, refused when they cannot be meant, shown without losing digits.

Why: "1,5" or "1e999999" must become one clear line, never a wrong result or a machine that computes for hours.

Units: amounts of money are typed and shown in the currency that people use (XBT, USDT) and kept in minor units.
"""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from typing import Final

_LARGEST_EXPONENT: Final = 15
_SMALLEST_EXPONENT: Final = -18
_MOST_DIGITS: Final = 28
_MOST_CONTRACTS: Final = 10**15

_SCALES: Final = {"XBt": ("XBT", 8), "USDt": ("USDT", 6), "USDc": ("USDC", 6)}
"""How minor units are called by people, and how many decimals that has. Others are shown as they are."""


def number(text: str) -> Decimal:
    """Read a number; underscores may group its digits.

    Raises:
        argparse.ArgumentTypeError: If it is none, or none of a sane size.
    """
    try:
        read = Decimal(text.replace("_", ""))
    except InvalidOperation:
        raise argparse.ArgumentTypeError(
            f"must be a number such as 1500.5 (no thousands commas), not {text!r}"
        ) from None
    if not read.is_finite() or len(read.as_tuple().digits) > _MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"must be a finite number of at most {_MOST_DIGITS} digits, not {text!r}")
    if read and not _SMALLEST_EXPONENT <= read.adjusted() <= _LARGEST_EXPONENT:
        raise argparse.ArgumentTypeError(f"is too large or too small to be meant: {text!r}")
    return read


def positive(text: str) -> Decimal:
    """Read a number above zero. Raises argparse.ArgumentTypeError."""
    read = number(text)
    if read <= 0:
        raise argparse.ArgumentTypeError(f"must be above 0, not {text!r}")
    return read


def not_negative(text: str) -> Decimal:
    """Read a number from zero up. Raises argparse.ArgumentTypeError."""
    read = number(text)
    if read < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or above, not {text!r}")
    return read


def share(text: str) -> Decimal:
    """Read a percentage from 0 to below 100. Raises argparse.ArgumentTypeError."""
    read = number(text)
    if not 0 <= read < 100:
        raise argparse.ArgumentTypeError(f"must be a percentage from 0 to below 100, not {text!r}")
    return read


def rate(text: str) -> Decimal:
    """Read a rate: a fraction (0.0005) or a percentage with its sign (0.05%). Raises argparse.ArgumentTypeError."""
    read = number(text[:-1]) / 100 if text.endswith("%") else number(text)
    if not -1 < read < 1:
        raise argparse.ArgumentTypeError(f"must be a fraction such as 0.0005, or 0.05%, not {text!r}")
    return read


def contracts(text: str) -> int:
    """Read a number of contracts, above zero and whole. Raises argparse.ArgumentTypeError."""
    read = positive(text)
    if read != read.to_integral_value() or read > _MOST_CONTRACTS:
        raise argparse.ArgumentTypeError(f"must be a whole number of contracts above 0, not {text!r}")
    return int(read)


def multiplier(text: str) -> int:
    """Read a contract's multiplier: whole, not zero, below zero for inverse. Raises argparse.ArgumentTypeError."""
    read = number(text)
    if read == 0 or read != read.to_integral_value():
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}")
    return int(read)


def currency_name(currency: str) -> str:
    """Return what people call a settlement currency: XBT for XBt."""
    return _SCALES.get(currency, (currency, 0))[0]


def decimals(currency: str) -> int:
    """Return how many decimals the currency of people has."""
    return _SCALES.get(currency, (currency, 0))[1]


def minor_units(amount: Decimal, currency: str) -> int:
    """Return an amount of the currency of people in minor units, parts of one left out (toward zero)."""
    return int(amount.scaleb(decimals(currency)))


def amount_text(minor: int, currency: str, *, signed: bool = False) -> str:
    """Return minor units in the currency of people, exact: "0.01500000 XBT"."""
    digits = decimals(currency)
    return f"{Decimal(minor).scaleb(-digits):{'+' if signed else ''},.{digits}f} {currency_name(currency)}"


def plain(value: Decimal) -> str:
    """Return a decimal without exponent and without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_text(price: Decimal | None, *, none: str = "none") -> str:
    """Return a price with thousands marked."""
    return none if price is None else f"{price:,f}"


def percent_text(part: Decimal | None, *, signed: bool = False) -> str:
    """Return percent with as many decimals as its size deserves."""
    if part is None:
        return "unknown"
    if not part:
        return "0 %"
    digits = 2 if abs(part) >= 1 else 4
    return f"{part:{'+' if signed else ''},.{digits}f} %"


def percent_of(part: int, whole: int) -> Decimal | None:
    """Return `part` in percent of `whole`, four decimals; None of nothing."""
    if whole == 0:
        return None
    return Decimal(2 * part * 1_000_000 // abs(whole) + 1 >> 1).scaleb(-4)
