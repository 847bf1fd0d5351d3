"""What the status says of the guard's lesser inputs: movements of money, insurance fund, liquidations, spreads.

It only reads. Money in minor units, prices and percents as text, durations in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from daemon.core.market.inputs_seen import fund_drawdown_percent, liquidated_contracts, widest_spread
from daemon.core.state import GuardState

_HOUR_NS: Final = 3600 * 10**9


def describe_inputs(state: GuardState) -> dict[str, object]:
    """Return what is known of them; `missing` names the topics that the venue does not give, and why."""
    held = sorted(symbol for symbol, guarded in state.positions.items() if guarded.position.quantity)
    return {
        "missing": dict(sorted(state.missing_topics.items())),
        "transfers_sat": {currency: wallet.transfers_sat for currency, wallet in sorted(state.wallets.items())},
        "insurance": {currency: _fund(state, currency) for currency in sorted(state.insurance)},
        "spreads": {symbol: _text(widest_spread(state, symbol)) for symbol in held},
        "liquidated_in_an_hour": {symbol: liquidated_contracts(state, symbol, within_ns=_HOUR_NS) for symbol in held},
    }


def missing_lines(inputs: Mapping[str, Any]) -> list[str]:
    """Return a line for each topic that is missing."""
    return [f"missing: {topic} ({problem})" for topic, problem in inputs.get("missing", {}).items()]


def _fund(state: GuardState, currency: str) -> dict[str, object]:
    drawdown = fund_drawdown_percent(state, currency)
    return {
        "balance_sat": state.insurance[currency][-1].balance_sat,
        "drawdown_percent": None if drawdown is None else f"{drawdown:.2f}",
    }


def _text(price: Decimal | None) -> str | None:
    return None if price is None else format(price, "f")
