"""Market reads."""

from __future__ import annotations

from tests.unit.connectors.simulated.server.rest.visitor import Visitor


def test_stats_end_with_the_totals_of_each_currency() -> None:
    """Money adds up over series, contracts do not."""
    _, rows = Visitor().ask("GET", "/stats")
    totals = {row["currency"]: row for row in rows if row["rootSymbol"] == "Total"}
    assert [row["rootSymbol"] for row in rows[-len(totals) :]] == ["Total"] * len(totals)
    for currency, total in totals.items():
        of_currency = [row for row in rows if row["currency"] == currency and row is not total]
        assert total["openValue"] == sum(row["openValue"] for row in of_currency)
        assert (total["volume24h"], total["openInterest"]) == (None, None)


def test_common_query_of_a_table() -> None:
    """Filter, columns, count, start, reverse and a time range, on instruments."""
    visitor = Visitor()
    _, rows = visitor.ask("GET", "/instrument", {"filter": {"symbol": ["XBTUSD", "ETHUSD"]}, "columns": "lotSize,typ"})
    assert [set(row) for row in rows] == [{"symbol", "lotSize", "typ"}] * 2
    _, every = visitor.ask("GET", "/instrument", {"count": 500, "columns": ["symbol"]})
    _, page = visitor.ask("GET", "/instrument", {"count": 2, "start": 1, "columns": ["symbol"]})
    _, last = visitor.ask("GET", "/instrument", {"count": 1, "reverse": True, "columns": ["symbol"]})
    assert (page, last) == (every[1:3], every[-1:])
    assert visitor.ask("GET", "/instrument", {"startTime": "2099-01-01"})[1] == []
    assert visitor.ask("GET", "/instrument", {"filter": {"expiry": None, "typ": "FFWCSX", "state": "Open"}})[1]
    for fields, text in (
        ({"filter": "{"}, "filter values are not valid"),
        ({"filter": {"nothing": 1}}, "filter columns are not valid"),
        ({"columns": ["nothing"]}, "columns are not valid"),
        ({"count": 501}, "start/count is invalid"),
        ({"startTime": "soon"}, "startTime/endTime is invalid"),
    ):
        assert visitor.refusal("GET", "/instrument", fields) == (400, text)
