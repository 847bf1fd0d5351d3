"""Insurance fund: what the venue's fund of a currency lost within a day. When it is empty, profits are deleveraged.

The fund is published about once a day, so the newest publication is compared with the highest of the 25 hours before
it. Only currencies in which positions are open matter.
"""

from __future__ import annotations

from typing import Final

from config.account_rules import InsuranceFundPolicy
from connectors.vocabulary import Insurance
from daemon.core.account_rules.verdict import AccountView, Level, Rule, Verdict, money, plain, share, standing, unknown

_HOUR_NS: Final = 3_600 * 10**9
WINDOW_NS: Final = 25 * _HOUR_NS
"""A day, and an hour for publications that come late."""
STALE_NS: Final = 72 * _HOUR_NS


def judge(view: AccountView, policy: InsuranceFundPolicy) -> tuple[Verdict, ...]:
    """Name the currencies whose fund fell too much."""
    missing = view.state.missing_topics.get("insurance", "")
    if missing:
        return (unknown(f"the insurance fund is not told: {missing}"),)
    found = (_judge(view, currency, policy) for currency in sorted(view.currencies))
    return tuple(each for each in found if each is not None)


RULE: Final = Rule(name="insurance_fund", judge=judge, is_sure=True)


def _judge(view: AccountView, currency: str, policy: InsuranceFundPolicy) -> Verdict | None:
    samples = view.state.insurance.get(currency, ())
    if not samples:
        return unknown(f"no insurance fund of {currency} was published yet", currency)
    newest = samples[-1]
    if newest.timestamp_ns < view.now_ns - STALE_NS:
        return unknown(f"the insurance fund of {currency} was not published for three days", currency)
    highest = max(each.balance_sat for each in samples if each.timestamp_ns >= newest.timestamp_ns - WINDOW_NS)
    fell = share(highest - newest.balance_sat, highest)
    level = standing(fell, policy.drawdown_percent, at_limit=True)
    return None if level is None else _verdict(newest, level, highest, policy)


def _verdict(newest: Insurance, level: Level, highest: int, policy: InsuranceFundPolicy) -> Verdict:
    fell = share(highest - newest.balance_sat, highest)
    currency = newest.currency
    return Verdict(
        level=level,
        subject=currency,
        text=f"the venue's insurance fund fell by {fell:.1f} % within a day, from {money(highest, currency)} to"
        f" {money(newest.balance_sat, currency)}, the limit is {plain(policy.drawdown_percent)} %",
        advice="take profit on what stands at the front of the queue for auto-deleveraging",
        facts=(("balance", newest.balance_sat), ("highest", highest), ("limit", policy.drawdown_percent)),
    )
