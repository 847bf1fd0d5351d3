"""Rows as the venue would show them after a change: a part closed, margin added, isolated, another leverage or mark.

Why: every corrective step is worked out before it is taken (P1), and the same arithmetic answers "what if" questions of
people. Nothing here asks or tells anybody: rows in, rows out.

What is certain and what is not: costs shrink in proportion when a part is closed, and profit follows the mark. How the
venue fills the margin of a position that is isolated or given another leverage is its own choice; here it is the
initial margin at that leverage, the present loss made good, and the fee reserve of such rows. Roundings go against the
holder, so a step is never taken for better than it is.

Units: money in minor units of the settlement currency, prices in the quote currency, leverage as a multiple.
Source: www.bitmex.com/app/isolatedMarginExamples, `/position/*` in www.bitmex.com/api/explorer, docs/venue-facts.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from connectors.vocabulary import ContractKind, Instrument, Margin, Position, Side
from daemon.core.margin.account_failure import FailureMove, account_failure_moves
from daemon.core.margin.contracts import is_price, is_usable, unrealised_pnl_sat, value_sat, value_sign
from daemon.core.margin.own_liquidation import (
    NotComputable,
    OwnState,
    computed_maintenance_sat,
    consistent_margin,
    cost_sat,
    fee_rate,
    own_price,
    profit_base_sat,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRows:
    """All that is known of one account at one instant."""

    positions: Mapping[str, Position]
    """By symbol."""
    instruments: Mapping[str, Instrument]
    """By symbol."""
    margins: Mapping[str, Margin]
    """By settlement currency."""
    marks: Mapping[str, Decimal]
    """By symbol."""

    def held(self, currency: str) -> list[Position]:
        """Return the open positions of a settlement currency."""
        return [p for p in self.positions.values() if p.quantity and p.currency == currency]


def closed_part(position: Position, instrument: Instrument, contracts: int, price: Decimal) -> tuple[Position, int]:
    """Return the row after `contracts` were closed at `price`, and the profit that was realised (fees left out).

    Args:
        position: An open row.
        instrument: Its contract.
        contracts: How many; more than there are closes all.
        price: Of the closing trade. Where it or the contract is unusable, the row's own profit is shared out instead.
    """
    whole = abs(position.quantity)
    rest = max(0, whole - max(0, contracts))
    if rest == whole:
        return position, 0
    sign = 1 if position.quantity > 0 else -1
    base = value_sign(instrument.kind, position.quantity) * profit_base_sat(position, instrument)
    base_rest = _share(base, rest, whole)
    unrealised_rest = _share(position.unrealised_pnl_sat, rest, whole)
    gain = position.unrealised_pnl_sat - unrealised_rest
    if is_usable(instrument) and is_price(price) and base:
        gain = unrealised_pnl_sat(instrument, sign * (whole - rest), price, base - base_rest)
    margin = position.margin_sat * rest // whole
    after = replace(
        position,
        quantity=sign * rest,
        cost_sat=_share(position.cost_sat, rest, whole),
        unrealised_cost_sat=base_rest,
        initial_margin_sat=_ceil(position.initial_margin_sat * rest, whole),
        fee_reserve_sat=_ceil(position.fee_reserve_sat * rest, whole),
        maintenance_sat=_ceil(position.maintenance_sat * rest, whole),
        margin_sat=margin,
        locked_sat=_ceil(position.locked_sat * rest, whole),
        unrealised_pnl_sat=unrealised_rest,
    )
    return after, gain


def settled(margin: Margin, before: Position, after: Position, gain_sat: int = 0) -> Margin:
    """Return the margin row once one position row was replaced by another and `gain_sat` came into the wallet.

    Args:
        margin: The row of the position's settlement currency.
        before: The position as the margin row still counts it.
        after: The position as it is now.
        gain_sat: Realised profit, less fees; below zero for a loss.
    """
    wallet = margin.wallet_balance_sat + gain_sat
    unrealised = margin.unrealised_pnl_sat + after.unrealised_pnl_sat - before.unrealised_pnl_sat
    locked = margin.maintenance_margin_sat + after.locked_sat - before.locked_sat
    return replace(
        margin,
        wallet_balance_sat=wallet,
        unrealised_pnl_sat=unrealised,
        margin_balance_sat=wallet + unrealised,
        maintenance_margin_sat=locked,
        available_sat=wallet + unrealised - margin.initial_margin_sat - locked,
    )


def margin_added(
    position: Position, instrument: Instrument, margin: Margin, amount_sat: int
) -> tuple[Position, Margin] | None:
    """Return the rows after margin was added to an isolated position; None where the venue would refuse.

    The amount becomes the position's, and where the row reserves a fee the reserve grows with it.
    """
    if position.is_cross or not position.quantity or amount_sat <= 0:
        return None
    reserve = _fee_of(amount_sat, fee_rate(position, instrument)) if position.fee_reserve_sat else 0
    if amount_sat + reserve > margin.available_sat:
        return None
    after = replace(
        position,
        cross_sat=position.cross_sat + amount_sat,
        fee_reserve_sat=position.fee_reserve_sat + reserve,
        margin_sat=position.margin_sat + amount_sat + reserve,
        maintenance_sat=position.maintenance_sat + reserve,
        locked_sat=position.locked_sat + amount_sat + reserve,
    )
    return after, settled(margin, position, after)


def isolated(position: Position, instrument: Instrument, margin: Margin) -> tuple[Position, Margin] | None:
    """Return the rows after a cross position was isolated at its leverage in force; None where it cannot be."""
    if not position.is_cross:
        return None
    return with_leverage(position, instrument, margin, position.leverage)


def with_leverage(
    position: Position, instrument: Instrument, margin: Margin, leverage: Decimal
) -> tuple[Position, Margin] | None:
    """Return the rows after a leverage was set, which isolates the position; None where the venue would refuse.

    Args:
        position: An open row, cross or isolated.
        instrument: Its contract.
        margin: The row of its currency.
        leverage: Above zero; capped by the contract's initial margin ratio.
    """
    cost = cost_sat(position, instrument)
    if not position.quantity or not cost or not leverage.is_finite() or leverage <= 0:
        return None
    if leverage * instrument.initial_margin_ratio > 1:
        return None
    after = _with_margin_of_its_own(position, instrument, cost, leverage)
    moved = settled(margin, position, after)
    return None if moved.available_sat < min(0, margin.available_sat) else (after, moved)


def _with_margin_of_its_own(position: Position, instrument: Instrument, cost: int, leverage: Decimal) -> Position:
    """Initial margin at the leverage, the present loss made good or what was added before, and the fee reserve."""
    numerator, denominator = leverage.as_integer_ratio()
    initial = _ceil(cost * denominator, numerator)
    own = 0 if position.is_cross else position.margin_sat - position.initial_margin_sat - position.fee_reserve_sat
    added = max(own, -position.unrealised_pnl_sat, 0)
    loss = 0 if position.is_cross else position.loss_sat
    covered = instrument.kind is ContractKind.INVERSE and position.quantity < 0 and leverage <= 1
    reserve = 0 if covered else _fee_of(cost + initial + added + loss, fee_rate(position, instrument))
    bare = replace(
        position, is_cross=False, leverage=leverage, initial_margin_ratio=1 / leverage, fee_reserve_sat=reserve
    )
    margin = initial + reserve + added
    return replace(
        bare,
        initial_margin_sat=initial,
        cross_sat=added + loss,
        loss_sat=loss,
        margin_sat=margin,
        maintenance_sat=0 if covered else computed_maintenance_sat(bare, instrument),
        locked_sat=margin + position.unrealised_pnl_sat,
    )


def replaced(rows: AccountRows, position: Position, *, gain_sat: int = 0) -> AccountRows:
    """Return the account with one position row replaced, and the margin row of its currency following."""
    symbol = position.key.symbol
    before = rows.positions.get(symbol, replace(position, quantity=0, locked_sat=0, unrealised_pnl_sat=0))
    margins = dict(rows.margins)
    if position.currency in margins:
        margins[position.currency] = settled(margins[position.currency], before, position, gain_sat)
    return replace(rows, positions={**rows.positions, symbol: position}, margins=margins)


def marks_moved(rows: AccountRows, marks: Mapping[str, Decimal]) -> AccountRows:
    """Return the account at other mark prices: profits, what is locked, and balances follow.

    Args:
        rows: The account now.
        marks: New marks by symbol. Symbols left out, and marks that are no price, stay as they are.
    """
    positions = dict(rows.positions)
    for symbol, mark in marks.items():
        position, instrument = positions.get(symbol), rows.instruments.get(symbol)
        if position is not None and instrument is not None and is_usable(instrument) and is_price(mark):
            positions[symbol] = at_mark(position, instrument, mark)
    usable = {symbol: mark for symbol, mark in marks.items() if is_price(mark)}
    margins = {currency: consistent_margin(margin, positions.values()) for currency, margin in rows.margins.items()}
    return replace(rows, positions=positions, margins=margins, marks={**rows.marks, **usable})


def at_mark(position: Position, instrument: Instrument, mark: Decimal) -> Position:
    """Return one row at another mark: its profit, and what it locks if that includes the profit."""
    base = value_sign(instrument.kind, position.quantity) * profit_base_sat(position, instrument)
    profit = unrealised_pnl_sat(instrument, position.quantity, mark, base) if position.quantity else 0
    # A row that locks just its maintenance shares profit with the others: what it locks stays.
    shares = position.is_cross and position.fee_reserve_sat == 0 and position.initial_margin_sat == 0
    locked = position.locked_sat if shares else position.locked_sat + profit - position.unrealised_pnl_sat
    return replace(position, mark_price=mark, unrealised_pnl_sat=profit, locked_sat=locked)


def brought_nearer(before: AccountRows, after: AccountRows) -> tuple[str, ...]:
    """Name what would be liquidated sooner: symbols, and currencies of cross accounts. Empty means none (P1).

    What could be worked out before and cannot be afterwards counts as nearer; so does what could not be worked out at
    all, since nobody can say that it is not.
    """
    symbols = [symbol for symbol, row in before.positions.items() if row.quantity]
    nearer = [symbol for symbol in symbols if _is_nearer(before, after, symbol)]
    return (*nearer, *(currency for currency in before.margins if _fails_sooner(before, after, currency)))


def _is_nearer(before: AccountRows, after: AccountRows, symbol: str) -> bool:
    old, new = before.positions[symbol], after.positions.get(symbol)
    if new is None or not new.quantity:
        return False
    instrument = before.instruments.get(symbol)
    if instrument is None or old.side is not new.side:
        return True
    was = own_price(old, instrument, before.margins.get(old.currency))
    now = own_price(new, instrument, after.margins.get(new.currency))
    if OwnState.NOT_COMPUTABLE in {was.state, now.state}:
        return True
    if now.price is None or was.price is None:
        return now.price is not None
    return now.price > was.price if old.side is Side.LONG else now.price < was.price


def _fails_sooner(before: AccountRows, after: AccountRows, currency: str) -> bool:
    """Whether the account's common failure comes nearer. One cross position alone is judged by its own price."""
    crosses = [p for p in before.held(currency) if p.is_cross]
    if len(crosses) < 2:
        return False
    was, now = _failures(before, currency), _failures(after, currency)
    return any(_is_sooner(was.get(name), move) for name, move in now.items())


