"""What the stop rules remember of one position's life: from flat to flat, or from turn to turn.

These are values of `GuardState`; `stop_facts.py` keeps them up to date and `given_stop.py` writes what people gave.
They survive `msgspec.to_builtins` and `msgspec.convert`, so they survive a restart.

Units: prices in quote currency, money `int` minor units of the settlement currency, times `int` nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenStop:
    """A trigger price that somebody gave for the open position."""

    price: Decimal
    who: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """The ratchet let go by an operator: the one way in which a stop loosens (P3)."""

    price: Decimal
    """No looser than this."""
    who: str
    at_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Former:
    """The position that was there before a turn was told: if the very same is told again, it had never gone."""

    quantity: int
    entry_price: Decimal | None
    ratchet: Decimal | None
    """The tightest trigger that was confirmed for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shadow:
    """Where the stop of a rule in shadow would be, with a ratchet of its own."""

    rule: str
    price: Decimal | None
    """None: it would have closed the position."""
    was_told: bool = False
    """That it would rest nearer to the mark than the real one."""
    has_fired: bool = False
    """The mark reached it, or it would have closed: told, and over for this episode."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """Facts of one position's life."""

    equity_sat: int | None = None
    """Equity of its currency when it opened, its own unrealised profit left out; less if it was less when the position
    was added to. None: no margin row was seen yet."""
    is_from_start: bool = False
    """It was there before the guard was first whole, or before a change of policy."""
    sized_ns: int = 0
    """When its size last changed."""
    largest: int = 0
    """Most contracts it ever had."""
    booked_sat: int = 0
    """Funding and closed parts since it became known; below 0: lost."""
    best_mark: Decimal | None = None
    """Best mark that two marks in a row have reached; None before there were two."""
    claimed_mark: Decimal | None = None
    """The last mark, if it is better than that: the next one confirms it, or not."""
    given: GivenStop | None = None
    """By an operator or bot."""
    tightened: Decimal | None = None
    """By the ladder's step."""
    released: Release | None = None
    """While a loosened stop is not confirmed yet."""
    loosened: int = 0
    """Number of the stop that a person last let go back: what rests of those before it holds nothing any more."""
    put_right: int = 0
    """Number of the last stop that we placed for its form alone (a quantity, or a Close without one); 0: none yet."""
