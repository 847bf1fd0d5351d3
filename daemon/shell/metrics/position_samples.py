"""The figures of each open position: from the immutable state to samples, one position at a time. It only reads.

What is not known gives no sample, and a position that is closed gives none: its series go away.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from config.policy import Tier
from daemon.core.market.distance import RISING, distance
from daemon.core.protecting import protection
from daemon.core.protecting.protection import Stage
from daemon.core.state import Guarded, GuardState
from daemon.shell.metrics import catalogue as c
from daemon.shell.metrics.samples import Sample

MOST_SYMBOLS: Final = 1_000
"""So many positions are told one by one; what is beyond is counted only."""
_TIERS: Final = {tier: number for number, tier in enumerate((Tier.CALM, *RISING))}


def open_symbols(state: GuardState) -> list[str]:
    """Return the symbols of the positions that are open, in order."""
    return sorted(symbol for symbol, guarded in state.positions.items() if guarded.position.quantity)


def of_position(state: GuardState, symbol: str, now_ns: int) -> Iterator[Sample]:
    """One open position."""
    guarded = state.positions[symbol]
    labels = (symbol,)
    yield Sample(c.CONTRACTS, labels, guarded.position.quantity)
    yield Sample(c.TIER, labels, _TIERS[guarded.tier])
    yield from _of_prices(state, guarded, labels, now_ns)
    stage = protection.stage(state, guarded)
    for each in Stage:
        yield Sample(c.STOP_STATE, (symbol, each.value), each is stage)
    if stage is not Stage.NOT_NEEDED:
        since_ns = 0 if stage is Stage.PROVED else guarded.uncovered_ns
        yield Sample(c.NAKED, labels, max(0, now_ns - since_ns) / 1e9 if since_ns else 0)


def _of_prices(state: GuardState, guarded: Guarded, labels: tuple[str], now_ns: int) -> Iterator[Sample]:
    mark = state.marks.get(labels[0])
    if guarded.liquidation.price is not None:
        yield Sample(c.LIQUIDATION_PRICE, labels, float(guarded.liquidation.price))
    triggers = [each.trigger for each in protection.proof(state, guarded)]
    if mark is not None:
        yield Sample(c.MARK_PRICE, labels, float(mark.price))
        yield Sample(c.MARK_AGE, labels, max(0, now_ns - mark.at_ns) / 1e9)
        if triggers:
            yield Sample(c.STOP_PRICE, labels, float(min(triggers, key=lambda price: abs(price - mark.price))))
    far = distance(state, guarded, None if mark is None else mark.price)
    if far is None:
        return
    yield Sample(c.DISTANCE_RATIO, labels, float(far.percent) / 100)
    if far.multiples is not None and far.probability is not None:
        yield Sample(c.DISTANCE_VOLATILITIES, labels, float(far.multiples))
        yield Sample(c.TOUCH_PROBABILITY, labels, float(far.probability))


def stage_of(state: GuardState, symbol: str) -> Stage:
    """How far a position is from being proved covered."""
    return protection.stage(state, state.positions[symbol])
