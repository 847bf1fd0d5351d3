"""The account rules: one settings table each under `[account]`, as frozen values.

Each rule looks at the whole account and says whether it is breached. What follows is its `action`; where several rules
ask for something, the strongest goes first (flatten, correct, freeze, alert), and a rule that acted waits for
`cool_down_s` before it acts again. Money limits are shares of equity in the settlement currency, so one file serves
accounts of any size.

The defaults are those of the profile `careful`: rules that would interfere with a strategy only tell.

Pure: no input or output, importable by the core.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import ClassVar

from config.checks import require
from config.modes import Action, Lift, RuleMode


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRule:
    """What every account rule has."""

    table: ClassVar[str] = ""
    actions: ClassVar[tuple[Action, ...]] = (Action.ALERT, Action.FREEZE, Action.FLATTEN)
    """What makes sense for the rule."""
    mode: RuleMode = RuleMode.ON
    action: Action = Action.ALERT
    lift: Lift = Lift.CLEARED
    """What ends the freeze, where the action is one."""
    cool_down_s: Decimal = Decimal(300)
    """Before the rule acts, or repeats its alert, again; a breach that lasts is repeated after twice as long each time,
    up to a day. A freeze that ends with its cause holds at least for this long."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        known = ", ".join(f'"{each.value}"' for each in self.actions)
        require(self.action in self.actions, f"{self.table}.action", f"must be one of {known}")
        require(self.cool_down_s > 0, f"{self.table}.cool_down_s", "must be above 0")
        self.check_limits()

    def check_limits(self) -> None:
        """Refuse limits of the rule's own that cannot be meant."""

    def require_above_0(self, *names: str) -> None:
        """Refuse figures that are not above 0."""
        for name in names:
            require(getattr(self, name) > 0, f"{self.table}.{name}", "must be above 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class LeverageCapPolicy(AccountRule):
    """`[account.leverage_cap]`: effective leverage of a position, its value over the margin that backs it.

    CORRECT lowers the leverage setting of an isolated position, where that brings no liquidation nearer.
    """

    table: ClassVar[str] = "account.leverage_cap"
    actions: ClassVar[tuple[Action, ...]] = (Action.ALERT, Action.FREEZE, Action.CORRECT, Action.FLATTEN)
    mode: RuleMode = RuleMode.OFF
    most: Decimal = Decimal(25)
    """Times the margin behind the position; exactly this is allowed."""
    by_symbol: dict[str, Decimal] | None = None
    """Instead of `most`, for the symbols named: `by_symbol = { XBTUSD = 50 }`."""

    def check_limits(self) -> None:
        """Refuse caps below 1."""
        for name, cap in {"most": self.most, **(self.by_symbol or {})}.items():
            require(
                cap >= 1, f"{self.table}.{'most' if name == 'most' else 'by_symbol'}", f"must be 1 or more ({name})"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class IsolatedOnlyPolicy(AccountRule):
    """`[account.isolated_only]`: no cross positions. CORRECT isolates one where that brings no liquidation nearer."""

    table: ClassVar[str] = "account.isolated_only"
    actions: ClassVar[tuple[Action, ...]] = (Action.ALERT, Action.FREEZE, Action.CORRECT, Action.FLATTEN)
    mode: RuleMode = RuleMode.OFF


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskPerTradePolicy(AccountRule):
    """`[account.risk_per_trade]`: what one position loses from here to its stop, fees and slippage included.

    CORRECT reduces the position to the size that fits.
    """

    table: ClassVar[str] = "account.risk_per_trade"
    actions: ClassVar[tuple[Action, ...]] = (Action.ALERT, Action.FREEZE, Action.CORRECT, Action.FLATTEN)
    mode: RuleMode = RuleMode.OFF
    equity_percent: Decimal = Decimal(5)
    """Of the equity of the settlement currency; exactly this is allowed."""
    slippage_percent: Decimal = Decimal("0.1")
    """How much worse than its trigger the stop is expected to fill, percent of the price."""

    def check_limits(self) -> None:
        """Refuse shares that are none."""
        require(0 < self.equity_percent <= 100, f"{self.table}.equity_percent", "must be above 0 and at most 100")
        require(0 <= self.slippage_percent < 10, f"{self.table}.slippage_percent", "must be from 0 to below 10")


@dataclass(frozen=True, kw_only=True, slots=True)
class TotalExposurePolicy(AccountRule):
    """`[account.total_exposure]`: the value of all positions of a settlement currency over its equity.

    CORRECT trims the position that brings the most room, until it fits.
    """

    table: ClassVar[str] = "account.total_exposure"
    actions: ClassVar[tuple[Action, ...]] = (Action.ALERT, Action.FREEZE, Action.CORRECT, Action.FLATTEN)
    mode: RuleMode = RuleMode.OFF
    equity_multiple: Decimal = Decimal(10)
    """Times the equity; exactly this is allowed."""
    counts_orders: bool = False
    """Open orders that may add exposure count as if they were filled."""

    def check_limits(self) -> None:
        """Refuse multiples that are none."""
        self.require_above_0("equity_multiple")


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyLossPolicy(AccountRule):
    """`[account.daily_loss]`: equity lost since the day began, deposits and withdrawals taken out.

    FREEZE locks new exposure out; FLATTEN is the kill switch: close everything, verify, stay latched.
    """

    table: ClassVar[str] = "account.daily_loss"
    lift: Lift = Lift.OPERATOR
    equity_percent: Decimal = Decimal(10)
    """Of the equity that the day began with, with deposits and withdrawals counted in; this much breaks the rule."""
    day_starts_at_utc_hour: int = 0
    """When the account's day begins, for the count and for `lift = "next_day"` of every rule."""

    def check_limits(self) -> None:
        """Refuse shares and hours that are none."""
        require(0 < self.equity_percent <= 100, f"{self.table}.equity_percent", "must be above 0 and at most 100")
        require(0 <= self.day_starts_at_utc_hour <= 23, f"{self.table}.day_starts_at_utc_hour", "must be from 0 to 23")


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawdownPolicy(AccountRule):
    """`[account.drawdown]`: equity below its highest so far, deposits and withdrawals taken out; told in steps.

    Each figure of `alert_at_percent` is an alert when it is first passed; the last one also brings the action.
    """

    table: ClassVar[str] = "account.drawdown"
    lift: Lift = Lift.OPERATOR
    alert_at_percent: tuple[Decimal, ...] = (Decimal(10), Decimal(20), Decimal(30))
    """Below the highest equity, rising."""

    def check_limits(self) -> None:
        """Refuse steps that do not rise."""
        steps = self.alert_at_percent
        rising = all(low < high for low, high in pairwise(steps))
        require(
            0 < len(steps) <= 10 and rising and steps[0] > 0 and steps[-1] <= 100,
            f"{self.table}.alert_at_percent",
            "must hold one to ten figures that rise, above 0 and at most 100",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MarginUsedPolicy(AccountRule):
    """`[account.margin_used]`: initial and maintenance margin in use, as a share of the margin balance."""

    table: ClassVar[str] = "account.margin_used"
    percent: Decimal = Decimal(80)
    """Of the margin balance; this much breaks the rule."""

    def check_limits(self) -> None:
        """Refuse shares that are none."""
        require(0 < self.percent <= 100, f"{self.table}.percent", "must be above 0 and at most 100")


@dataclass(frozen=True, kw_only=True, slots=True)
class FundingCostPolicy(AccountRule):
    """`[account.funding_cost]`: what a position pays in funding a day at the present rate, as a share of its margin."""

    table: ClassVar[str] = "account.funding_cost"
    margin_percent_a_day: Decimal = Decimal(5)
    """Of the margin behind it: its own if isolated, the equity if cross; this much breaks the rule."""

    def check_limits(self) -> None:
        """Refuse shares that are none."""
        self.require_above_0("margin_percent_a_day")


@dataclass(frozen=True, kw_only=True, slots=True)
class AdlRankPolicy(AccountRule):
    """`[account.adl_rank]`: a position near the front of the queue for auto-deleveraging (rank 1 to 5, 5 is first)."""

    table: ClassVar[str] = "account.adl_rank"
    rank: int = 5
    """The rule speaks from this rank on."""

    def check_limits(self) -> None:
        """Refuse ranks that are none."""
        require(1 <= self.rank <= 5, f"{self.table}.rank", "must be from 1 to 5")


@dataclass(frozen=True, kw_only=True, slots=True)
class NakedPolicy(AccountRule):
    """`[account.naked]`: an open position without a confirmed stop for too long."""

    table: ClassVar[str] = "account.naked"
    for_s: Decimal = Decimal(30)
    """So long a stop may take to be confirmed."""

    def check_limits(self) -> None:
        """Refuse times that are none."""
        self.require_above_0("for_s")


@dataclass(frozen=True, kw_only=True, slots=True)
class AveragingDownPolicy(AccountRule):
    """`[account.averaging_down]`: a position was added to while it was in loss.

    FREEZE keeps more from being added; FLATTEN closes the position.
    """

    table: ClassVar[str] = "account.averaging_down"
    mode: RuleMode = RuleMode.OFF
    loss_percent: Decimal = Decimal("0.5")
    """Of the entry price; a smaller loss is no loss."""

    def check_limits(self) -> None:
        """Refuse losses that are none."""
        require(0 <= self.loss_percent < 100, f"{self.table}.loss_percent", "must be from 0 to below 100")


@dataclass(frozen=True, kw_only=True, slots=True)
class TradesPerHourPolicy(AccountRule):
    """`[account.trades_per_hour]`: orders of others that were filled, at least in part, within the last hour."""

    table: ClassVar[str] = "account.trades_per_hour"
    mode: RuleMode = RuleMode.OFF
    most: int = 120
    """Distinct orders; exactly this many are allowed."""

    def check_limits(self) -> None:
        """Refuse counts that are none."""
        require(1 <= self.most <= 10_000, f"{self.table}.most", "must be from 1 to 10000")


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHoursPolicy(AccountRule):
    """`[account.quiet_hours]`: around announced events no new exposure is wanted.

    Without a moment in `events_utc` it never speaks.
    """

    table: ClassVar[str] = "account.quiet_hours"
    action: Action = Action.FREEZE
    events_utc: tuple[str, ...] = ()
    """Moments as ISO 8601 in UTC: "2026-12-16T19:00:00Z"."""
    before_minutes: Decimal = Decimal(30)
    """Quiet begins so long before each moment."""
    after_minutes: Decimal = Decimal(30)
    """Quiet ends so long after it."""

    def check_limits(self) -> None:
        """Refuse windows that are none, and moments that are no UTC time."""
        for name in ("before_minutes", "after_minutes"):
            require(0 <= getattr(self, name) <= 10_080, f"{self.table}.{name}", "must be from 0 to 10080 (a week)")
        require(len(self.events_utc) <= 1000, f"{self.table}.events_utc", "must hold 1000 moments at the most")
        for text in self.events_utc:
            wanted = f'must hold moments in UTC like "2026-12-16T19:00:00Z", not "{text}"'
            require(_moment_ns(text) is not None, f"{self.table}.events_utc", wanted)


def _moment_ns(text: str) -> int | None:
    """Nanoseconds since 1970 of an ISO 8601 moment that says it is UTC; None if it is none, or says another zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.utcoffset() != timedelta(0):
        return None
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


@cache
def moments_ns(events_utc: tuple[str, ...]) -> tuple[int, ...]:
    """Return the moments of `events_utc` in order, nanoseconds since 1970 UTC; worked out once per list.

    Example:
        >>> moments_ns(("1970-01-01T00:00:01Z",))
        (1000000000,)
    """
    return tuple(sorted(found for text in events_utc if (found := _moment_ns(text)) is not None))


@dataclass(frozen=True, kw_only=True, slots=True)
class InsuranceFundPolicy(AccountRule):
    """`[account.insurance_fund]`: the venue's insurance fund fell this much within a day: deleveraging comes nearer."""

    table: ClassVar[str] = "account.insurance_fund"
    actions: ClassVar[tuple[Action, ...]] = (Action.ALERT, Action.FREEZE)
    drawdown_percent: Decimal = Decimal(10)
    """Of the highest of the last day; this much breaks the rule."""

    def check_limits(self) -> None:
        """Refuse shares that are none."""
        require(0 < self.drawdown_percent <= 100, f"{self.table}.drawdown_percent", "must be above 0 and at most 100")


@dataclass(frozen=True, kw_only=True, slots=True)
class LiquidationFeedPolicy(AccountRule):
    """`[account.liquidation_feed]`: others are liquidated on a symbol that is held, by many orders in a short time."""

    table: ClassVar[str] = "account.liquidation_feed"
    actions: ClassVar[tuple[Action, ...]] = (Action.ALERT, Action.FREEZE)
    orders: int = 25
    """Distinct liquidations on one symbol; this many break the rule (up to 200 are remembered)."""
    within_minutes: Decimal = Decimal(5)
    """Counted back from now, up to an hour."""

    def check_limits(self) -> None:
        """Refuse figures that are none."""
        # The guard remembers the last 256 of the last hour.
        require(1 <= self.orders <= 200, f"{self.table}.orders", "must be from 1 to 200")
        require(0 < self.within_minutes <= 60, f"{self.table}.within_minutes", "must be above 0 and at most 60")


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountPolicy:
    """Every account rule."""

    leverage_cap: LeverageCapPolicy = field(default_factory=LeverageCapPolicy)
    isolated_only: IsolatedOnlyPolicy = field(default_factory=IsolatedOnlyPolicy)
    risk_per_trade: RiskPerTradePolicy = field(default_factory=RiskPerTradePolicy)
    total_exposure: TotalExposurePolicy = field(default_factory=TotalExposurePolicy)
    daily_loss: DailyLossPolicy = field(default_factory=DailyLossPolicy)
    drawdown: DrawdownPolicy = field(default_factory=DrawdownPolicy)
    margin_used: MarginUsedPolicy = field(default_factory=MarginUsedPolicy)
    funding_cost: FundingCostPolicy = field(default_factory=FundingCostPolicy)
    adl_rank: AdlRankPolicy = field(default_factory=AdlRankPolicy)
    naked: NakedPolicy = field(default_factory=NakedPolicy)
    averaging_down: AveragingDownPolicy = field(default_factory=AveragingDownPolicy)
    trades_per_hour: TradesPerHourPolicy = field(default_factory=TradesPerHourPolicy)
    quiet_hours: QuietHoursPolicy = field(default_factory=QuietHoursPolicy)
    insurance_fund: InsuranceFundPolicy = field(default_factory=InsuranceFundPolicy)
    liquidation_feed: LiquidationFeedPolicy = field(default_factory=LiquidationFeedPolicy)
