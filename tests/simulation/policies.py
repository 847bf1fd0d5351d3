"""Policies drawn from a seed: the four profiles, and settings of every rule at sizes that a few minutes can reach.

Why: the promises hold under whatever an operator may write, so every world draws something. A profile is drawn as it
stands; a drawn policy takes each rule on, in shadow or off, with every action, every unit and every step of the ladder.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import config
from config import account_rules as rules
from config.bots import BotPolicy, OnSilence
from config.ladder import LadderPolicy, Step
from config.load import load_policy
from config.modes import Lift, RuleMode
from config.policy import (
    AccountPolicy,
    BreakEvenPolicy,
    ForeignStops,
    MaxLossPolicy,
    Policy,
    StartBreach,
    StopPolicy,
    StopStyle,
    SwitchMode,
    SwitchPolicy,
    TakeProfitPolicy,
    TierPolicy,
    TimeStopPolicy,
    TrailingPolicy,
    VolatilityPolicy,
)
from config.stop_rules import TimeStopAction
from tests.simulation.heartbeats import maker
from tests.simulation.virtual_loop import EPOCH_NS

PROFILES = ("observer", "careful", "swing", "market-maker")
_MODES = (RuleMode.ON, RuleMode.ON, RuleMode.SHADOW, RuleMode.OFF)


def policy_of(drawn: Random) -> Policy:
    """Draw one: a profile, the careful rules with other habits, or a setting of everything."""
    bots = _bots(drawn)
    kind = drawn.choice(("profile", "habits", "rules", "rules", "rules"))
    if kind == "profile":
        name = drawn.choice(PROFILES)
        return load_policy(Path(config.__file__).parent / "profiles" / f"{name}.toml")
    habits = Policy(
        stop=StopPolicy(
            style=drawn.choice((StopStyle.REDUCE_ONLY, StopStyle.REDUCE_ONLY, StopStyle.CLOSE)),
            foreign=drawn.choice(tuple(ForeignStops)),
            on_start_breach=drawn.choice(tuple(StartBreach)),
        ),
        switch=SwitchPolicy(mode=drawn.choice((SwitchMode.AUTO, SwitchMode.AUTO, SwitchMode.ALWAYS, SwitchMode.OFF))),
        bots=bots,
    )
    return habits if kind == "habits" else _with_rules(drawn, habits)


def changed(policy: Policy, drawn: Random) -> Policy:
    """Draw what a reload may bring: other rules, for the same bots and with the switch as it is used."""
    other = policy_of(drawn)
    parts = [
        name for name in ("stop", "tiers", "volatility", "take_profit", "ladder", "account") if drawn.random() < 0.6
    ]
    return replace(policy, **{name: getattr(other, name) for name in parts})


def of_other_stops(policy: Policy, drawn: Random) -> Policy:
    """The same, but for the form of the stop and how far before liquidation it rests."""
    other = StopStyle.CLOSE if policy.stop.style is StopStyle.REDUCE_ONLY else StopStyle.REDUCE_ONLY
    return replace(policy, stop=replace(policy.stop, style=other, buffer_percent=Decimal(drawn.choice((1, 2, 5)))))


def _bots(drawn: Random) -> dict[str, BotPolicy]:
    """Name the simulated bot in some of the policies; what else is drawn is the same with and without."""
    before = drawn.getstate()
    apart = Random(f"bots {drawn.getrandbits(64)}")  # noqa: S311 - a policy is a function of its seed
    drawn.setstate(before)
    if apart.random() < 0.6:
        return {}
    on_silence = apart.choice((OnSilence.CANCEL, OnSilence.CANCEL, OnSilence.CANCEL_AND_FLATTEN, OnSilence.ALERT))
    return maker(on_silence=on_silence, must_be_alive=apart.random() < 0.5)


def _with_rules(drawn: Random, habits: Policy) -> Policy:
    is_all_shadow = drawn.random() < 0.15
    policy = replace(
        habits,
        stop=_stop(drawn, habits.stop),
        tiers=_tiers(drawn),
        volatility=VolatilityPolicy(
            half_life_minutes=Decimal(drawn.choice((1, 5, 60))), least_samples=drawn.choice((2, 10, 30))
        ),
        take_profit=_take_profit(drawn),
        ladder=_ladder(drawn),
        account=_account(drawn),
    )
    return in_shadow(policy) if is_all_shadow else policy


def in_shadow(policy: Policy) -> Policy:
    """Every rule that acts only says what it would do."""
    account = AccountPolicy(
        **{name: replace(getattr(policy.account, name), mode=RuleMode.SHADOW) for name in AccountPolicy.__slots__}
    )
    ruled = ("max_loss", "trailing", "fixed", "break_even", "time_stop")
    stop = replace(policy.stop, **{name: replace(getattr(policy.stop, name), mode=RuleMode.SHADOW) for name in ruled})
    return replace(
        policy,
        account=account,
        stop=stop,
        ladder=replace(policy.ladder, mode=RuleMode.SHADOW),
        take_profit=replace(policy.take_profit, mode=RuleMode.SHADOW),
    )


def _percent(drawn: Random, *choices: str) -> Decimal:
    return Decimal(drawn.choice(choices))


def _stop(drawn: Random, stop: StopPolicy) -> StopPolicy:
    return replace(
        stop,
        buffer_percent=_percent(drawn, "0.5", "2", "5"),
        buffer_volatility=drawn.choice((None, None, Decimal(1), Decimal(4))),
        max_loss=MaxLossPolicy(mode=drawn.choice(_MODES), equity_percent=_percent(drawn, "0.2", "1", "3")),
        trailing=TrailingPolicy(
            mode=drawn.choice(_MODES),
            distance_percent=_percent(drawn, "0.4", "1", "4"),
            distance_volatility=drawn.choice((None, Decimal(2))),
            activate_percent=_percent(drawn, "0", "0.1"),
            step_percent=_percent(drawn, "0.05", "0.2"),
        ),
        break_even=BreakEvenPolicy(
            mode=drawn.choice(_MODES), after_percent=_percent(drawn, "0.3", "1"), lock_percent=Decimal("0.05")
        ),
        time_stop=TimeStopPolicy(
            mode=drawn.choice((RuleMode.ON, RuleMode.SHADOW, RuleMode.OFF, RuleMode.OFF)),
            after_hours=_percent(drawn, "0.01", "0.04"),
            action=drawn.choice(tuple(TimeStopAction)),
        ),
    )


def _tiers(drawn: Random) -> TierPolicy:
    wide = drawn.choice((1, 1, 2, 4))
    tiers = TierPolicy(
        watch_percent=Decimal(5) * wide,
        warn_percent=Decimal(3) * wide,
        critical_percent=Decimal("1.5") * wide,
        emergency_percent=Decimal("0.75") * wide,
    )
    if drawn.random() < 0.5:
        tiers = replace(
            tiers,
            watch_volatility=Decimal(8),
            warn_volatility=Decimal(5),
            critical_volatility=drawn.choice((None, Decimal(3))),
            emergency_volatility=Decimal(2),
        )
    if drawn.random() < 0.5:
        tiers = replace(
            tiers,
            watch_probability=Decimal("0.001"),
            warn_probability=Decimal("0.02"),
            critical_probability=Decimal("0.1"),
            emergency_probability=drawn.choice((None, Decimal("0.5"))),
        )
    return tiers


def _take_profit(drawn: Random) -> TakeProfitPolicy:
    at, shares = drawn.choice(
        (
            (("0.1", "0.3", "1"), (25, 25, 50)),
            (("0.2",), (100,)),
            (("1", "2"), (33, 33)),
        )
    )
    return TakeProfitPolicy(
        mode=drawn.choice(_MODES),
        at_percent=tuple(Decimal(each) for each in at),
        share_percent=tuple(Decimal(each) for each in shares),
    )


def _ladder(drawn: Random) -> LadderPolicy:
    def some(most: int, *steps: Step) -> tuple[Step, ...]:
        return tuple(drawn.sample(steps, drawn.randint(0, most)))

    gentle = (Step.ALERT, Step.FREEZE, Step.TIGHTEN, Step.TRIM, Step.ADD_MARGIN)
    return LadderPolicy(
        mode=drawn.choice(_MODES),
        watch=some(2, *gentle),
        warn=some(3, *gentle),
        critical=some(5, *gentle),
        emergency=some(6, *gentle, Step.FLATTEN),
        freeze_until=drawn.choice((Lift.CLEARED, Lift.OPERATOR)),
        tighten_share=_percent(drawn, "0.1", "0.5"),
        trim_percent=_percent(drawn, "10", "50", "100"),
        margin_step_percent=_percent(drawn, "0.5", "2"),
        margin_budget_percent=_percent(drawn, "2", "10"),
        cool_down_s=_percent(drawn, "5", "20", "60"),
    )


def _account(drawn: Random) -> AccountPolicy:
    def rule(kind: type, **limits: object) -> object:
        return kind(
            mode=drawn.choice((RuleMode.ON, RuleMode.SHADOW, RuleMode.OFF)),
            action=drawn.choice(kind.actions),
            lift=drawn.choice(tuple(Lift)),
            cool_down_s=_percent(drawn, "5", "20", "60"),
            **limits,
        )

    at = datetime.fromtimestamp(EPOCH_NS / 1e9, UTC) + timedelta(seconds=drawn.randint(20, 250))
    drawn_rules = {
        "leverage_cap": rule(rules.LeverageCapPolicy, most=_percent(drawn, "3", "8", "25")),
        "isolated_only": rule(rules.IsolatedOnlyPolicy),
        "risk_per_trade": rule(rules.RiskPerTradePolicy, equity_percent=_percent(drawn, "0.3", "1", "4")),
        "total_exposure": rule(
            rules.TotalExposurePolicy,
            equity_multiple=_percent(drawn, "0.7", "2", "5"),
            counts_orders=drawn.random() < 0.5,
        ),
        "daily_loss": rule(rules.DailyLossPolicy, equity_percent=_percent(drawn, "0.3", "2", "10")),
        "drawdown": rule(
            rules.DrawdownPolicy,
            alert_at_percent=drawn.choice(((Decimal("0.2"), Decimal("0.5")), (Decimal(1), Decimal(3)))),
        ),
        "margin_used": rule(rules.MarginUsedPolicy, percent=_percent(drawn, "20", "50", "80")),
        "funding_cost": rule(rules.FundingCostPolicy, margin_percent_a_day=_percent(drawn, "0.1", "5")),
        "adl_rank": rule(rules.AdlRankPolicy, rank=drawn.choice((3, 5))),
        "naked": rule(rules.NakedPolicy, for_s=_percent(drawn, "5", "30")),
        "averaging_down": rule(rules.AveragingDownPolicy, loss_percent=_percent(drawn, "0", "0.2")),
        "trades_per_hour": rule(rules.TradesPerHourPolicy, most=drawn.choice((3, 8, 20))),
        "quiet_hours": rule(
            rules.QuietHoursPolicy,
            events_utc=drawn.choice(((), (at.isoformat().replace("+00:00", "Z"),))),
            before_minutes=_percent(drawn, "0.2", "1"),
            after_minutes=_percent(drawn, "0.5", "1"),
        ),
        "insurance_fund": rule(rules.InsuranceFundPolicy),
        "liquidation_feed": rule(rules.LiquidationFeedPolicy, orders=drawn.choice((1, 25))),
    }
    return AccountPolicy(**drawn_rules)  # type: ignore[arg-type]  # each under its own name
