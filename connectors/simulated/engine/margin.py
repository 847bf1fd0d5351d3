"""Margin arithmetic: what a position locks, and where it is liquidated and bankrupt.

Why: a guard computes these numbers itself and compares; the embedded exchange must get the same
ones by its own code. Two generations exist. Isolated positions (both engines) hold a margin of
their own. Cross positions of the new engine lock the maintenance margin only and share the
equity of their settlement currency; cross of the legacy engine is here for its real rows only.

Units: money in minor units of the settlement currency, rates as fractions, prices in quote
currency. Source: rows of 2017 to 2026; formulas in `docs/venue-facts.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from connectors.simulated.engine.contracts import EXACT, ONE, Contract, Kind

ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """Margin of one position, by the venue's columns, in minor units."""

    pos_init: int
    pos_comm: int
    pos_margin: int
    pos_maint: int


def ceil(value: Decimal) -> int:
    """Return the next whole minor unit at or above."""
    return int(value.to_integral_value(ROUND_CEILING))


def initial_margin(cost: int, leverage: Decimal) -> int:
    """Return the margin for an entry cost at a leverage, rounded up."""
    return ceil(EXACT.divide(Decimal(cost), leverage))


def funding_share(quantity: int, funding_rate: Decimal) -> Decimal:
    """Return the part of the funding rate that this side would pay, never below zero."""
    return max(ZERO, funding_rate if quantity > 0 else -funding_rate)


def isolated(
    contract: Contract,
    *,
    quantity: int,
    cost: int,
    leverage: Decimal,
    maint_rate: Decimal,
    fee: Decimal,
    funding_rate: Decimal,
    pos_cross: int,
    pos_loss: int,
) -> Locked:
    """Return what an isolated position locks.

    Args:
        contract: What is held.
        quantity: Signed contracts, not zero.
        cost: Unsigned entry cost.
        leverage: Entry leverage in force.
        maint_rate: Maintenance rate of the risk limit chosen.
        fee: Highest fee rate of the account.
        funding_rate: Rate of the next exchange; zero to leave funding out.
        pos_cross: Margin added after entry.
        pos_loss: Losses charged to the position's own margin.
    """
    pos_init = initial_margin(cost, leverage)
    if contract.kind is Kind.INVERSE and quantity < 0 and leverage <= ONE:
        # The margin covers every price: the venue reserves nothing and never liquidates.
        pos_comm = pos_maint = 0
    else:
        pos_comm = ceil(fee * (cost + pos_init + pos_cross))
        rate = maint_rate + funding_share(quantity, funding_rate)
        pos_maint = pos_comm + ceil(cost * min(EXACT.divide(ONE, leverage), rate))
    return Locked(
        pos_init=pos_init,
        pos_comm=pos_comm,
        pos_margin=pos_init + pos_comm + pos_cross - pos_loss,
        pos_maint=pos_maint,
    )


def cross_maintenance(*, quantity: int, cost: int, maint_rate: Decimal, funding_rate: Decimal) -> int:
    """Return what a cross position locks on the new engine: maintenance, no fee."""
    return ceil(cost * (maint_rate + funding_share(quantity, funding_rate)))


def value_after_loss(contract: Contract, quantity: int, basis: int, loss: int) -> int:
    """Return the position's unsigned value once it has lost an amount against its cost basis."""
    adds = (contract.kind is Kind.INVERSE) is (quantity > 0)
    return basis + loss if adds else basis - loss


def price_after_loss(contract: Contract, quantity: int, basis: int, loss: int) -> Decimal:
    """Return the boundary price at which a position has lost an amount.

    Args:
        contract: What is held.
        quantity: Signed contracts, not zero.
        basis: Unsigned cost the profit is measured from.
        loss: Minor units that may be lost; negative when profit is required to stay alive.
    """
    return contract.price_at_value(value_after_loss(contract, quantity, basis, loss), quantity)


def open_order_margin(open_cost: int, *, init_rate: Decimal, fee: Decimal) -> int:
    """Return `initMargin` of open orders: initial margin, entry fee and exit fee, rounded up."""
    return ceil(open_cost * (init_rate + fee * (2 + init_rate)))


def legacy_cross_allowance(available_margin: int, fee: Decimal) -> int:
    """Return the free margin a legacy cross position could still draw, after its own fee."""
    return int(EXACT.divide(Decimal(max(0, available_margin)), ONE + fee))
