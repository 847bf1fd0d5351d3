"""Filters, columns, pages and time ranges of table reads."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.selection import Selection, matches, parse_conditions, select
from connectors.simulated.server.tables import ORDER

ROWS: list[Row] = [
    {
        "orderID": str(number),
        "ordStatus": status,
        "symbol": "XBTUSD",
        "price": Decimal(100 + number),
        "clOrdID": None,
        "workingIndicator": number == 1,
        "timestamp": f"2026-07-01T00:00:0{number}.000Z",
    }
    for number, status in enumerate(("New", "Filled", "PartiallyFilled", "Canceled"))
]


def ids(selection: Selection) -> list[object]:
    """Return the order ids a selection leaves."""
    return [row["orderID"] for row in select(ROWS, selection, ORDER)]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"open": True}, ["0", "2"]),
        ({"open": False}, ["1", "3"]),
        ({"ordStatus.isTerminated": False}, ["0", "2"]),
        ({"ordStatus.isTerminated": True}, ["1", "3"]),
        ({"ordStatus": ["Filled", "Canceled"]}, ["1", "3"]),
        ({"orderID": "2"}, ["2"]),
        ({"symbol": "xbtusd", "price": 101}, ["1"]),
        ({"price": "102.0"}, ["2"]),
        ({"price": "much"}, []),
        ({"clOrdID": None}, ["0", "1", "2", "3"]),
        ({"clOrdID": ""}, ["0", "1", "2", "3"]),
        ({"clOrdID": "mine"}, []),
        ({"workingIndicator": True}, ["1"]),
        ({"startTime": "2026-07-01T00:00:02Z"}, ["2", "3"]),
        ({"startTime": "1782864002000"}, ["2", "3"]),
        ({"endTime": 1782864001000}, ["0", "1"]),
        ({"timestamp.time": "00:00:03.000"}, ["3"]),
        ({"timestamp.time": "00:00"}, ["0"]),
        ({"timestamp.time": "00:00:03"}, ["3"]),
        ({"timestamp.second": "00:00:02", "timestamp.year": 2026}, ["2"]),
        ({"timestamp.date": "2026-07-01", "timestamp.hh": "00", "timestamp.uu": "00"}, ["0", "1", "2", "3"]),
        ({"timestamp.month": "2026-07", "timestamp.ss": [1, "02"]}, ["1", "2"]),
        ({"timestamp.month": "2026-06"}, []),
        ({"timestamp.minute": "00:00", "timestamp.mm": 7, "timestamp.dd": 1}, ["0", "1", "2", "3"]),
        ({"timestamp.ww": 4, "price": 102}, ["2"]),
        ({"timestamp.ww": 6}, []),
        ({"timestamp.date": "2026-07-01", "open": True}, ["0", "2"]),
    ],
)
def test_conditions(conditions: Mapping[str, object], expected: list[str]) -> None:
    """Columns, lists of values, `open`, dotted names and times."""
    assert ids(Selection(conditions=conditions)) == expected


def test_page_is_cut_after_filter_and_order() -> None:
    """Reverse first, then start and count."""
    assert ids(Selection(is_reverse=True, start=1, count=2)) == ["2", "1"]
    assert ids(Selection(count=0)) == []


def test_time_range_includes_both_ends() -> None:
    """`startTime` and `endTime` are inclusive."""
    selection = Selection(start_time="2026-07-01T00:00:01.000Z", end_time="2026-07-01T00:00:02.000Z")
    assert ids(selection) == ["1", "2"]


def test_keys_come_back_with_any_columns() -> None:
    """Key columns are there even when `columns` leaves them out."""
    rows = select(ROWS[:1], Selection(columns=["price"]), ORDER)
    assert rows == [{"orderID": "0", "price": Decimal(100)}]


def test_a_row_without_the_column_matches_only_nothing() -> None:
    """A sparse row is not an error."""
    assert not matches({}, {"symbol": "XBTUSD"})
    assert matches({}, {"symbol": None})


@pytest.mark.parametrize("value", ["[" * 900 + "]" * 900, "[[1]]", '{"a":1}', '[{"a":1}]'])
def test_conditions_that_nest_are_refused(value: str) -> None:
    """Any-of is one list deep; a deeper one must not exhaust the stack."""
    with pytest.raises(Refused, match="filter values are not valid"):
        parse_conditions(f'{{"orderQty":{value}}}', ORDER)


@pytest.mark.parametrize("value", ["sNaN", "NaN", "Infinity", "x", None, True])
def test_a_condition_that_is_no_number_matches_no_number(value: object) -> None:
    """Odd numbers in a filter find nothing and break nothing."""
    assert not matches({"orderQty": 100}, {"orderQty": value})
