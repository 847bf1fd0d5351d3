"""Naked: an open position whose stop has not been confirmed for too long.

A position that no price can liquidate, and for which no stop rule asks, needs none.
"""

from __future__ import annotations

from typing import Final

from config.account_rules import NakedPolicy
from daemon.core.account_rules.verdict import AccountView, Held, Level, Rule, Verdict, plain, unknown
from daemon.core.market.marks import ns
from daemon.core.state import Need


def judge(view: AccountView, policy: NakedPolicy) -> tuple[Verdict, ...]:
    """Name the positions without a confirmed stop."""
    if not view.state.orders_known:
        return (unknown("the open orders are not listed yet"),)
    late_ns = view.now_ns - ns(policy.for_s)
    return tuple(_verdict(view, held, policy) for held in view.held if _is_naked(held, late_ns))


RULE: Final = Rule(name="naked", judge=judge)


def _is_naked(held: Held, late_ns: int) -> bool:
    guarded = held.guarded
    return guarded.need is not Need.NOTHING and not guarded.covered_ns and 0 < guarded.uncovered_ns <= late_ns


def _verdict(view: AccountView, held: Held, policy: NakedPolicy) -> Verdict:
    for_s = (view.now_ns - held.guarded.uncovered_ns) // 10**9
    why = f" ({held.guarded.refusal})" if held.guarded.refusal else ""
    return Verdict(
        level=Level.OVER,
        subject=held.symbol,
        scope=(held.symbol,),
        text=f"{held.symbol} {held.quantity:+d} has had no confirmed stop for {for_s} s{why}, the limit is"
        f" {plain(policy.for_s)} s",
        advice="place a stop by hand, or close it",
        facts=(("for_s", for_s), ("limit", policy.for_s)),
    )
