"""The REST calls that are used, each with what a budget and an error mapper must know about it.

Why: paths stand once. Whether a call may be repeated, who may spend the reserve on it and which buckets it draws on are
facts of the call, not of the place that sends it.

Source: www.bitmex.com/api/explorer, www.bitmex.com/app/restAPI (limits).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One call of the venue."""

    verb: str
    path: str
    is_write: bool = False
    """A lost answer leaves the outcome unknown; never repeated by itself."""
    is_protective: bool = False
    """May spend the reserve of the request budget."""
    is_sparing: bool = False
    """Protective, but only the first half of the reserve: a bot that never stops must not use up what stops need."""
    is_limited_by_second: bool = False
    """Draws on the bucket of ten a second too."""
    is_signed: bool = True
    """Unsigned calls count against the address, not the account."""


PLACE_ORDER: Final = Endpoint(
    verb="POST", path="/api/v1/order", is_write=True, is_protective=True, is_limited_by_second=True
)
PLACE_PROFIT: Final = Endpoint(verb="POST", path="/api/v1/order", is_write=True, is_limited_by_second=True)
"""An order that protects nothing: it leaves the reserve alone."""
AMEND_ORDER: Final = Endpoint(
    verb="PUT", path="/api/v1/order", is_write=True, is_protective=True, is_limited_by_second=True
)
CANCEL_ORDER: Final = Endpoint(
    verb="DELETE", path="/api/v1/order", is_write=True, is_protective=True, is_limited_by_second=True
)
CANCEL_OTHERS: Final = Endpoint(
    verb="DELETE", path="/api/v1/order", is_write=True, is_protective=True, is_sparing=True, is_limited_by_second=True
)
"""Many orders of others in one request, which costs as much as one."""
TRANSFER_MARGIN: Final = Endpoint(
    verb="POST", path="/api/v1/position/transferMargin", is_write=True, is_protective=True, is_limited_by_second=True
)
SET_LEVERAGE: Final = Endpoint(verb="POST", path="/api/v1/position/leverage", is_write=True, is_limited_by_second=True)
ISOLATE: Final = Endpoint(verb="POST", path="/api/v1/position/isolate", is_write=True, is_limited_by_second=True)
CANCEL_ALL_AFTER: Final = Endpoint(verb="POST", path="/api/v1/order/cancelAllAfter", is_write=True, is_protective=True)
ASK_ORDERS: Final = Endpoint(verb="GET", path="/api/v1/order", is_protective=True)
"""Asking what became of a request. Without the answer nothing may be sent again, so it belongs to the protection."""
LIST_ORDERS: Final = Endpoint(verb="GET", path="/api/v1/order")
LIST_POSITIONS: Final = Endpoint(verb="GET", path="/api/v1/position")
LIST_MARGINS: Final = Endpoint(verb="GET", path="/api/v1/user/margin")
LIST_INSTRUMENTS: Final = Endpoint(verb="GET", path="/api/v1/instrument/active")
LIST_KEYS: Final = Endpoint(verb="GET", path="/api/v1/apiKey")
VENUE_CLOCK: Final = Endpoint(verb="GET", path="/api/v1", is_signed=False)
"""Unsigned, because a signature made with a clock that is off is refused, and this call is how one finds out."""

REALTIME_PATH: Final = "/realtime"
"""What a WebSocket sign-in signs, whatever the address looks like."""
