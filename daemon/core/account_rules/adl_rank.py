"""Auto-deleveraging rank: a position near the front of the queue may be closed by the venue, at a price of its own."""

from __future__ import annotations

from typing import Final

from config.account_rules import AdlRankPolicy
from daemon.core.account_rules.verdict import AccountView, Held, Level, Rule, Verdict, unknown


def judge(view: AccountView, policy: AdlRankPolicy) -> tuple[Verdict, ...]:
    """Name the positions near the front."""
    found = []
    for held in view.held:
        rank = held.guarded.position.adl_rank
        if rank is None:
            found.append(unknown("the venue does not tell the rank", held.symbol))
        elif rank >= policy.rank:
            found.append(_verdict(held, rank, policy))
    return tuple(found)


RULE: Final = Rule(name="adl_rank", judge=judge)


def _verdict(held: Held, rank: int, policy: AdlRankPolicy) -> Verdict:
    return Verdict(
        level=Level.OVER,
        subject=held.symbol,
        scope=(held.symbol,),
        text=f"{held.symbol} {held.quantity:+d} stands at {rank} of 5 in the queue for auto-deleveraging, the rule"
        f" speaks from {policy.rank}",
        advice="take profit on a part, or lower its leverage: profit times leverage sets the place",
        facts=(("rank", rank), ("limit", policy.rank)),
    )
