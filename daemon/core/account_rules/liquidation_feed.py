"""Liquidation feed: many liquidations of others in a short time on a symbol that is held: there may be a cascade."""

from __future__ import annotations

from collections import Counter
from typing import Final

from config.account_rules import LiquidationFeedPolicy
from daemon.core.account_rules.verdict import AccountView, Level, Rule, Verdict, plain, unknown


def judge(view: AccountView, policy: LiquidationFeedPolicy) -> tuple[Verdict, ...]:
    """Name the symbols with too many liquidations."""
    missing = view.state.missing_topics.get("liquidation", "")
    if missing:
        return (unknown(f"liquidations are not told: {missing}"),)
    since_ns = view.now_ns - int(policy.within_minutes * 60_000_000_000)
    held = {each.symbol for each in view.held}
    seen = (each.order.symbol for each in view.state.liquidations.values() if each.seen_ns > since_ns)
    counts = Counter(symbol for symbol in seen if symbol in held)
    return tuple(
        _verdict(symbol, count, policy)
        for symbol, count in sorted(counts.items())
        if count > policy.orders * 95 // 100 or count >= policy.orders
    )


RULE: Final = Rule(name="liquidation_feed", judge=judge, is_sure=True)


def _verdict(symbol: str, count: int, policy: LiquidationFeedPolicy) -> Verdict:
    return Verdict(
        level=Level.OVER if count >= policy.orders else Level.NEAR,
        subject=symbol,
        scope=(symbol,),
        text=f"{count} positions of others in {symbol} were liquidated within {plain(policy.within_minutes)} minutes,"
        f" the limit is {policy.orders}",
        advice="expect wide spreads and a fast market; reduce what stands near its stop",
        facts=(("orders", count), ("limit", policy.orders)),
    )
