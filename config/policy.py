"""What the guard is asked to do: limits, stop rules, tiers and the dead man's switch, as frozen values.

Every value is checked when it is made, so the core never meets an impossible policy. Defaults are the careful ones and
stand here only. `None` means "off" and nothing else. Percentages are `Decimal` percent of a price (2 means 2 %),
shares are fractions of one, times are seconds in settings and carry `_s`.

Pure: no input or output, importable by the core.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from itertools import pairwise

from config.account_rules import AccountPolicy
from config.alerting import AlertingPolicy
from config.bots import BotPolicy, Heartbeat, OnSilence, check_bots
from config.checks import PolicyError, require
from config.ladder import LadderPolicy
from config.stop_rules import (
    BreakEvenPolicy,
    FixedPolicy,
    MaxLossPolicy,
    TakeProfitPolicy,
    TimeStopPolicy,
    TrailingPolicy,
)

__all__ = [
    "AccountPolicy",
    "AlertingPolicy",
    "BotPolicy",
    "BreakEvenPolicy",
    "FixedPolicy",
    "ForeignStops",
    "HealthPolicy",
    "Heartbeat",
    "LadderPolicy",
    "MaxLossPolicy",
    "OnSilence",
    "Policy",
    "PolicyError",
    "StartBreach",
    "StopPolicy",
    "StopStyle",
    "SwitchMode",
    "SwitchPolicy",
    "TakeProfitPolicy",
    "Tier",
    "TierPolicy",
    "TimeStopPolicy",
    "TrailingPolicy",
    "VolatilityPolicy",
]


class StopStyle(Enum):
    """How the protective stop is written.

    REDUCE_ONLY carries a quantity and is amended as the position grows. CLOSE has none and follows the position, and on
    BitMEX passes overload; when it fires it cancels the account's other limit orders on that side.
    """

    REDUCE_ONLY = "reduce_only"
    CLOSE = "close"


class ForeignStops(Enum):
    """What a sufficient stop that somebody else placed is worth: ADOPT counts it, OWN adds ours all the same."""

    ADOPT = "adopt"
    OWN = "own"


class StartBreach(Enum):
    """What to do with a position first seen already through its trigger: ALERT rests the nearest valid stop."""

    ALERT = "alert"
    REDUCE = "reduce"


class SwitchMode(Enum):
    """When the dead man's switch is armed (see docs/promises.md, the dead man's switch)."""

    AUTO = "auto"
    ALWAYS = "always"
    OFF = "off"


class Tier(Enum):
    """How near liquidation is. Ordered by `severity`."""

    CALM = "calm"
    WATCH = "watch"
    WARN = "warn"
    CRITICAL = "critical"
    EMERGENCY = "emergency"

    @property
    def severity(self) -> int:
        """0 for CALM up to 4 for EMERGENCY."""
        return list(Tier).index(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class StopPolicy:
    """Where the protective stop belongs."""

    buffer_percent: Decimal = Decimal(2)
    """Distance kept in front of the liquidation price, in percent of it."""
    buffer_volatility: Decimal | None = None
    """The same as a multiple of hourly volatility; the wider of the two counts. None: percent alone."""
    max_room_share: Decimal = Decimal("0.5")
    """The buffer never takes more than this share of the way from entry to liquidation, or a highly leveraged
    position would be stopped the moment it opens."""
    floor_percent: Decimal = Decimal("0.15")
    """A stop nearer to liquidation than this is worthless (spread, slippage, one jump of the mark) and refused.
    Where a wider spread or a larger jump was seen lately, that counts."""
    style: StopStyle = StopStyle.REDUCE_ONLY
    foreign: ForeignStops = ForeignStops.OWN
    on_start_breach: StartBreach = StartBreach.ALERT
    confirm_within_s: Decimal = Decimal(2)
    """A stop that the order stream has not confirmed after this long is asked for by client order id."""
    stuck_after_s: Decimal = Decimal(2)
    """The mark is through the trigger and nothing fired for this long: reduce at the market."""
    retry_after_s: Decimal = Decimal("0.5")
    """Pause before a refused or unavailable protective request is tried again; grows up to ten times this."""
    max_loss: MaxLossPolicy = field(default_factory=MaxLossPolicy)
    trailing: TrailingPolicy = field(default_factory=TrailingPolicy)
    fixed: FixedPolicy = field(default_factory=FixedPolicy)
    break_even: BreakEvenPolicy = field(default_factory=BreakEvenPolicy)
    time_stop: TimeStopPolicy = field(default_factory=TimeStopPolicy)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        wide = self.buffer_volatility
        require(wide is None or wide > 0, "stop.buffer_volatility", "must be above 0")
        require(0 < self.buffer_percent < 100, "stop.buffer_percent", "must be above 0 and below 100")
        require(0 < self.max_room_share < 1, "stop.max_room_share", "must be above 0 and below 1")
        require(
            0 < self.floor_percent < self.buffer_percent,
            "stop.floor_percent",
            "must be above 0 and below buffer_percent",
        )
        for name in ("confirm_within_s", "stuck_after_s", "retry_after_s"):
            require(getattr(self, name) > 0, f"stop.{name}", "must be above 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchPolicy:
    """The dead man's switch of the account."""

    mode: SwitchMode = SwitchMode.AUTO
    timeout_s: Decimal = Decimal(60)
    """Silence after which the venue cancels everything. Must outlive a restart of the guard."""
    cancel_on_stop: bool = False
    """At an orderly stop in mode auto: cancel the open orders that may add exposure, bots' included, before disarming.
    Reduce-only and Close orders stay, whoever placed them."""
    redisarm_every_s: Decimal = Decimal(300)
    """While disarmed, 0 is sent again this often: another client may have armed the one timer there is."""

    @property
    def interval_s(self) -> Decimal:
        """Time between feeds: a quarter of the time-out."""
        return self.timeout_s / 4

    def __post_init__(self) -> None:
        """Refuse a time-out that a restart cannot meet."""
        require(10 <= self.timeout_s <= 3600, "switch.timeout_s", "must be from 10 to 3600 (a restart takes seconds)")
        require(self.redisarm_every_s > 0, "switch.redisarm_every_s", "must be above 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class TierPolicy:
    """Distances to liquidation at which a tier begins, in up to three units; the first one reached counts."""

    watch_percent: Decimal = Decimal(5)
    warn_percent: Decimal = Decimal(3)
    critical_percent: Decimal = Decimal("1.5")
    emergency_percent: Decimal = Decimal("0.75")
    """Percent of the mark price."""
    watch_volatility: Decimal | None = None
    warn_volatility: Decimal | None = None
    critical_volatility: Decimal | None = None
    emergency_volatility: Decimal | None = None
    """Multiples of hourly volatility; None: that unit is not asked."""
    watch_probability: Decimal | None = None
    warn_probability: Decimal | None = None
    critical_probability: Decimal | None = None
    emergency_probability: Decimal | None = None
    """Probability (0 to 1) that the mark touches liquidation within the next hour; None: that unit is not asked."""
    hysteresis_share: Decimal = Decimal("0.2")
    """A tier is left only when the distance exceeds its bound by this share of it."""
    repeat_after_s: Decimal = Decimal(300)
    """An unchanged tier from WARN on is said again after this long."""

    def __post_init__(self) -> None:
        """Refuse bounds that do not fall from watch to emergency."""
        require(self.watch_percent < 100, "tiers.watch_percent", "must be below 100")
        self._check_unit("percent", must_fall=True)
        self._check_unit("volatility", must_fall=True)
        self._check_unit("probability", must_fall=False)
        require(0 <= self.hysteresis_share < 1, "tiers.hysteresis_share", "must be from 0 to below 1")
        require(self.repeat_after_s > 0, "tiers.repeat_after_s", "must be above 0")

    def _check_unit(self, unit: str, *, must_fall: bool) -> None:
        """Refuse bounds of one unit that make no sense beside each other; those left out are skipped."""
        names = [f"{tier}_{unit}" for tier in ("watch", "warn", "critical", "emergency")]
        given = [(name, value) for name in names if (value := getattr(self, name)) is not None]
        for name, value in given:
            in_range = value > 0 if must_fall else 0 < value < 1
            require(in_range, f"tiers.{name}", "must be above 0" if must_fall else "must be between 0 and 1")
        for (_, first), (name, second) in pairwise(given):
            in_order = first > second if must_fall else first < second
            word = "below" if must_fall else "above"
            require(in_order, f"tiers.{name}", f"must be {word} that of the tier before it")


@dataclass(frozen=True, kw_only=True, slots=True)
class VolatilityPolicy:
    """How recent volatility is estimated: exponentially weighted, robust to one bad print."""

    half_life_minutes: Decimal = Decimal(60)
    """A move this old counts half."""
    least_samples: int = 30
    """Before that many the estimate is unknown, and nothing is judged by it."""
    outlier_multiple: Decimal = Decimal(6)
    """A single move beyond this multiple of the estimate is held back until the next one confirms it: then it counts in
    full, and one bad print not at all."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        require(
            1 <= self.half_life_minutes <= 10_080,
            "volatility.half_life_minutes",
            "must be from 1 to 10080 (a week)",
        )
        require(2 <= self.least_samples <= 10_000, "volatility.least_samples", "must be from 2 to 10000")
        require(self.outlier_multiple >= 2, "volatility.outlier_multiple", "must be 2 or more")


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthPolicy:
    """When the guard may call itself able to see and act."""

    stale_after_s: Decimal = Decimal(12)
    """A feed without any frame for this long is stale (the venue's own advice: 5 s, ping, 5 s)."""
    max_loop_lag_s: Decimal = Decimal(2)
    max_clock_skew_s: Decimal = Decimal(3)
    reconcile_every_s: Decimal = Decimal(30)
    """The slow cycle: a REST picture of the account is compared with what the streams said."""
    mark_frozen_after_s: Decimal = Decimal(300)
    """A mark price that has not moved at all for this long, while bid and ask have, is said to be frozen."""

    def __post_init__(self) -> None:
        """Refuse times that are not above zero."""
        for name in ("stale_after_s", "max_loop_lag_s", "max_clock_skew_s", "reconcile_every_s", "mark_frozen_after_s"):
            require(getattr(self, name) > 0, f"health.{name}", "must be above 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The whole of what the core is asked to do for one account."""

    observe: bool = False
    """Alerts only: nothing is ever sent to the venue."""
    stop: StopPolicy = field(default_factory=StopPolicy)
    switch: SwitchPolicy = field(default_factory=SwitchPolicy)
    tiers: TierPolicy = field(default_factory=TierPolicy)
    volatility: VolatilityPolicy = field(default_factory=VolatilityPolicy)
    take_profit: TakeProfitPolicy = field(default_factory=TakeProfitPolicy)
    ladder: LadderPolicy = field(default_factory=LadderPolicy)
    account: AccountPolicy = field(default_factory=AccountPolicy)
    health: HealthPolicy = field(default_factory=HealthPolicy)
    alerting: AlertingPolicy = field(default_factory=AlertingPolicy)
    bots: dict[str, BotPolicy] = field(default_factory=dict)
    """By name."""

    def __post_init__(self) -> None:
        """Refuse bots that cannot be told apart."""
        check_bots(self.bots)
