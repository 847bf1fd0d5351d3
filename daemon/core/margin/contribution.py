"""Who brings an account nearest to failure, and what closing a part of a position buys.

Why: in cross margin the account fails as a whole, so the step that helps most is seldom the one on the symbol that
looks worst. Both questions are answered by doing it on paper: rows after the step, and their liquidation again.

Units: room in percent of the mark: the smallest move against the account, all marks together, those of one underlying,
or one alone, at which something is liquidated. Money in minor units of the settlement currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.vocabulary import ZERO, Instrument, Position, Side
from daemon.core.margin.account_failure import FailureMove, account_failure_moves
from daemon.core.margin.contracts import is_price, moved_price
from daemon.core.margin.own_liquidation import NotComputable, OwnState, fee_rate, own_price
from daemon.core.margin.what_if import AccountRows, at_mark, closed_part, closing_value_sat, replaced

PERCENT: Final = Decimal(100)
_PROBE: Final = Decimal("0.01")
"""The fall by which contributions are measured where no move in range makes the account fail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contribution:
    """What one position does on the way to the account's nearest failure."""

    symbol: str
    loss_sat: int
    """Lost on the way, all marks moving together; below zero for a position that gains and so hedges."""
    share: Decimal
    """Of the sum of all, as a fraction: above one beside a hedge, zero where nothing is lost in sum."""
    maintenance_sat: int
    """What the position locks for itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relief:
    """What closing a part of one position buys, and what it costs."""

    symbol: str
    contracts: int
    room_before: Decimal | None
    """Percent of the mark; None when nothing in range liquidates, or when it cannot be told."""
    room_after: Decimal | None
    cost_sat: int
    """Fee and, with a price worse than the mark, what that gives away."""
    is_known: bool
    """Whether both rooms could be worked out."""

    @property
    def gain(self) -> Decimal:
        """Percent of the mark won; zero where it cannot be told. Out of range counts as a room of everything."""
        if not self.is_known or self.room_before is None:
            return ZERO
        return (PERCENT if self.room_after is None else self.room_after) - self.room_before


def contributions(rows: AccountRows, currency: str) -> tuple[Contribution, ...]:
    """Return the cross positions of a currency, the one that loses most first.

    All marks move together to the nearest failure of the account; where no move in range makes it fail, or that cannot
    be told, by one percent in the direction in which the account loses. Positions without a usable mark are left out.
    """
    known = [(p, rows.instruments[p.key.symbol], rows.marks[p.key.symbol]) for p in _measurable(rows, currency)]
    if not known:
        return ()
    move = _nearest_move(rows, currency)
    candidates = (-_PROBE, _PROBE) if move is None else (move,)
    losses = max(([_loss(*row, by) for row in known] for by in candidates), key=sum)
    total = sum(losses)
    found = [
        Contribution(
            symbol=position.key.symbol,
            loss_sat=loss,
            share=Decimal(loss) / total if total > 0 else ZERO,
            maintenance_sat=position.maintenance_sat,
        )
        for (position, _, _), loss in zip(known, losses, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.loss_sat, one.symbol)))


def room_of(rows: AccountRows, symbol: str) -> tuple[Decimal | None, bool]:
    """Return the room of what a position belongs to, and whether it could be told.

    A cross position of the shared engine belongs to its account and currency, any other to itself.

    Returns:
        Percent of the mark, None when no price in range liquidates; and whether that is known.
    """
    position = rows.positions.get(symbol)
    if position is None or not position.quantity:
        return None, True
    alone = _own_room(rows, position)
    if not position.is_cross:
        return alone
    others = [p for p in rows.held(position.currency) if p.is_cross and p.key.symbol != symbol]
    rooms = [alone, *(_own_room(rows, other) for other in others)]
    if others and position.currency in rows.margins:
        rooms.append(_common_room(rows, position.currency))
    if not all(is_known for _, is_known in rooms):
        return None, False
    return min((room for room, _ in rooms if room is not None), default=None), True


def relief(rows: AccountRows, symbol: str, contracts: int, *, price: Decimal | None = None) -> Relief:
    """Return what closing `contracts` of a position buys.

    Args:
        rows: The account now, margin rows consistent with the position rows.
        symbol: An open position; anything else buys nothing.
        contracts: How many to close.
        price: At which they are closed; the mark unless given. One worse than the mark is a cost.
    """
    position, instrument = rows.positions.get(symbol), rows.instruments.get(symbol)
    before, was_known = room_of(rows, symbol)
    mark = rows.marks.get(symbol)
    at = mark if price is None else price
    if position is None or instrument is None or not position.quantity or mark is None or at is None:
        return Relief(symbol=symbol, contracts=0, room_before=before, room_after=before, cost_sat=0, is_known=False)
    count = max(0, min(contracts, abs(position.quantity)))
    after, cost = _closed(rows, position, count, (mark, at))
    room_after, is_known = _room_after(after, position)
    return Relief(
        symbol=symbol,
        contracts=count,
        room_before=before,
        room_after=room_after,
        cost_sat=cost,
        is_known=was_known and is_known,
    )


def best_trim(rows: AccountRows, currency: str, share: Decimal, *, slippage_percent: Decimal = ZERO) -> Relief | None:
    """Return the cut by `share` of one cross position that buys most room; the cheapest of equals.

    Args:
        rows: The account now.
        currency: Whose cross positions are looked at; isolated ones gain nothing by being trimmed.
        share: Fraction of each position to try, above 0 and at most 1; made whole lots, upward.
        slippage_percent: How much worse than the mark the close is expected to trade.

    Returns:
        None where no cut is known to buy any room.
    """
    tried = [
        relief(
            rows,
            p.key.symbol,
            trimmed(p, rows.instruments[p.key.symbol], share),
            price=_worse(rows, p, slippage_percent),
        )
        for p in _measurable(rows, currency)
    ]
    helpful = [found for found in tried if found.gain > 0]
    return max(helpful, key=lambda found: (found.gain, -found.cost_sat, found.symbol), default=None)


def trimmed(position: Position, instrument: Instrument, share: Decimal) -> int:
    """Return the contracts of a share of a position, whole lots upward, at most all of it."""
    numerator, denominator = share.as_integer_ratio()
    whole, lot = abs(position.quantity), max(1, instrument.lot_size)
    lots = -(-whole * numerator // (denominator * lot))
    return max(0, min(whole, lots * lot))


def _measurable(rows: AccountRows, currency: str) -> list[Position]:
    return [
        p
        for p in rows.held(currency)
        if p.is_cross and p.key.symbol in rows.instruments and is_price(rows.marks.get(p.key.symbol))
    ]


def _loss(position: Position, instrument: Instrument, mark: Decimal, move: Decimal) -> int:
    moved = moved_price(mark, move)
    if not is_price(moved):
        return 0
    now = at_mark(position, instrument, mark).unrealised_pnl_sat
    return now - at_mark(position, instrument, moved).unrealised_pnl_sat


def _moves(rows: AccountRows, currency: str) -> Iterable[FailureMove]:
    margin = rows.margins.get(currency)
    if margin is None:
        return ()
    found = account_failure_moves(rows.held(currency), rows.instruments, margin, rows.marks)
    return (found.whole, *found.groups.values())


def _nearest_move(rows: AccountRows, currency: str) -> Decimal | None:
    """The nearest move of all marks together, signed; that of single underlyings is left to `room_of`."""
    whole = next(iter(_moves(rows, currency)), FailureMove())
    return min((move for move in (whole.down, whole.up) if move is not None), key=abs, default=None)


def _common_room(rows: AccountRows, currency: str) -> tuple[Decimal | None, bool]:
    moves = list(_moves(rows, currency))
    reasons = {move.reason for move in moves} - {None}
    if reasons:
        # Positions of the legacy engine fail one by one, which their own prices tell.
        return None, reasons == {NotComputable.LEGACY_ENGINE}
    sizes = [abs(move) for failure in moves for move in (failure.down, failure.up) if move is not None]
    return (min(sizes) * PERCENT, True) if sizes else (None, True)


def _own_room(rows: AccountRows, position: Position) -> tuple[Decimal | None, bool]:
    symbol = position.key.symbol
    instrument, mark = rows.instruments.get(symbol), rows.marks.get(symbol)
    if instrument is None or mark is None or not is_price(mark) or position.side is None:
        return None, False
    own = own_price(position, instrument, rows.margins.get(position.currency))
    if own.price is None:
        return None, own.state is OwnState.NO_LIQUIDATION_IN_RANGE
    return position.side.sign * (mark - own.price) / mark * PERCENT, True


def _room_after(after: AccountRows, position: Position) -> tuple[Decimal | None, bool]:
    """The room of what the position belonged to, also when it is gone itself."""
    still = after.positions[position.key.symbol]
    if still.quantity or not position.is_cross:
        return room_of(after, position.key.symbol)
    left = [p for p in after.held(position.currency) if p.is_cross]
    return room_of(after, left[0].key.symbol) if left else (None, True)


def _closed(
    rows: AccountRows, position: Position, count: int, prices: tuple[Decimal, Decimal]
) -> tuple[AccountRows, int]:
    """Close at the second price; the first is the mark, which the cost is counted from."""
    instrument = rows.instruments[position.key.symbol]
    mark, price = prices
    after, gain = closed_part(position, instrument, count, price)
    _, gain_at_mark = closed_part(position, instrument, count, mark)
    numerator, denominator = fee_rate(position, instrument).as_integer_ratio()
    fee = -(-closing_value_sat(instrument, count, price) * numerator // denominator)
    return replaced(rows, after, gain_sat=gain - fee), fee + gain_at_mark - gain


def _worse(rows: AccountRows, position: Position, slippage_percent: Decimal) -> Decimal:
    mark = rows.marks[position.key.symbol]
    away = mark * slippage_percent / PERCENT
    return mark - away if position.side is Side.LONG else mark + away
