"""Funding cost: what a position pays a day at the present rate, as a share of the margin behind it.

An isolated position pays from its own margin. Behind a cross position stands the whole equity of its currency: the
margin of its row follows from a leverage that nobody chose, and would make any rate look dear.

Only what is paid counts; a position that receives funding is within any limit. The rate is the one of the next stamp;
once that has passed and no newer rate is known, the cost is unknown.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.account_rules import FundingCostPolicy
from connectors.vocabulary import Instrument
from daemon.core.account_rules.verdict import (
    AccountView,
    Held,
    Level,
    Rule,
    Verdict,
    lacks,
    money,
    plain,
    share,
    standing,
    unknown,
)
from daemon.core.margin.costs import funding_cost_a_day_sat, funding_payment_sat

GRACE_NS: Final = 120 * 10**9
"""After a stamp until the venue tells the next."""


def judge(view: AccountView, policy: FundingCostPolicy) -> tuple[Verdict, ...]:
    """Name the positions whose funding is too dear."""
    found = (_judge(view, held, policy) for held in view.held if _may_pay(held))
    return tuple(each for each in found if each is not None)


RULE: Final = Rule(name="funding_cost", judge=judge)


def _may_pay(held: Held) -> bool:
    """Whether the position pays rather than receives; a contract that is not known may."""
    return held.instrument is None or held.side.sign * held.instrument.funding_rate > 0


def _judge(view: AccountView, held: Held, policy: FundingCostPolicy) -> Verdict | None:
    missing = lacks(view, held, equity=held.guarded.position.is_cross)
    if missing or held.instrument is None or held.mark is None:
        return unknown(missing, held.symbol)
    if 0 < held.instrument.funding_at_ns < view.now_ns - GRACE_NS:
        return unknown("the rate of the next funding is not known", held.symbol)
    margin = _margin_sat(view, held)
    if margin <= 0 and not held.guarded.position.is_cross:
        return unknown("the position's row does not tell its margin", held.symbol)
    cost = funding_cost_a_day_sat(held.instrument, held.quantity, held.mark)
    level = standing(share(cost, margin), policy.margin_percent_a_day, at_limit=True)
    return None if level is None else _verdict(view, held, held.instrument, level, policy)


def _margin_sat(view: AccountView, held: Held) -> int:
    position = held.guarded.position
    if position.is_cross:
        return view.equities.get(held.currency, 0)
    return position.margin_sat or position.locked_sat or position.initial_margin_sat


def _verdict(view: AccountView, held: Held, instrument: Instrument, level: Level, policy: FundingCostPolicy) -> Verdict:
    mark, margin = held.mark or Decimal(1), _margin_sat(view, held)
    cost = funding_cost_a_day_sat(instrument, held.quantity, mark)
    payment = funding_payment_sat(instrument, held.quantity, mark)
    minutes = max(0, instrument.funding_at_ns - view.now_ns) // 60_000_000_000
    backing = "the equity" if held.guarded.position.is_cross else "its margin"
    when = f" in {minutes // 60} h {minutes % 60} min" if instrument.funding_at_ns else ""
    return Verdict(
        level=level,
        subject=held.symbol,
        scope=(held.symbol,),
        text=f"{held.symbol} {held.quantity:+d} pays {money(cost, held.currency)} of funding a day at the present rate,"
        f" {share(cost, margin):.2f} % of {backing}, the limit is {plain(policy.margin_percent_a_day)} %;"
        f" the next payment is {money(payment, held.currency)}{when}",
        advice="reduce it before the stamp, or take the cost",
        facts=(
            ("cost_a_day", cost),
            ("next_payment", payment),
            ("rate", instrument.funding_rate),
            ("margin", margin),
            ("limit", policy.margin_percent_a_day),
        ),
    )
