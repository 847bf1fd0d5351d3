"""Symbols as clients write them."""

from __future__ import annotations

import pytest

from connectors.simulated.engine.changes import Row
from connectors.simulated.server.symbols import in_group, resolve

INSTRUMENTS: list[Row] = [
    {"symbol": "XBTUSD", "rootSymbol": "XBT", "state": "Open", "typ": "FFWCSX", "expiry": None},
    {"symbol": "XBTH27", "rootSymbol": "XBT", "state": "Open", "typ": "FFCCSX", "expiry": "2027-03-26T12:00:00.000Z"},
    {"symbol": "XBTZ26", "rootSymbol": "XBT", "state": "Open", "typ": "FFCCSX", "expiry": "2026-12-25T12:00:00.000Z"},
    {"symbol": "ETHUSD", "rootSymbol": "ETH", "state": "Open", "typ": "FFWCSX", "expiry": None},
    {"symbol": ".BXBT", "rootSymbol": "XBT", "state": "Unlisted", "typ": "MRCXXX", "expiry": None},
]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("xbtusd", "XBTUSD"),
        ("XBT", "XBTZ26"),
        ("XBT:perpetual", "XBTUSD"),
        ("xbt:quarterly", "XBTZ26"),
        ("XBT:nearest", "XBTZ26"),
        ("ETH", "ETHUSD"),
        (".bxbt", ".BXBT"),
        ("DOGEUSD", "DOGEUSD"),
        ("ETH:quarterly", "ETH:QUARTERLY"),
    ],
)
def test_resolve(text: str, symbol: str) -> None:
    """Any case, a series, a series with a period; the unknown stays unknown."""
    assert resolve(text, INSTRUMENTS) == symbol


def test_groups() -> None:
    """Contracts, indices and spot pairs are told apart."""
    assert in_group("XBTUSD", "CONTRACTS")
    assert not in_group(".BXBT", "DERIVATIVES")
    assert in_group(".BXBT", "INDICES")
    assert in_group("XBT_USDT", "SPOT")
