"""The embedded exchange's engine: inputs in, replies and table changes out.

Why: all of the venue's behaviour that a guard depends on stands here and in the topic modules it
calls, as a deterministic function of the inputs and the protocol times they come with. No clock
is read and nothing is drawn, so a journal of inputs restores the exact state.

Units: `at_ms` is protocol time, milliseconds since 1970 UTC; rows carry integers for money and
contracts, `Decimal` for prices and rates, strings for times and names, None for empty columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.simulated.changes import Change, Reply, Row
from connectors.simulated.refusals import Refused
from connectors.simulated.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.simulated.inputs import Input

__all__ = ["Change", "Exchange", "Refused", "Reply", "Row"]


class Exchange:
    """One exchange with its contracts, accounts, orders and positions.

    The journal of `apply` calls is the state: the same inputs at the same times give the same
    replies and the same changes.
    """

    def __init__(self, *, switches: Switches | None = None) -> None:
        self._switches = switches or Switches()

    def apply(self, value: Input, *, at_ms: int) -> Reply:
        """Take one input and return what the REST answer shows.

        Args:
            value: What happened.
            at_ms: Protocol time; never earlier than in the call before.

        Returns:
            A row, a list of rows, or None for inputs without an answer (prices, time, accounts).

        Raises:
            Refused: If the venue would answer with an HTTP error. Nothing has changed then.
        """
        raise NotImplementedError

    def take_changes(self) -> list[Change]:
        """Return the table changes since the last call, in order."""
        raise NotImplementedError

    def refresh(self, account: int, *, at_ms: int) -> None:
        """Add the changes of the account's position and margin rows that only prices moved."""
        raise NotImplementedError

    def next_timer_ms(self) -> int | None:
        """Return the protocol time at which the next `cancelAllAfter` fires, or None."""
        raise NotImplementedError

    def has_account(self, account: int) -> bool:
        """Return whether the account exists."""
        raise NotImplementedError

    def accounts(self) -> Sequence[int]:
        """Return the account numbers, in the order they were opened."""
        raise NotImplementedError

    def order_rows(self, account: int) -> list[Row]:
        """Return all orders of the account, finished ones included, oldest first."""
        raise NotImplementedError

    def position_rows(self, account: int) -> list[Row]:
        """Return the account's position rows, flat ones included."""
        raise NotImplementedError

    def margin_rows(self, account: int) -> list[Row]:
        """Return the account's margin rows, one per currency."""
        raise NotImplementedError

    def wallet_rows(self, account: int) -> list[Row]:
        """Return the account's wallet rows, one per currency."""
        raise NotImplementedError

    def wallet_history_rows(self, account: int) -> list[Row]:
        """Return the bookings on the account's wallets, oldest first."""
        raise NotImplementedError

    def execution_rows(self, account: int) -> list[Row]:
        """Return the account's executions, oldest first."""
        raise NotImplementedError

    def instrument_rows(self) -> list[Row]:
        """Return all instruments, indices included."""
        raise NotImplementedError

    def trade_rows(self, symbol: str) -> list[Row]:
        """Return the latest trades of a symbol (at most 1,000), oldest first."""
        raise NotImplementedError

    def quote_rows(self, symbol: str) -> list[Row]:
        """Return the latest quotes of a symbol (at most 1,000), oldest first."""
        raise NotImplementedError

    def book_rows(self, symbol: str, depth: int) -> list[Row]:
        """Return `orderBookL2` rows, `depth` levels a side, asks first, dearest first."""
        raise NotImplementedError

    def liquidation_rows(self) -> list[Row]:
        """Return the liquidation orders now in the book."""
        raise NotImplementedError

    def funding_rows(self) -> list[Row]:
        """Return the funding exchanges so far, oldest first."""
        raise NotImplementedError

    def insurance_rows(self) -> list[Row]:
        """Return the insurance fund per currency."""
        raise NotImplementedError
