"""The account as the running guard knows it, for `seawall stress`: rows, orders, marks, and whether it sees at all.

It only reads. Both ends are here, so that what one writes the other can read.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from connectors.vocabulary import Instrument, Margin, Order, Position
from daemon.core.state import GuardState


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountSeen:
    """The answer."""

    mode: str
    positions: tuple[Position, ...]
    """Open ones."""
    instruments: tuple[Instrument, ...]
    """Of the open positions."""
    margins: tuple[Margin, ...]
    orders: tuple[Order, ...]
    marks: dict[str, Decimal]


def describe_account(state: GuardState) -> dict[str, object]:
    """Return the answer as plain values."""
    held = [guarded.position for _, guarded in sorted(state.positions.items()) if guarded.position.quantity]
    symbols = [position.key.symbol for position in held]
    seen = AccountSeen(
        mode=state.mode.value,
        positions=tuple(held),
        instruments=tuple(state.instruments[symbol] for symbol in symbols if symbol in state.instruments),
        margins=tuple(margin for _, margin in sorted(state.margins.items())),
        orders=tuple(known.order for orders in state.orders.values() for known in orders.values()),
        marks={symbol: state.marks[symbol].price for symbol in symbols if symbol in state.marks},
    )
    plain: dict[str, object] = msgspec.to_builtins(seen)
    return plain


def account_seen(answer: object) -> AccountSeen:
    """Read the answer.

    Raises:
        msgspec.ValidationError: If it is none.
    """
    return msgspec.convert(answer, type=AccountSeen)
