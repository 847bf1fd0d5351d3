"""Which stop a position asks for: the rules' trigger, the ratchet, and what to do when first seen too late.

Why here: everything that moves a trigger is in one place, so that P3 (never looser within an episode) can be read off:
the result is the rules' trigger or the ratchet, whichever is nearer the mark. The one exception is a position that was
first seen already through its trigger, at the start or after a change of policy: with `on_start_breach = "alert"` a
nearest valid stop stands in, half way between mark and liquidation, until the mark comes back.

Units: prices in quote currency, on the tick grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.policy import StartBreach, StopStyle
from connectors.vocabulary import Instrument, Side
from daemon.core.contracts import tick_toward_mark
from daemon.core.draft import Draft
from daemon.core.marks import UsableMark, is_through, nearer, usable_mark
from daemon.core.state import Guarded, GuardState, Need, Standing
from daemon.core.stop_rules import RuleInput, liquidation_buffer, ruled_trigger

STEP_AHEAD: Final = Decimal("0.05")
"""A stop that has to be tightened goes this share of its buffer farther, so that a liquidation price that creeps
(cross margin) does not cost a request per tick."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """The cover that a position asks for."""

    need: Need
    trigger: Decimal | None = None
    """Where the stop belongs, ratchet included. None unless there is such a place."""
    ruled: Decimal | None = None
    """What the rules alone ask for."""
    in_breach: bool = False


def work_out(view: Draft | GuardState, guarded: Guarded) -> Wanted:
    """Say which stop an open position asks for now."""
    side = guarded.position.side
    if side is None or guarded.liquidation.standing is Standing.NOT_IN_RANGE:
        return Wanted(need=Need.NOTHING)
    symbol = guarded.position.key.symbol
    instrument, price = view.instruments.get(symbol), guarded.liquidation.price
    if instrument is None or price is None:
        return Wanted(need=Need.UNKNOWN, trigger=guarded.ratchet)
    ruled = _ruled(view, guarded, side, price, instrument)
    if ruled is None:
        return Wanted(need=Need.UNKNOWN, trigger=guarded.ratchet)
    mark = usable_mark(view, symbol)
    if _is_breach(view, guarded, ruled, mark, side) and mark is not None:
        return _in_breach(view, guarded, ruled, mark.price, instrument)
    trigger = ruled if guarded.ratchet is None else nearer(side, ruled, guarded.ratchet)
    return Wanted(need=Need.STOP, trigger=trigger, ruled=ruled)


def _ruled(
    view: Draft | GuardState, guarded: Guarded, side: Side, price: Decimal, instrument: Instrument
) -> Decimal | None:
    given = RuleInput(
        side=side,
        liquidation_price=price,
        entry_price=guarded.position.entry_price,
        policy=view.policy.stop,
    )
    trigger = ruled_trigger(given)
    if trigger is None:
        return None
    on_tick = tick_toward_mark(trigger, instrument.tick_size, side)
    return on_tick if 0 < on_tick < instrument.max_price else None


def _is_breach(view: Draft | GuardState, guarded: Guarded, ruled: Decimal, mark: UsableMark | None, side: Side) -> bool:
    alerts_only = view.policy.stop.on_start_breach is StartBreach.ALERT
    return guarded.is_from_start and alerts_only and mark is not None and is_through(side, ruled, mark.price)


def _in_breach(
    view: Draft | GuardState, guarded: Guarded, ruled: Decimal, mark: Decimal, instrument: Instrument
) -> Wanted:
    """First seen too late: keep what rests, or rest the nearest valid stop."""
    if guarded.ratchet is not None:
        return Wanted(need=Need.STOP, trigger=guarded.ratchet, ruled=ruled, in_breach=True)
    stand_in = _stand_in(view, guarded, mark, instrument)
    if stand_in is None:
        return Wanted(need=Need.WORTHLESS, ruled=ruled, in_breach=True)
    return Wanted(need=Need.STOP, trigger=stand_in, ruled=ruled, in_breach=True)


def _stand_in(view: Draft | GuardState, guarded: Guarded, mark: Decimal, instrument: Instrument) -> Decimal | None:
    """Half way between mark and liquidation, but beyond the floor; None where no room is left."""
    side, price = guarded.position.side, guarded.liquidation.price
    if side is None or price is None or is_through(side, price, mark):
        return None
    floor = price + side.sign * liquidation_buffer.floor(price, view.policy.stop)
    trigger = tick_toward_mark(nearer(side, (mark + price) / 2, floor), instrument.tick_size, side)
    return None if is_through(side, trigger, mark) else trigger


def stepped(view: Draft | GuardState, guarded: Guarded, trigger: Decimal) -> Decimal:
    """The trigger to ask for when a resting stop has to be tightened: a little ahead of what is wanted."""
    side, price = guarded.position.side, guarded.liquidation.price
    instrument = view.instruments.get(guarded.position.key.symbol)
    mark = usable_mark(view, guarded.position.key.symbol)
    if side is None or price is None or instrument is None or guarded.ratchet == trigger:
        return trigger
    ahead = tick_toward_mark(trigger + STEP_AHEAD * (trigger - price), instrument.tick_size, side)
    if ahead >= instrument.max_price or is_looser_or_equal(side, ahead, trigger):
        return trigger
    return trigger if mark is not None and is_through(side, ahead, mark.price) else ahead


def is_looser_or_equal(side: Side, one: Decimal, than: Decimal) -> bool:
    """Whether a trigger is not nearer to the mark than another."""
    return one <= than if side is Side.LONG else one >= than


def wanted_quantity(view: Draft | GuardState, guarded: Guarded) -> int | None:
    """Contracts of the stop; None for a Close stop: by policy, or where one order cannot hold the position."""
    amount = abs(guarded.position.quantity)
    instrument = view.instruments.get(guarded.position.key.symbol)
    if view.policy.stop.style is StopStyle.CLOSE:
        return None
    if instrument is not None and 0 < instrument.max_order_quantity < amount:
        return None
    return amount
