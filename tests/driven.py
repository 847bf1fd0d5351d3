"""The core with a hand on every lever: for tests that tell one story, event by event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from config.policy import Policy
from connectors.vocabulary import Instrument, Margin, Order, OrderStatus, Position
from daemon.core import events as e
from daemon.core.commands import Command, PlaceStop, RaiseAlert, ReadPicture
from daemon.core.state import Guarded, GuardState, initial_state
from daemon.core.step import step
from tests.builders import ACCOUNT, SECOND, START_NS, a_margin, a_stop, an_instrument

C = TypeVar("C")
MS = SECOND // 1000


class Driven:
    """A guard whose world is written out by the test."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.state: GuardState = initial_state(ACCOUNT, policy or Policy())
        self.now = START_NS
        self.all: list[Command] = []
        self.last: tuple[Command, ...] = ()

    # ------------------------------------------------------------------ events

    def give(self, event: e.Event) -> tuple[Command, ...]:
        """One event, now."""
        outcome = step(self.state, event)
        self.state, self.last = outcome.state, outcome.commands
        self.all += outcome.commands
        return outcome.commands

    def wait(self, duration_ns: int) -> list[Command]:
        """Let time pass, with the timer ringing as asked and health reported at the end."""
        end, commands = self.now + duration_ns, []
        while self.state.timer_ns and self.state.timer_ns <= end:
            self.now = max(self.now, self.state.timer_ns)
            commands += self.give(e.TimerFired(at_ns=self.now))
        self.now = end
        return commands + list(self.tick())

    def tick(self, **ages: int) -> tuple[Command, ...]:
        """The second's report; all well but for what is named."""
        base = {"market_age_ns": 0, "account_age_ns": 0, "loop_lag_ns": 0, "clock_skew_ns": 0}
        return self.give(e.HealthTicked(at_ns=self.now, **(base | ages)))

    def mark(self, price: str | int, symbol: str = "XBTUSDT") -> tuple[Command, ...]:
        """A mark price."""
        return self.give(e.MarkSeen(at_ns=self.now, symbol=symbol, price=Decimal(price)))

    def position(self, row: Position) -> tuple[Command, ...]:
        """A position row of the stream."""
        return self.give(e.PositionSeen(at_ns=self.now, position=row, source=e.Source.STREAM))

    def order(self, row: Order) -> tuple[Command, ...]:
        """An order row of the stream."""
        return self.give(e.OrderSeen(at_ns=self.now, order=row, source=e.Source.STREAM))

    def picture(
        self,
        positions: Iterable[Position] = (),
        orders: Iterable[Order] = (),
        recent: Iterable[Order] = (),
        margins: Iterable[Margin] = (),
    ) -> tuple[Command, ...]:
        """The answer to the picture that was asked for."""
        command_id = self.state.pictures.command_id
        assert command_id is not None, "no picture was asked for"
        asked_ns = self.state.pictures.asked_ns
        self.now += MS
        return self.give(
            e.PictureRead(
                at_ns=self.now,
                command_id=command_id,
                asked_ns=asked_ns,
                positions=tuple(positions),
                open_orders=tuple(orders),
                recent_orders=tuple(recent),
                margins=tuple(margins),
            )
        )

    # ------------------------------------------------------------------ stories

    def start(self) -> None:
        """The process starts."""
        self.give(e.Started(at_ns=self.now, account=ACCOUNT))

    def connect(
        self,
        positions: Iterable[Position] = (),
        orders: Iterable[Order] = (),
        instruments: Iterable[Instrument] = (),
        mark: str | int = 1000,
    ) -> None:
        """Both streams come up with these tables."""
        for instrument in tuple(instruments) or (an_instrument(),):
            self.give(e.InstrumentSeen(at_ns=self.now, instrument=instrument))
            self.mark(mark, instrument.symbol)
        self.give(e.FeedLive(at_ns=self.now, feed=e.FeedName.MARKET))
        self.give(e.MarginSeen(at_ns=self.now, margin=a_margin()))
        self.give(e.PositionsListed(at_ns=self.now, positions=tuple(positions)))
        self.give(e.OrdersListed(at_ns=self.now, orders=tuple(orders)))
        self.give(e.FeedLive(at_ns=self.now, feed=e.FeedName.ACCOUNT))

    def up(self, positions: Iterable[Position] = (), orders: Iterable[Order] = (), mark: str | int = 1000) -> Driven:
        """Start, connect and answer pictures until none is wanted: an ordinary morning."""
        positions, orders = tuple(positions), tuple(orders)
        self.start()
        self.connect(positions, orders, mark=mark)
        for _ in range(4):
            if self.state.pictures.command_id is not None:
                self.picture(positions, orders)
            self.wait(250 * MS)
        return self

    def rest(self, place: PlaceStop | None = None, **changes: object) -> Order:
        """Answer the newest placement and let the order stream confirm it."""
        place = place or self.only(PlaceStop, self.all[-40:])
        order = self.row_of(place, **changes)
        self.now += MS
        self.give(e.RequestAnswered(at_ns=self.now, command_id=place.command_id, order=order))
        self.order(order)
        return order

    def row_of(self, place: PlaceStop, **changes: object) -> Order:
        """The order row that a placement makes."""
        row = a_stop(
            f"v-{place.client_order_id}",
            place.client_order_id,
            symbol=place.key.symbol,
            side=place.side,
            quantity=place.quantity,
            leaves_quantity=place.quantity or 0,
            is_close=place.quantity is None,
            stop_price=place.stop_price,
            status=OrderStatus.NEW,
            timestamp_ns=self.now,
        )
        return replace(row, **changes)

    # ------------------------------------------------------------------ questions

    def guarded(self, symbol: str = "XBTUSDT") -> Guarded:
        """What is known of a position."""
        return self.state.positions[symbol]

    def some(self, kind: type[C], commands: Iterable[object] | None = None) -> list[C]:
        """The commands of a kind: of the last step, or of those given."""
        return [c for c in (self.last if commands is None else commands) if isinstance(c, kind)]

    def only(self, kind: type[C], commands: Iterable[object] | None = None) -> C:
        """The one command of a kind."""
        found = self.some(kind, commands)
        assert len(found) == 1, f"{len(found)} of {kind.__name__} in {commands if commands is not None else self.last}"
        return found[0]

    def alerts(self, state: str = "", commands: Iterable[object] | None = None) -> list[RaiseAlert]:
        """Alerts so far, of one named state if given."""
        found = self.some(RaiseAlert, self.all if commands is None else commands)
        return [a for a in found if not state or a.state == state]

    def is_reading(self) -> bool:
        """Whether the last step asked for a picture."""
        return bool(self.some(ReadPicture))
