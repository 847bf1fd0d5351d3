"""Single orders: trigger directions, averages, numbers on the wire."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.contracts import ETHUSD, XBTUSD
from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.engine.resting.orders import Order, Status, is_crossed, tidy
from connectors.simulated.engine.trading.order_checks import draft


def an_order(symbol: str = "XBTUSD", **fields: object) -> Order:
    """Return a drafted market order of 300 contracts unless fields say otherwise."""
    contract = {"XBTUSD": XBTUSD, "ETHUSD": ETHUSD}[symbol]
    request = PlaceOrder(**({"account": 1, "symbol": symbol, "order_qty": 300} | fields))  # type: ignore[arg-type]
    return draft(request, contract, held=0)


@pytest.mark.parametrize(
    ("side", "ord_type", "below", "above"),
    [
        ("Sell", "Stop", True, False),
        ("Buy", "Stop", False, True),
        ("Sell", "MarketIfTouched", False, True),
        ("Buy", "MarketIfTouched", True, False),
    ],
)
def test_direction_of_triggers(side: str, ord_type: str, below: bool, above: bool) -> None:
    """Each kind fires on its side of the trigger only, and on it when equality counts."""
    order = an_order(side=side, ord_type=ord_type, stop_px=Decimal(100))
    assert is_crossed(order, Decimal(99), at_equality=True) is below
    assert is_crossed(order, Decimal(101), at_equality=True) is above
    assert is_crossed(order, Decimal(100), at_equality=True)
    assert not is_crossed(order, Decimal(100), at_equality=False)


def test_average_price_of_an_inverse_order_is_harmonic() -> None:
    """Equal contracts at 40,000 and 60,000 average to 48,000 on an inverse, to the middle otherwise."""
    for symbol, low, high, average in (("XBTUSD", 40_000, 60_000, 48_000), ("ETHUSD", 2_000, 3_000, 2_500)):
        order = an_order(symbol, order_qty=200)
        order.record_fill(100, Decimal(low))
        assert (order.average_price, order.status) == (low, Status.PARTIALLY_FILLED)
        order.record_fill(100, Decimal(high))
        assert (order.average_price, order.status, order.leaves) == (average, Status.FILLED, 0)


@pytest.mark.parametrize(
    ("value", "shown"), [("50000.5000", "50000.5"), ("5E+4", "50000"), ("-0.0000", "0"), ("0.00010", "0.0001")]
)
def test_numbers_are_written_plainly(value: str, shown: str) -> None:
    """No trailing zeros, no exponent, no negative zero."""
    assert str(tidy(Decimal(value))) == shown
