"""The walk: prices move away from today's, and stops, liquidations and failures happen in the order they are met.

Why: what is left at -30 % depends on what happened at -8 %. A stop that fired has realised its loss and freed margin, a
liquidation has cancelled the orders of its contract, a failed cross account has taken all of its positions at once. So
each direction is walked outward from today, from one event to the next, with the rows as they are after each.

How: the next event is computed, not searched for in steps: a stop and an isolated position have a price, a cross
account has a move (`exact_failure`). The walk then goes there exactly, in whole steps of 1e-12.

What is assumed: marks move together (or those that are asked for, alone), without jumps; a stop is filled where it
triggers, worse by the slippage; stops triggered by another price than the mark fire as if that moved with it; no
funding is exchanged on the way; what is liquidated goes at the bankruptcy price, taker fee included, and a position
above its lowest risk limit goes as a whole.

Units: as in `daemon.stress.account`.
Source: www.bitmex.com/app/liquidation, support article 19343437697309 (cross margining).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_UP, Context, Decimal
from typing import Final

from connectors.vocabulary import Instrument, Order, OrderKind, OrderSide, Position, Side
from daemon.core.margin.account_failure import FailureMove, account_failure_move
from daemon.core.margin.contracts import is_price, moved_price
from daemon.core.margin.costs import fee_sat, worse_price
from daemon.core.margin.exact_failure import exact_failure_move
from daemon.core.margin.liquidation import assess
from daemon.core.margin.own_liquidation import own_bankruptcy_price, own_price
from daemon.core.margin.what_if import AccountRows, at_mark, closed_part, marks_moved, replaced
from daemon.stress.account import Event, Happening, Point, Walk

STEP: Final = Decimal("1e-12")
ONE: Final = Decimal(1)
NOW: Final = Decimal(0)
_EXACT: Final = Context(prec=60)
_ORDER: Final = (Happening.ACCOUNT_FAILURE, Happening.LIQUIDATION, Happening.STOP, Happening.TAKE_PROFIT)
"""Of two things at the same move the worse counts as first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Next:
    """What is met next, and where."""

    move: Decimal
    kind: Happening
    name: str
    """Symbol, or currency of a failing account."""
    order: Order | None = None


