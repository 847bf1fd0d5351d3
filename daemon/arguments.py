"""Single arguments of the command line, read and checked."""

from __future__ import annotations

import argparse
from typing import Final

MOST_ACCOUNTS: Final = 1_000
"""Each account is kept whole in memory and announced at the start; far more than anybody tries at once."""


def whole_number(text: str) -> int:
    """Read a whole number from 0 up.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 up, not {text!r}")
    return int(text)


def port_number(text: str) -> int:
    """Read a port number, 0 meaning "any free one".

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    number = whole_number(text)
    if number > 65_535:
        raise argparse.ArgumentTypeError(f"must be a port from 0 to 65535, not {number}")
    return number


def account_count(text: str) -> int:
    """Read how many accounts to fund, one at least.

    Raises:
        argparse.ArgumentTypeError: If it is no such number.
    """
    number = whole_number(text)
    if not 1 <= number <= MOST_ACCOUNTS:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST_ACCOUNTS}, not {number}")
    return number


def balances(text: str) -> dict[str, int]:
    """Read "XBt=100000000,USDt=5000000" as minor units by currency.

    Raises:
        argparse.ArgumentTypeError: If it is not of this form.
    """
    read: dict[str, int] = {}
    for part in text.split(","):
        currency, sign, amount = part.partition("=")
        if currency not in {"XBt", "USDt"} or not sign:
            raise argparse.ArgumentTypeError(f"must be like XBt=100000000,USDt=5000000, not {text!r}")
        read[currency] = whole_number(amount)
    return read
