"""P3: a stop of ours moves toward the mark only, over all restarts, unless a person let it go back.

Twice: what a guard asks for is held against the tightest trigger that was confirmed to it in this position's life; and
at the exchange, no request of a guard moves a resting stop of ours away from the mark, whatever the guard remembers.
What a guard was told before the end of its journal it still knows after a restart.

Units: seconds of virtual time, prices `Decimal`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.simulated.engine.changes import Change, Row
from connectors.vocabulary import Order, OrderSide
from daemon.core.commands import AmendStop, Command, PlaceStop
from daemon.core.events import (
    Event,
    FeedLost,
    FeedName,
    MarkSeen,
    OperatorAsked,
    PolicyChanged,
    PositionSeen,
    PositionsListed,
    Source,
    Started,
)
from daemon.core.operator_requests import SetStop
from tests.simulation.promises.book import OURS, Key, is_ours, key_of
from tests.simulation.promises.ground import Ground, GuardFacts, Promise
from tests.simulation.promises.sightings import orders_of
from tests.simulation.promises.stop_rows import is_resting_stop

RACE_S: Final = 15.0
"""A stop that another guard moved, or a request that was under way for so long, is not what this guard decided on."""


@dataclass(frozen=True, slots=True)
class _Confirmed:
    """A trigger that was confirmed to a guard."""

    price: Decimal
    episode_s: float
    at_s: float


class NeverLoosens(Promise):
    """Remembers the tightest trigger of each position's life."""

    name = "P3"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._tightest: dict[str, dict[str, _Confirmed]] = {}
        """By guard and symbol."""
        self._let_go: dict[tuple[str, str], tuple[Decimal, float]] = {}
        """How far an operator let a stop go back, by guard and symbol, and in which life of the position."""
        self._told_marks: dict[tuple[str, str], Decimal] = {}
        """The mark that each guard was last told, by guard and symbol: all that it can decide on."""
        self._live_sizes: dict[tuple[str, str], int] = {}
        """Signed contracts as each guard's stream last told them, by guard and symbol."""
        self._resting: dict[str, tuple[Decimal, float]] = {}
        """The trigger of each resting stop of ours at the exchange, and since when."""

    # ------------------------------------------------------------ at the exchange

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Compare each stop of ours with what it was."""
        for change in changes:
            if change.table == "order" and is_ours(change.row) and str(change.row["ordType"]) == "Stop":
                self._take_stop(change.row)

    def _take_stop(self, row: Row) -> None:
        name = str(row["orderID"])
        if not is_resting_stop(row):
            self._resting.pop(name, None)
            return
        after, before = Decimal(str(row["stopPx"])), self._resting.get(name)
        if before is not None and before[0] == after:
            return
        self._resting[name] = (after, self._now_s)
        if before is None or not self._book.is_guards_doing or not self._book.size(key_of(row)):
            return  # of a flat position it protects nothing, and the leave that a person gave may have ended with it
        self.checked += 1
        is_looser = after < before[0] if row["side"] == "Sell" else after > before[0]
        if (
            is_looser
            and self._now_s - before[1] > RACE_S
            and not self._is_let_go(key_of(row), after, row["side"] == "Sell")
        ):
            self._broken(f"{row['clOrdID']} was moved from {before[0]} to {after}")

    def _is_let_go(self, key: Key, price: Decimal, is_long: bool) -> bool:
        """Whether a person let a stop of this symbol go back as far as this."""
        prices = [
            let
            for (_, symbol), (let, at_s) in self._let_go.items()
            if symbol == key[1] and at_s >= self._episode_s(key)
        ]
        return any(price >= each if is_long else price <= each for each in prices)

    def _episode_s(self, key: Key) -> float:
        return self._book.holding(key).episode_s

    # ------------------------------------------------------------ what a guard was told

    def on_event(self, facts: GuardFacts, event: Event) -> None:
        """Learn which triggers were confirmed, and what a person let go."""
        match event:
            case OperatorAsked(request=SetStop(may_loosen=True, symbol=symbol, price=price)):
                self._let_go[facts.guard.name, symbol] = (price, self._now_s)
            case PolicyChanged(may_loosen=True):
                for (account, symbol), held in self._book.held():
                    if account == facts.guard.account:
                        farthest = Decimal(0) if held.quantity > 0 else Decimal("Infinity")
                        self._let_go[facts.guard.name, symbol] = (farthest, self._now_s)
            case MarkSeen(symbol=symbol, price=price):
                self._told_marks[facts.guard.name, symbol] = price
            case _:
                self._note_live(facts, event)
                for order in orders_of(event):
                    self._note_confirmed(facts, order)
                known = self._of(facts)
                for symbol in [name for name in known if self._is_over(facts, name)]:
                    del known[symbol]  # to this guard that position's life is over

    def _is_over(self, facts: GuardFacts, symbol: str) -> bool:
        """Whether a guard was told that a position is flat, or turned: by all sources, or by the live table alone.

        A turn is told by the stream first, and nothing about the new position can wait for a second witness: a ratchet
        of the old one could lie beyond its mark.
        """
        size = self._size(facts, symbol)
        return self._live_sizes.get((facts.guard.name, symbol), size) * size <= 0 or facts.is_misled(symbol, size)

    def _note_live(self, facts: GuardFacts, event: Event) -> None:
        """Follow the live table of positions; while the stream is away there is none."""
        name = facts.guard.name
        match event:
            case PositionSeen(position=position, source=Source.STREAM):
                self._live_sizes[name, position.key.symbol] = position.quantity
            case Started() | FeedLost(feed=FeedName.ACCOUNT):
                self._live_sizes = {key: size for key, size in self._live_sizes.items() if key[0] != name}
            case PositionsListed(positions=positions):
                self._live_sizes |= {(name, each.key.symbol): each.quantity for each in positions}
            case _:
                pass

    def _size(self, facts: GuardFacts, symbol: str) -> int:
        return self._book.size((facts.guard.account, symbol))

    def _note_confirmed(self, facts: GuardFacts, order: Order) -> None:
        """A stop of this life of the position, still open at the exchange, was confirmed to the guard."""
        key = (order.account, order.symbol)
        held = self._book.holding(key)
        is_current = (
            order.order_id in self._book.orders and self._book.placed_s.get(order.order_id, 0.0) >= held.episode_s
        )
        closing = OrderSide.SELL if held.quantity > 0 else OrderSide.BUY
        if (
            not held.quantity
            or not is_current
            or not order.client_order_id.startswith(OURS)
            or not order.is_resting_stop
            or order.side is not closing
            or order.stop_price is None
        ):
            return
        known = self._of(facts).get(order.symbol)
        price = order.stop_price
        if known is not None and known.episode_s == held.episode_s:
            nearer = max if held.quantity > 0 else min
            price = nearer(price, known.price)
        if known is None or known.price != price or known.episode_s != held.episode_s:
            self._of(facts)[order.symbol] = _Confirmed(price, held.episode_s, self._now_s)

    def _of(self, facts: GuardFacts) -> dict[str, _Confirmed]:
        return self._tightest.setdefault(facts.guard.name, {})

    # ------------------------------------------------------------ what it asks for

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """Hold every trigger against the tightest."""
        for command in commands:
            if isinstance(command, PlaceStop | AmendStop) and command.stop_price is not None:
                self._check(facts, command, command.stop_price)

    def _check(self, facts: GuardFacts, command: PlaceStop | AmendStop, price: Decimal) -> None:
        key = (command.key.account, command.key.symbol)
        held, known = self._book.holding(key), self._of(facts).get(command.key.symbol)
        is_long = command.side is OrderSide.SELL
        if known is None or known.episode_s != held.episode_s or not held.quantity or is_long != (held.quantity > 0):
            return
        self.checked += 1
        tightest = known.price
        loosened = self._let_go.get((facts.guard.name, command.key.symbol))
        if loosened is not None and loosened[1] >= held.episode_s:
            tightest = min(tightest, loosened[0]) if is_long else max(tightest, loosened[0])
        if isinstance(command, PlaceStop) and self._is_passed(facts, command.key.symbol, tightest, is_long=is_long):
            return  # nothing as tight can rest any more: a stop in reserve, until the close at the market is done
        if (price < tightest) if is_long else (price > tightest):
            self._broken(f"{command.client_order_id} at {price}, but {tightest} was confirmed before")

    def _is_passed(self, facts: GuardFacts, symbol: str, trigger: Decimal, *, is_long: bool) -> bool:
        """Whether the mark is beyond a trigger, or was when the guard was last told: the way back may be under way."""
        mark = self._book.exchange.world.markets[symbol].mark
        marks = {mark, self._told_marks.get((facts.guard.name, symbol), mark)}
        return any(each <= trigger if is_long else each >= trigger for each in marks)

    def forget(self, facts: GuardFacts, *, is_memory_lost: bool) -> None:
        """What was confirmed after the end of its journal counts no more."""
        if not is_memory_lost:
            return
        end_s = facts.guard.disk.newest_s()
        known = self._of(facts)
        for symbol in [symbol for symbol, each in known.items() if each.at_s >= end_s]:
            del known[symbol]
        if end_s <= 0:
            self._let_go = {name: each for name, each in self._let_go.items() if name[0] != facts.guard.name}
