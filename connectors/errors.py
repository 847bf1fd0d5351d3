"""The four ways a request to a venue can fail, named by what the caller may do next.

    VenueError
    ├── Rejected         the venue said no; final, nothing happened
    │   └── DuplicateClientOrderId   an order with this id exists, or did: ask what became of it
    ├── Unavailable      known not to have been carried out; may be sent again after `retry_after_s`
    ├── OutcomeUnknown   sent, unanswered: ask by client order id before anything else
    └── Misconfigured    needs a human (key, right, address, clock); never retried

An adapter maps every lower-level exception to one of these once, at its edge, with `raise ... from`.
"""

from __future__ import annotations


class VenueError(Exception):
    """Base of the four. `reason` is the venue's own text where it gave one, free of secrets."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Rejected(VenueError):
    """The venue refused: the request was understood and nothing was done."""


class DuplicateClientOrderId(Rejected):
    """The client order id has been used: the order was placed before, by us, and may be in any state by now."""


class Unavailable(VenueError):
    """The request is known not to have been carried out (rate limit, no connection made, an overloaded read).

    `is_limit`: because the request budget is used up, or the venue says that it is (rate limit, ban).
    """

    def __init__(
        self, reason: str, *, status: int | None = None, retry_after_s: float = 0.5, is_limit: bool = False
    ) -> None:
        super().__init__(reason, status=status)
        self.retry_after_s = retry_after_s
        self.is_limit = is_limit


class OutcomeUnknown(VenueError):
    """The request left and no verdict came back: it may or may not have been carried out."""


class Misconfigured(VenueError):
    """Something only a person can mend: a wrong key, a missing right, a wrong address, a clock that is off."""
