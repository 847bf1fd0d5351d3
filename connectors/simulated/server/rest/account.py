"""The account: margin, wallet, keys, fees, and the person behind it (nobody).

Source: www.bitmex.com/api/explorer, User and APIKey.
"""

from __future__ import annotations

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.rest.call import Answer, Call

_OPENED = "2020-01-01T00:00:00.000Z"
_DEFAULT_CURRENCY = "XBt"
_ALL = "all"


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


def get_keys(call: Call) -> Answer:
    """`GET /apiKey`: the account's keys, without their secrets."""
    return [_key_row(key) for key in call.venue.keyring.of_account(call.account)]


def get_own_key(call: Call) -> Answer:
    """`GET /apiKey/self`: the key of this request."""
    keys = call.venue.keyring.of_account(call.account)
    return next(_key_row(key) for key in keys if call.key is not None and key.key_id == call.key.key_id)


def get_margining_mode(_call: Call) -> Answer:
    """`GET /user/marginingMode`: one asset backs its own positions."""
    return {"marginingMode": None}


def get_trading_settings(_call: Call) -> Answer:
    """`GET /user/tradingSettings`: one-way positions."""
    return {"positionMode": "OneWay", "marginingMode": None}


def _of_currency(call: Call, rows: list[Row]) -> Answer:
    currency = call.params.text("currency") or _DEFAULT_CURRENCY
    if currency == _ALL:
        return rows
    row = next((row for row in rows if str(row["currency"]).lower() == currency.lower()), None)
    if row is None:
        raise Refused(f"Account has no [{currency}]")
    return row


def _key_row(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.key_id,
        "secret": None,
        "name": key.name,
        "nonce": 0,
        "cidr": "0.0.0.0/0",
        "cidrs": ["0.0.0.0/0"],
        "targetAccountId": key.account,
        "permissions": sorted(permission.value for permission in key.permissions),
        "enabled": True,
        "userId": key.account,
        "created": _OPENED,
    }
