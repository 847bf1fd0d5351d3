"""Rows of what surrounds the positions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.bitmex.protocol.numbers import MalformedRow
from connectors.bitmex.protocol.parse_inputs import parse_insurance, parse_liquidation, parse_wallet
from connectors.vocabulary import OrderSide
from tests.unit.connectors.bitmex.bitmex_builders import INSURANCE_ROW, LIQUIDATION_ROW, WALLET_ROW, exact


def test_wallet_of_2019() -> None:
    """Everything in less everything out; the booked balance beside it."""
    wallet = parse_wallet(exact(WALLET_ROW))
    assert wallet.transfers_sat == 104_527_994 + 1_000_000 - 500 - 70
    assert (wallet.account, wallet.currency, wallet.amount_sat) == (273093, "XBt", 105_528_012)
    assert wallet.timestamp_ns == 1_549_368_000_705_000_000


@pytest.mark.parametrize("column", ["deposited", "withdrawn", "transferIn", "transferOut"])
def test_a_movement_that_is_not_told_is_not_zero(column: str) -> None:
    """One column missing: a withdrawal read as nothing would look like a loss, so nothing is said."""
    row = {name: cell for name, cell in WALLET_ROW.items() if name != column}
    assert parse_wallet(exact(row)).transfers_sat is None
    assert parse_wallet(exact({**WALLET_ROW, column: None})).transfers_sat is None


def test_a_wallet_of_nobody_is_refused() -> None:
    """Account and currency are its key."""
    with pytest.raises(MalformedRow, match="account is missing"):
        parse_wallet(exact({**WALLET_ROW, "account": None}))


def test_insurance() -> None:
    """Currency, balance and the stamp of the publication; a balance that is missing is refused."""
    fund = parse_insurance(exact(INSURANCE_ROW))
    assert (fund.currency, fund.balance_sat) == ("XBt", 3_500_000_000_000)
    assert fund.timestamp_ns == 1_714_996_800 * 10**9
    with pytest.raises(MalformedRow, match="walletBalance is missing"):
        parse_insurance(exact({**INSURANCE_ROW, "walletBalance": None}))


def test_liquidation() -> None:
    """A long is closed by a sell order; one without a price is told all the same, one without a side is not."""
    order = parse_liquidation(exact(LIQUIDATION_ROW))
    assert (order.symbol, order.side, order.price, order.leaves_quantity) == (
        "XBTUSD",
        OrderSide.SELL,
        Decimal("45000.5"),
        60_000,
    )
    assert parse_liquidation(exact({**LIQUIDATION_ROW, "price": None})).price is None
    with pytest.raises(MalformedRow, match="side"):
        parse_liquidation(exact({**LIQUIDATION_ROW, "side": ""}))
