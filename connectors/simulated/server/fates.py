"""What may befall a request between the door and its handler, and which requests overload sheds.

Why: a client has to survive answers that are lost, late, doubled, torn or another server's. The door
asks one object about each request that has passed its checks, and does what that object says; it
knows nothing of scenarios or of the control API. Without such an object nothing is asked.

Units: `_ms` are milliseconds, of real time where the door waits.
Source: www.bitmex.com/app/restAPI, overload; status pages of load balancers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.params import Params

JSON_TYPE = "application/json; charset=utf-8"
_HTML_TYPE = "text/html"
_GATEWAY_NAMES = {
    403: "Forbidden",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
    530: "530",
}
_SHED_GROUPS = {
    "Order": "new amend newBulk amendBulk closePosition",
    "Position": "updateLeverage updateCrossLeverage isolateMargin updateRiskLimit transferIsolatedMargin",
    "User": "updateMarginingMode updatePositionMode",
}
_SHED = frozenset(f"{group}.{name}" for group, names in _SHED_GROUPS.items() for name in names.split())


class Ending(Enum):
    """How an answer leaves."""

    WHOLE = "whole"
    LOST = "lost"  # the connection is closed without a byte of it
    RESET = "reset"  # the connection is reset without a byte of it
    TORN = "torn"  # the connection is closed in the middle of it
    HANG = "hang"  # nothing comes, and the connection stays open until the client ends it
    TWICE = "twice"  # it comes once more, unasked


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        body: Exact bytes.
        content_type: Of the body.
        headers: Further ones, names in lower case.
    """

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A request that has passed the door's checks and not yet reached its handler.

    Attributes:
        verb: In capitals.
        path: Without the query, from `/api/v1` on.
        operation: The venue's name of the endpoint, such as `Order.new`.
        address: Where it came from.
        account: Who signed it, None if nobody did.
        key_id: With which key.
        params: Its fields.
        now_ms: Protocol time of arrival.
    """

    verb: str
    path: str
    operation: str
    address: str
    account: int | None
    key_id: str | None
    params: Params
    now_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """What becomes of a request; the defaults change nothing.

    Attributes:
        reply: Answered instead of carrying it out; the budget's headers are added.
        cover: Answered in place of what carrying it out would say.
        is_overloaded: Refuse it with 503 if overload sheds requests of its kind.
        times: How often it is carried out, 0 for not at all (without an answer then); the first answer is sent.
        rewrite: From the handler's answer, as a value, to what is sent.
        wait_before_ms: Before it is carried out.
        wait_after_ms: Between that and the answer.
        ending: How the answer leaves.
    """

    reply: Reply | None = None
    cover: Reply | None = None
    is_overloaded: bool = False
    times: int = 1
    rewrite: Callable[[object], object] | None = None
    wait_before_ms: int = 0
    wait_after_ms: int = 0
    ending: Ending = Ending.WHOLE


AS_USUAL = Fate()


def is_shed(arrival: Arrival) -> bool:
    """Return whether overload refuses this request at the door.

    Cancels and reads pass, and so does a single `Close` order without a quantity: it can only reduce risk.
    """
    if arrival.operation not in _SHED:
        return False
    is_close = arrival.operation == "Order.new" and "Close" in arrival.params.names("execInst")
    return not (is_close and not arrival.params.has("orderQty"))


def overloaded() -> Refused:
    """Return the refusal of a request that was shed: it has changed nothing and may be repeated."""
    return Refused("The system is currently overloaded. Please try again later.", status=503)


def gateway_page(status: int) -> Reply:
    """Return a load balancer's HTML page, which says nothing about what became of the request."""
    title = f"{status} {_GATEWAY_NAMES.get(status, 'Error')}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Reply(status=status, body=page.encode(), content_type=_HTML_TYPE)
