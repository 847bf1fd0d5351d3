"""The wallet: balances, bookings, their sums, and withdrawals.

Units: minor units of the currency. Source: www.bitmex.com/api/explorer, User; a recorded summary of 2026-05.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.inputs import Deposit
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.rest.call import Answer, Call

_DEFAULT_CURRENCY = "XBt"
_ALL = "all"
_TOTAL = "Total"
_REALISED = "RealisedPNL"
_Sums = dict[tuple[str, str, str], dict[str, int]]  # by currency, kind and symbol


def one_currency(call: Call, rows: list[Row]) -> Answer:
    """Return the row of the currency asked for, bitcoin's by default, or all rows for `all`.

    Raises:
        Refused: If the account has no such currency.
    """
    currency = call.params.text("currency") or _DEFAULT_CURRENCY
    if currency == _ALL:
        return rows
    row = next((row for row in rows if str(row["currency"]).lower() == currency.lower()), None)
    if row is None:
        raise Refused(f"Account has no [{currency}]")
    return row


def get_wallet(call: Call) -> Answer:
    """`GET /user/wallet`: one row, or a list of them for `currency=all`."""
    return one_currency(call, call.venue.exchange.wallet_rows(call.account))


def get_wallet_history(call: Call) -> Answer:
    """`GET /user/walletHistory`: newest first, as the venue sends it."""
    start, count = call.params.whole("start") or 0, call.params.whole("count")
    if start < 0 or (count is not None and count < 0):
        raise Refused("start/count is invalid")
    found = _bookings(call)
    if call.params.flag("reverse", default=True):
        found.reverse()
    return found[start:] if count is None else found[start : start + count]


def get_wallet_summary(call: Call) -> Answer:
    """`GET /user/walletSummary`: the sum of each kind of booking (of each contract), then the totals."""
    sums: _Sums = defaultdict(lambda: {"amount": 0, "fee": 0, "unrealisedPnl": 0})
    for row in _bookings(call):
        kind, symbol = (
            str(row["transactType"]),
            str(row.get("address") or "") if row["transactType"] == _REALISED else "",
        )
        _add(sums, str(row["currency"]), kind, symbol, {name: _whole(row.get(name)) for name in ("amount", "fee")})
    for row in call.venue.exchange.position_rows(call.account):
        if row["isOpen"] and _is_asked(call, row):
            open_pnl = {"unrealisedPnl": _whole(row["unrealisedPnl"])}
            _add(sums, str(row["currency"]), _REALISED, str(row["symbol"]), open_pnl)
    return [_summary(call.account, key, values) for key, values in sorted(sums.items(), key=_totals_last)]


def request_withdrawal(call: Call) -> Answer:
    """`POST /user/requestWithdrawal`: free money leaves at once; nobody confirms by mail here."""
    amount = call.params.required_whole("amount")
    if amount <= 0:
        raise Refused("Invalid amount")
    currency = call.params.required_text("currency")
    call.submit(Deposit(account=call.account, currency=currency, amount=-amount))
    return call.venue.exchange.wallet_history_rows(call.account)[-1]


def _bookings(call: Call) -> list[Row]:
    """Return the bookings of the currency and the time range asked for, oldest first."""
    since, until = (call.params.time(name) for name in ("startTime", "endTime"))
    return [
        row
        for row in call.venue.exchange.wallet_history_rows(call.account)
        if _is_asked(call, row)
        and (since is None or str(row["timestamp"]) >= since)
        and (until is None or str(row["timestamp"]) <= until)
    ]


def _is_asked(call: Call, row: Row) -> bool:
    return (call.params.text("currency") or _DEFAULT_CURRENCY) in (_ALL, row["currency"])


def _add(sums: _Sums, currency: str, kind: str, symbol: str, values: dict[str, int]) -> None:
    for key in ((currency, kind, symbol), (currency, _TOTAL, "")):
        for name, value in values.items():
            sums[key][name] += value


def _totals_last(one: tuple[tuple[str, str, str], object]) -> tuple[bool, Iterable[str]]:
    return one[0][1] == _TOTAL, one[0]


def _summary(account: int, key: tuple[str, str, str], sums: dict[str, int]) -> Row:
    currency, kind, symbol = key
    return {
        "account": account,
        "currency": currency,
        "transactType": kind,
        "symbol": symbol,
        "amount": sums["amount"],
        "fee": sums["fee"],
        "pendingDebit": 0,
        "realisedPnl": 0,
        "walletBalance": sums["amount"],
        "unrealisedPnl": sums["unrealisedPnl"],
        "marginBalance": sums["amount"] + sums["unrealisedPnl"],
    }


def _whole(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
