"""Answers that are not the door's: of a venue that is overloaded, limits or refuses, and of what stands before it.

Source: www.bitmex.com/app/restAPI (overload, limits); pages of load balancers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random

from connectors.simulated.server.fates import Reply, gateway_page
from tests.simulation.faults import RequestFate

_GATEWAY = (502, 503, 504, 520, 530)
MAINTENANCE_TEXT = "The system is currently undergoing maintenance. Please try again later."
_LIMITED = "Rate limit exceeded"


def page(status: int) -> Reply:
    """Return a page of somebody in between, whatever its status."""
    shown = gateway_page(502)
    return Reply(status=status, body=shown.body, content_type=shown.content_type)


def _error(status: int, message: str, *, name: str = "HTTPError", headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps({"error": {"message": message, "name": name}}).encode()
    return Reply(status=status, body=body, headers=headers or {})


def _limited(random: Random) -> Reply:
    seconds = random.randint(1, 8)
    text = f"{_LIMITED}, retry in {seconds} seconds."
    return _error(429, text, name="RateLimitError", headers={"retry-after": str(seconds)})


CANNED: Mapping[RequestFate, Callable[[Random], Reply]] = {
    RequestFate.OVERLOADED: lambda _: _error(503, "The system is currently overloaded. Please try again later."),
    RequestFate.MAINTENANCE: lambda _: _error(503, MAINTENANCE_TEXT),
    RequestFate.REFUSED: lambda _: _error(400, "Order could not be accepted"),
    RequestFate.BROKEN: lambda _: _error(500, "Internal Server Error"),
    RequestFate.GATEWAY: lambda random: gateway_page(random.choice(_GATEWAY)),
    RequestFate.FORBIDDEN: lambda _: gateway_page(403),
    RequestFate.LIMITED: _limited,
    RequestFate.LIMITED_BARE: lambda _: _error(429, _LIMITED, name="RateLimitError"),
}
"""What a request gets that is turned back on its way."""
