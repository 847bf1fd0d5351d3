"""The choke point's rule for corrections (P1): margin, leverage and mode may bring no liquidation nearer.

See `danger.py`.
"""

from __future__ import annotations

from daemon.core.commands import AddMargin, IsolatePosition, SetLeverage
from daemon.core.state import GuardState


def correction_refusal(command: AddMargin | SetLeverage | IsolatePosition, state: GuardState) -> str | None:
    """Say why a correction must not leave; None if it may."""
    if state.policy.observe:
        return "observing only"
    guarded = state.positions.get(command.key.symbol)
    if guarded is None or guarded.position.key != command.key or guarded.position.side is None:
        return "no such open position"
    return "its effect on the liquidation prices cannot be worked out"