@dataclass(kw_only=True, slots=True)
class Walker:
    """One direction of a stress test."""

    start: AccountRows
    """The account today, its profits at today's marks."""
    orders: list[Order]
    moving: Collection[str]
    direction: int
    """-1 down, +1 up."""
    slippage_percent: Decimal
    rows: AccountRows
    most: Decimal = NOW
    """How far the walk goes."""
    at: Decimal = NOW
    failing: dict[str, tuple[Decimal | None, bool]] | None = None
    """Remembered until something happens."""

    def walk(self, grid: Sequence[Decimal]) -> Walk:
        """Walk to each move of the grid, nearest first, through everything that happens on the way."""
        points = [self._point()]
        events: list[Event] = []
        self.most = max(abs(move) for move in grid)
        for move in grid:
            while (ahead := self._next(move)) is not None:
                self._go(ahead.move)
                points.append(replace(self._point(), is_after_event=True))
                events.extend(self._happen(ahead))
                points.append(replace(self._point(), is_after_event=True))
            self._go(move)
            points.append(self._point())
        return Walk(points=tuple(points), events=tuple(events))

    def _go(self, move: Decimal) -> None:
        self.at = move
        marks = {symbol: moved_price(self.start.marks[symbol], move) for symbol in self.moving}
        self.rows = marks_moved(self.rows, marks)

    def _point(self) -> Point:
        margins = self.rows.margins
        return Point(
            move=self.at,
            equity={currency: margin.margin_balance_sat for currency, margin in margins.items()},
            available={currency: margin.available_sat for currency, margin in margins.items()},
            positions={symbol: position for symbol, position in self.rows.positions.items() if position.quantity},
        )

    # ------------------------------------------------------------ what comes next

    def _next(self, limit: Decimal) -> _Next | None:
        """Return what is met first up to a move, None if nothing is."""
        found = [each for each in self._ahead() if abs(each.move) <= abs(limit)]
        return min(found, key=lambda each: (abs(each.move), _ORDER.index(each.kind)), default=None)

    def _ahead(self) -> Iterator[_Next]:
        for order in self.orders:
            reached = self._order_move(order)
            if reached is not None:
                kind = Happening.TAKE_PROFIT if order.kind is OrderKind.LIMIT else Happening.STOP
                yield _Next(move=reached, kind=kind, name=order.symbol, order=order)
        failing = self._failing()
        for currency, (move, is_known) in failing.items():
            if is_known and move is not None:
                yield _Next(move=move, kind=Happening.ACCOUNT_FAILURE, name=currency)
        for symbol, position in self.rows.positions.items():
            if not position.quantity or (position.is_cross and failing[position.currency][1]):
                continue
            reached = self._liquidation_move(symbol, position)
            if reached is not None:
                yield _Next(move=reached, kind=Happening.LIQUIDATION, name=symbol)

    def _order_move(self, order: Order) -> Decimal | None:
        """Return where an order acts: a sell stop at or below its trigger, a take-profit beyond its limit."""
        position = self.rows.positions.get(order.symbol)
        if position is None or not can_close(order, position):
            return None
        if order.kind is OrderKind.LIMIT:
            return self._crossing(order.symbol, order.price, is_below=order.side is OrderSide.BUY)
        return self._crossing(order.symbol, order.stop_price, is_below=order.side is OrderSide.SELL)

    def _liquidation_move(self, symbol: str, position: Position) -> Decimal | None:
        price = liquidation_price(self.rows, symbol)
        return self._crossing(symbol, price, is_below=position.side is Side.LONG)

    def _crossing(self, symbol: str, price: Decimal | None, *, is_below: bool) -> Decimal | None:
        """Return the first move on the way at which the mark is at or beyond a price; None if it never is."""
        mark = self.rows.marks.get(symbol)
        if price is None or not is_price(price) or mark is None:
            return None
        if mark <= price if is_below else mark >= price:
            return self.at
        if symbol not in self.moving or is_below is not (self.direction < 0):
            return None
        rounding = ROUND_FLOOR if is_below else ROUND_CEILING
        move = _EXACT.subtract(_EXACT.divide(price, self.start.marks[symbol]), ONE)
        return move.quantize(STEP, rounding=rounding, context=_EXACT)

    def _failing(self) -> dict[str, tuple[Decimal | None, bool]]:
        """Return where each cross account fails; it changes only when something happens."""
        if self.failing is None:
            held = {p.currency for p in self.rows.positions.values() if p.quantity and p.is_cross}
            self.failing = {name: self._failure_move(name) for name in self.rows.margins if name in held}
        return self.failing

    def _failure_move(self, currency: str) -> tuple[Decimal | None, bool]:
        """Return where the cross account fails, from today's marks, and whether that could be worked out.

        The quick answer is never too far out, so the exact place is looked for only if that one is on the way.
        """
        moving = [p.key.symbol for p in self.rows.held(currency) if p.key.symbol in self.moving]
        rows = self.rows
        quick = account_failure_move(
            rows.held(currency), rows.instruments, rows.margins[currency], rows.marks, moving=moving
        )
        if quick.reason is not None:
            return None, False
        near = self._from_today(quick)
        if near is None or abs(near) > self.most:
            return near, True
        return self._from_today(exact_failure_move(rows, currency, moving=moving)), True

    def _from_today(self, failure: FailureMove) -> Decimal | None:
        """Return the move of this direction, counted from today's marks instead of those on the way."""
        further = failure.down if self.direction < 0 else failure.up
        if further is None:
            return None
        whole = _EXACT.subtract(_EXACT.multiply(ONE + self.at, ONE + further), ONE)
        move = whole.quantize(STEP, rounding=ROUND_UP, context=_EXACT)
        return max(move, self.at) if self.direction > 0 else min(move, self.at)

    # ------------------------------------------------------------ what it does

    def _happen(self, ahead: _Next) -> list[Event]:
        self.failing = None
        if ahead.order is not None:
            return [self._filled(ahead.kind, ahead.order)]
        if ahead.kind is Happening.LIQUIDATION:
            return [self._liquidated(ahead.name)]
        return self._failed(ahead.name)

    def _filled(self, kind: Happening, order: Order) -> Event:
        """Fill a closing order: a stop at its trigger, or where the mark is by now, less the slippage."""
        self.orders = [each for each in self.orders if each.order_id != order.order_id]
        position, instrument = self.rows.positions[order.symbol], self.rows.instruments[order.symbol]
        whole = abs(position.quantity)
        contracts = whole if order.quantity is None else min(whole, order.leaves_quantity or order.quantity)
        price = self._fill_price(order, position, instrument)
        rate = instrument.maker_fee if kind is Happening.TAKE_PROFIT else instrument.taker_fee
        return self._close(
            kind,
            position,
            contracts,
            price,
            rate=rate,
            order=order,
        )

    def _fill_price(self, order: Order, position: Position, instrument: Instrument) -> Decimal:
        """An isolated position is never filled beyond its bankruptcy price: the exchange ends it there."""
        if order.kind is OrderKind.LIMIT and order.price is not None:
            return order.price
        side = Side.LONG if position.quantity > 0 else Side.SHORT
        mark = self.rows.marks[order.symbol]
        # The walk stands at most 1e-12 beyond the trigger; a stop that the mark has passed before fills at the mark.
        trigger = mark if order.stop_price is None else order.stop_price
        base = trigger if abs(mark - trigger) < instrument.tick_size else mark
        price = worse_price(base, side, self.slippage_percent)
        bankrupt = own_bankruptcy_price(position, instrument, None) if not position.is_cross else None
        if bankrupt is None:
            return price
        return max(price, bankrupt) if side is Side.LONG else min(price, bankrupt)

    def _close(
        self, kind: Happening, position: Position, contracts: int, price: Decimal, *, rate: Decimal, order: Order | None
    ) -> Event:
        symbol = position.key.symbol
        instrument = self.rows.instruments[symbol]
        sign = 1 if position.quantity > 0 else -1
        after, gain = closed_part(position, instrument, contracts, price)
        result = gain - fee_sat(instrument, contracts, price, rate)
        self.rows = replaced(self.rows, after, gain_sat=result)
        return Event(
            kind=kind,
            move=self.at,
            symbol=symbol,
            currency=position.currency,
            mark=self.rows.marks[symbol],
            price=price,
            contracts=sign * contracts,
            left=after.quantity,
            result_sat=result,
            order_id=order.order_id if order else "",
            client_order_id=order.client_order_id if order else "",
        )

    def _liquidated(self, symbol: str) -> Event:
        """Take one position at its bankruptcy price, the closing fee included; its contract's orders are gone."""
        self.orders = [order for order in self.orders if order.symbol != symbol]
        position, instrument = self.rows.positions[symbol], self.rows.instruments[symbol]
        price = own_bankruptcy_price(position, instrument, self.rows.margins.get(position.currency))
        if price is not None:
            kind, contracts = Happening.LIQUIDATION, abs(position.quantity)
            return self._close(kind, position, contracts, price, rate=instrument.taker_fee, order=None)
        return self._gone(Happening.LIQUIDATION, position, -position.margin_sat)

    def _failed(self, currency: str) -> list[Event]:
        """Take all cross positions of a currency: what was left of the equity behind them goes with them."""
        crosses = [position for position in self.rows.held(currency) if position.is_cross]
        symbols = {position.key.symbol for position in self.rows.held(currency)}
        self.orders = [order for order in self.orders if order.symbol not in symbols or self._is_isolated(order)]
        own = sum(position.margin_sat for position in self.rows.held(currency) if not position.is_cross)
        equity = self.rows.margins[currency].wallet_balance_sat - own + sum(p.unrealised_pnl_sat for p in crosses)
        shares = _shares(equity, [position.maintenance_sat for position in crosses])
        return [
            self._gone(Happening.ACCOUNT_FAILURE, position, position.unrealised_pnl_sat - share)
            for position, share in zip(crosses, shares, strict=True)
        ]

    def _is_isolated(self, order: Order) -> bool:
        position = self.rows.positions.get(order.symbol)
        return position is not None and not position.is_cross

    def _gone(self, kind: Happening, position: Position, result: int) -> Event:
        """Take a whole position for a given result."""
        symbol = position.key.symbol
        mark = self.rows.marks[symbol]
        after = closed_part(position, self.rows.instruments[symbol], abs(position.quantity), mark)[0]
        self.rows = replaced(self.rows, after, gain_sat=result)
        return Event(
            kind=kind,
            move=self.at,
            symbol=symbol,
            currency=position.currency,
            mark=mark,
            price=None,
            contracts=position.quantity,
            left=0,
            result_sat=result,
        )


