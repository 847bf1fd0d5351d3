"""Cells as exact values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.bitmex.protocol.numbers import (
    MalformedRow,
    flag,
    integer,
    number,
    price,
    span_ns,
    text,
    time_ns,
    without_float_noise,
)
from tests.unit.connectors.bitmex.bitmex_builders import exact


def cell(written: object) -> dict[str, object]:
    """Return a row with one decoded cell."""
    return exact({"x": written})  # type: ignore[no-any-return]


@pytest.mark.parametrize("empty", [None, ""])
def test_empty_cells_are_none(empty: str | None) -> None:
    """Null, "" and absence mean the same to a reader, and none of them is zero."""
    assert number({"x": empty}, "x") is None
    assert number({}, "x") is None
    assert price({"x": empty}, "x") is None
    assert integer({"x": empty}, "x") is None


def test_exponents_are_read_exactly() -> None:
    """The venue writes small floats with an exponent."""
    assert price({"x": Decimal("1.0E-5")}, "x") == Decimal("0.00001")


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("44047.299999999996", "44047.3"),
        ("3.0000000000000003E-4", "0.0003"),
        ("0.3333333333333333", "0.3333333333333333"),
        ("41.81946921585393", "41.81946921585393"),
        ("-13311.500000000002", "-13311.5"),
        ("123456789012.5", "123456789012.5"),
    ],
)
def test_float_noise_is_taken_off_where_it_is_noise(sent: str, meant: str) -> None:
    """A binary double that stands for a short decimal becomes it; a true fraction stays as sent."""
    assert without_float_noise(Decimal(sent)) == Decimal(meant)


@pytest.mark.parametrize(("sent", "meant"), [(200, 200), (200.0, 200), (199.99999999999997, 200), (-1.0e3, -1000)])
def test_whole_numbers(sent: float, meant: int) -> None:
    """Integers may come as floats, with noise or an exponent."""
    assert integer(cell(sent), "x") == meant


@pytest.mark.parametrize("bad", [0.5, "100", True, [], {}, Decimal("1E+99")])
def test_what_is_no_whole_number_is_refused(bad: object) -> None:
    """Halves, texts, flags and absurd sizes are not rounded into an amount."""
    with pytest.raises(MalformedRow, match="x "):
        integer({"x": bad}, "x")


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("Infinity"), Decimal("1E+999999"), "1", False])
def test_what_is_no_number_is_refused(bad: object) -> None:
    """Nothing but a finite number of a sane size passes."""
    with pytest.raises(MalformedRow):
        number({"x": bad}, "x")


def test_times() -> None:
    """Stamps with milliseconds become nanoseconds, in the zone they name or else in UTC; none is 0."""
    assert time_ns({"x": "1970-01-01T00:00:01.500Z"}, "x") == 1_500_000_000
    assert time_ns({"x": "1970-01-01T01:00:01.500+01:00"}, "x") == 1_500_000_000
    assert time_ns({"x": "1970-01-01T00:00:01.500"}, "x") == 1_500_000_000
    assert time_ns({}, "x") == 0
    with pytest.raises(MalformedRow):
        time_ns({"x": "yesterday"}, "x")


def test_spans() -> None:
    """A span is written as a moment of the year 2000; none is 0, one before that is refused."""
    assert span_ns({"x": "2000-01-01T08:00:00.000Z"}, "x") == 8 * 3600 * 10**9
    assert span_ns({"x": "2000-01-02T00:00:00.000Z"}, "x") == 24 * 3600 * 10**9
    assert span_ns({"x": None}, "x") == 0
    with pytest.raises(MalformedRow, match="span"):
        span_ns({"x": "1999-12-31T08:00:00.000Z"}, "x")


def test_texts_and_flags() -> None:
    """Null text is empty, null flags are false, other kinds are refused."""
    assert text({"x": None}, "x") == ""
    assert flag({"x": None}, "x") is False
    assert flag({"x": True}, "x") is True
    with pytest.raises(MalformedRow):
        text({"x": 1}, "x")
    with pytest.raises(MalformedRow):
        flag({"x": 1}, "x")
