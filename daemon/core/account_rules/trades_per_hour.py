"""Trades per hour: distinct orders of others that were filled, at least in part, within the last hour.

What the guard itself does never counts. The memory holds no more orders than the rule needs to count to.
"""

from __future__ import annotations

from typing import Final

from config.account_rules import TradesPerHourPolicy
from config.modes import RuleMode
from connectors.vocabulary import Execution, ExecutionKind
from daemon.core import ids
from daemon.core.account_rules.verdict import AccountView, Level, Rule, Verdict
from daemon.core.draft import Draft

HOUR_NS: Final = 3_600 * 10**9


def judge(view: AccountView, policy: TradesPerHourPolicy) -> tuple[Verdict, ...]:
    """Say whether too many orders were filled."""
    count = sum(at_ns > view.now_ns - HOUR_NS for at_ns in view.state.filled.values())
    if count <= policy.most * 95 // 100:
        return ()
    at_least = "at least " if count > policy.most else ""
    return (
        Verdict(
            level=Level.OVER if count > policy.most else Level.NEAR,
            text=f"{at_least}{count} orders were filled within the last hour, the limit is {policy.most}",
            advice="pause the bot that trades so much, or raise the limit if that is meant",
            facts=(("orders", count), ("limit", policy.most)),
        ),
    )


RULE: Final = Rule(name="trades_per_hour", judge=judge, is_sure=True)


def take_execution(draft: Draft, execution: Execution) -> None:
    """Remember when an order of somebody's was last filled; ours are passed over."""
    policy = draft.policy.account.trades_per_hour
    if policy.mode is RuleMode.OFF or execution.kind is not ExecutionKind.TRADE or not execution.order_id:
        return
    if ids.is_ours(draft.account, execution.client_order_id):
        return
    # By the venue's stamp: after a start or a gap executions come that are older than the moment they are told at.
    at_ns = min(execution.timestamp_ns or draft.now_ns, draft.now_ns)
    if at_ns <= max(draft.now_ns - HOUR_NS, draft.filled.get(execution.order_id, 0)):
        return
    draft.remove("filled", execution.order_id)
    draft.put("filled", execution.order_id, at_ns)
    old = [name for name, at_ns in draft.filled.items() if at_ns <= draft.now_ns - HOUR_NS]
    surplus = len(draft.filled) - len(old) - policy.most - 1
    if surplus > 0:
        old += [name for name in draft.filled if name not in set(old)][:surplus]
    for name in old:
        draft.remove("filled", name)
