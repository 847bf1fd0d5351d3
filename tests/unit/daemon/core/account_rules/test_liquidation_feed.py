"""Liquidation feed: many liquidations of others on a held symbol."""

from __future__ import annotations

from decimal import Decimal

from config.account_rules import LiquidationFeedPolicy
from connectors.vocabulary import LiquidationOrder, OrderSide
from daemon.core.account_rules.liquidation_feed import judge
from daemon.core.account_rules.verdict import Level
from daemon.core.memory.surroundings import ForcedOrder
from tests.builders import SECOND, START_NS
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view, levels

POLICY = LiquidationFeedPolicy(orders=3, within_minutes=Decimal(5))


def forced(count: int, *, age_s: int = 10, symbol: str = "XBTUSDT") -> dict[str, ForcedOrder]:
    """Liquidations of others, seen so long ago."""
    return {
        f"{symbol}-{number}": ForcedOrder(
            order=LiquidationOrder(
                order_id=f"{symbol}-{number}", symbol=symbol, side=OrderSide.SELL, price=None, leaves_quantity=1
            ),
            quantity=1,
            seen_ns=START_NS - age_s * SECOND,
        )
        for number in range(count)
    }


def test_distinct_orders_within_the_time_are_counted() -> None:
    """Two are fine, three break the rule; those of more than five minutes ago are over."""
    assert not judge(a_view(a_guarded(), liquidations=forced(2)), POLICY)
    assert levels(judge(a_view(a_guarded(), liquidations=forced(3)), POLICY)) == {"XBTUSDT": Level.OVER}
    assert not judge(a_view(a_guarded(), liquidations=forced(3, age_s=300)), POLICY)


def test_symbols_that_are_not_held_do_not_count() -> None:
    """A cascade elsewhere is no news here."""
    assert not judge(a_view(a_guarded(), liquidations=forced(9, symbol="ETHUSDT")), POLICY)


def test_a_missing_feed_is_not_silence() -> None:
    """Without the topic the rule says that it cannot judge."""
    view = a_view(a_guarded(), missing_topics={"liquidation": "refused"})
    assert levels(judge(view, POLICY)) == {"": Level.UNKNOWN}
