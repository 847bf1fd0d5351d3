"""Market reads."""

from __future__ import annotations

from connectors.simulated.engine.inputs import SetPrices
from connectors.simulated.listing.opening import venue_catalogue
from connectors.simulated.server.lister import Lister
from connectors.simulated.tape.tape import Step
from tests.integration.exchange_client import START_MS, prices
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


def listed() -> Visitor:
    """Return the visitor of an exchange that lists everything."""
    visitor = Visitor()
    lister = Lister(venue_catalogue(), visitor.venue.exchange, seed=1)
    due = lister.due(visitor.now_ms)
    assert due is not None
    visitor.venue.submit(due)
    step = Step(index=0, tape_ms=START_MS, real_ms=0, prices=prices().prices)
    visitor.venue.submit(SetPrices(tape_ms=START_MS, prices=lister.prices(step, at_ms=visitor.now_ms)))
    return visitor


def test_active_and_indices_of_everything() -> None:
    """Contracts, indices and both together; each contract's indices are among the indices."""
    visitor = listed()
    _, active = visitor.ask("GET", "/instrument/active")
    _, indices = visitor.ask("GET", "/instrument/indices")
    _, both = visitor.ask("GET", "/instrument/activeAndIndices")
    assert len(active) > 120
    assert len(indices) > 280
    assert both == active + indices
    behind = {row["symbol"] for row in indices}
    named = ("fundingBaseSymbol", "fundingQuoteSymbol", "fundingPremiumSymbol")
    assert {row[name] for row in active for name in named if row[name]} <= behind
    assert {row["typ"] for row in active} == {"FFWCSX", "FFCCSX", "FFSCSX", "IFXXXP", "FFMCSX"}


def test_a_settled_contract_is_active_for_a_day() -> None:
    """It is told as Settled for 24 hours after its end, then only `GET /instrument` knows it."""
    visitor = Visitor()
    end_ms = 1_806_062_400_000  # 2027-03-26T12:00Z
    for later_ms, is_told in ((1_000, True), (86_400_001, False)):
        visitor.now_ms = end_ms + later_ms
        visitor.venue.pass_time()
        found = {row["symbol"]: row["state"] for row in visitor.ask("GET", "/instrument/active")[1]}
        assert found.get("XBTH27") == ("Settled" if is_told else None)
    assert visitor.ask("GET", "/instrument", {"symbol": "XBTH27"})[1][0]["state"] == "Settled"
    (row,) = visitor.ask("GET", "/settlement", {"symbol": "XBTH27"})[1]
    assert (row["settlementType"], row["settledPrice"]) == ("Settlement", 60_100)


def test_intervals_name_the_contract_of_each_period() -> None:
    """Two lists of one length; the series can be used as symbols."""
    visitor = listed()
    _, answer = visitor.ask("GET", "/instrument/activeIntervals")
    meant = dict(zip(answer["intervals"], answer["symbols"], strict=True))
    assert meant["XBT:perpetual"] == "XBTUSD"
    assert meant["XBT:quarterly"] == "XBTU26"
    assert meant["XBT:nearest"] == meant["XBT:monthly"] == "XBTN26"
    assert visitor.ask("GET", "/instrument", {"symbol": "xbt:quarterly"})[1][0]["symbol"] == "XBTU26"
    assert visitor.ask("GET", "/instrument", {"symbol": "XBT"})[1][0]["symbol"] == "XBTN26"


def test_composition_of_an_index() -> None:
    """Weights add up to one and their mean is the index; a rate has one source."""
    visitor = listed()
    _, rows = visitor.ask("GET", "/instrument/compositeIndex", {"symbol": ".bxbt"})
    own, parts = rows[0], rows[1:]
    assert (own["reference"], own["weight"], own["lastPrice"]) == ("BMI", None, 60_000)
    assert sum(row["weight"] for row in parts) == 1
    assert abs(sum(row["weight"] * row["lastPrice"] for row in parts) - own["lastPrice"]) < 0.01
    assert len(visitor.ask("GET", "/instrument/compositeIndex", {"symbol": ".XBTBON8H"})[1]) == 1
    assert visitor.ask("GET", "/instrument/compositeIndex", {"symbol": "XBTUSD"})[1] == []
    assert len(visitor.ask("GET", "/instrument/compositeIndex", {"count": 2})[1]) == 2


