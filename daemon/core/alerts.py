"""One way to tell people something. When to tell is decided where the fact arises; here only the form is.

`alert_id` names the fact and its moment, so a repeated delivery, or a replay, can be recognised.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from daemon.core.commands import RaiseAlert, Severity
from daemon.core.draft import Draft
from daemon.core.reasons import Reason

STOP_IS_COMING: Final = "its stop is being placed"
NO_STOP_RESTS: Final = "no stop rests"
"""How a sentence about a tier ends while no stop covers the position; see `people/notice.py` for what comes of it."""


def tell(
    draft: Draft,
    reason: Reason,
    severity: Severity,
    *,
    topic: str,
    state: str,
    symbol: str = "",
    text: str,
    facts: tuple[tuple[str, object], ...] = (),
) -> None:
    """Raise an alert.

    Args:
        draft: The step at work.
        reason: Why it is said.
        severity: How loudly.
        topic: What it is about: "tier", "cover", "position", "degraded", "switch" or "mode".
        state: The named state.
        symbol: Empty when it is about the account.
        text: One sentence with the figures.
        facts: The same figures for machines; None is left out.
    """
    draft.emit(
        RaiseAlert(
            reason=reason,
            alert_id=f"{topic}:{state}:{symbol}:{draft.now_ns}",
            severity=severity,
            topic=topic,
            state=state,
            symbol=symbol,
            text=text,
            facts=tuple((name, str(value)) for name, value in facts if value is not None),
        )
    )


def seconds(duration_ns: int) -> str:
    """A duration for people: "0.35 s"."""
    return f"{Decimal(duration_ns).scaleb(-9):.2f} s"


def percent(value: Decimal) -> str:
    """A percentage for people: "4.21 %"."""
    return f"{value:.2f} %"


_DECIMALS: Final = {"XBt": ("XBT", 8), "USDt": ("USDT", 6)}


def money(amount_sat: int, currency: str) -> str:
    """An amount for people: "0.0123 XBT", "12.50 USDT"; other currencies in their minor units.

    Example:
        >>> [money(1_230_000, "XBt"), money(12_500_000, "USDt"), money(43, "USDt"), money(5, "ETHt")]
        ['0.0123 XBT', '12.50 USDT', '0.000043 USDT', '5 ETHt']
    """
    known = _DECIMALS.get(currency)
    if known is None:
        return f"{amount_sat} {currency}"
    name, decimals = known
    amount = Decimal(amount_sat).scaleb(-decimals)
    if decimals == 6 and (abs(amount) >= Decimal("0.01") or not amount):
        return f"{amount:.2f} {name}"
    return f"{amount:.{decimals}f}".rstrip("0").rstrip(".") + f" {name}"
