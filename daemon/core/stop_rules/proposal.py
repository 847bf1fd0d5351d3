"""What a stop rule looks at, and what it says.

A rule never sees the state: only this, so a table of examples tests it whole.

Units: prices in quote currency; money `int` minor units of the settlement currency; volatility in percent of the mark
per hour; times `int` nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.modes import RuleMode
from config.policy import StopPolicy
from connectors.vocabulary import Instrument, Side

PERCENT: Final = Decimal(100)
HOUR_NS: Final = 3_600 * 10**9


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleInput:
    """What a rule may look at."""

    side: Side
    policy: StopPolicy
    symbol: str = ""
    quantity: int = 0
    """Signed contracts."""
    entry_price: Decimal | None = None
    cost_sat: int = 0
    """Signed worth at entry (`unrealisedCost`); 0: the entry price has to do."""
    instrument: Instrument | None = None
    liquidation_price: Decimal | None = None
    """As assessed; None: unknown, or not in range."""
    floor: Decimal = Decimal(0)
    """Distance from liquidation below which a stop is worthless."""
    mark: Decimal | None = None
    """Fresh; None while there is no fresh one."""
    best_mark: Decimal | None = None
    """Best confirmed mark since the episode began."""
    equity_sat: int | None = None
    """At the opening; None: unknown."""
    largest: int = 0
    """Most contracts it ever had."""
    booked_sat: int = 0
    """Funding and closed parts so far; below 0: lost."""
    hourly_percent: Decimal | None = None
    """Volatility; None: unknown, which does not mean calm."""
    given_price: Decimal | None = None
    given_by: str = ""
    tightened: Decimal | None = None
    known_ns: int = 0
    """When the episode became known."""
    now_ns: int = 0

    @property
    def best(self) -> Decimal | None:
        """The best price since the position opened: it was entered at the entry price, so that counts as well."""
        prices = [price for price in (self.best_mark, self.entry_price) if price is not None]
        if not prices:
            return None
        return max(prices) if self.side is Side.LONG else min(prices)

    def gain_percent(self, price: Decimal | None) -> Decimal | None:
        """How much better than the entry a price is, in percent of the entry; below 0: worse."""
        if price is None or self.entry_price is None or self.entry_price <= 0:
            return None
        return self.side.sign * (price - self.entry_price) / self.entry_price * PERCENT

    def at_gain(self, percent: Decimal) -> Decimal | None:
        """The price that is so much better than the entry."""
        if self.entry_price is None or self.entry_price <= 0:
            return None
        return self.entry_price * (1 + self.side.sign * percent / PERCENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """Where a rule wants the stop."""

    rule: str
    price: Decimal | None
    """Trigger, not yet on the tick grid; None: close the position now."""
    why: str
    """One clause with the figures."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """A rule that is on and cannot speak, for want of a figure: said, never taken for safety."""

    rule: str
    why: str


Word = Proposal | Silence | None


def no_marks(_given: RuleInput) -> Iterable[Decimal]:
    """Of a rule whose own trigger is all that it waits for."""
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One stop rule: its name, where its mode stands, what it proposes."""

    name: str
    mode: Callable[[StopPolicy], RuleMode]
    propose: Callable[[RuleInput], Word]
    marks: Callable[[RuleInput], Iterable[Decimal]] = no_marks
    """Marks at which it would say something else, other than its own trigger."""


def shown(figure: Decimal) -> str:
    """A figure for people: no exponent, no zeros at its end.

    Example:
        >>> shown(Decimal("3.00")), shown(Decimal(60_000))
        ('3', '60000')
    """
    text = format(figure, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
