"""Mark prices out of raw `instrument` frames: fast as floats, and exactly when it matters.

Why: these frames come thousands of times a second and nearly all of them only move a mark that stays in its band. They
are decoded into a small struct that skips every column nobody asked for; no `Decimal`, no row, no table. A frame that
changes a figure of a contract is recognised by the same decoding and goes the long way. What leaves the band is decoded
once more, exactly, from the same bytes.

Source: www.bitmex.com/app/wsAPI, table `instrument`.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from connectors.bitmex.protocol.numbers import NOT_JSON


class MarkRow(msgspec.Struct, gc=False):
    """One row of an `instrument` frame: its mark, bid and ask, and whether it brings a figure that matters.

    Not every column that `parse_instrument` reads is looked for, because each costs time in every frame: those left out
    are fixed for the life of a contract (`settle`) or come with one that is here (`riskStep` with `riskLimit`,
    `fundingInterval` with `fundingTimestamp`, `settlementFee` with `makerFee`).
    """

    symbol: str = ""
    markPrice: float | None = None  # noqa: N815 -- the wire's name
    bidPrice: float | UnsetType | None = UNSET  # noqa: N815
    askPrice: float | UnsetType | None = UNSET  # noqa: N815
    fundingRate: Raw | UnsetType = UNSET  # noqa: N815
    state: Raw | UnsetType = UNSET
    tickSize: Raw | UnsetType = UNSET  # noqa: N815
    lotSize: Raw | UnsetType = UNSET  # noqa: N815
    maxPrice: Raw | UnsetType = UNSET  # noqa: N815
    maxOrderQty: Raw | UnsetType = UNSET  # noqa: N815
    multiplier: Raw | UnsetType = UNSET
    initMargin: Raw | UnsetType = UNSET  # noqa: N815
    maintMargin: Raw | UnsetType = UNSET  # noqa: N815
    takerFee: Raw | UnsetType = UNSET  # noqa: N815
    referenceSymbol: Raw | UnsetType = UNSET  # noqa: N815
    fundingTimestamp: Raw | UnsetType = UNSET  # noqa: N815
    makerFee: Raw | UnsetType = UNSET  # noqa: N815
    riskLimit: Raw | UnsetType = UNSET  # noqa: N815

    def has_figures(self) -> bool:
        """Whether the row brings more than prices."""
        return not (
            self.fundingRate is UNSET
            and self.state is UNSET
            and self.tickSize is UNSET
            and self.lotSize is UNSET
            and self.maxPrice is UNSET
            and self.maxOrderQty is UNSET
            and self.multiplier is UNSET
            and self.initMargin is UNSET
            and self.maintMargin is UNSET
            and self.takerFee is UNSET
            and self.referenceSymbol is UNSET
            and self.fundingTimestamp is UNSET
            and self.makerFee is UNSET
            and self.riskLimit is UNSET
        )


class MarkFrame(msgspec.Struct, gc=False):
    """An `instrument` frame, or anything else: then `table` or `action` say so."""

    table: str = ""
    action: str = ""
    data: list[MarkRow] = []


class _ExactRow(msgspec.Struct, gc=False):
    symbol: str = ""
    markPrice: Decimal | None = None  # noqa: N815


class _ExactFrame(msgspec.Struct, gc=False):
    table: str = ""
    data: list[_ExactRow] = []


_decode = msgspec.json.Decoder(MarkFrame).decode
_decode_exactly = msgspec.json.Decoder(_ExactFrame).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def mark_rows(raw: bytes) -> list[MarkRow] | None:
    """Return the rows of an `instrument` update; None for every other frame, which then takes the long way."""
    try:
        frame = _decode(raw)
    except NOT_JSON:
        return None
    return frame.data if frame.table == "instrument" and frame.action == "update" else None


def exact_mark(raw: bytes, symbol: str) -> Decimal | None:
    """Return the last mark price of `symbol` in a frame, exactly as sent; None if the frame holds none."""
    try:
        frame = _decode_exactly(raw)
    except NOT_JSON:
        return None
    if frame.table != "instrument":
        return None
    for row in reversed(frame.data):
        if row.symbol == symbol and row.markPrice is not None and row.markPrice.is_finite():
            return row.markPrice
    return None


def mark_excerpt(symbol: str, price: Decimal) -> bytes:
    """Return a frame with this one mark, digit for digit: what stands for a partial of megabytes."""
    row = {"symbol": symbol, "markPrice": price}
    return _encode({"table": "instrument", "action": "update", "data": [row]})
