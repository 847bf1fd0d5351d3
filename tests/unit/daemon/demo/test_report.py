"""The HTML report and its charts."""

import re
from xml.etree import ElementTree as ET

from daemon.demo.chart import MOST_POINTS, thin_out
from daemon.demo.report import lead_ms, report_html
from daemon.demo.verdict import judge
from tests.unit.daemon.demo.demo_builders import START_MS, a_saved_run, prices


def test_opens_without_a_network() -> None:
    """Nothing in the page is fetched from anywhere."""
    page = report_html(judge(a_saved_run()))
    assert not re.search(r"""(src|href)=|url\(|@import|https?://""", page)


def test_charts_are_well_formed_and_texts_escaped() -> None:
    """Each chart parses as XML and an alert's markup stays text."""
    page = report_html(judge(a_saved_run()))
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(charts) == 1
    root = ET.fromstring(charts[0])
    assert root.find("polyline") is not None
    assert {c.get("class") for c in root.iter("circle")} == {"saved", "taken"}
    assert "&lt;now&gt;" in page


def test_a_run_without_any_stop_has_a_report() -> None:
    """The daemon was killed before it could place one: that run needs its report most."""
    assert "<svg" in report_html(judge(a_saved_run(stops=())))


def test_says_what_was_kept_and_how_early() -> None:
    """The figures of accounts, stops and alerts are in the page."""
    page = report_html(judge(a_saved_run()))
    for words in ("0.8000 XBT", "80.0%", "1000 ms", "sw-1-XBTUSD-L-s0", "4.0s before"):
        assert words in page


def test_lead_is_none_where_nothing_was_liquidated() -> None:
    """An alert on a symbol that the unguarded account kept has no lead."""
    result = judge(a_saved_run())
    assert lead_ms("XBTUSD", START_MS, result) == 5_000
    assert lead_ms("ETHUSD", START_MS, result) is None


def test_thinning_keeps_extremes_and_ends() -> None:
    """A long series is thinned to about the limit without losing its low, its high or its last point."""
    marks = [100.0 + (n % 7) * 0.01 for n in range(20_000)]
    marks[777], marks[15_001] = 50.0, 150.0
    thin = thin_out(prices(*marks))
    assert len(thin) <= MOST_POINTS + 3
    assert {50.0, 150.0} <= {mark for _, mark in thin}
    assert thin[-1][0] == START_MS + 19_999_000
    assert [t for t, _ in thin] == sorted(t for t, _ in thin)
