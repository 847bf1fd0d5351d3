"""The account: margin, fees, modes, and the person behind it (nobody).

Source: www.bitmex.com/api/explorer, User and APIKey.
"""

from __future__ import annotations

from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.rest.call import Answer, Call
from connectors.simulated.server.rest.wallet import one_currency

_OPENED = "2020-01-01T00:00:00.000Z"
_ONE_WAY = "OneWay"


def get_user(call: Call) -> Answer:
    """`GET /user`."""
    return {
        "id": call.account,
        "firstname": None,
        "lastname": None,
        "username": f"account-{call.account}",
        "accountName": "main",
        "isUser": True,
        "email": f"account-{call.account}@example.invalid",
        "date": _OPENED,
        "phone": None,
        "created": _OPENED,
        "lastUpdated": _OPENED,
        "preferences": {},
        "TFAEnabled": None,
        "affiliateID": None,
        "country": None,
        "geoipCountry": None,
        "geoipRegion": None,
        "typ": "Individual",
    }


def get_margin(call: Call) -> Answer:
    """`GET /user/margin`: one row, or a list of them for `currency=all`."""
    return one_currency(call, call.venue.exchange.margin_rows(call.account))


def get_commission(call: Call) -> Answer:
    """`GET /user/commission`: fees by symbol."""
    fees = {}
    for row in call.venue.exchange.instrument_rows():
        if row.get("makerFee") is not None:
            fees[row["symbol"]] = {
                "makerFee": row["makerFee"],
                "takerFee": row["takerFee"],
                "maxFee": row["takerFee"],
                "settlementFee": row.get("settlementFee") or 0,
            }
    return fees


def get_trading_volume(_call: Call) -> Answer:
    """`GET /user/tradingVolume`: thirty-day average in USD; not kept here."""
    return [{"advUsd": 0, "advUsdSpot": 0, "advUsdContract": 0}]


def get_margining_mode(_call: Call) -> Answer:
    """`GET /user/marginingMode`: one asset backs its own positions."""
    return {"marginingMode": None}


def set_margining_mode(call: Call) -> Answer:
    """`POST /user/marginingMode`: staying with one asset is fine, several are not modelled."""
    if call.params.text("selectedMarginingMode") not in (None, "SingleAsset", "Isolated"):
        raise Refused("Invalid marginingMode")
    return get_trading_settings(call)


def set_position_mode(call: Call) -> Answer:
    """`POST /user/positionMode`: one-way (also by sending none) is fine, hedge mode is not modelled."""
    if call.params.text("positionMode") not in (None, _ONE_WAY):
        raise Refused("Invalid positionMode")
    return get_trading_settings(call)


def get_trading_settings(_call: Call) -> Answer:
    """`GET /user/tradingSettings`: one-way positions."""
    return {"positionMode": _ONE_WAY, "marginingMode": None}
