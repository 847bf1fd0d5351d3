"""Symbols as clients write them."""

from __future__ import annotations

import pytest

from connectors.simulated.engine.changes import Row
from connectors.simulated.server.symbols import in_group, periods_of, resolve


def row(symbol: str, root: str, typ: str = "FFWCSX", expiry: str | None = None) -> Row:
    """Return what of an instrument row counts here."""
    return {"symbol": symbol, "rootSymbol": root, "state": "Open", "typ": typ, "expiry": expiry}


JANUARY, DECEMBER, MARCH = (f"{day}T12:00:00.000Z" for day in ("2027-01-29", "2026-12-25", "2027-03-26"))
INSTRUMENTS: list[Row] = [
    row("XBTUSD", "XBT"),
    row("XBTH27", "XBT", "FFCCSX", MARCH),
    row("XBTUSDTZ26", "XBT", "FFCCSX", DECEMBER),
    row("XBTZ26", "XBT", "FFCCSX", DECEMBER),
    row("XBTF27", "XBT", "FFCCSX", JANUARY),
    row("XBTZ26-XBTH27", "XBT", "FFMCSX", DECEMBER),
    row("XBT_USDT", "XBT", "IFXXXP"),
    row("ETHUSD", "ETH"),
    row("SPYUSDT", "SPY", "FFSCSX"),
    {**row("XBTU26", "XBT", "FFCCSX", "2026-09-25T12:00:00.000Z"), "state": "Settled"},
    {**row(".BXBT", "XBT", "MRCXXX"), "state": "Unlisted"},
]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("xbtusd", "XBTUSD"),
        ("xbt_usdt", "XBT_USDT"),
        ("XBT", "XBTZ26"),
        ("XBT:perpetual", "XBTUSD"),
        ("xbt:quarterly", "XBTZ26"),
        ("XBT:biquarterly", "XBTH27"),
        ("XBT:monthly", "XBTF27"),
        ("XBT:nearest", "XBTZ26"),
        ("XBT:yearly", "XBT:YEARLY"),
        ("ETH", "ETHUSD"),
        ("SPY:perpetual", "SPYUSDT"),
        ("XBTU26", "XBTU26"),
        (".bxbt", ".BXBT"),
        ("DOGEUSD", "DOGEUSD"),
        ("ETH:quarterly", "ETH:QUARTERLY"),
    ],
)
def test_resolve(text: str, symbol: str) -> None:
    """Any case, a series, a series with a period; the unknown stays unknown."""
    assert resolve(text, INSTRUMENTS) == symbol


def test_periods_of_a_series() -> None:
    """Only the periods there are; spreads and what has settled have none."""
    assert periods_of("ETH", INSTRUMENTS) == {"perpetual": "ETHUSD"}
    assert set(periods_of("XBT", INSTRUMENTS)) == {"nearest", "monthly", "quarterly", "biquarterly", "perpetual"}
    assert periods_of("DOGE", INSTRUMENTS) == {}


def test_groups() -> None:
    """Contracts, indices and spot pairs are told apart."""
    assert in_group("XBTUSD", "CONTRACTS")
    assert in_group("XBTZ26-XBTH27", "DERIVATIVES")
    assert not in_group(".BXBT", "DERIVATIVES")
    assert not in_group("XBT_USDT", "CONTRACTS")
    assert in_group(".BXBT", "INDICES")
    assert in_group("XBT_USDT", "SPOT")
