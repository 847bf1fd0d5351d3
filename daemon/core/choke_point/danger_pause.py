"""The choke point's rule about pauses (P1): did a person ask for this, while the guard is paused?

Written apart from `quiet.py`, by which the commands are made, so that each checks the other. In shadow nothing leaves
but reads and the disarming of the switch.
"""

from __future__ import annotations

from daemon.core.commands import (
    AmendStop,
    CancelOrder,
    CancelOrders,
    FeedSwitch,
    PlaceStop,
    ReduceAtMarket,
    VenueCommand,
)
from daemon.core.memory.interventions import LatchKind, PauseKind
from daemon.core.mode import Mode
from daemon.core.state import GuardState

_BY_A_PERSON = {"operator": LatchKind.FREEZE, "operator-flatten": LatchKind.FLATTEN}


def pause_refusal(command: VenueCommand, state: GuardState) -> str | None:
    """Say why a command that changes something must not leave while the guard is paused; None if it may."""
    pause = state.pause
    if pause is None:
        return None
    if pause.kind is PauseKind.SHADOW:
        return "in shadow"
    match command:
        case FeedSwitch():
            return "the switch is not fed while the guard is paused"
        case CancelOrders(orders=orders):
            is_asked = all(_latched(state, each.symbol, LatchKind.FREEZE, LatchKind.FLATTEN) for each in orders)
        case CancelOrder(key=key):
            at_stop = state.mode is Mode.STOPPING
            is_asked = at_stop or _priced(state, key.symbol) or _latched(state, key.symbol, LatchKind.FLATTEN)
        case PlaceStop(key=key) | AmendStop(key=key):
            is_asked = _priced(state, key.symbol) or _latched(state, key.symbol, LatchKind.FLATTEN)
        case ReduceAtMarket(key=key):
            is_asked = _latched(state, key.symbol, LatchKind.FLATTEN)
        case _:
            is_asked = False
    return None if is_asked else "the guard is paused, and no person asked for it"


def _priced(state: GuardState, symbol: str) -> bool:
    """A person gave the stop of the position that is open now a price, in this pause."""
    asked_for = () if state.pause is None else state.pause.stops
    return symbol in asked_for and symbol in state.positions and state.positions[symbol].episode.given is not None


def _latched(state: GuardState, symbol: str, *kinds: LatchKind) -> bool:
    return any(
        latch.kind in kinds and _BY_A_PERSON.get(latch.name) is latch.kind and latch.concerns(symbol)
        for latch in state.latches.values()
    )
