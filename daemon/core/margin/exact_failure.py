"""The common move at which an account fails, to the tick of its marks.

Why: `account_failure` is quick and on the cautious side by the rounding of lots and ticks, which is what a stop needs.
A calculator, a comparison with a venue, or a person who asks "at which price exactly" needs the place itself: it is
searched for here from the cautious one, with the venue's own rounding.

The account fails when its balance no longer exceeds the maintenance of its cross positions, or when one mark comes to
the liquidation price of its position as it is then shown.

Units: moves as signed fractions of the marks. Cost: hundreds of evaluations of all positions; not for the hot path.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Final

from connectors.vocabulary import Margin, Position, Side
from daemon.core.margin.account_failure import FailureMove, account_failure_move
from daemon.core.margin.contracts import is_price, moved_price
from daemon.core.margin.own_liquidation import consistent_margin, own_price
from daemon.core.margin.what_if import AccountRows, marks_moved

_FARTHEST: Final = Decimal("0.2")
"""Share of the price beyond the cautious move within which the place is looked for."""
_FINEST: Final = Decimal("1e-10")
_MOST_PACES: Final = 2000


def exact_failure_move(
    rows: AccountRows, currency: str, *, moving: Collection[str] | None = None, mark_tick: Decimal | None = None
) -> FailureMove:
    """Return the smallest fall and rise of the marks at which the cross positions of a currency are liquidated.

    Args:
        rows: The account now.
        currency: Of settlement.
        moving: Symbols whose marks move; None means all.
        mark_tick: What the venue rounds its marks to (a cent); None leaves them unrounded. Beside a hedge the rounding
            of marks shifts the place by many ticks.

    Returns:
        Moves at which the account fails while it lives one step (1e-10 of the marks) nearer; None as in
        `account_failure_move`, and the same reasons.
    """
    margin = rows.margins.get(currency)
    if margin is None:
        return FailureMove()
    start = account_failure_move(rows.held(currency), rows.instruments, margin, rows.marks, moving=moving)
    if start.reason is not None or (start.down == 0 and start.up == 0):
        return start
    symbols = {p.key.symbol for p in rows.held(currency)} if moving is None else set(moving)

    def is_dead(move: Decimal) -> bool:
        marks = {symbol: moved_price(rows.marks[symbol], move) for symbol in symbols if symbol in rows.marks}
        if mark_tick is not None:
            marks = {symbol: (mark / mark_tick).to_integral_value() * mark_tick for symbol, mark in marks.items()}
        return not all(is_price(mark) for mark in marks.values()) or fails_at(rows, currency, marks)

    step = _path_step(rows, symbols, mark_tick)
    return FailureMove(down=_search(is_dead, start.down, -step), up=_search(is_dead, start.up, step))


def _path_step(rows: AccountRows, symbols: set[str], mark_tick: Decimal | None) -> Decimal:
    """The move that takes the dearest mark one tick on: what the path is walked in."""
    steps = [
        (mark_tick or rows.instruments[symbol].tick_size) / rows.marks[symbol]
        for symbol in symbols
        if symbol in rows.marks and symbol in rows.instruments
    ]
    return min(steps, default=_FINEST)


def fails_at(rows: AccountRows, currency: str, marks: Mapping[str, Decimal]) -> bool:
    """Whether the cross positions of a currency are liquidated at these marks (those left out stay as they are)."""
    moved = marks_moved(rows, marks)
    crosses = [p for p in moved.held(currency) if p.is_cross]
    margin = consistent_margin(moved.margins[currency], moved.positions.values())
    if margin.margin_balance_sat <= margin.maintenance_margin_sat:
        return bool(crosses)
    return any(_has_reached(moved, position, margin) for position in crosses)


def _has_reached(rows: AccountRows, position: Position, margin: Margin) -> bool:
    symbol = position.key.symbol
    price, mark = own_price(position, rows.instruments[symbol], margin).price, rows.marks[symbol]
    if price is None:
        return False
    return mark <= price if position.side is Side.LONG else mark >= price


def _search(is_dead: Callable[[Decimal], bool], start: Decimal | None, step: Decimal) -> Decimal | None:
    """Find the first dead place beyond a move at which the account lives.

    Beside a hedge the rounding of lots makes it die, live and die again within some ticks. So a stretch that certainly
    ends dead is walked tick by tick first, and halved only between the last living and the first dead one.
    """
    if start is None:
        return None
    reach = step
    while not is_dead(start + reach):
        reach *= 2
        if abs(reach) > _FARTHEST:
            return start
    paces = min(_MOST_PACES, int(reach / step))
    pace = reach / paces
    first = next((n for n in range(paces + 1) if is_dead(start + n * pace)), paces)
    if first == 0:
        return start
    alive, dead = start + (first - 1) * pace, start + first * pace
    while abs(dead - alive) > _FINEST:
        middle = (alive + dead) / 2
        alive, dead = (alive, middle) if is_dead(middle) else (middle, dead)
    return dead
