"""What an account rule sees and what it says.

Why: a rule is a pure question to the account: it names the subjects (a symbol, a settlement currency, the account) that
break it, and those it cannot judge. It never acts and remembers nothing; the rulebook does. A subject that a rule does
not name is within its limit.

Units: money in minor units of the settlement currency, prices in the quote currency, ratios `Decimal`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any, Final

from connectors.vocabulary import Instrument, Side
from daemon.core import alerts
from daemon.core.draft import Draft
from daemon.core.margin.contracts import is_usable, value_sat
from daemon.core.market.marks import FRESH_FOR_NS, market_is_fresh
from daemon.core.memory.rule_facts import Remedy
from daemon.core.state import Guarded, GuardState

CLEAR_AT: Final = Decimal("0.95")
"""A breach is over once the figure is back to this share of its limit: hysteresis of 5 %. What a rule corrects, it
corrects to there, so that the breach ends and is not corrected in crumbs."""


class Level(Enum):
    """How a subject stands to a rule."""

    OVER = "over"
    NEAR = "near"
    """Within the limit, but not by the hysteresis: a breach that stands is not over, and none begins."""
    DOUBTED = "doubted"
    """Over by one message alone: another witness is asked first."""
    UNKNOWN = "unknown"
    """A figure is missing: nothing begins and nothing ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a rule says of one subject."""

    level: Level
    subject: str = ""
    """A symbol, a settlement currency, or empty: the account. With UNKNOWN, empty means every subject."""
    scope: tuple[str, ...] = ()
    """Symbols that a deed would be about; empty: the whole account."""
    text: str = ""
    """Figure and limit for people, without a full stop; with UNKNOWN what is missing."""
    advice: str = ""
    """What the trader can do."""
    facts: tuple[tuple[str, object], ...] = ()
    remedy: Remedy | None = None
    step: int = 0
    """Which of several limits was passed; a higher one than before is told at once."""
    is_alert_only: bool = False
    """The rule's deed belongs to a later step."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """One open position as the rules see it."""

    symbol: str
    side: Side
    guarded: Guarded
    instrument: Instrument | None
    """None: not known, or its figures allow no arithmetic."""
    mark: Decimal | None
    """Fresh, by the market stream or a newer row of the position while that stream lives; else None."""

    @cached_property
    def worth_sat(self) -> int | None:
        """Without sign, at the mark; None without contract or mark. Worked out only if a rule asks, and once."""
        if self.instrument is None or self.mark is None:
            return None
        return abs(value_sat(self.instrument, self.quantity, self.mark))

    @property
    def quantity(self) -> int:
        """Signed contracts."""
        return self.guarded.position.quantity

    @property
    def currency(self) -> str:
        """Settlement currency."""
        return self.guarded.position.currency


@dataclass(frozen=True, kw_only=True)
class AccountView:
    """The account at one moment, worked out once for all rules."""

    state: Draft | GuardState
    held: tuple[Held, ...]
    equities: Mapping[str, int] = field(default_factory=dict)
    """By settlement currency, unrealised profit included; a currency whose equity means nothing alone is left out."""

    @property
    def now_ns(self) -> int:
        """The moment."""
        return self.state.now_ns

    @cached_property
    def currencies(self) -> frozenset[str]:
        """Settlement currencies of the open positions."""
        return frozenset(held.guarded.position.currency for held in self.held)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """An entry of `RULES`: `name` is the field of `AccountPolicy`, the latch, the heading in the runbook."""

    name: str
    judge: Callable[[AccountView, Any], tuple[Verdict, ...]]
    lifted: Callable[[Draft, str], None] | None = None
    """What a person's lift of its latch changes for a subject, beyond the lift."""
    ended: Callable[[Draft, str], None] | None = None
    """What the end of a breach changes for a subject."""
    is_sure: bool = False
    """Its breaches rest on more than one message already, or on none that a read of the account could confirm."""


def account_view(state: Draft | GuardState) -> AccountView:
    """Work out what all rules need, in one pass over the positions."""
    is_live = market_is_fresh(state)
    held = tuple(
        _held(state, symbol, guarded, guarded.position.side, is_live=is_live)
        for symbol, guarded in state.positions.items()
        if guarded.position.side is not None
    )
    equities = {
        currency: margin.margin_balance_sat for currency, margin in state.margins.items() if not margin.is_multi_asset
    }
    return AccountView(state=state, held=held, equities=equities)


def _held(state: Draft | GuardState, symbol: str, guarded: Guarded, side: Side, *, is_live: bool) -> Held:
    instrument = state.instruments.get(symbol)
    if instrument is not None and not is_usable(instrument):
        instrument = None
    known = state.marks.get(symbol)
    mark = known.price if known is not None and is_live and state.now_ns - known.at_ns <= FRESH_FOR_NS else None
    row = guarded.position.mark_price
    if mark is not None and known is not None and row is not None and row > 0 and guarded.taken_ns > known.at_ns:
        # The core is told a mark that changes no decision about stops every ten seconds only; rows come more often.
        mark = row
    return Held(symbol=symbol, side=side, guarded=guarded, instrument=instrument, mark=mark)


# ---------------------------------------------------------------------- words that rules share


def unknown(text: str, subject: str = "") -> Verdict:
    """A subject (or the rule, without one) that cannot be judged, and why."""
    return Verdict(level=Level.UNKNOWN, subject=subject, text=text)


def lacks(view: AccountView, held: Held, *, equity: bool = False) -> str:
    """What is missing to judge a position by its worth; empty if nothing is."""
    if held.instrument is None:
        return "the contract's figures are not known"
    if held.mark is None:
        return "no fresh mark price"
    if equity and held.currency not in view.equities:
        return no_equity(view, held.currency)
    return ""


def no_equity(view: AccountView, currency: str) -> str:
    """Why the equity of a currency is not known."""
    if currency in view.state.margins:
        return "balances of several currencies count together"
    return f"no margin row of {currency} yet"


def share(part: int, whole: int) -> Decimal:
    """Part over whole in percent; a whole of nothing, or less, counts as one minor unit."""
    return Decimal(100 * part) / max(1, whole)


def standing(figure: Decimal, limit: Decimal, *, at_limit: bool) -> Level | None:
    """How a figure stands to its limit; None: within it. `at_limit`: equality breaks the rule."""
    if figure > limit or (at_limit and figure == limit):
        return Level.OVER
    return Level.NEAR if figure > limit * CLEAR_AT else None


money = alerts.money
"""An amount for people, as every alert writes it."""


def plain(figure: Decimal) -> str:
    """A limit as it was set: "25", "0.5"."""
    text = f"{figure:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
