"""The states of one WebSocket connection and the inputs that move it, as one table.

Why: every move that a session makes is in this table; whatever is not in it is a fault of ours and raises.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class State(Enum):
    """Where the connection stands."""

    CONNECTING = "connecting"
    AUTHENTICATING = "authenticating"
    SUBSCRIBING = "subscribing"
    LIVE = "live"
    LOST = "lost"


class Input(Enum):
    """What moves it."""

    OPENED_PUBLIC = "opened_public"
    OPENED_PRIVATE = "opened_private"
    SIGNED_IN = "signed_in"
    COMPLETED = "completed"
    BROKE = "broke"


TRANSITIONS: Final[dict[tuple[State, Input], State]] = {
    (State.CONNECTING, Input.OPENED_PUBLIC): State.SUBSCRIBING,
    (State.CONNECTING, Input.OPENED_PRIVATE): State.AUTHENTICATING,
    (State.CONNECTING, Input.BROKE): State.LOST,
    (State.AUTHENTICATING, Input.SIGNED_IN): State.SUBSCRIBING,
    (State.AUTHENTICATING, Input.BROKE): State.LOST,
    (State.SUBSCRIBING, Input.COMPLETED): State.LIVE,
    (State.SUBSCRIBING, Input.BROKE): State.LOST,
    (State.LIVE, Input.BROKE): State.LOST,
}


class IllegalTransition(Exception):
    """An input that the state does not have. Nothing has changed."""


def transition(state: State, given: Input) -> State:
    """Return the state that follows.

    Raises:
        IllegalTransition: If the pair is not in the table.
    """
    try:
        return TRANSITIONS[state, given]
    except KeyError:
        raise IllegalTransition(f"{given.value} while {state.value}") from None
