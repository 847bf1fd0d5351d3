"""The page of a stress test: whole, alone, inside its frame, and safe to open."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from daemon.stress.drawing import WIDTH, equity_chart, lanes, nice_step
from daemon.stress.page import page_html
from tests.unit.daemon.calc.calling import call
from tests.unit.daemon.stress.test_walk import LONG, MARKS, MONEY, a_stop, stressed

CROSS = {"symbol": "XBTUSDT", "currentQty": 20_000, "avgEntryPrice": 60_000, "crossMargin": True}


def test_the_page_fetches_nothing_and_is_whole() -> None:
    """No scripts, no addresses, one document: it opens from a file for years."""
    page = page_html(stressed([LONG, CROSS], a_stop(57_000)))
    assert page.startswith("<!doctype html>")
    assert not re.search(r"<script|https?:|src=|url\(|@import", page)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_the_page_says_what_a_trader_has_to_know() -> None:
    """The verdict first: what is taken where, or what the stop is worth; each event and each point in a table."""
    page = page_html(stressed([LONG, CROSS], a_stop(57_000)))
    assert "No fall up to 50.00 % liquidates anything; without the resting orders" in page
    assert "No rise up to 50.00 % liquidates anything" in page
    assert "The least that is left" in page
    assert page.count("<tr") > 20


def test_what_somebody_else_wrote_cannot_become_markup() -> None:
    """Order ids are text of whoever placed the order."""
    page = page_html(stressed([LONG], a_stop(57_000, clOrdID="<script>alert(1)</script>")))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("orders", [(), (a_stop(57_000), a_stop(57_010, orderQty=100), a_stop(57_020, orderQty=100))])
def test_drawings_stay_inside_their_frames(orders: tuple[dict[str, object], ...]) -> None:
    """Every coordinate lies in the view box, labels of one lane do not cover each other."""
    found = stressed([LONG, CROSS], *orders)
    for svg in (equity_chart(found, "XBt"), equity_chart(found, "USDt"), lanes(found)):
        drawn = ET.fromstring(svg)
        _, _, width, height = (float(part) for part in drawn.attrib["viewBox"].split())
        assert width == WIDTH
        for element in drawn.iter():
            for name in ("x", "x1", "x2", "cx"):
                assert 0 <= float(element.get(name, "0")) <= width
            for name in ("y", "y1", "y2", "cy"):
                assert 0 <= float(element.get(name, "0")) <= height
            for pair in element.get("points", "").split():
                x, y = (float(part) for part in pair.split(","))
                assert 0 <= x <= width
                assert 0 <= y <= height


def test_grid_lines_of_a_range_around_zero_are_round_too() -> None:
    """From the lowest line to the highest in steps that read well, zero among them."""
    drawn = equity_chart(stressed([{**LONG, "currentQty": 600_000}]), "XBt")
    labels = re.findall(r'text-anchor="end">([^<]+)<', drawn)
    numbers = [float(label) for label in labels]
    assert 0 in numbers
    assert len({round(b - a, 6) for a, b in pairwise(numbers)}) == 1


@pytest.mark.parametrize(
    ("span", "step"), [(1.0, 0.2), (3.1, 1.0), (6.0, 1.0), (0.0007, 0.0002), (123_456.0, 50_000.0), (0.0, 1.0)]
)
def test_grid_lines_stand_at_round_numbers(span: float, step: float) -> None:
    """One, two or five times a power of ten."""
    assert nice_step(span) == pytest.approx(step)


def test_the_command_writes_the_page_and_the_answer(tmp_path: Path) -> None:
    """`--html` beside text or JSON."""
    file, page = tmp_path / "account.json", tmp_path / "stress.html"
    file.write_text(json.dumps({"positions": [LONG], "margins": MONEY, "marks": MARKS}))
    called = call(f"stress --file {file} --html {page} --json --step 25")
    assert called.code == 0
    (event,) = called.json["down"]["events"]
    assert (event["kind"], event["symbol"], event["contracts"]) == ("liquidation", "XBTUSD", 60_000)
    assert [point["move_percent"] for point in called.json["down"]["points"]] == [0, -25, -50]
    assert page.read_text().endswith("</html>\n")
    words = call(f"stress --file {file}").out
    assert "on the way down:" in words
    assert "today" in words
