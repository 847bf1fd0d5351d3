"""What in a policy cannot come to pass, or undoes another part of it: each value is allowed, together they disappoint.

Why: a rule that never speaks looks like a calm market until the day it was written for. `seawall check` says these
beforehand; none keeps the guard from working, so only what is certain is said.

Pure: no input or output. Units: as in the policy; times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import fields
from typing import Final

from config.account_rules import AccountRule, QuietHoursPolicy, moments_ns
from config.bots import OnSilence
from config.ladder import Step
from config.modes import Action, RuleMode
from config.policy import Policy, StopStyle, SwitchMode

_TIERS: Final = ("watch", "warn", "critical", "emergency")
_DEEDS: Final = frozenset({Step.TIGHTEN, Step.TRIM, Step.ADD_MARGIN, Step.FLATTEN})
"""Steps that somebody writes down because they are to happen."""
_BEFORE_THE_STOP: Final = frozenset({Step.TIGHTEN, Step.TRIM, Step.ADD_MARGIN})
"""Steps that only help while the position still stands. A freeze or a flatten makes sense after a stop that failed."""
_MINUTE_NS: Final = 60 * 10**9


def advice_on(policy: Policy, *, now_ns: int) -> tuple[str, ...]:
    """Return what somebody should know about a policy before it matters, each in one line that names its keys."""
    return (
        *_observed(policy),
        *_behind_the_stop(policy),
        *_take_profit(policy),
        *_limits_that_contradict(policy),
        *_switched_off(policy),
        *_past_events(policy.account.quiet_hours, now_ns),
        *_bots(policy),
    )


def unlisted(policy: Policy, listed: Collection[str]) -> tuple[str, ...]:
    """Return the symbols in a policy that the exchange does not list: what is said of them is said of nothing.

    Example:
        >>> from config.bots import BotPolicy
        >>> unlisted(Policy(bots={"quoter": BotPolicy(symbols=("xbtusd",))}), ["XBTUSD"])
        ('bots.quoter.symbols names xbtusd, which the exchange does not list: did you mean XBTUSD?',)
    """
    return tuple(
        f"{place} names {symbol}, which the exchange does not list{_alike(symbol, listed)}"
        for place, symbols in _symbols(policy)
        for symbol in symbols
        if symbol not in listed
    )


def _symbols(policy: Policy) -> Iterator[tuple[str, Collection[str]]]:
    """Every place of a policy that names symbols, with those."""
    yield "stop.fixed.long", policy.stop.fixed.long or ()
    yield "stop.fixed.short", policy.stop.fixed.short or ()
    yield "account.leverage_cap.by_symbol", policy.account.leverage_cap.by_symbol or ()
    for name, bot in policy.bots.items():
        yield f"bots.{name}.symbols", bot.symbols


def _alike(symbol: str, listed: Collection[str]) -> str:
    close = difflib.get_close_matches(symbol.upper(), listed, n=1)
    return f": did you mean {close[0]}?" if close else ": write it as the exchange does, or leave it out"


def _observed(policy: Policy) -> Iterator[str]:
    """An observing guard sends nothing: whoever wrote deeds down should hear that they are only told."""
    if not policy.observe:
        return
    climbs = policy.ladder.mode is RuleMode.ON
    deeds = [f"ladder.{tier}" for tier in _TIERS if climbs and _DEEDS & set(getattr(policy.ladder, tier))]
    for field in fields(policy.account):
        rule: AccountRule = getattr(policy.account, field.name)
        is_mute = isinstance(rule, QuietHoursPolicy) and not rule.events_utc
        if rule.mode is RuleMode.ON and rule.action is not Action.ALERT and not is_mute:
            deeds.append(f"{rule.table}.action")
    if policy.take_profit.mode is RuleMode.ON:
        deeds.append("take_profit")
    if deeds:
        yield f"guard.observe = true: only told, never done: {', '.join(deeds)}"


def _behind_the_stop(policy: Policy) -> Iterator[str]:
    """Steps of a tier that lies between the stop and liquidation: the stop ends the position before they come."""
    if policy.ladder.mode is RuleMode.OFF or policy.observe:
        return
    for tier in _TIERS:
        steps = [step for step in getattr(policy.ladder, tier) if step in _BEFORE_THE_STOP]
        if not steps or not _is_behind(policy, tier):
            continue
        words, bound = ", ".join(step.value for step in steps), getattr(policy.tiers, f"{tier}_percent")
        yield (
            f"ladder.{tier}: {words} would come at {bound} % of room, but the stop fires first,"
            f" {policy.stop.buffer_percent} % in front of liquidation: let tiers.{tier}_percent be above"
            " stop.buffer_percent"
        )


def _is_behind(policy: Policy, tier: str) -> bool:
    tiers, stop = policy.tiers, policy.stop
    if getattr(tiers, f"{tier}_percent") >= stop.buffer_percent or getattr(tiers, f"{tier}_probability") is not None:
        return False
    volatility = getattr(tiers, f"{tier}_volatility")
    return volatility is None or (stop.buffer_volatility is not None and volatility <= stop.buffer_volatility)


def _take_profit(policy: Policy) -> Iterator[str]:
    if policy.take_profit.mode is RuleMode.ON and policy.stop.style is StopStyle.CLOSE:
        yield 'take_profit: stop.style = "close" cancels its orders when the stop fires; "reduce_only" lets them be'


def _limits_that_contradict(policy: Policy) -> Iterator[str]:
    """A loss that one rule allows and another one punishes."""
    stop, account = policy.stop.max_loss, policy.account
    if stop.mode is not RuleMode.ON:
        return
    for rule in (account.risk_per_trade, account.daily_loss):
        if rule.mode is RuleMode.ON and rule.equity_percent < stop.equity_percent:
            yield (
                f"{rule.table}.equity_percent = {rule.equity_percent} is below stop.max_loss.equity_percent ="
                f" {stop.equity_percent}: a single trade that keeps to its stop breaks it"
            )


def _switched_off(policy: Policy) -> Iterator[str]:
    fixed, quiet = policy.stop.fixed, policy.account.quiet_hours
    if fixed.mode is RuleMode.OFF and (fixed.long or fixed.short):
        yield 'stop.fixed holds prices, and its mode is "off"'
    if quiet.mode is RuleMode.OFF and quiet.events_utc:
        yield 'account.quiet_hours holds events, and its mode is "off"'


def _past_events(quiet: QuietHoursPolicy, now_ns: int) -> Iterator[str]:
    moments = moments_ns(quiet.events_utc)
    if quiet.mode is not RuleMode.OFF and moments and max(moments) + quiet.after_minutes * _MINUTE_NS < now_ns:
        yield "account.quiet_hours.events_utc: every event is past"


def _bots(policy: Policy) -> Iterator[str]:
    """Whose orders a bot's silence touches, where that may surprise."""
    for name, bot in policy.bots.items():
        if not bot.id_prefix and bot.on_silence is not OnSilence.ALERT:
            yield (
                f"bots.{name}.id_prefix is empty: every order that is neither the guard's nor another bot's counts as"
                " this one's, and goes with its silence, those that you place by hand too"
            )
        if bot.on_silence is OnSilence.CANCEL_AND_FLATTEN and not bot.symbols and len(policy.bots) > 1:
            yield (
                f"bots.{name}.symbols is empty: its silence closes every position of the account, those of the other"
                " bots too"
            )
        if bot.symbols and bot.on_silence is not OnSilence.CANCEL_AND_FLATTEN:
            yield f'bots.{name}.symbols has no effect: on_silence is "{bot.on_silence.value}"'
        if bot.must_be_alive and policy.switch.mode is SwitchMode.OFF:
            yield f'bots.{name}.must_be_alive has no effect: switch.mode is "off", so there is nothing to feed'
        if bot.must_be_alive and policy.switch.mode is SwitchMode.ALWAYS:
            yield (
                f'bots.{name}.must_be_alive: with switch.mode = "always" its silence lets the countdown run out, which'
                ' cancels the stops as well until they are put back; "auto" disarms it in time'
            )
