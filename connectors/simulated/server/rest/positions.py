"""Positions: read, leverage, isolation, risk limit, margin transfer.

Source: www.bitmex.com/api/explorer, Position.
"""

from __future__ import annotations

from connectors.simulated.engine.inputs import (
    Isolate,
    SetCrossLeverage,
    SetLeverage,
    SetRiskLimit,
    TransferMargin,
)
from connectors.simulated.server.rest.call import Answer, Call
from connectors.simulated.server.tables import POSITION


def get_positions(call: Call) -> Answer:
    """`GET /position`."""
    return call.selected(call.venue.exchange.position_rows(call.account), POSITION)


def set_leverage(call: Call) -> Answer:
    """`POST /position/leverage`."""
    leverage = call.params.required_decimal("leverage")
    return call.submit(SetLeverage(account=call.account, symbol=call.required_symbol(), leverage=leverage))


def set_cross_leverage(call: Call) -> Answer:
    """`POST /position/crossLeverage`; clients send the value under either name."""
    name = "crossLeverage" if call.params.has("crossLeverage") else "leverage"
    leverage = call.params.required_decimal(name)
    return call.submit(SetCrossLeverage(account=call.account, symbol=call.required_symbol(), leverage=leverage))


def isolate(call: Call) -> Answer:
    """`POST /position/isolate`."""
    enabled = call.params.flag("enabled", default=True)
    return call.submit(Isolate(account=call.account, symbol=call.required_symbol(), enabled=enabled))


def set_risk_limit(call: Call) -> Answer:
    """`POST /position/riskLimit`."""
    risk_limit = call.params.required_whole("riskLimit")
    return call.submit(SetRiskLimit(account=call.account, symbol=call.required_symbol(), risk_limit=risk_limit))


def transfer_margin(call: Call) -> Answer:
    """`POST /position/transferMargin`."""
    amount = call.params.required_whole("amount")
    return call.submit(TransferMargin(account=call.account, symbol=call.required_symbol(), amount=amount))
