"""The choke point's rule for corrections (P1): margin, leverage and mode may bring no liquidation nearer.

Worked out by doing it on paper: the rows as the venue would show them, and every liquidation price of the account, and
the common failures of its currencies, compared. What cannot be worked out counts as nearer.

See `danger.py`, which asks this right before the wire; `corrections.py` asks it before it makes the command.
"""

from __future__ import annotations

from typing import assert_never

from connectors.vocabulary import Position
from daemon.core.commands import AddMargin, IsolatePosition, PositionCommand, SetLeverage
from daemon.core.draft import Draft
from daemon.core.margin import what_if
from daemon.core.margin.what_if import AccountRows
from daemon.core.market.room import account_rows
from daemon.core.state import GuardState


def correction_refusal(command: PositionCommand, view: Draft | GuardState) -> str | None:
    """Say why a correction must not leave; None if it may."""
    if view.policy.observe:
        return "observing only"
    if view.pause is not None:
        return "the guard is paused"
    guarded = view.positions.get(command.key.symbol)
    if guarded is None or guarded.position.key != command.key or guarded.position.side is None:
        return "no such open position"
    rows = account_rows(view)
    after = changed(command, rows)
    if after is None:
        return "the venue would refuse it, or its effect cannot be worked out"
    nearer = what_if.brought_nearer(rows, what_if.replaced(rows, after))
    return f"it would bring liquidation nearer: {', '.join(nearer)}" if nearer else None


def changed(command: PositionCommand, rows: AccountRows) -> Position | None:
    """The position's row after the correction; None where the venue would refuse it, or nobody can say."""
    position = rows.positions.get(command.key.symbol)
    instrument = rows.instruments.get(command.key.symbol)
    margin = None if position is None else rows.margins.get(position.currency)
    if position is None or instrument is None or margin is None:
        return None
    match command:
        case AddMargin(amount_sat=amount_sat):
            found = what_if.margin_added(position, instrument, margin, amount_sat)
        case SetLeverage(leverage=leverage):
            found = what_if.with_leverage(position, instrument, margin, leverage)
        case IsolatePosition():
            found = what_if.isolated(position, instrument, margin)
        case _:
            assert_never(command)
    return None if found is None else found[0]
