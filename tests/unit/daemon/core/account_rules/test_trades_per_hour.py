"""Trades per hour: distinct orders of others that filled."""

from __future__ import annotations

from config.account_rules import TradesPerHourPolicy
from config.modes import RuleMode
from connectors.vocabulary import Execution, ExecutionKind, OrderSide
from daemon.core.account_rules.trades_per_hour import take_execution
from daemon.core.draft import Draft
from tests.builders import ACCOUNT, SECOND
from tests.unit.daemon.core.account_rules.rule_cases import Ruled, a_state, an_account, topics

THREE = TradesPerHourPolicy(mode=RuleMode.ON, most=3)


def filled(
    ruled: Ruled, *orders: str, kind: ExecutionKind = ExecutionKind.TRADE, ours: str = "", seconds_ago: int = 0
) -> None:
    """Executions of these orders, told a second later; `seconds_ago`: stamped so much before that, else without."""
    draft = Draft(ruled.state, ruled.state.now_ns + SECOND)
    for name in orders:
        execution = Execution(
            execution_id=f"e-{name}",
            order_id=name,
            client_order_id=ours,
            account=ACCOUNT,
            symbol="XBTUSDT",
            kind=kind,
            side=OrderSide.BUY,
            quantity=1,
            price=None,
            timestamp_ns=draft.now_ns - seconds_ago * SECOND if seconds_ago else 0,
        )
        take_execution(draft, execution)
    ruled.state = draft.finish()


def trading() -> Ruled:
    """Three an hour are allowed."""
    return Ruled(a_state(policy=an_account(trades_per_hour=THREE)))


def test_orders_are_counted_not_fills() -> None:
    """Three orders in many parts are three; the fourth breaks the rule."""
    ruled = trading()
    filled(ruled, "a", "b", "c", "a", "b", "a")
    assert not ruled.tick()
    filled(ruled, "d")
    assert topics(ruled.tick()) == [("rule", "trades_per_hour")]


def test_our_own_orders_funding_and_liquidation_do_not_count() -> None:
    """Only what somebody else traded."""
    ruled = trading()
    filled(ruled, *"abcdef", ours="sw-7-XBTUSDT-L-s1")
    filled(ruled, *"abcdef", kind=ExecutionKind.FUNDING)
    assert not ruled.state.filled


def test_the_hour_moves_on() -> None:
    """An hour later the orders count no more, and the breach is over."""
    ruled = trading()
    filled(ruled, *"abcd")
    ruled.tick()
    assert topics(ruled.tick(3_600)) == [("rule", "trades_per_hour")]
    assert not ruled.state.rules


def test_the_memory_is_bounded() -> None:
    """A flood is remembered as one order more than allowed, never as more."""
    ruled = trading()
    filled(ruled, *(f"o-{number}" for number in range(500)))
    assert len(ruled.state.filled) == THREE.most + 1
    ruled.tick()
    assert "at least 4 orders" in ruled.said[-1].text


def test_a_rule_that_is_off_remembers_nothing() -> None:
    """No memory for a rule that nobody asked for."""
    ruled = Ruled(a_state(policy=an_account()))
    filled(ruled, "a")
    assert not ruled.state.filled


def test_fills_of_hours_ago_that_are_told_now_do_not_count() -> None:
    """P7: after a start or a gap the stream repeats executions; they count by the venue's stamp, not as of now."""
    ruled = trading()
    filled(ruled, *"abcdef", seconds_ago=3_601)
    assert not ruled.state.filled
    filled(ruled, *"abcd", seconds_ago=3_000)
    assert topics(ruled.tick()) == [("rule", "trades_per_hour")]
    assert topics(ruled.tick(600)) == [("rule", "trades_per_hour")]
    assert not ruled.state.rules


def test_an_order_that_fills_again_counts_by_its_last_part() -> None:
    """One order at work for hours is one order of the last hour as long as it is filled."""
    ruled = trading()
    filled(ruled, "a")
    ruled.tick(3_000)
    filled(ruled, "a")
    ruled.tick(3_000)
    filled(ruled, *"bcd")
    assert topics(ruled.tick()) == [("rule", "trades_per_hour")]
