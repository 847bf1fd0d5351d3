"""The common move at which an account fails, to the tick of its marks.

Why: `account_failure` is quick and on the cautious side by the rounding of lots and ticks, which is what a stop needs.
A calculator, a comparison with a venue, or a person who asks "at which price exactly" needs the place itself: it is
searched for here from the cautious one, with the venue's own rounding.

The account fails when its balance no longer exceeds the maintenance of its cross positions, or when one mark comes to
the liquidation price of its position as it is then shown.

How: beside a hedge the worth of one position rises while another's falls, each rounded per lot and each mark rounded by
itself, so the account may fail, live and fail again within a few ticks. Marks on a grid change at known places, one
after another; all of them are tried, from a little nearer than the cautious move outward, so the first failure is
found. Two limits: a stretch of more than `MOST_PLACES` such places is first walked in `_MOST_PACES` even paces, and
without a grid paces of a tick are walked; there a failure that lasts less than a pace may be passed over, and the place
found is the next one. And how the venue rounds a lot whose worth ends on just half a unit is not known
(`contracts.value_per_lot` says where that happens): there one unit per lot may be wrong.

Units: moves as signed fractions of the marks. Cost: hundreds to thousands of evaluations of all positions, so up to
seconds; not for the hot path.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from heapq import merge
from typing import Final

from connectors.vocabulary import Margin, Position, Side
from daemon.core.margin.account_failure import FailureMove, account_failure_move
from daemon.core.margin.contracts import is_price, moved_price
from daemon.core.margin.own_liquidation import consistent_margin, own_price
from daemon.core.margin.what_if import AccountRows, marks_moved

_FARTHEST: Final = Decimal(1)
"""Share of the price beyond the cautious move within which the place is looked for."""
_FINEST: Final = Decimal("1e-10")
_MOST_PACES: Final = 2000
MOST_PLACES: Final = 10_000
"""Changes of rounded marks that are tried one by one."""
_HALF: Final = Decimal("0.5")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Path:
    """The way that marks take together."""

    marks: Mapping[str, Decimal]
    """Those that move, as they are now."""
    tick: Decimal | None
    """What they are rounded to."""
    step: Decimal
    """The move that takes the dearest one a tick on."""

    def at(self, move: Decimal) -> dict[str, Decimal]:
        """Return the marks at a move."""
        moved = {symbol: moved_price(mark, move) for symbol, mark in self.marks.items()}
        if self.tick is None:
            return moved
        return {symbol: (mark / self.tick).to_integral_value() * self.tick for symbol, mark in moved.items()}

    def places(self, begin: Decimal, end: Decimal) -> Iterator[Decimal]:
        """Yield, on the way out, moves just past which some rounded mark is another one, and the end."""
        if self.tick is not None:
            ways = [_changes(mark / self.tick, begin, end) for mark in self.marks.values()]
            yield from merge(*ways, key=abs)
        yield end

    def changes(self, reach: Decimal) -> int:
        """Return about how often some rounded mark changes within a stretch."""
        return int(abs(reach) * sum(self.marks.values()) / self.tick) if self.tick else 0

    def one_tick_back(self, move: Decimal) -> Decimal:
        """Return a move nearer by what rounding may shift any mark, not beyond the present."""
        if self.tick is None:
            return move
        back = min(abs(move), self.tick / min(self.marks.values()))
        return move - back.copy_sign(move)


def _changes(ticks: Decimal, begin: Decimal, end: Decimal) -> Iterator[Decimal]:
    """Yield the moves just past which a price of so many ticks rounds to another one."""
    sign = 1 if end > begin else -1
    rounding = ROUND_CEILING if sign > 0 else ROUND_FLOOR
    half = (ticks * (1 + begin) - _HALF).to_integral_value(rounding=rounding) + _HALF
    while (move := half / ticks - 1 + sign * _FINEST) * sign < end * sign:
        yield move
        half += sign


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
    path = _path(rows, symbols, mark_tick)

    def is_dead(move: Decimal) -> bool:
        marks = path.at(move)
        return not all(is_price(mark) for mark in marks.values()) or fails_at(rows, currency, marks)

    return FailureMove(down=_search(is_dead, path, start.down, -1), up=_search(is_dead, path, start.up, 1))


def _path(rows: AccountRows, symbols: set[str], mark_tick: Decimal | None) -> _Path:
    marks = {symbol: rows.marks[symbol] for symbol in symbols if symbol in rows.marks}
    ticks = {symbol: mark_tick or rows.instruments[symbol].tick_size for symbol in marks if symbol in rows.instruments}
    step = min((tick / marks[symbol] for symbol, tick in ticks.items()), default=_FINEST)
    return _Path(marks=marks, tick=mark_tick, step=step)


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


def _search(is_dead: Callable[[Decimal], bool], path: _Path, cautious: Decimal | None, sign: int) -> Decimal | None:
    """Return the first dead place on the way out from the cautious move; that one if none is found in reach."""
    if cautious is None:
        return None
    begin = path.one_tick_back(cautious)
    if is_dead(begin):
        return begin
    reach = _dead_reach(is_dead, begin, sign * path.step)
    if reach is None:
        return cautious
    if path.tick is None or path.changes(reach) > MOST_PLACES:
        alive, dead = _dead_pace(is_dead, begin, reach, min(_MOST_PACES, int(reach / (sign * path.step))))
    else:
        alive, dead = begin, begin + reach
    if path.tick is None:
        return _halved(is_dead, alive, dead)
    return next((move for move in path.places(alive, dead) if is_dead(move)), dead)


def _dead_reach(is_dead: Callable[[Decimal], bool], begin: Decimal, step: Decimal) -> Decimal | None:
    """Return a stretch that ends dead, doubled from one step on; None if there is none in reach."""
    reach = step
    while abs(reach) <= _FARTHEST and begin + reach > -1:
        if is_dead(begin + reach):
            return reach
        reach *= 2
    return None


def _dead_pace(
    is_dead: Callable[[Decimal], bool], begin: Decimal, reach: Decimal, paces: int
) -> tuple[Decimal, Decimal]:
    """Walk a stretch that ends dead in even paces; return the last living place and the first dead one."""
    pace = reach / paces
    first = next((n for n in range(paces) if is_dead(begin + n * pace)), paces)
    return begin + max(0, first - 1) * pace, begin + first * pace


def _halved(is_dead: Callable[[Decimal], bool], alive: Decimal, dead: Decimal) -> Decimal:
    """Return a dead place right beside a living one."""
    while abs(dead - alive) > _FINEST:
        middle = (alive + dead) / 2
        alive, dead = (alive, middle) if is_dead(middle) else (middle, dead)
    return dead