def _failures(rows: AccountRows, currency: str) -> dict[str, FailureMove]:
    moves = account_failure_moves(rows.held(currency), rows.instruments, rows.margins[currency], rows.marks)
    return {"": moves.whole, **moves.groups}


def _is_sooner(was: FailureMove | None, now: FailureMove) -> bool:
    if now.reason is not None:
        # Positions of the legacy engine fail one by one, which their own prices have told.
        return now.reason is not NotComputable.LEGACY_ENGINE
    if was is None:
        # A group that stands apart only now: the others that moved with it are gone.
        return False
    if was.reason is not None:
        return True
    return _is_shorter(was.down, now.down) or _is_shorter(was.up, now.up)


def _is_shorter(was: Decimal | None, now: Decimal | None) -> bool:
    return now is not None and (was is None or abs(now) < abs(was))


def closing_value_sat(instrument: Instrument, contracts: int, price: Decimal) -> int:
    """Return the unsigned worth of some contracts at a price, the base of a fee; 0 where it cannot be told."""
    return abs(value_sat(instrument, contracts, price)) if is_usable(instrument) and is_price(price) else 0


def _fee_of(base: int, rate: Decimal) -> int:
    numerator, denominator = rate.as_integer_ratio()
    return _ceil(base * numerator, denominator)


def _share(amount: int, rest: int, whole: int) -> int:
    """Return the part of a signed amount that stays, its size rounded up: requirements rest on it."""
    part = _ceil(abs(amount) * rest, whole)
    return part if amount >= 0 else -part


def _ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
