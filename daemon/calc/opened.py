"""A position as the venue would show it just after it was opened, made from what a trader types.

Why: the calculators hand the core the same rows that the exchange would send, so what they print is what the daemon
would compute. Costs are rounded as the venue rounds, requirements against the holder.

What is assumed: one fill at the entry price; the risk limit that the worth needs and no more; a wallet and no other
positions where the margin is cross.

Units: money in minor units of the settlement currency, prices in the quote currency.
Source: www.bitmex.com/app/isolatedMarginExamples, /app/riskLimits, support article 19343437697309 (cross margining).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, TypeAlias, assert_never

from connectors.vocabulary import ZERO, Instrument, Margin, Position, PositionKey, Side
from daemon.calc.numbers import amount_text, plain
from daemon.core.margin.contracts import unrealised_pnl_sat, value_sat
from daemon.core.margin.own_liquidation import computed_maintenance_sat, consistent_margin
from daemon.core.margin.requirements import fee_reserve_sat, initial_sat, stepped_ratios
from daemon.core.margin.what_if import at_mark, with_leverage
from daemon.exit_codes import CommandFailed, ExitCode

_ACCOUNT: Final = 1
_BOTTOMLESS: Final = 10**40
"""A wallet that any leverage can be paid from: whether the trader can pay is another question."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leverage:
    """Isolated, at a leverage."""

    leverage: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class AssignedMargin:
    """Isolated, with so much margin (fee reserve included), minor units."""

    amount_sat: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Cross:
    """Cross: the whole wallet backs the position, minor units."""

    balance_sat: int
    order_margin_sat: int = 0