def can_close(order: Order, position: Position) -> bool:
    """Whether an order is one that shrinks this position: a stop against it, or a take-profit that only reduces."""
    closes = OrderSide.SELL if position.quantity > 0 else OrderSide.BUY
    if not position.quantity or order.side is not closes or not order.is_open:
        return False
    if order.kind is OrderKind.LIMIT:
        return order.is_reduce_only
    return order.is_resting_stop


def liquidation_price(rows: AccountRows, symbol: str) -> Decimal | None:
    """Return the price at which a position is liquidated, as the guard would judge it: of two opinions the nearer one.

    What the exchange showed for a cross position is of today's marks alone: it counts only where ours cannot be
    computed.
    """
    position, instrument = rows.positions[symbol], rows.instruments[symbol]
    margin = rows.margins.get(position.currency)
    if not position.is_cross:
        return assess(position, instrument, margin, rows.marks[symbol]).liquidation_price
    found = own_price(position, instrument, margin)
    return position.liquidation_price if found.reason is not None else found.price


def settled_at(rows: AccountRows) -> AccountRows:
    """Return the account with all profits at the present marks, so that moves start from rows that agree."""
    positions = {
        symbol: at_mark(position, rows.instruments[symbol], rows.marks[symbol]) if position.quantity else position
        for symbol, position in rows.positions.items()
    }
    return marks_moved(replace(rows, positions=positions), rows.marks)


def _shares(amount: int, weights: Sequence[int]) -> list[int]:
    """Part an amount by weights into whole numbers whose sum is the amount."""
    total = sum(weights) or len(weights)
    parts = [amount * (weight if sum(weights) else 1) // total for weight in weights]
    parts[-1] += amount - sum(parts)
    return parts
