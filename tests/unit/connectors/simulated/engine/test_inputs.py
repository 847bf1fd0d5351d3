"""Inputs as journal lines."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from connectors.simulated.engine.inputs import (
    CancelAll,
    CancelOrders,
    Input,
    OpenAccount,
    PassTime,
    PlaceOrder,
    SetLeverage,
    SetPrices,
    decode,
    encode,
)
from tests.unit.connectors.simulated.engine.desk import prices


@pytest.mark.parametrize(
    "value",
    [
        OpenAccount(account=1, balances={"XBt": 1}),
        PlaceOrder(account=1, symbol="XBTUSD", price=Decimal("44047.299999999996"), text="two\nlines"),
        CancelOrders(account=1, order_ids=("a", "b")),
        CancelAll(account=1, order_ids=()),
        SetLeverage(account=1, symbol="XBTUSD", leverage=Decimal("3.3")),
        SetPrices(tape_ms=1, prices=(prices(low=1, high=2, funding_rate="0.0001"),)),
        PassTime(),
    ],
)
def test_written_and_read_back(value: Input) -> None:
    """Every kind survives the journal exactly, on one line."""
    line = encode(value)
    assert b"\n" not in line
    assert decode(line) == value


def test_damaged_lines_are_errors() -> None:
    """A torn or foreign line is refused, never guessed at."""
    for line in (encode(PassTime())[:-2], b'{"type":"Unheard"}', b"[]"):
        with pytest.raises(msgspec.DecodeError):
            decode(line)
