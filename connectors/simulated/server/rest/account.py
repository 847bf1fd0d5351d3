"""The account: margin, wallet, keys, fees, and the person behind it (nobody).

Source: www.bitmex.com/api/explorer, User and APIKey.
"""

from __future__ import annotations

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.inputs import Deposit
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.rest.call import Answer, Call

_OPENED = "2020-01-01T00:00:00.000Z"
_DEFAULT_CURRENCY = "XBt"
_ALL = "all"
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
    return _of_currency(call, call.venue.exchange.margin_rows(call.account))


def get_wallet(call: Call) -> Answer:
    """`GET /user/wallet`: one row, or a list of them for `currency=all`."""
    return _of_currency(call, call.venue.exchange.wallet_rows(call.account))


def get_wallet_history(call: Call) -> Answer:
    """`GET /user/walletHistory`: newest first, as the venue sends it."""
    rows = call.venue.exchange.wallet_history_rows(call.account)
    currency = call.params.text("currency") or _DEFAULT_CURRENCY
    start, count = call.params.whole("start") or 0, call.params.whole("count")
    if start < 0 or (count is not None and count < 0):
        raise Refused("start/count is invalid")
    found = [row for row in reversed(rows) if currency in (_ALL, row["currency"])]
    if not call.params.flag("reverse", default=True):
        found.reverse()
    return found[start:] if count is None else found[start : start + count]


def get_wallet_summary(call: Call) -> Answer:
    """`GET /user/walletSummary`: the sum of each kind of booking, then the total."""
    rows = call.venue.exchange.wallet_history_rows(call.account)
    currency = call.params.text("currency") or _DEFAULT_CURRENCY
    sums: dict[tuple[object, object], int] = {}
    for row in rows:
        amount = row["amount"]
        if currency in (_ALL, row["currency"]) and isinstance(amount, int):
            for kind in (row["transactType"], "Total"):
                sums[row["currency"], kind] = sums.get((row["currency"], kind), 0) + amount
    ordered = sorted(sums.items(), key=lambda item: item[0][1] == "Total")
    return [
        {"account": call.account, "currency": name, "transactType": kind, "symbol": "", "amount": amount}
        for (name, kind), amount in ordered
    ]


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


def request_withdrawal(call: Call) -> Answer:
    """`POST /user/requestWithdrawal`: free money leaves at once; nobody confirms by mail here."""
    amount = call.params.required_whole("amount")
    if amount <= 0:
        raise Refused("Invalid amount")
    currency = call.params.required_text("currency")
    call.submit(Deposit(account=call.account, currency=currency, amount=-amount))
    return call.venue.exchange.wallet_history_rows(call.account)[-1]


def _of_currency(call: Call, rows: list[Row]) -> Answer:
    currency = call.params.text("currency") or _DEFAULT_CURRENCY
    if currency == _ALL:
        return rows
    row = next((row for row in rows if str(row["currency"]).lower() == currency.lower()), None)
    if row is None:
        raise Refused(f"Account has no [{currency}]")
    return row
