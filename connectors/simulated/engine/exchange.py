"""The embedded exchange's engine: inputs in, replies and table changes out.

Why: all of the venue's behaviour that a guard depends on stands here and in the topic modules it
calls, as a deterministic function of the inputs and the protocol times they come with. No clock
is read and nothing is drawn, so a journal of inputs restores the exact state.

Units: `at_ms` is protocol time, milliseconds since 1970 UTC; rows carry integers for money and
contracts, `Decimal` for prices and rates, strings for times and names, None for empty columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, assert_never

from connectors.simulated.engine import decrees, faulty_orders, faulty_prices, inputs, listing, snapshot, staging, steps
from connectors.simulated.engine.changes import Change, Reply, Row
from connectors.simulated.engine.contracts import CONTRACTS, Contract
from connectors.simulated.engine.equity import accounts, position_log
from connectors.simulated.engine.equity.account_rows import margin_row, wallet_row
from connectors.simulated.engine.equity.standing import standing
from connectors.simulated.engine.faults.board import FaultBoard
from connectors.simulated.engine.holdings.ledger import Position, cash
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.switches import Switches
from connectors.simulated.engine.tables.instrument_rows import index_row, instrument_row
from connectors.simulated.engine.tables.order_rows import order_row
from connectors.simulated.engine.tables.public_rows import book_rows
from connectors.simulated.engine.taking_over import settlement, takeover
from connectors.simulated.engine.trading import amending, entry, leverage, triggers
from connectors.simulated.engine.world import World, new_world

__all__ = ["Change", "Exchange", "Refused", "Reply", "Row"]


class Exchange:
    """One exchange with its contracts, accounts, orders and positions.

    The journal of `apply` calls is the state: the same inputs at the same times give the same
    replies and the same changes.
    """

    def __init__(
        self,
        *,
        contracts: tuple[Contract, ...] = CONTRACTS,
        switches: Switches | None = None,
        world: World | None = None,
    ) -> None:
        """Open a new exchange, or go on from the state `world`, which brings its own contracts and switches."""
        self._world = new_world(switches or Switches(), contracts) if world is None else world

    @classmethod
    def load(cls, document: bytes) -> Self:
        """Return an exchange that goes on where the saved one stood.

        Raises:
            SnapshotError: If the document is none that this version reads.
        """
        return cls(world=snapshot.load(document, World))

    def leave_out(self, tables: frozenset[str]) -> None:
        """Make no more rows of `instrument`, `quote` or `trade` at a step of the tape, where nobody reads them."""
        self._world.unread = tables

    def restore(self, world: World) -> None:
        """Go on from another state."""
        self._world = world

    def save(self) -> bytes:
        """Return the whole state as one document: the same state gives the same bytes."""
        return snapshot.save(self._world)

    @property
    def world(self) -> World:
        """The state; to be read and saved, never to be changed but by `apply`."""
        return self._world

    def apply(self, value: inputs.Input, *, at_ms: int) -> Reply:
        """Take one input and return what the REST answer shows.

        Timers that have run out by `at_ms` go off first, also when the input is refused.

        Args:
            value: What happened.
            at_ms: Protocol time; an earlier one than before counts as the one before.

        Returns:
            A row, a list of rows, or None for inputs without an answer (prices, time, accounts).

        Raises:
            Refused: If the venue would answer with an HTTP error. The input has changed nothing; a failed
                amendment may have left an execution that says so.
        """
        self._world.at_ms = max(at_ms, self._world.at_ms)
        if self._world.faults.active:
            faulty_orders.before_timers(self._world)
        entry.fire_timers(self._world)
        settlement.settle_expired(self._world)
        try:
            reply = self._dispatch(value)
        finally:
            triggers.release_linked(self._world)  # timers may have ended an order that others wait for
            position_log.flush(self._world)
        return self._position_reply(reply) if isinstance(reply, Position) else reply

    def _dispatch(self, value: inputs.Input) -> Reply | Position:
        match value:
            case inputs.SetPrices():
                self._set_prices(value)
            case inputs.OpenAccount():
                accounts.open_account(self._world, value)
            case inputs.Deposit():
                accounts.deposit(self._world, value)
            case inputs.ListContracts():
                listing.list_contracts(self._world, value)
            case inputs.PassTime():
                pass
            case inputs.Scripted():
                self._world.script = value.number
                return self._dispatch(value.input)
            case (
                inputs.SetFault()
                | inputs.ClearFault()
                | inputs.FaultBit()
                | inputs.Announce()
                | inputs.SetPosition()
                | inputs.SetKey()
            ):
                return staging.stage(self._world, value)
            case inputs.SettleContract() | inputs.RestrictMarket() | inputs.SetMarkMethod() | inputs.FundInsurance():
                decrees.decree(self._world, value)
            case _:
                return self._asked(value)
        return None

    def _set_prices(self, value: inputs.SetPrices) -> None:
        if not self._world.faults.active:
            steps.set_prices(self._world, value)
            return
        steps.set_prices(self._world, faulty_prices.priced(self._world, value))
        faulty_orders.sweep(self._world)

    def _place(self, value: inputs.PlaceOrder) -> Row:
        listing.require_traded(self._world, value.symbol)
        if not self._world.faults.active:
            return entry.place(self._world, value)
        faulty_orders.before(self._world, value)
        reply = faulty_orders.after(self._world, value, entry.place(self._world, value))
        faulty_orders.sweep(self._world)
        return reply

    def _asked(self, value: inputs.Request) -> Reply | Position:
        """Take a trader's request; one that is refused leaves no position row behind either."""
        positions = self._world.account(value.account).positions
        known = len(positions)
        try:
            return self._request(value)
        except Refused:
            while len(positions) > known:
                positions.popitem()  # flat ones, looked at and never traded
            raise

    def _request(self, value: inputs.Request) -> Reply | Position:
        world = self._world
        match value:
            case inputs.PlaceOrder():
                return self._place(value)
            case inputs.AmendOrder():
                return amending.amend(world, value)
            case inputs.CancelOrders():
                return entry.cancel_orders(world, value)
            case inputs.CancelAll():
                return entry.cancel_all(world, value)
            case inputs.CancelAllAfter():
                return entry.cancel_all_after(world, value)
            case _:
                return self._setting(value)

    def _setting(self, value: inputs.PositionRequest) -> Position:
        world = self._world
        listing.require_traded(world, value.symbol)
        match value:
            case inputs.SetLeverage():
                return leverage.set_leverage(world, value)
            case inputs.SetCrossLeverage():
                return leverage.set_cross_leverage(world, value)
            case inputs.Isolate():
                return leverage.isolate(world, value)
            case inputs.TransferMargin():
                return leverage.transfer_margin(world, value)
            case inputs.SetRiskLimit():
                return leverage.set_risk_limit(world, value)
            case _:
                assert_never(value)

    def _position_reply(self, position: Position) -> Row:
        account = self._world.accounts[position.account]
        whole = standing(self._world, account, position.contract.settl_currency)
        return position_log.position_row_now(self._world, position, whole)

    def take_changes(self) -> list[Change]:
        """Return the table changes since the last call, in order."""
        changes, self._world.changes = self._world.changes, []
        return changes

    def refresh(self, account: int, *, at_ms: int) -> None:
        """Add the changes of the account's position and margin rows that only prices moved."""
        position_log.refresh(self._world, self._world.account(account), at_ms=at_ms)

    def next_timer_ms(self) -> int | None:
        """Return the protocol time at which the next `cancelAllAfter` fires or orders of a day end, or None."""
        armed = [a.cancel_at_ms for a in self._world.accounts.values()]
        armed += [order.expires_ms for order in self._world.day_orders.values()]
        return min((due for due in armed if due is not None), default=None)

    def has_account(self, account: int) -> bool:
        """Return whether the account exists."""
        return account in self._world.accounts

    def has_symbol(self, symbol: str) -> bool:
        """Return whether there is such a contract or index, whatever its state."""
        return symbol in self._world.markets or symbol in self._world.indices

    def open_order_count(self) -> int:
        """Return how many orders of all accounts are open."""
        return sum(len(book) for account in self._world.accounts.values() for book in account.open_orders.values())

    def accounts(self) -> Sequence[int]:
        """Return the account numbers, in the order they were opened."""
        return tuple(self._world.accounts)

    def symbols(self) -> Sequence[str]:
        """Return the symbols of all instruments, indices last."""
        return (*self._world.markets, *self._world.indices)

    def order_rows(self, account: int) -> list[Row]:
        """Return the orders of the account, the latest 5,000 finished ones included, oldest first."""
        return [order_row(order) for order in self._world.account(account).orders.values()]

    def position_rows(self, account: int) -> list[Row]:
        """Return the account's position rows, flat ones included."""
        owner = self._world.account(account)
        return [self._position_reply(position) for position in owner.positions.values()]

    def margin_rows(self, account: int) -> list[Row]:
        """Return the account's margin rows, one per currency."""
        owner = self._world.account(account)
        return [
            margin_row(owner, wallet, standing(self._world, owner, currency), at_ms=self._world.at_ms)
            for currency, wallet in owner.wallets.items()
        ]

    def wallet_rows(self, account: int) -> list[Row]:
        """Return the account's wallet rows, one per currency."""
        return [wallet_row(wallet) for wallet in self._world.account(account).wallets.values()]

    def wallet_history_rows(self, account: int) -> list[Row]:
        """Return the bookings on the account's wallets, oldest first."""
        return list(self._world.account(account).history)

    def execution_rows(self, account: int) -> list[Row]:
        """Return the account's latest 10,000 executions, oldest first."""
        return list(self._world.account(account).executions)

    def instrument_rows(self, symbol: str | None = None) -> list[Row]:
        """Return the instrument of a symbol, all of them for None, indices last."""
        world = self._world
        markets = [market for name, market in world.markets.items() if symbol in (None, name)]
        indices = [prints for name, prints in world.indices.items() if symbol in (None, name)]
        rows = [instrument_row(world, market) for market in markets]
        return rows + [index_row(prints, at_ms=world.at_ms) for prints in indices]

    def trade_rows(self, symbol: str) -> list[Row]:
        """Return the latest trades of a contract or prints of an index (at most 1,000), oldest first."""
        printed = self._world.indices.get(symbol)
        return list(printed.rows) if printed is not None else list(self._world.market(symbol).trades)

    def quote_rows(self, symbol: str) -> list[Row]:
        """Return the latest quotes of a symbol (at most 1,000), oldest first."""
        return list(self._world.market(symbol).quotes)

    def book_rows(self, symbol: str, depth: int) -> list[Row]:
        """Return `orderBookL2` rows, `depth` levels a side, dearest ask first."""
        market = self._world.market(symbol)
        return book_rows(market, depth, at_ms=self._world.at_ms)

    def liquidation_rows(self) -> list[Row]:
        """Return the liquidation orders now in the book."""
        return [order.row() for order in self._world.liquidations.values()]

    def funding_rows(self) -> list[Row]:
        """Return the funding exchanges so far, oldest first."""
        return list(self._world.fundings)

    def settlement_rows(self) -> list[Row]:
        """Return the settlements so far, oldest first."""
        return list(self._world.settlements)

    def insurance_rows(self) -> list[Row]:
        """Return the insurance fund's balance per currency."""
        return [takeover.insurance_row(self._world, currency) for currency in sorted(self._world.house.fund)]

    def faults(self) -> FaultBoard:
        """Return the faults that are set; to be read, not to be changed."""
        return self._world.faults

    def changed_keys(self) -> Sequence[inputs.SetKey]:
        """Return the keys that were made or changed by hand."""
        return tuple(self._world.keys.values())

    def script_position(self) -> int:
        """Return the number of the last scripted input, 0 before the first."""
        return self._world.script

    def announcement_rows(self, *, only_urgent: bool = False) -> list[Row]:
        """Return what was announced, latest first."""
        world = self._world
        return [row for row in reversed(world.announcements) if not only_urgent or row["id"] in world.urgent]

    def money_is_conserved(self) -> bool:
        """Return whether all money ever deposited is still there, to the minor unit.

        Accounts, fees, the insurance fund and the side behind the modelled liquidity together
        hold what was deposited, whatever happened.
        """
        house = self._world.house
        return all(
            sum(cash(a, currency) for a in self._world.accounts.values() if currency in a.wallets)
            + house.provider.get(currency, 0)
            + house.fund.get(currency, 0)
            + house.seized.get(currency, 0)
            + house.fees.get(currency, 0)
            == deposited
            for currency, deposited in house.deposits.items()
        )
