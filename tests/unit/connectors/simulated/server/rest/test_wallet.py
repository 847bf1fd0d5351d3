"""The wallet: balances by currency, bookings, their sums."""

from __future__ import annotations

from typing import Any

from tests.unit.connectors.simulated.server.rest.visitor import Visitor

DEPOSITED = 100_000_000


def withdrawn(visitor: Visitor, *amounts: int) -> None:
    """Withdraw bitcoin, a second later each time."""
    for amount in amounts:
        visitor.now_ms += 1_000
        asked = {"currency": "XBt", "amount": amount}
        assert visitor.ask("POST", "/user/requestWithdrawal", asked, key=visitor.key("withdrawing"))[0] == 200


def test_one_currency_all_of_them_or_none() -> None:
    """Bitcoin unless told otherwise; a list for `all`; a currency the account has not is refused."""
    visitor = Visitor()
    for path in ("/user/wallet", "/user/margin"):
        assert visitor.ask("GET", path)[1]["currency"] == "XBt"
        assert visitor.ask("GET", path, {"currency": "usdt"})[1]["currency"] == "USDt"
        assert {row["currency"] for row in visitor.ask("GET", path, {"currency": "all"})[1]} == {"XBt", "USDt"}
        assert visitor.refusal("GET", path, {"currency": "DOGe"}) == (400, "Account has no [DOGe]")


def test_bookings_are_newest_first_and_can_be_paged() -> None:
    """Count, start, reverse and a time range; each row tells the balance after it."""
    visitor = Visitor()
    withdrawn(visitor, 1_000, 2_000)

    def amounts(**fields: Any) -> list[int]:
        return [row["amount"] for row in visitor.ask("GET", "/user/walletHistory", fields)[1]]

    assert amounts() == [-2_000, -1_000, DEPOSITED]
    assert amounts(reverse=False) == [DEPOSITED, -1_000, -2_000]
    assert amounts(count=1, start=1) == [-1_000]
    assert amounts(startTime="2026-07-01T00:00:01.000Z", endTime="2026-07-01T00:00:01.500Z") == [-1_000]
    assert amounts(currency="USDt") != amounts()
    _, rows = visitor.ask("GET", "/user/walletHistory")
    assert [row["walletBalance"] for row in rows] == [DEPOSITED - 3_000, DEPOSITED - 1_000, DEPOSITED]
    assert visitor.refusal("GET", "/user/walletHistory", {"startTime": "soon"})[0] == 400


def test_the_summary_adds_up() -> None:
    """A row for each kind, the open position's profit with its contract, and a total that fits the margin row."""
    visitor = Visitor()
    withdrawn(visitor, 5_000)
    visitor.ask("POST", "/order", {"symbol": "XBTUSD", "orderQty": 1_000})
    _, rows = visitor.ask("GET", "/user/walletSummary")
    by_kind = {(row["transactType"], row["symbol"]): row for row in rows}
    assert set(by_kind) == {("Deposit", ""), ("Withdrawal", ""), ("RealisedPNL", "XBTUSD"), ("Total", "")}
    total = by_kind["Total", ""]
    assert rows[-1] == total
    for column in ("amount", "walletBalance", "unrealisedPnl", "marginBalance"):
        assert total[column] == sum(row[column] for key, row in by_kind.items() if key != ("Total", ""))
    _, margin = visitor.ask("GET", "/user/margin")
    assert (total["walletBalance"], total["unrealisedPnl"]) == (margin["amount"], margin["unrealisedPnl"])
