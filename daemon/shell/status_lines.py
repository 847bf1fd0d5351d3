"""The lines below the table of `seawall status`: what is worth a sentence about a position or an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from daemon.core.alerts import money

_FRONT_OF_THE_QUEUE = 4
"""From this rank on (of five), a position is among the first to be deleveraged."""


def alert_lines(alerts: Mapping[str, Any]) -> Iterator[str]:
    """Channels that do not deliver, alerts that were lost, and an outside heartbeat that nobody hears."""
    for name, channel in alerts.get("channels", {}).items():
        if channel["failing"] or channel["lost"]:
            trouble = f": {channel['problem']}" if channel.get("problem") else ""
            standing = "does not deliver" if channel["failing"] else "delivers again"
            counts = f"{channel['waiting']} waiting, {channel['lost']} lost"
            yield f"alert channel {name} {standing} ({counts}){trouble}"
    if problem := alerts.get("heartbeat", {}).get("problem"):
        yield f"the outside heartbeat is not heard: {problem}"


def position_lines(position: Mapping[str, Any]) -> Iterator[str]:
    """What the table has no column for: the market's pace, funding, a place near the front of the queue."""
    symbol = position["symbol"]
    if volatility := position.get("volatility"):
        yield f"{symbol}: {_pace(volatility)}"
    if funding := position.get("funding"):
        verb = "pays" if funding["payment_sat"] >= 0 else "receives"
        payment, a_day = (money(abs(funding[name]), funding["currency"]) for name in ("payment_sat", "a_day_sat"))
        yield f"{symbol}: {verb} {payment} in funding at {funding['at']}, {a_day} a day at this rate"
    rank = position.get("adl_rank")
    if rank is not None:
        note = ", among the first to be closed if the insurance fund runs out" if rank >= _FRONT_OF_THE_QUEUE else ""
        yield f"{symbol}: auto-deleveraging rank {rank} of 5{note}"


def account_line(account: Mapping[str, Any]) -> str:
    """At which move of all marks together a currency's cross positions fail, and who brings it there."""
    currency = account["currency"]
    if account.get("reason"):
        return f"{currency} cross: the common move at which it fails is not known ({account['reason']})"
    down, up = account.get("fails_down_percent"), account.get("fails_up_percent")
    ways = [f"fall {_size(down)} %"] if down is not None else []
    ways += [f"rise {_size(up)} %"] if up is not None else []
    if not ways:
        return f"{currency} cross: no common move of its marks makes it fail"
    first = next(iter(account["contributions"]), None)
    most = "" if first is None else f"; most of it by {first['symbol']} ({Decimal(first['share']) * 100:.0f} %)"
    return f"{currency} cross: fails when its marks {' or '.join(ways)} together{most}"


def _pace(volatility: Mapping[str, Any]) -> str:
    hourly, samples = volatility["hourly_percent"], volatility["samples"]
    if hourly is None:
        return f"volatility is not known yet ({samples} of {volatility['least_samples']} moves); percent bounds decide"
    gap = volatility["largest_gap_percent"]
    return f"volatility {hourly} % an hour, largest jump of late {gap} %"


def _size(percent: str) -> str:
    return percent.removeprefix("-")
