"""Whether the guard may act at the moment: not while it only observes, and not on its own account while it is paused.

Observing, by the settings or as a shadow for a time, nothing leaves at all. Paused, only what a person asked for does:
a position that is to be closed (`seawall flatten`) is closed, its stop tended meanwhile and cleared up afterwards; a
stop that was given a price since the pause began is brought there; a freeze is enforced.
What is never held back is reading,
judging, telling, and the disarming of the dead man's switch (see `pausing.py`).

The choke point asks the same in its own words (`danger_pause.py`).
"""

from __future__ import annotations

from daemon.core.draft import Draft
from daemon.core.memory.interventions import Latch, LatchKind, PauseKind
from daemon.core.memory.latch_names import OPERATOR, OPERATOR_FLATTEN
from daemon.core.state import GuardState


def sends_nothing(view: Draft | GuardState) -> bool:
    """Whether nothing that changes anything leaves, whoever asks: observing, or in shadow."""
    return view.policy.observe or (view.pause is not None and view.pause.kind is PauseKind.SHADOW)


def is_quiet(view: Draft | GuardState) -> bool:
    """Whether the guard does nothing of its own."""
    return view.policy.observe or view.pause is not None


def is_carried_out(view: Draft | GuardState, latch: Latch) -> bool:
    """Whether what a latch asks for is done now, and not only remembered."""
    return not is_quiet(view) or (not sends_nothing(view) and latch.name in {OPERATOR, OPERATOR_FLATTEN})


def may_close(view: Draft | GuardState, symbol: str) -> bool:
    """Whether a symbol that a latch wants flat is closed now: while paused, only if a person asked for it."""
    latches = [latch for latch in view.latches.values() if latch.kind is LatchKind.FLATTEN and latch.concerns(symbol)]
    return any(is_carried_out(view, latch) for latch in latches)


def is_held(view: Draft | GuardState, symbol: str) -> bool:
    """Whether the stop of a symbol is left as it is."""
    if not is_quiet(view):
        return False
    return not _is_given(view, symbol) and not may_close(view, symbol)


def _is_given(view: Draft | GuardState, symbol: str) -> bool:
    """Whether a person gave this stop its price since the pause began; of another position nobody spoke."""
    if view.pause is None or sends_nothing(view) or symbol not in view.pause.stops:
        return False
    guarded = view.positions.get(symbol)
    return guarded is not None and guarded.episode.given is not None


def words(view: Draft | GuardState) -> str:
    """Why nothing is done, for people: "paused", or "observing only"."""
    return "observing only" if sends_nothing(view) else "paused"
