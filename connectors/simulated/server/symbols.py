"""Symbols as clients write them: any case, a bare series, or a series with a period.

Why: `xbtusd`, `XBT` (the nearest contract) and `XBT:perpetual` all name instruments at the venue.
Source: parameter `symbol` of www.bitmex.com/api/explorer.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.simulated.engine.changes import Row

_PERPETUALS = frozenset({"FFWCSX", "FFWCSF", "FFSCSX"})
_FUTURE = "FFCCSX"
_PERPETUAL_PERIOD = "perpetual"
_QUARTERS = "HMUZ"
_CODE = len("H27")
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
    named = periods_of(series, instruments)
    if period:
        return named.get(period.lower(), wanted)
    return named.get("nearest") or named.get(_PERPETUAL_PERIOD) or wanted


def periods_of(series: str, instruments: Sequence[Row]) -> dict[str, str]:
    """Return what each period of a series means now, such as `quarterly` and the next quarter's symbol."""
    listed = [row for row in instruments if row["rootSymbol"] == series and row["state"] == "Open"]
    perpetuals = [str(row["symbol"]) for row in listed if row["typ"] in _PERPETUALS]
    ends = sorted((str(row["expiry"]), str(row["symbol"])) for row in listed if row["typ"] == _FUTURE)
    # Where several futures of a root end together, the series is the one without a suffix, such as ETHZ26.
    futures = [symbol for _, symbol in sorted(ends, key=lambda end: (end[0], len(end[1])))]
    main = [symbol for symbol in futures if symbol[:-_CODE] == series] or futures
    quarters = [symbol for symbol in main if symbol[-_CODE] in _QUARTERS]
    months = [symbol for symbol in main if symbol not in quarters]
    found = {
        "nearest": main[:1],
        "monthly": months[:1] or main[:1],
        "quarterly": quarters[:1],
        "biquarterly": quarters[1:2],
        _PERPETUAL_PERIOD: perpetuals[:1],
    }
    return {period: symbols[0] for period, symbols in found.items() if symbols}


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
