"""What is remembered of the account rules: breaches that stand, each currency's book of the day, additions, fills.

These are values of `GuardState`; what is done with them stands in `rulebook.py`, `day_book.py` and `account_rules/`.
They survive `msgspec.to_builtins` and `msgspec.convert`, so breaches, cool-downs and lock-outs survive a restart.

Units: times `int` nanoseconds since 1970 UTC, 0 for "never"; money `int` minor units of the settlement currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from config.modes import Action, RuleMode


class RemedyKind(Enum):
    """How a breach can be corrected."""

    LOWER_LEVERAGE = "lower_leverage"
    ISOLATE = "isolate"
    REDUCE = "reduce"
    TRIM = "trim"
    """The position that brings the most room, until a share of the exposure is gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Remedy:
    """One correction."""

    kind: RemedyKind
    symbol: str = ""
    """Empty for TRIM until the position is chosen."""
    leverage: Decimal = Decimal(0)
    """LOWER_LEVERAGE: the setting wanted."""
    contracts: int = 0
    """REDUCE: how many stay."""
    currency: str = ""
    """TRIM: of which account."""
    excess_sat: int = 0
    """TRIM: worth of what is too much."""


@dataclass(frozen=True, kw_only=True)
class RuleStanding:
    """One breach of one rule by one subject, and what was made of it."""

    rule: str
    subject: str
    """A symbol, a settlement currency, or empty for the account."""
    mode: RuleMode
    action: Action
    since_ns: int
    """Since when it is broken."""
    ended_ns: int = 0
    """Since when it is over; kept for the cool-down, so that a flapping figure is one message."""
    text: str = ""
    """Figure and limit as last worked out, for people."""
    step: int = 0
    """The highest step that was told (drawdown)."""
    told_ns: int = 0
    """When people last heard of it; 0: not yet."""
    was_end_told: bool = False
    pause_ns: int = 0
    """Before it is said again: grows from the cool-down while the breach lasts."""
    acted_ns: int = 0
    """When the rule last acted; 0: not in this breach."""
    latch: str = ""
    """The latch that holds for it."""
    is_waived: bool = False
    """A person lifted the latch while the breach stood: no further deed before it is over."""
    remedy: Remedy | None = None
    """What is being corrected until the breach is over."""
    refusal: str = ""
    """Why the correction could not be carried out, last; empty: nothing stood in its way so far."""


class Origin(Enum):
    """What the count of a day's loss began with."""

    DAY_BEGAN = "day_began"
    """Equity when the day began, as last seen before."""
    AWAY = "away"
    """The guard did not see the day begin: the higher of equity before and after."""
    FIRST_SEEN = "first_seen"
    LIFTED = "lifted"
    """A person lifted the lock-out: the count begins anew."""


@dataclass(frozen=True, kw_only=True)
class DayBook:
    """Equity of one currency through its day.

    *Sized* figures are equities of the past, grown and shrunk by what came in and went out since, so that they compare
    with equity now.
    """

    currency: str
    day: int
    """Days of the account's calendar since 1970."""
    origin: Origin
    since_ns: int
    """When the count began."""
    start_sat: int
    """Equity when the count began, sized."""
    start_own_sat: int
    """The same less all transfers until then: with it the sum that was lost can be told."""
    peak_sat: int
    """The highest equity, sized."""
    peak_since_ns: int
    """Since when the highest is looked for."""
    equity_sat: int
    """By the newest row whose transfers are known."""
    before_sat: int
    """By the row before that, sized."""
    amount_sat: int
    """The booked balance of that row: while it stays the same, nothing came in or went out."""
    transfers_sat: int | None
    """Until that row; None: the wallet has not told, and counts as 0 while `amount_sat` stays."""
    row_ns: int
    """The venue's stamp of that row."""
    row_seen_ns: int
    """When it was first looked at."""
    seen_ns: int
    """When the book was last kept."""
    restart: Origin | None = None
    """The count begins anew with the next row, and why; None: it goes on."""
    problem: str = ""
    """Why the newest row cannot be used; empty if it can."""

    @property
    def lost_sat(self) -> int:
        """What was lost since the count began, transfers taken out; below 0: gained."""
        return self.start_own_sat + (self.transfers_sat or 0) - self.equity_sat


@dataclass(frozen=True, kw_only=True, slots=True)
class Addition:
    """A position was added to while it was in loss."""

    at_ns: int
    known_ns: int
    """Of the position's episode."""
    entry_price: Decimal
    """Before."""
    mark_price: Decimal
    """At the time."""
    quantity_before: int
    quantity: int
