"""`seawall calc funding`: payments, days, years, and the next stamp."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.daemon.calc.calling import answer, call, refused

LINE = "calc funding --symbol XBTUSD --side long --contracts 10000"


def test_a_payment_a_day_and_a_year() -> None:
    """0.01 % of 16,666,700 XBt, three times a day, 365 days; a tenth of the worth is margin at 10x."""
    found = answer(f"{LINE} --mark 60000 --funding-rate 0.01% --leverage 10")
    assert (found["payment_sat"], found["a_day_sat"], found["a_year_sat"]) == (1_667, 5_001, 1_825_365)
    assert float(found["a_day_percent_of_margin"]) == pytest.approx(0.3001)


def test_the_other_side_receives_the_smaller_figure() -> None:
    """Rounded against us both ways."""
    found = answer(f"{LINE.replace('long', 'short')} --mark 60000 --funding-rate 0.01%")
    assert found["payment_sat"] == -1_666
    assert "received" in call(f"{LINE.replace('long', 'short')} --mark 60000 --funding-rate 0.01%").out


def test_schedule_rate_and_mark_come_from_the_exchange(tmp_path: Path) -> None:
    """A saved row names all three."""
    row = {
        "symbol": "XBTUSD",
        "settlCurrency": "XBt",
        "multiplier": -100000000,
        "isInverse": True,
        "lotSize": 100,
        "tickSize": 0.1,
        "maxPrice": 1000000,
        "maxOrderQty": 10000000,
        "initMargin": 0.01,
        "maintMargin": 0.005,
        "markPrice": 60000,
        "fundingRate": 0.0001,
        "fundingTimestamp": "2026-05-01T12:00:00.000Z",
        "fundingInterval": "2000-01-01T04:00:00.000Z",
    }
    file = tmp_path / "instruments.json"
    file.write_text(json.dumps([row]))
    found = answer(f"{LINE} --instruments {file}")
    assert found["payment_sat"] == 1_667
    assert found["next_stamp"] == "2026-05-01T12:00:00Z"
    assert (found["interval_hours"], found["a_day_sat"]) == (4, 6 * 1_667)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (LINE, "--funding-rate is missing"),
        (f"{LINE} --funding-rate 0.01%", "--mark is missing"),
        (f"{LINE} --mark 60000 --funding-rate 5", "--funding-rate"),
    ],
)
def test_what_is_missing_is_named(line: str, named: str) -> None:
    """The built-in table has neither rate nor mark."""
    assert named in refused(line)


def test_json_holds_every_share_that_the_text_shows() -> None:
    """Of the worth and of the margin, for a payment, a day and a year."""
    found = answer(f"{LINE} --mark 60000 --funding-rate 0.01% --leverage 10")
    times = ("payment", "a_day", "a_year")
    assert [float(found[f"{name}_percent_of_worth"]) for name in times] == pytest.approx([0.01, 0.03, 10.95], abs=0.01)
    assert [float(found[f"{name}_percent_of_margin"]) for name in times] == pytest.approx([0.1, 0.3, 109.52], abs=0.01)
