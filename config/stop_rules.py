"""The stop rules beside the buffer in front of liquidation: one settings table each, as frozen values.

Each rule proposes a trigger price, the proposal nearest the mark wins, and a stop never loosens (P3). Percentages are
percent of a price unless a name says otherwise; multiples are of the volatility estimate (`[volatility]`).

Pure: no input or output, importable by the core.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import pairwise

from config.checks import require
from config.modes import RuleMode


@dataclass(frozen=True, kw_only=True, slots=True)
class MaxLossPolicy:
    """`[stop.max_loss]`: being stopped out costs at most a share of equity, fees and slippage included."""

    mode: RuleMode = RuleMode.OFF
    equity_percent: Decimal = Decimal(3)
    """Of the equity when the position opened, or was added to if that was less, in its settlement currency."""
    slippage_percent: Decimal = Decimal("0.1")
    """How much worse than the trigger the fill is expected to be."""
    counts_costs_so_far: bool = True
    """What the trade has cost already counts as well: the fee to open, funding, and the loss of parts closed before."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        require(0 < self.equity_percent <= 100, "stop.max_loss.equity_percent", "must be above 0 and at most 100")
        require(0 <= self.slippage_percent < 10, "stop.max_loss.slippage_percent", "must be from 0 to below 10")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrailingPolicy:
    """`[stop.trailing]`: the stop follows the best mark since the position opened."""

    mode: RuleMode = RuleMode.OFF
    distance_percent: Decimal = Decimal(4)
    """Kept behind the best mark."""
    distance_volatility: Decimal | None = None
    """The same as a multiple of hourly volatility; the wider of the two counts. None: percent alone."""
    activate_percent: Decimal = Decimal(0)
    """The position must have gained this much before the rule speaks."""
    step_percent: Decimal = Decimal("0.2")
    """The stop moves in steps of at least this much of the price: a request a tick would cost the bots' budget."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        place = "stop.trailing"
        require(0 < self.distance_percent < 100, f"{place}.distance_percent", "must be above 0 and below 100")
        wide = self.distance_volatility
        require(wide is None or wide > 0, f"{place}.distance_volatility", "must be above 0")
        require(0 <= self.activate_percent < 100, f"{place}.activate_percent", "must be from 0 to below 100")
        require(
            0 < self.step_percent <= self.distance_percent,
            f"{place}.step_percent",
            "must be above 0 and at most distance_percent",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedPolicy:
    """`[stop.fixed]`: a trigger price that an operator (`seawall stop`) or the settings give for a symbol."""

    mode: RuleMode = RuleMode.ON
    """On by default: without a given price the rule proposes nothing."""
    long: dict[str, Decimal] | None = None
    """Trigger price by symbol while long: `long = { XBTUSD = 60000 }`."""
    short: dict[str, Decimal] | None = None
    """The same while short."""

    def __post_init__(self) -> None:
        """Refuse prices that are none."""
        for name, prices in (("long", self.long), ("short", self.short)):
            for symbol, price in (prices or {}).items():
                require(price > 0, f"stop.fixed.{name}", f"must hold prices above 0; {symbol} has {price}")


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakEvenPolicy:
    """`[stop.break_even]`: after a gain the stop moves to where closing costs nothing, fees included."""

    mode: RuleMode = RuleMode.OFF
    after_percent: Decimal = Decimal(2)
    """The best mark since the position opened must be this much better than the entry price."""
    lock_percent: Decimal = Decimal("0.1")
    """Beyond entry and fees, so much of the price is locked in."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        require(
            0 <= self.lock_percent < self.after_percent < 100,
            "stop.break_even.after_percent",
            "must be above lock_percent and below 100",
        )


class TimeStopAction(Enum):
    """What happens when the time is over."""

    CLOSE = "close"
    BREAK_EVEN = "break_even"
    """Tighten the stop to the entry price and fees, or close where the mark is beyond it already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeStopPolicy:
    """`[stop.time_stop]`: a position that has not gained enough after a while is given up."""

    mode: RuleMode = RuleMode.OFF
    after_hours: Decimal = Decimal(24)
    """Counted from when the guard first saw the position."""
    unless_gain_percent: Decimal = Decimal("0.5")
    """A position whose mark is this much better than its entry is left alone."""
    action: TimeStopAction = TimeStopAction.CLOSE

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        require(0 < self.after_hours <= 10_000, "stop.time_stop.after_hours", "must be above 0 and at most 10000")
        require(
            -100 < self.unless_gain_percent < 100,
            "stop.time_stop.unless_gain_percent",
            "must be between -100 and 100",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeProfitPolicy:
    """`[take_profit]`: reduce-only limit orders that scale out of a position in stages.

    They are placed after the stop is confirmed, and follow a size that has lasted a few seconds. With
    `stop.style = "close"` a stop that fires cancels them, as it does every other limit order on that side.
    """

    mode: RuleMode = RuleMode.OFF
    at_percent: tuple[Decimal, ...] = (Decimal(2), Decimal(4), Decimal(8))
    """Gains over the entry price, in percent of it, nearest first."""
    share_percent: tuple[Decimal, ...] = (Decimal(25), Decimal(25), Decimal(50))
    """How much of the position is closed at each, in percent of its largest size."""

    def __post_init__(self) -> None:
        """Refuse ladders that do not rise, or close more than there is."""
        place = "take_profit"
        require(
            0 < len(self.at_percent) == len(self.share_percent) <= 10,
            f"{place}.share_percent",
            "must hold as many figures as at_percent, one to ten",
        )
        rising = all(low < high for low, high in pairwise(self.at_percent))
        require(rising and self.at_percent[0] > 0, f"{place}.at_percent", "must rise from above 0")
        require(
            all(share > 0 for share in self.share_percent) and sum(self.share_percent) <= 100,
            f"{place}.share_percent",
            "must be above 0 each and 100 together at most",
        )
