"""Total exposure: what all positions of a settlement currency are worth together, over its equity.

Longs and shorts are added, not set off: both can be liquidated. With `counts_orders` open orders that may add exposure
count at their price as if they were filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from config.account_rules import TotalExposurePolicy
from connectors.vocabulary import Instrument, Order
from daemon.core.account_rules.verdict import (
    CLEAR_AT,
    AccountView,
    Held,
    Level,
    Rule,
    Verdict,
    lacks,
    money,
    no_equity,
    plain,
    standing,
    unknown,
)
from daemon.core.adding import may_add_exposure
from daemon.core.margin.contracts import is_price, is_usable, value_sat
from daemon.core.memory.rule_facts import Remedy, RemedyKind


def judge(view: AccountView, policy: TotalExposurePolicy) -> tuple[Verdict, ...]:
    """Name the currencies with too much exposure."""
    exposures = _positions(view)
    if policy.counts_orders:
        for currency, worth in _orders(view):
            known = exposures.get(currency, _Exposure())
            exposures[currency] = replace(known, orders=known.orders + worth)
    found = (_judge(view, currency, exposures[currency], policy) for currency in sorted(exposures))
    return tuple(each for each in found if each is not None)


RULE: Final = Rule(name="total_exposure", judge=judge)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Exposure:
    """Worth of one currency's positions and orders, and what is missing of it."""

    positions: int = 0
    orders: int = 0
    missing: str = ""


def _positions(view: AccountView) -> dict[str, _Exposure]:
    worths: dict[str, int] = {}
    missing: dict[str, str] = {}
    for held in view.held:
        worths[held.currency] = worths.get(held.currency, 0) + (held.worth_sat or 0)
        if held.worth_sat is None:
            missing[held.currency] = _lacks(view, held)
    return {
        currency: _Exposure(positions=worth, missing=missing.get(currency, "")) for currency, worth in worths.items()
    }


def _lacks(view: AccountView, held: Held) -> str:
    return f"{held.symbol}: {lacks(view, held)}"


def _orders(view: AccountView) -> Iterator[tuple[str, int]]:
    """Worth of the open orders that may add exposure, where it can be told."""
    for symbol in view.state.adding:
        instrument = view.state.instruments.get(symbol)
        if instrument is None or not is_usable(instrument):
            continue
        for known in view.state.orders.get(symbol, {}).values():
            if may_add_exposure(known.order):
                yield instrument.settlement_currency, _order_sat(view, instrument, known.order)


def _order_sat(view: AccountView, instrument: Instrument, order: Order) -> int:
    mark = view.state.marks.get(order.symbol)
    prices = (order.price, order.stop_price, None if mark is None else mark.price)
    price = next((each for each in prices if each is not None and is_price(each)), None)
    return 0 if price is None else abs(value_sat(instrument, order.leaves_quantity, price))


def _judge(view: AccountView, currency: str, found: _Exposure, policy: TotalExposurePolicy) -> Verdict | None:
    if currency not in view.equities:
        return unknown(no_equity(view, currency), currency)
    equity = view.equities[currency]
    multiple = Decimal(found.positions + found.orders) / max(1, equity)
    level = standing(multiple, policy.equity_multiple, at_limit=False)
    # What is known may be over the limit already; within it nothing is said while a part is not known.
    if found.missing and level is not Level.OVER:
        return unknown(found.missing, currency)
    return None if level is None else _verdict(currency, level, found, equity, policy)


def _verdict(currency: str, level: Level, found: _Exposure, equity: int, policy: TotalExposurePolicy) -> Verdict:
    positions, orders = found.positions, found.orders
    whole = positions + orders
    excess = whole - int(max(0, equity) * policy.equity_multiple * CLEAR_AT)
    with_orders = f", {money(orders, currency)} of that in open orders" if orders else ""
    return Verdict(
        level=level,
        subject=currency,
        text=f"positions are worth {money(whole, currency)}{with_orders}, {Decimal(whole) / max(1, equity):.2f} times"
        f" the equity of {money(equity, currency)}, the limit is {plain(policy.equity_multiple)} times",
        advice=f"reduce by {money(max(0, excess), currency)}",
        facts=(("exposure", whole), ("orders", orders), ("equity", equity), ("limit", policy.equity_multiple)),
        remedy=Remedy(kind=RemedyKind.TRIM, currency=currency, excess_sat=min(excess, positions))
        if positions and excess > 0
        else None,
    )
