"""A rule's input with safe defaults, for the tests of the stop rules."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from config.modes import RuleMode
from config.policy import StopPolicy
from connectors.vocabulary import ContractKind, Instrument, Side
from daemon.core.stop_rules import Proposal, Rule, RuleInput
from tests.builders import START_NS, an_instrument

HOUR = 3_600 * 10**9


def a_case(side: Side = Side.LONG, stop: StopPolicy | None = None, **changes: Any) -> RuleInput:
    """Return a hundred contracts from 1000 (one minor unit per contract and unit of price), the mark at its entry."""
    base = RuleInput(
        side=side,
        policy=stop or StopPolicy(),
        symbol="XBTUSDT",
        quantity=100 * side.sign,
        entry_price=Decimal(1000),
        instrument=an_instrument(),
        liquidation_price=Decimal(900 if side is Side.LONG else 1100),
        mark=Decimal(1000),
        equity_sat=100_000,
        largest=100,
        known_ns=START_NS,
        now_ns=START_NS,
    )
    return replace(base, **changes)


def said(rule: Rule, given: RuleInput) -> Proposal:
    """What the rule proposes; it has to propose something."""
    word = rule.propose(given)
    assert isinstance(word, Proposal), word
    return word


def is_asked(rule: Rule, mode: RuleMode, stop: StopPolicy) -> bool:
    """Whether a policy has the rule in this mode."""
    return rule.mode(stop) is mode


def inverse() -> Instrument:
    """A contract of one dollar, settled in XBT."""
    return an_instrument(
        "XBTUSD",
        kind=ContractKind.INVERSE,
        settlement_currency="XBt",
        multiplier=-100_000_000,
        taker_fee=Decimal("0.00075"),
    )


def quanto() -> Instrument:
    """A contract whose worth is a hundred minor units of XBT per dollar."""
    return an_instrument(
        "ETHUSD",
        kind=ContractKind.QUANTO,
        settlement_currency="XBt",
        multiplier=100,
        tick_size=Decimal("0.05"),
        taker_fee=Decimal("0.0005"),
    )
