"""Margin arithmetic: what a position locks, and what it may lose until it is liquidated.

Why: a guard computes these numbers itself and compares; the embedded exchange must get the same
ones by its own code. Two engines were in force one after the other, and both are here behind one
interface. Under the new one cross positions of a currency lock the maintenance margin only and
share the equity. Under the legacy one each position, cross or isolated, holds a margin of its own;
a cross one may draw on the free margin as well.

Units: money in minor units of the settlement currency, rates as fractions, prices in quote
currency. Source: rows of 2017 to 2026; formulas in `docs/venue-facts.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from connectors.simulated.engine.contracts import EXACT, ONE, Contract, Kind
from connectors.simulated.engine.switches import MarginEngine

ZERO = Decimal(0)
NOISE = Decimal("1e-9")  # of a minor unit
LEGACY_END = Decimal(100_000_000)  # what the legacy engine showed where no price is high enough


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """One open position as the margin engines see it.

    Attributes:
        contract: What is held.
        quantity: Signed contracts, not zero.
        cost: Unsigned entry cost.
        leverage: Entry leverage in force; of a cross position the highest there is.
        maint_rate: Maintenance rate of the risk limit chosen.
        fee: Highest fee rate of the account.
        funding_rate: Rate of the next exchange; zero to leave funding out.
        is_cross: Whether the account's free margin backs it.
        pos_cross: Margin added after entry, by hand or (legacy) drawn for losses.
        pos_loss: Losses charged to the position's own margin.
    """

    contract: Contract
    quantity: int
    cost: int
    leverage: Decimal
    maint_rate: Decimal
    fee: Decimal
    funding_rate: Decimal = ZERO
    is_cross: bool = False
    pos_cross: int = 0
    pos_loss: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """Margin of one position, by the venue's columns, in minor units.

    `is_shared` marks a position that shares results with others: it locks `pos_margin` and no
    more. All others lock their results too.
    """

    pos_init: int
    pos_comm: int
    pos_margin: int
    pos_maint: int
    is_shared: bool = False

    def maint_margin(self, unrealised_pnl: int) -> int:
        """Return what the position takes from the account now."""
        return self.pos_margin if self.is_shared else self.pos_margin + unrealised_pnl


@dataclass(frozen=True, kw_only=True, slots=True)
class Backing:
    """What the account has for one of its positions.

    Attributes:
        available: Free margin of the currency.
        shared_equity: What backs all shared positions, this one's result left out.
        shared_maintenance: What all shared positions must keep.
    """

    available: int
    shared_equity: int
    shared_maintenance: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """Loss against the entry cost at which a position is liquidated, and at which it is bankrupt."""

    liquidation: int
    bankruptcy: int


def ceil(value: Decimal) -> int:
    """Return the next whole minor unit at or above.

    A share of a unit too small to come from any rate is noise of a division (one by 33.33... instead of
    a product with 3 %), and must not cost a unit.
    """
    whole = value.to_integral_value(ROUND_FLOOR)
    return int(whole) if value - whole < NOISE else int(whole) + 1


def initial_margin(cost: int, leverage: Decimal) -> int:
    """Return the margin for an entry cost at a leverage, rounded up."""
    return ceil(EXACT.divide(Decimal(cost), leverage))


def funding_share(quantity: int, funding_rate: Decimal) -> Decimal:
    """Return the part of the funding rate that this side would pay, never below zero."""
    return max(ZERO, funding_rate if quantity > 0 else -funding_rate)


def own_margin(held: Holding) -> Locked:
    """Return what a position locks that has a margin of its own: isolated, or any legacy one."""
    pos_init = initial_margin(held.cost, held.leverage)
    if held.contract.kind is Kind.INVERSE and held.quantity < 0 and held.leverage <= ONE:
        # The margin covers every price: the venue reserves nothing and never liquidates.
        pos_comm = pos_maint = 0
    else:
        pos_comm = ceil(held.fee * (held.cost + pos_init + held.pos_cross))
        rate = held.maint_rate + funding_share(held.quantity, held.funding_rate)
        pos_maint = pos_comm + ceil(held.cost * min(EXACT.divide(ONE, held.leverage), rate))
    return Locked(
        pos_init=pos_init,
        pos_comm=pos_comm,
        pos_margin=pos_init + pos_comm + held.pos_cross - held.pos_loss,
        pos_maint=pos_maint,
    )


def shared_margin(held: Holding) -> Locked:
    """Return what a cross position locks under the new engine: maintenance, no fee."""
    need = ceil(held.cost * (held.maint_rate + funding_share(held.quantity, held.funding_rate)))
    return Locked(pos_init=0, pos_comm=0, pos_margin=need, pos_maint=need, is_shared=True)


def new_locked(held: Holding) -> Locked:
    """Return what a position locks under the engine in force since March 2024."""
    return shared_margin(held) if held.is_cross else own_margin(held)


def own_room(locked: Locked, spare: int = 0) -> Room:
    """Return what a position may lose of its own margin and of spare money behind it."""
    return Room(
        liquidation=locked.pos_margin - locked.pos_maint + spare,
        bankruptcy=locked.pos_margin - locked.pos_comm + spare,
    )


def new_room(held: Holding, locked: Locked, backing: Backing) -> Room:
    """Return what a position may lose under the new engine, the other marks held still."""
    if not held.is_cross:
        return own_room(locked)
    left = backing.shared_equity
    return Room(liquidation=left - backing.shared_maintenance, bankruptcy=left)


def legacy_room(held: Holding, locked: Locked, backing: Backing) -> Room:
    """Return what a position may lose under the legacy engine: a cross one could draw all free margin."""
    return own_room(locked, spendable(backing.available, held.fee) if held.is_cross else 0)


def spendable(available: int, fee: Decimal) -> int:
    """Return how much free margin could be moved into a position, which raises its fee reserve."""
    return int(EXACT.divide(Decimal(max(0, available)), ONE + fee))


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """One margin engine: what a holding locks, what it may lose, where its prices end."""

    locked: Callable[[Holding], Locked]
    room: Callable[[Holding, Locked, Backing], Room]
    end: Decimal | None  # None: the contract's highest price

    def price(self, contract: Contract, quantity: int, basis: int, loss: int) -> Decimal:
        """Return the boundary price at which a position has lost an amount.

        Args:
            contract: What is held.
            quantity: Signed contracts, not zero.
            basis: Unsigned cost the profit is measured from.
            loss: Minor units that may be lost; negative when profit is required to stay alive.
        """
        adds = (contract.kind is Kind.INVERSE) is (quantity > 0)
        raw = contract.exact_price(basis + loss if adds else basis - loss, quantity)
        end = self.end or contract.max_price
        if raw is None:
            return end
        lowest = contract.tick_size if contract.kind is Kind.INVERSE else ZERO  # an inverse value has no price 0
        return max(lowest, min(contract.on_tick(raw, up=quantity > 0), end))


RULES = {
    MarginEngine.NEW: Rules(locked=new_locked, room=new_room, end=None),
    MarginEngine.LEGACY: Rules(locked=own_margin, room=legacy_room, end=LEGACY_END),
}


def open_order_margin(open_cost: int, *, init_rate: Decimal, fee: Decimal) -> int:
    """Return `initMargin` of open orders: initial margin, entry fee and exit fee, rounded up."""
    return ceil(open_cost * (init_rate + fee * (2 + init_rate)))
