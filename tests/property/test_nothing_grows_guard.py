"""A guard that runs for weeks: whatever its state remembers has a bound, and so has what a checkpoint writes."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from decimal import Decimal
from typing import Final

import msgspec

from config.account_rules import AccountPolicy
from config.modes import Action, RuleMode
from config.policy import Policy
from connectors.vocabulary import (
    Execution,
    ExecutionKind,
    Insurance,
    LiquidationOrder,
    OrderSide,
    OrderStatus,
    Quote,
    Wallet,
)
from daemon.core import events as e
from daemon.core.operator_requests import LiftLatch
from tests.builders import ACCOUNT, SECOND, START_NS, an_order
from tests.model_faults import Faults
from tests.model_venue import ModelVenue
from tests.week import census

MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
STEP: Final = 2 * MINUTE
SLACK = 1.1
FEW = 24  # of a kind may come and go
TURBULENT: Final = Faults(bot=0.3, cancel_stops=0.02, drop_stream=0.01, restart=0.002, refuse=0.02, margin=0.2)


def all_rules() -> Policy:
    """Every account rule on; what they find is told. Every stop rule on or in shadow."""
    policy, account = Policy(), AccountPolicy()
    loud = {
        each.name: replace(getattr(account, each.name), mode=RuleMode.ON, action=Action.ALERT)
        for each in fields(account)
    }
    stop = policy.stop
    modes = {"trailing": RuleMode.ON, "break_even": RuleMode.ON, "max_loss": RuleMode.SHADOW}
    rules = {name: replace(getattr(stop, name), mode=mode) for name, mode in modes.items()}
    return replace(policy, account=replace(account, **loud), stop=replace(stop, **rules))


class SlowVenue(ModelVenue):
    """A venue whose seconds are minutes, and each leaves traces of every kind under a new id."""

    steps = 0

    def tick(self) -> None:
        """One step passes."""
        self.at(self.now + STEP, self.tick)
        self.steps += 1
        for guard in self.guards:
            if guard.streams_up:
                for event in self.news():
                    self.give(guard, event)
                for symbol, price in self.marks.items():
                    self.give(guard, e.MarkSeen(at_ns=self.now, symbol=symbol, price=price))
            self.give(
                guard,
                e.HealthTicked(at_ns=self.now, market_age_ns=0, account_age_ns=0, loop_lag_ns=0, clock_skew_ns=0),
            )
        self.misbehave()

    def news(self) -> list[e.Event]:
        """What others did in this step, and what the venue published."""
        now, name = self.now, f"-{self.steps}"
        order = an_order(f"b{name}", f"bot{name}", quantity=10, leaves_quantity=10)
        gone = replace(order, status=OrderStatus.FILLED, leaves_quantity=0, filled_quantity=10)
        fill = Execution(
            execution_id=f"x{name}",
            order_id=f"b{name}",
            client_order_id=f"bot{name}",
            account=ACCOUNT,
            symbol="XBTUSDT",
            kind=ExecutionKind.TRADE,
            side=OrderSide.BUY,
            quantity=10,
            price=Decimal(1000),
        )
        forced = LiquidationOrder(
            order_id=f"l{name}", symbol="XBTUSDT", side=OrderSide.SELL, price=Decimal(900), leaves_quantity=100
        )
        found: list[e.Event] = [
            e.OrderSeen(at_ns=now, order=order, source=e.Source.STREAM),
            e.OrderSeen(at_ns=now, order=gone, source=e.Source.STREAM),
            e.ExecutionSeen(at_ns=now, execution=fill),
            e.LiquidationSeen(at_ns=now, liquidation=forced),
            e.SpreadSeen(at_ns=now, quote=Quote(symbol="XBTUSDT", bid=Decimal(999), ask=Decimal(1001))),
        ]
        if self.steps % 15 == 0:
            fund = Insurance(currency="USDt", balance_sat=10**12 - self.steps, timestamp_ns=now)
            wallet = Wallet(
                account=ACCOUNT, currency="USDt", amount_sat=1000, transfers_sat=self.steps, timestamp_ns=now
            )
            lift = e.OperatorAsked(at_ns=now, request_id=f"r{name}", who="test", request=LiftLatch(name=""))
            found += [e.InsuranceSeen(at_ns=now, insurance=fund), e.WalletSeen(at_ns=now, wallet=wallet), lift]
        return found


def most(venue: SlowVenue, until: int) -> Counter[str]:
    """Let time pass, and return the most entries that each part of the state had at any hour."""
    found: Counter[str] = Counter()
    while venue.now < until:
        venue.run_until(venue.now + HOUR)
        found |= census(msgspec.json.encode(venue.guards[0].state))
    return found


def test_no_mapping_of_the_state_grows_with_time() -> None:
    """A day and a half of trading bots, liquidations, news of the fund and operators, with every rule on.

    After the first day, which fills what is kept for an hour or a day, no part of the state has more entries.
    """
    venue = SlowVenue(5, TURBULENT, all_rules())
    venue.start()
    before = most(venue, START_NS + DAY)
    after = most(venue, START_NS + DAY + DAY // 2)
    assert not {path: (before[path], after[path]) for path in after if after[path] > before[path] * SLACK + FEW}
    left = ("filled", "liquidations", "insurance", "spreads", "volatility", "wallets", "operator_ids", "rules")
    assert not [name for name in left if not after[f"/{name}"]]
