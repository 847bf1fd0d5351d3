"""Which requests overload sheds, and the pages of front-ends."""

from __future__ import annotations

import pytest

from connectors.simulated.server.fates import Arrival, gateway_page, is_shed
from connectors.simulated.server.params import Params


def arrival(operation: str, **fields: object) -> Arrival:
    """Return a signed request of this kind."""
    return Arrival(
        verb="POST",
        path="/api/v1/order",
        operation=operation,
        address="127.0.0.1",
        account=1,
        key_id="k",
        params=Params(fields),
        now_ms=0,
    )


@pytest.mark.parametrize(
    ("operation", "fields", "shed"),
    [
        ("Order.new", {"orderQty": 100}, True),
        ("Order.new", {"execInst": "Close"}, False),
        ("Order.new", {"execInst": "MarkPrice,Close", "stopPx": 5}, False),
        ("Order.new", {"execInst": ["Close"]}, False),
        ("Order.new", {"execInst": "Close", "orderQty": 100}, True),
        ("Order.new", {"execInst": "ReduceOnly"}, True),
        ("Order.amend", {"execInst": "Close"}, True),
        ("Order.newBulk", {"orders": []}, True),
        ("Order.closePosition", {}, True),
        ("Order.cancel", {}, False),
        ("Order.cancelAll", {}, False),
        ("Order.cancelAllAfter", {}, False),
        ("Order.getOrders", {}, False),
        ("Position.updateLeverage", {}, True),
        ("Position.isolateMargin", {}, True),
        ("Position.updateRiskLimit", {}, True),
        ("Position.transferIsolatedMargin", {}, True),
        ("User.getMargin", {}, False),
    ],
)
def test_what_overload_sheds(operation: str, fields: dict[str, object], shed: bool) -> None:
    """New orders, amends and changes of margin; never cancels, reads, or a Close without a quantity."""
    assert is_shed(arrival(operation, **fields)) is shed


def test_pages_that_say_nothing_about_the_outcome() -> None:
    """A gateway answers in HTML."""
    page = gateway_page(502)
    assert (page.status, page.content_type) == (502, "text/html")
    assert b"502 Bad Gateway" in page.body
    assert b"<title>403 Forbidden</title>" in gateway_page(403).body  # what a ban looks like
