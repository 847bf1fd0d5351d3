"""Accounts, wallets and positions: who owns what, to the minor unit.

Why: everything a guard reads about money comes out of these few integers, and the sum over all
holders must never change except by fees, which are counted too.

Units: money in minor units of the settlement currency, quantities in contracts (signed), costs
with the venue's sign (negative for inverse longs and linear shorts), times in protocol ms.
Source: column meanings of the venue's `position`, `wallet` and `margin` tables.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import islice

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.contracts import ONE, Contract
from connectors.simulated.engine.holdings.margin import Holding, Locked
from connectors.simulated.engine.remembered import remembered
from connectors.simulated.engine.resting.order_sums import OrderSums
from connectors.simulated.engine.resting.orders import Order

# What an account remembers: an exchange that runs for weeks must not grow without end.
KEPT_FINISHED_ORDERS = 5_000
KEPT_EXECUTIONS = 10_000
KEPT_BURNT_IDS = 100_000
KEPT_BOOKINGS = 10_000


class PositionState(Enum):
    """`posState`: what the venue is doing to a position; `NORMAL` shows as an empty column."""

    NORMAL = ""
    LIQUIDATION = "Liquidation"  # about to be reduced or taken over
    LIQUIDATED = "Liquidated"  # taken over in this moment
    DELEVERAGE = "Deleverage"  # gives way to a liquidation of the other side


@dataclass(slots=True, kw_only=True)
class Position:
    """One account's position in one contract; stays when flat, as settings."""

    account: int
    contract: Contract
    leverage: Decimal
    risk_limit: int
    is_cross: bool = True
    quantity: int = 0
    current_cost: int = 0
    current_comm: int = 0
    unrealised_cost: int = 0  # signed entry cost of what is open
    pos_cross: int = 0
    pos_loss: int = 0
    rebalanced_pnl: int = 0
    prev_realised_pnl: int = 0
    opening_quantity: int = 0
    state: PositionState = PositionState.NORMAL
    state_ms: int = 0  # when it came into that state
    rank: Decimal | None = None  # place in the deleveraging queue at the latest ranking, in fifths
    changed_ms: int = 0
    locked: tuple[object, Locked, Holding] | None = remembered()  # by `standing`
    edge: Decimal | None = remembered()  # liquidation price while isolated, likewise
    terms: tuple[int, tuple[Decimal, Decimal], Decimal] | None = remembered()  # risk limit, rates, highest leverage

    @property
    def is_in_liquidation(self) -> bool:
        """Whether the position is about to be reduced or taken over."""
        return self.state is PositionState.LIQUIDATION

    @property
    def side(self) -> int:
        """+1 long, -1 short, 0 flat."""
        return (self.quantity > 0) - (self.quantity < 0)

    @property
    def cost(self) -> int:
        """Unsigned entry cost of what is open."""
        return abs(self.unrealised_cost)

    @property
    def realised_cost(self) -> int:
        """Cost of what has been closed since the last booking, signed."""
        return self.current_cost - self.unrealised_cost

    @property
    def realised_pnl(self) -> int:
        """Realised result since the last booking, fees and funding included."""
        return -(self.realised_cost + self.current_comm)

    @property
    def rates(self) -> tuple[Decimal, Decimal]:
        """(initial, maintenance) rates of the risk limit chosen."""
        return self._terms()[1]

    @property
    def effective_leverage(self) -> Decimal:
        """Leverage in force: what was set, within what the risk limit allows."""
        return min(self.leverage, self._terms()[2])

    def _terms(self) -> tuple[int, tuple[Decimal, Decimal], Decimal]:
        """Return what the risk limit chosen stands for."""
        if self.terms is None or self.terms[0] != self.risk_limit:
            rates = self.contract.margin_rates(self.risk_limit)
            self.terms = (self.risk_limit, rates, ONE / rates[0])
        return self.terms

    def unrealised_pnl(self, mark: Decimal) -> int:
        """Return the unrealised result at a mark price."""
        if not self.quantity:
            return 0
        return self.contract.signed_cost(self.quantity, mark) - self.unrealised_cost

    def book(self) -> int:
        """Move the realised result to the wallet and return it."""
        moved = self.realised_pnl
        self.rebalanced_pnl += moved
        self.current_cost = self.unrealised_cost
        self.current_comm = 0
        self.opening_quantity = self.quantity
        return moved

    def fill(self, quantity: int, price: Decimal, fee: Decimal) -> tuple[int, int]:
        """Apply a fill and return its (signed cost, fee paid).

        Args:
            quantity: Signed contracts bought or sold, not zero.
            price: Price of the match.
            fee: Fee rate; the fee is truncated toward zero.
        """
        closing = min(abs(quantity), abs(self.quantity)) if quantity * self.quantity < 0 else 0
        if closing:
            self._release(closing)
        opening = quantity - (closing if quantity > 0 else -closing)
        self.quantity += quantity
        cost = self.contract.signed_cost(quantity, price)
        if opening:
            self.unrealised_cost += self.contract.signed_cost(opening, price)
        paid = int(abs(cost) * fee)
        self.current_cost += cost
        self.current_comm += paid
        if not self.quantity or (closing and opening):
            self.rank, self.state = None, PositionState.NORMAL
            self._close_episode()
        return cost, paid

    def _release(self, closing: int) -> None:
        """Give up the closed share of entry cost and of margin added by hand."""
        kept = Fraction(abs(self.quantity) - closing, abs(self.quantity))
        self.unrealised_cost = round(self.unrealised_cost * kept)
        self.pos_cross = round(self.pos_cross * kept)
        self.pos_loss = round(self.pos_loss * kept)

    def _close_episode(self) -> None:
        """Remember the result of the position that just ended; the next one starts at zero."""
        result = self.realised_pnl + self.rebalanced_pnl
        self.prev_realised_pnl = result
        self.rebalanced_pnl -= result


