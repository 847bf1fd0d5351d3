"""Symbols as clients write them: any case, a bare series, or a series with a period.

Why: `xbtusd`, `XBT` (the nearest contract) and `XBT:perpetual` all name instruments at the venue.
Source: parameter `symbol` of www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.simulated.engine.changes import Row

_PERPETUAL = "FFWCSX"
_FUTURE = "FFCCSX"
_PERPETUAL_PERIOD = "perpetual"
_MONTH_OF_LETTER = "FGHJKMNQUVXZ"
_QUARTERS = "HMUZ"
GROUPS = ("CONTRACTS", "DERIVATIVES", "INDICES", "SPOT")


def resolve(symbol: str, instruments: Sequence[Row]) -> str:
    """Return the instrument's symbol; the text in capitals if it names nothing known.

    Args:
        symbol: As sent.
        instruments: All instrument rows.
    """
    wanted = symbol.upper()
    series, _, period = wanted.partition(":")
    if not period and any(row["symbol"] == wanted for row in instruments):
        return wanted
    listed = [row for row in instruments if row["rootSymbol"] == series and row["state"] == "Open"]
    futures = sorted((str(row["expiry"]), str(row["symbol"])) for row in listed if row["typ"] == _FUTURE)
    perpetuals = [str(row["symbol"]) for row in listed if row["typ"] == _PERPETUAL]
    if period.lower() == _PERPETUAL_PERIOD or (not period and not futures):
        return perpetuals[0] if perpetuals else wanted
    named = [symbol for _, symbol in futures if _is_of_period(symbol, period.lower())]
    return named[0] if named else wanted


def _is_of_period(symbol: str, period: str) -> bool:
    if period == "quarterly":
        return symbol[-3:-2] in _QUARTERS
    return period in {"", "nearest"} or (period == "monthly" and symbol[-3:-2] in _MONTH_OF_LETTER)


def is_index(symbol: str) -> bool:
    """Return whether the symbol names an index rather than something to trade."""
    return symbol.startswith(".")


def in_group(symbol: str, group: str) -> bool:
    """Return whether an instrument belongs to a group such as `CONTRACTS`."""
    if group == "INDICES":
        return is_index(symbol)
    if group == "SPOT":
        return "_" in symbol
    return not is_index(symbol) and "_" not in symbol
