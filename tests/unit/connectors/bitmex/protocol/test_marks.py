"""Marks: fast as floats, exactly when it matters."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import UNSET

from connectors.bitmex.protocol.marks import exact_mark, mark_excerpt, mark_rows
from tests.unit.connectors.bitmex.bitmex_builders import change, partial

REAL = (
    b'{"table":"instrument","action":"update","data":[{"symbol":"DOTUSDT","openValue":538432500000,'
    b'"fairPrice":1.2669,"markPrice":1.2669,"timestamp":"2026-05-27T12:56:40.500Z"}]}'
)


def test_real_mark_update() -> None:
    """A real frame: one symbol, one mark, no figures."""
    rows = mark_rows(REAL)
    assert rows is not None
    assert [(row.symbol, row.markPrice, row.has_figures()) for row in rows] == [("DOTUSDT", 1.2669, False)]


@pytest.mark.parametrize(
    "column",
    [
        "fundingRate", "state", "tickSize", "lotSize", "maxPrice", "maxOrderQty", "multiplier", "initMargin",
        "maintMargin", "takerFee", "referenceSymbol", "fundingTimestamp", "makerFee", "riskLimit",
    ],
)  # fmt: skip
def test_figures_are_recognised(column: str) -> None:
    """A frame that changes a figure, be it to null, goes the long way."""
    rows = mark_rows(change("instrument", "update", {"symbol": "A", "markPrice": 1, column: None}))
    assert rows is not None
    assert rows[0].has_figures()


@pytest.mark.parametrize(
    "other",
    [
        b"pong",
        b"{}",
        b"[]",
        b"\xff",
        partial("instrument"),
        change("trade", "insert", {"symbol": "A"}),
        change("instrument", "insert", {"symbol": "A"}),
        change("instrument", "update", {"symbol": 5}),
        b'{"table":"instrument","action":"update","data":[{"symbol":"A","markPrice":"1"}]}',
    ],
)
def test_every_other_frame_takes_the_long_way(other: bytes) -> None:
    """Only updates of instruments are read here."""
    assert mark_rows(other) is None


def test_exact_mark() -> None:
    """The same bytes, exactly: no digit is lost, and the last row of a symbol counts."""
    frame = (
        b'{"table":"instrument","action":"update","data":[{"symbol":"A","markPrice":0.12345678901234567890},'
        b'{"symbol":"A","markPrice":1.0E-5},{"symbol":"A","fairPrice":3},{"symbol":"B","markPrice":null}]}'
    )
    assert exact_mark(frame, "A") == Decimal("0.00001")
    assert exact_mark(frame[: frame.index(b",{")] + b"]}", "A") == Decimal("0.12345678901234567890")
    assert exact_mark(frame, "B") is None
    assert exact_mark(frame, "C") is None


@pytest.mark.parametrize("other", [b"pong", b"\xff", change("trade", "insert", {"symbol": "A", "markPrice": 5})])
def test_no_mark_in_other_frames(other: bytes) -> None:
    """Frames of other tables hold no mark."""
    assert exact_mark(other, "A") is None


@pytest.mark.parametrize("price", ["97849.76", "0.0000001", "-13311.5", "1E+2"])
def test_excerpt_keeps_every_digit(price: str) -> None:
    """What stands for a partial of megabytes gives the same exact mark."""
    assert exact_mark(mark_excerpt('X"Y', Decimal(price)), 'X"Y') == Decimal(price)


def test_bid_and_ask_are_told_apart_from_none_and_nothing() -> None:
    """A side that moved has its price, an empty one is None, one that is not mentioned is unset."""
    rows = mark_rows(
        change("instrument", "update", {"symbol": "A", "bidPrice": 1.5}, {"symbol": "A", "askPrice": None})
    )
    assert rows is not None
    assert [(row.bidPrice, row.askPrice) for row in rows] == [(1.5, UNSET), (UNSET, None)]
    assert not any(row.has_figures() for row in rows)
