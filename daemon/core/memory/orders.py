"""Life of a request that changes something at the venue (P5).

    IN_FLIGHT ──answered open──> SUBMITTED ──seen──> settled
        │                            │
        │ unanswered, duplicate      │ not seen in time
        v                            v
     UNKNOWN <───────────────────────┘
        │  asked by client order id: found ──> settled by what was found
        └─ not found ──> settled; the same id may be sent again (and it may exist all the same: see `outcomes.py`)

Why: an HTTP 200 alone is *submitted*; a time-out is neither success nor failure. So a write stays open, and blocks the
next one of its kind for that position, until the order stream or a query says what became of it. A settled write is
forgotten; the orders it left behind stand in the order book of the view.

Pure table; effects are worked out by `answers.py` and `stops.py`.
"""

from __future__ import annotations

from enum import Enum

from daemon.core.errors import InvariantBroken


class WriteKind(Enum):
    """What a write asks the venue to do."""

    PLACE = "place"
    AMEND = "amend"
    CANCEL = "cancel"
    REDUCE = "reduce"
    TAKE = "take"
    """Place a take-profit order."""
    DROP = "drop"
    """Cancel one."""


class WriteState(Enum):
    """How much is known of a write's outcome."""

    IN_FLIGHT = "in_flight"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    SETTLED = "settled"


class WriteInput(Enum):
    """News about a write."""

    ANSWERED_OPEN = "answered_open"
    """Answered with a row that can still do something."""
    ANSWERED_FINAL = "answered_final"
    """Answered with a row that is finished, or with the word that nothing was there."""
    SEEN = "seen"
    """The order stream or a query shows the effect."""
    DUPLICATE = "duplicate"
    """Refused because the id was used: by whom, has to be asked."""
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNANSWERED = "unanswered"
    LATE = "late"
    """No answer, or no confirmation, within the stated time; or the process that waited for it is gone."""
    FOUND = "found"
    """A query by client order id found the order."""
    NOT_FOUND = "not_found"


_SETTLING = (
    WriteInput.ANSWERED_FINAL,
    WriteInput.SEEN,
    WriteInput.REFUSED,
    WriteInput.NOT_SENT,
)

TABLE: dict[tuple[WriteState, WriteInput], WriteState] = (
    {(state, news): WriteState.SETTLED for state in WriteState for news in _SETTLING}
    | {
        (WriteState.IN_FLIGHT, WriteInput.ANSWERED_OPEN): WriteState.SUBMITTED,
        (WriteState.SUBMITTED, WriteInput.ANSWERED_OPEN): WriteState.SUBMITTED,
        (WriteState.UNKNOWN, WriteInput.ANSWERED_OPEN): WriteState.SUBMITTED,
        (WriteState.UNKNOWN, WriteInput.FOUND): WriteState.SETTLED,
        (WriteState.UNKNOWN, WriteInput.NOT_FOUND): WriteState.SETTLED,
        # A question asked about something else may find a write that nobody doubts: that is a sighting.
        (WriteState.IN_FLIGHT, WriteInput.FOUND): WriteState.SETTLED,
        (WriteState.SUBMITTED, WriteInput.FOUND): WriteState.SETTLED,
        # It may still be on its way: not being found yet says nothing.
        (WriteState.IN_FLIGHT, WriteInput.NOT_FOUND): WriteState.IN_FLIGHT,
        # It was answered, and now nobody knows it: treat as never there.
        (WriteState.SUBMITTED, WriteInput.NOT_FOUND): WriteState.SETTLED,
    }
    | {
        (state, news): WriteState.UNKNOWN
        for state in (WriteState.IN_FLIGHT, WriteState.SUBMITTED, WriteState.UNKNOWN)
        for news in (WriteInput.UNANSWERED, WriteInput.DUPLICATE, WriteInput.LATE)
    }
)


def next_state(state: WriteState, news: WriteInput) -> WriteState:
    """The state after `news`.

    Raises:
        InvariantBroken: For news about a settled write: it was forgotten and can get none.
    """
    try:
        return TABLE[state, news]
    except KeyError:
        raise InvariantBroken(f"{news} cannot happen to a write that is {state}") from None