def test_prints_of_a_rate_are_trades() -> None:
    """The interest behind funding is printed when it is listed."""
    (row,) = listed().ask("GET", "/trade", {"symbol": ".XBTBON8H"})[1]
    assert (row["price"], row["size"], row["trdType"]) == (0.0003, 0, "Referential")


def test_spot_is_quoted_and_not_traded() -> None:
    """Rows, quotes and book are there; an order is refused with the venue's text."""
    visitor = listed()
    assert visitor.ask("GET", "/orderBook/L2", {"symbol": "SOL_USDT", "depth": 3})[1]
    assert visitor.ask("GET", "/quote", {"symbol": "SOL_USDT"})[1]
    order = {"symbol": "SOL_USDT", "orderQty": 1_000_000, "price": 10}
    assert visitor.refusal("POST", "/order", order, key=visitor.key()) == (400, "Market is not open")


def test_bins_are_stamped_with_their_end() -> None:
    """Trades and quotes of a minute: the stamp is its end, the next opens where it closed."""
    visitor = Visitor()
    for later_ms, mark in ((10_000, 60_010), (70_000, 60_020), (130_000, 60_030)):
        visitor.now_ms = START_MS + later_ms
        visitor.venue.submit(prices(START_MS + later_ms, XBTUSD=mark))
    _, bins = visitor.ask("GET", "/trade/bucketed", {"symbol": "XBTUSD", "binSize": "1m"})
    _, quotes = visitor.ask("GET", "/quote/bucketed", {"symbol": "XBTUSD", "binSize": "1m"})
    ends = ["2026-07-01T00:01:00.000Z", "2026-07-01T00:02:00.000Z"]
    assert [row["timestamp"] for row in bins] == ends
    assert [row["timestamp"] for row in quotes] == ends[-1:]  # older ones are not kept
    assert (bins[1]["open"], bins[1]["close"]) == (bins[0]["close"], 60_020)
    assert quotes[0]["bidPrice"] == 60_019.5
    _, partial = visitor.ask("GET", "/trade/bucketed", {"symbol": "XBTUSD", "binSize": "1m", "partial": True})
    assert partial[-1]["timestamp"] == "2026-07-01T00:03:00.000Z"


def test_turnover_by_day_and_in_dollars() -> None:
    """Each series and currency has a row a day; dollars are counted whatever is quoted."""
    visitor = Visitor()
    visitor.now_ms += 1_000
    visitor.venue.submit(prices(START_MS + 1_000, XBTUSD=60_000, ETHUSD=2_401))
    visitor.ask("POST", "/order", {"symbol": "XBTUSD", "orderQty": 500}, key=visitor.key())
    _, days = visitor.ask("GET", "/stats/history")
    (of_xbt,) = [row for row in days if (row["rootSymbol"], row["currency"]) == ("XBT", "XBt")]
    assert of_xbt["date"] == "2026-07-01T00:00:00.000Z"
    assert of_xbt["volume"] >= 500
    _, dollars = visitor.ask("GET", "/stats/historyUSD")
    (xbt,) = [row for row in dollars if row["rootSymbol"] == "XBT"]
    assert xbt["turnover"] == xbt["turnover24h"] == xbt["turnover365d"] >= 500


def test_any_table_comes_as_csv_or_xml() -> None:
    """`_format` in the query, on public and private tables, with the common query beside it."""
    visitor = Visitor()
    visitor.ask("POST", "/order", {"symbol": "XBTUSD", "orderQty": 100, "price": 50_000})
    for target in ("/api/v1/instrument?columns=lotSize&count=1", "/api/v1/order?columns=price"):
        as_csv = visitor.send("GET", f"{target}&_format=csv", key=visitor.key())
        as_xml = visitor.send("GET", f"{target}&_format=xml", key=visitor.key())
        assert (as_csv.status, as_csv.content_type) == (200, "text/csv; charset=utf-8")
        assert len(as_csv.body.splitlines()) == 2
        assert as_xml.body.startswith(b'<?xml version="1.0"')
        assert as_xml.body.count(b"<result>") == 1
