"""Client order ids: derived from what an order is for, never drawn (P4).

    sw-{account}-{symbol}-{L|S}-{s|r|t}{number}

`L` and `S` are the direction of the position, `s` a stop, `r` a reduction at the market, `t` a take-profit order (the
last digit of its number is the rung). The number counts up from the
highest that the venue remembers. So two guards, or one that lost its journal, ask for the same next order under the
same id and the venue refuses the second as a duplicate. An order carries this prefix if and only if it is ours.

Limits: the venue takes at most 36 characters (www.bitmex.com/api/explorer), so a long symbol is cut and made
distinct by a digest.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import Final

from connectors.vocabulary import OrderSide, Side

LONGEST: Final = 36
NUMBER_DIGITS: Final = 6
RUNGS: Final = 10
"""Take-profit stages that the last digit of a number can tell apart."""
PROBES: Final = 15
"""How many numbers beyond a reported duplicate are asked for."""


class Purpose(Enum):
    """What an order of ours is for."""

    STOP = "s"
    REDUCE = "r"
    TAKE = "t"


_STOP_END: Final = f"-{Purpose.STOP.value}"
_TAKE_END: Final = f"-{Purpose.TAKE.value}"


def is_ours(account: int, client_order_id: str) -> bool:
    """Whether this id carries the guard's prefix for `account`."""
    return client_order_id.startswith(f"sw-{account}-")


def closing_side(side: Side) -> OrderSide:
    """The side of an order that shrinks a position."""
    return OrderSide.SELL if side is Side.LONG else OrderSide.BUY


def series(account: int, symbol: str, side: Side, purpose: Purpose) -> str:
    """The id without its number.

    Example:
        >>> series(7, "XBTUSD", Side.LONG, Purpose.STOP)
        'sw-7-XBTUSD-L-s'
    """
    letter = "L" if side is Side.LONG else "S"
    return f"sw-{account}-{_token(account, symbol)}-{letter}-{purpose.value}"


@lru_cache(maxsize=8192)
def parse(account: int, client_order_id: str) -> tuple[str, int] | None:
    """Series and number of an id of ours; None for any other.

    Example:
        >>> parse(7, "sw-7-XBTUSD-L-s12")
        ('sw-7-XBTUSD-L-s', 12)
    """
    if not is_ours(account, client_order_id):
        return None
    head, _, tail = client_order_id.rpartition("-")
    digits = tail[1:]
    if tail[:1] not in {"s", "r", "t"} or not (digits.isascii() and digits.isdigit()) or len(digits) > NUMBER_DIGITS:
        return None
    return f"{head}-{tail[0]}", int(digits)


def is_stop(account: int, client_order_id: str) -> bool:
    """Whether this id is of a stop of ours."""
    parsed = parse(account, client_order_id)
    return parsed is not None and parsed[0].endswith(_STOP_END)


def is_take(account: int, client_order_id: str) -> bool:
    """Whether this id is of a take-profit order of ours."""
    parsed = parse(account, client_order_id)
    return parsed is not None and parsed[0].endswith(_TAKE_END)


def rung(number: int) -> int:
    """The rung of a take-profit order, from its number."""
    return number % RUNGS


def next_number(highest: int, rung_index: int) -> int:
    """The lowest number above `highest` that stands for this rung.

    Example:
        >>> next_number(0, 2), next_number(12, 1), next_number(12, 2)
        (2, 21, 22)
    """
    return highest + ((rung_index - highest) % RUNGS or RUNGS)


def probes(series_name: str, number: int) -> tuple[str, ...]:
    """The id of `number` and of those that may have been used after it."""
    return tuple(f"{series_name}{each}" for each in range(number, number + PROBES + 1))


def _token(account: int, symbol: str) -> str:
    room = LONGEST - len(f"sw-{account}--L-s") - NUMBER_DIGITS
    if len(symbol) <= room:
        return symbol
    digest = sha256(symbol.encode()).hexdigest()[:6]
    return f"{symbol[: room - len(digest)]}{digest}"