Backing: TypeAlias = Leverage | AssignedMargin | Cross


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A position with the contract in force for it and the money behind it."""

    position: Position
    instrument: Instrument
    """Its margin ratios raised where the size needs a higher risk limit."""
    margin: Margin
    risk_steps: int
    """By how many steps the risk limit is above the base; 0 for most."""

    @property
    def opening_margin_sat(self) -> int:
        """What the exchange asks for to open it: initial margin, and the fee reserve of a margin of its own."""
        if not self.position.is_cross:
            return self.position.margin_sat
        return initial_sat(abs(self.position.cost_sat), self.instrument.initial_margin_ratio)


def opened(
    instrument: Instrument, side: Side, contracts: int, *, entry: Decimal, backing: Backing, mark: Decimal | None = None
) -> Opened:
    """Return the rows of a position that was opened at `entry`, at the present mark.

    Args:
        instrument: A usable contract.
        side: Long or short.
        contracts: Above zero.
        entry: Price of the fill.
        backing: What margin it has.
        mark: The present mark; the entry if None.

    Raises:
        CommandFailed: If the position is worth nothing, or the venue would refuse its leverage or margin.
    """
    quantity = side.sign * contracts
    cost = value_sat(instrument, quantity, entry)
    if not cost:
        raise CommandFailed("--contracts at this --entry are worth less than the smallest unit", ExitCode.USAGE)
    raised = _raised(instrument, abs(cost))
    if raised.initial_margin_ratio > 1:
        raise CommandFailed("--contracts: a position of this size is beyond every risk limit", ExitCode.USAGE)
    bare = Position(
        key=PositionKey(account=_ACCOUNT, symbol=instrument.symbol),
        quantity=quantity,
        currency=instrument.settlement_currency,
        entry_price=entry,
        mark_price=entry,
        maintenance_margin_ratio=raised.maintenance_margin_ratio,
        initial_margin_ratio=raised.initial_margin_ratio,
        commission=max(raised.taker_fee, raised.maker_fee, raised.settlement_fee, ZERO),
        cost_sat=cost,
        unrealised_cost_sat=cost,
    )
    position = at_mark(_backed(bare, raised, backing), raised, entry if mark is None else mark)
    margin = consistent_margin(_wallet(raised, backing), [position])
    steps = risk_steps(instrument, abs(cost))
    return Opened(position=position, instrument=raised, margin=margin, risk_steps=steps)


def risk_steps(instrument: Instrument, worth_sat: int) -> int:
    """Return by how many steps the risk limit must be above the base for a position of this worth."""
    if instrument.base_risk_limit_sat <= 0 or instrument.risk_step_sat <= 0:
        return 0
    return max(0, -(-(worth_sat - instrument.base_risk_limit_sat) // instrument.risk_step_sat))


def _raised(instrument: Instrument, worth_sat: int) -> Instrument:
    """The contract at the risk limit that a worth needs."""
    initial, maintenance = stepped_ratios(
        instrument.initial_margin_ratio,
        instrument.maintenance_margin_ratio,
        risk_limit_sat=worth_sat,
        base_sat=instrument.base_risk_limit_sat,
        step_sat=instrument.risk_step_sat,
    )
    return replace(instrument, initial_margin_ratio=initial, maintenance_margin_ratio=maintenance)


def _backed(bare: Position, instrument: Instrument, backing: Backing) -> Position:
    match backing:
        case Leverage(leverage=leverage):
            return _leveraged(bare, instrument, leverage)
        case AssignedMargin(amount_sat=amount):
            return _assigned(bare, instrument, amount)
        case Cross():
            held = replace(bare, is_cross=True)
            needed = computed_maintenance_sat(held, instrument)
            return replace(held, margin_sat=needed, maintenance_sat=needed, locked_sat=needed)
        case _:
            assert_never(backing)


def _leveraged(bare: Position, instrument: Instrument, leverage: Decimal) -> Position:
    if leverage * instrument.initial_margin_ratio > 1:
        most = plain((1 / instrument.initial_margin_ratio).quantize(Decimal("0.01")))
        raise CommandFailed(f"--leverage {plain(leverage)} is above the most for this size, {most}", ExitCode.USAGE)
    found = with_leverage(bare, instrument, _purse(instrument, _BOTTOMLESS), leverage)
    if found is None:
        raise CommandFailed(f"--leverage {plain(leverage)} cannot be set on this position", ExitCode.USAGE)
    return found[0]


def _assigned(bare: Position, instrument: Instrument, amount: int) -> Position:
    """Part the margin into initial margin, what is beyond it, and the fee reserve, as the venue's rows do."""
    cost = abs(bare.cost_sat)
    fee, one = (bare.commission or ZERO).as_integer_ratio()
    own = (amount * one - cost * fee) // (one + fee)
    least = max(1, initial_sat(cost, instrument.initial_margin_ratio))
    if own < least:
        text = amount_text(least + fee_reserve_sat(cost, least, 0, bare.commission or ZERO) + 1, bare.currency)
        raise CommandFailed(f"--margin is too small to open this position: about {text} is needed", ExitCode.USAGE)
    initial = min(own, cost)
    reserve = fee_reserve_sat(cost, own, 0, bare.commission or ZERO)
    leverage = (Decimal(cost) / Decimal(initial)).quantize(Decimal("0.01")) if initial else ZERO
    held = replace(bare, leverage=leverage, initial_margin_sat=initial, fee_reserve_sat=reserve)
    return replace(
        held,
        cross_sat=amount - initial - reserve,
        margin_sat=amount,
        maintenance_sat=computed_maintenance_sat(held, instrument),
        locked_sat=amount,
    )


def _wallet(instrument: Instrument, backing: Backing) -> Margin:
    if isinstance(backing, Cross):
        purse = _purse(instrument, backing.balance_sat)
        return replace(purse, initial_margin_sat=backing.order_margin_sat)
    return _purse(instrument, _BOTTOMLESS)


def _purse(instrument: Instrument, amount: int) -> Margin:
    return Margin(
        account=_ACCOUNT,
        currency=instrument.settlement_currency,
        wallet_balance_sat=amount,
        margin_balance_sat=amount,
        available_sat=amount,
    )


def profit_sat(opened_: Opened, price: Decimal) -> int:
    """Return the position's profit at a price, fees left out."""
    position = opened_.position
    return unrealised_pnl_sat(opened_.instrument, position.quantity, price, position.cost_sat)