@dataclass(slots=True, kw_only=True)
class Wallet:
    """One account's money in one currency."""

    account: int
    currency: str
    amount: int = 0  # after the last booking
    deposited: int = 0
    withdrawn: int = 0
    prev_realised_pnl: int = 0
    changed_ms: int = 0


@dataclass(slots=True, kw_only=True)
class Account:
    """One account: wallets, positions, orders and its dead man's timer."""

    number: int
    wallets: dict[str, Wallet] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)  # by orderID, finished ones included
    open_orders: dict[str, dict[str, Order]] = field(default_factory=dict)  # symbol, orderID
    finished: deque[Order] = field(default_factory=deque)  # the first to end is the first to be forgotten
    client_ids: dict[str, Order] = field(default_factory=dict)  # by clOrdID, the latest
    burnt_ids: dict[str, None] = field(default_factory=dict)  # clOrdIDs of forgotten orders, the latest of them
    executions: deque[Row] = field(default_factory=lambda: deque(maxlen=KEPT_EXECUTIONS))
    history: deque[Row] = field(default_factory=lambda: deque(maxlen=KEPT_BOOKINGS))  # on the wallets
    cancel_at_ms: int | None = None  # when the dead man's switch fires
    sums: dict[str, OrderSums] | None = remembered()  # of the open orders, by symbol

    def open(self, order: Order) -> None:
        """Put an order among the open ones."""
        symbol = order.contract.symbol
        self.open_orders.setdefault(symbol, {})[order.order_id] = order
        if self.sums is not None and symbol in self.sums:
            self.sums[symbol].watch(order)

    def order_sums(self, symbol: str) -> OrderSums | None:
        """Return what the open orders of a symbol come to; None if there are none."""
        if not self.open_orders.get(symbol):
            return None
        if self.sums is None:
            self.sums = {}
        found = self.sums.get(symbol)
        if found is None:
            found = self.sums[symbol] = OrderSums(self.open_orders[symbol].values())
        return found

    def put_away(self, order: Order) -> None:
        """Take a finished order off the open ones, and forget the oldest of too many finished ones."""
        if self.open_orders[order.contract.symbol].pop(order.order_id, None) is None:
            return
        self.finished.append(order)
        if len(self.finished) > KEPT_FINISHED_ORDERS:
            self._forget(self.finished.popleft())

    def _forget(self, order: Order) -> None:
        del self.orders[order.order_id]
        for client_id in order.client_ids:
            if self.client_ids.get(client_id) is order:
                del self.client_ids[client_id]
                self.burnt_ids[client_id] = None
        if len(self.burnt_ids) > KEPT_BURNT_IDS:  # by the half, because the first of a dictionary is slow to find
            for old in tuple(islice(self.burnt_ids, KEPT_BURNT_IDS // 2)):
                del self.burnt_ids[old]

    def open_in(self, symbol: str) -> list[Order]:
        """Return the open orders of one symbol, oldest first."""
        return list(self.open_orders.get(symbol, {}).values())

    def all_open(self) -> list[Order]:
        """Return all open orders, by symbol, oldest first."""
        return [order for book in self.open_orders.values() for order in book.values()]

    def held(self, currency: str) -> list[Position]:
        """Return the positions that settle in a currency, flat ones included."""
        return [p for p in self.positions.values() if p.contract.settl_currency == currency]

    def wallet_balance(self, currency: str) -> int:
        """Return the wallet with everything realised so far."""
        return self.wallets[currency].amount + sum(p.realised_pnl for p in self.held(currency))


@dataclass(slots=True, kw_only=True)
class House:
    """The other side of everything, so that money can be counted.

    `provider` is the cash of whoever stands behind the modelled liquidity, `fund` that of the
    insurance fund, `seized` what positions cost that were taken over and are being worked off,
    `fees` what the venue took; all by currency, costs of open positions included.
    """

    provider: dict[str, int] = field(default_factory=dict)
    provider_quantity: dict[str, int] = field(default_factory=dict)  # by symbol
    fund: dict[str, int] = field(default_factory=dict)
    seized: dict[str, int] = field(default_factory=dict)
    fees: dict[str, int] = field(default_factory=dict)
    deposits: dict[str, int] = field(default_factory=dict)

    def trade(self, contract: Contract, quantity: int, price: Decimal) -> None:
        """Take the provider's side of an account's fill of signed contracts."""
        add(self.provider, contract.settl_currency, contract.signed_cost(quantity, price))
        add(self.provider_quantity, contract.symbol, -quantity)


def add(sums: dict[str, int], key: str, amount: int) -> None:
    """Add an amount to one entry of a table of sums."""
    sums[key] = sums.get(key, 0) + amount


def cash(account: Account, currency: str) -> int:
    """Return the account's money less what its open positions cost: conserved by trading."""
    open_cost = sum(p.unrealised_cost for p in account.held(currency))
    return account.wallet_balance(currency) - open_cost
