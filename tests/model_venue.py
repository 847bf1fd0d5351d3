"""A venue of a few rules and many faults, for driving the pure core without sockets.

It keeps positions, orders and used ids of one account; answers commands after a delay; tells of every change on an
ordered stream; and, while faults are on, loses requests and replies, repeats rows, refuses, drops the stream, restarts
the guard, lets bots trade and cancels the guard's stops. Everything is drawn from one seed.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random

from config.policy import Policy
from connectors.vocabulary import Order, OrderKind, OrderSide, OrderStatus, Position, Trigger
from daemon.core import events as e
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import (
    AmendStop,
    CancelOrder,
    Command,
    DisarmSwitch,
    Exit,
    FeedSwitch,
    FindOrders,
    PlaceStop,
    PlaceTakeProfit,
    RaiseAlert,
    ReadPicture,
    ReduceAtMarket,
    SetTimer,
)
from daemon.core.reasons import Reason
from daemon.core.state import initial_state
from daemon.core.step import step
from tests.builders import ACCOUNT, SECOND, START_NS, a_margin, a_position, an_instrument, an_order
from tests.model_faults import Faults
from tests.model_guard import Guard

MS = SECOND // 1000
Carried = PlaceStop | PlaceTakeProfit | AmendStop | CancelOrder | ReduceAtMarket | FindOrders | ReadPicture
"""What travels to the venue and comes back with an outcome."""


class ModelVenue:
    """The venue, its bots and one or more guards, on one virtual clock."""

    def __init__(
        self,
        seed: int,
        faults: Faults,
        policy: Policy | None = None,
        guards: int = 1,
        *,
        others: tuple[Policy, ...] = (),
    ) -> None:
        self.random = Random(seed)  # noqa: S311 - a seeded test, no secret
        self.faults = faults
        self.now = START_NS
        self.queue: list[tuple[int, int, Callable[[], None]]] = []
        self.count = itertools.count()
        self.symbols = ("XBTUSDT", "ETHUSDT")
        self.instruments = {symbol: an_instrument(symbol) for symbol in self.symbols}
        self.positions = {symbol: a_position(0, symbol) for symbol in self.symbols}
        self.marks = {symbol: Decimal(1000) for symbol in self.symbols}
        self.orders: dict[str, Order] = {}
        self.used: dict[str, str] = {}
        self.stuck_until = 0
        self.policies = (policy or Policy(),) * guards + others
        self.guards = [Guard(state=initial_state(ACCOUNT, each), name=n) for n, each in enumerate(self.policies)]
        self.last_stream = dict.fromkeys(range(len(self.guards)), 0)
        self.problems: list[str] = []
        self.liquidations = 0
        self.most_own_stops = 0
        self.bared = 0
        """How often a guard cancelled a stop as one too many, and none was left; none had fired meanwhile either."""
        self.remembers_ids = True
        self.crash_at = 0
        """Kill the guard at this command of its life; 0: never."""
        self.crash_sends = False
        """Whether that command still leaves."""
        self.crash_forgets = False

    # ------------------------------------------------------------------ running

    def at(self, when: int, action: Callable[[], None]) -> None:
        """Have something happen later."""
        heapq.heappush(self.queue, (max(when, self.now), next(self.count), action))

    def run_until(self, end: int) -> None:
        """Let everything up to `end` happen."""
        while self.queue and self.queue[0][0] <= end:
            self.now, _, action = heapq.heappop(self.queue)
            action()
        self.now = end

    def start(self) -> None:
        """Start the guards and the passing of time."""
        for guard in self.guards:
            self.boot(guard)
        self.tick()

    def boot(self, guard: Guard) -> None:
        """Start, or restart, a guard's process."""
        guard.alive_since += 1
        guard.timer, guard.streams_up = 0, False
        self.give(guard, e.Started(at_ns=self.now, account=ACCOUNT))
        self.at(self.now + 50 * MS, self.living(guard, lambda: self.connect(guard)))

    def living(self, guard: Guard, action: Callable[[], None]) -> Callable[[], None]:
        """Drop what was on its way to a process that is gone."""
        life = guard.alive_since
        return lambda: action() if guard.alive_since == life else None

    def connect(self, guard: Guard) -> None:
        """Open both streams: tables first, then live."""
        guard.streams_up = True
        for instrument in self.instruments.values():
            self.give(guard, e.InstrumentSeen(at_ns=self.now, instrument=instrument))
        self.give(guard, e.FeedLive(at_ns=self.now, feed=e.FeedName.MARKET))
        for symbol, price in self.marks.items():
            self.give(guard, e.MarkSeen(at_ns=self.now, symbol=symbol, price=price))
        self.give(guard, e.MarginSeen(at_ns=self.now, margin=a_margin()))
        self.give(guard, e.PositionsListed(at_ns=self.now, positions=self.listed()))
        self.give(guard, e.OrdersListed(at_ns=self.now, orders=self.open_orders()))
        self.give(guard, e.FeedLive(at_ns=self.now, feed=e.FeedName.ACCOUNT))

    def disconnect(self, guard: Guard) -> None:
        """Lose the account stream and what was on its way; come back after a while."""
        if not guard.streams_up:
            return
        guard.streams_up = False
        self.give(guard, e.FeedLost(at_ns=self.now, feed=e.FeedName.ACCOUNT, reason="test"))
        if self.random.random() < 0.5:
            self.give(guard, e.FeedLost(at_ns=self.now, feed=e.FeedName.MARKET, reason="test"))
        self.at(self.now + self.random.randint(100, 4000) * MS, self.living(guard, lambda: self.connect(guard)))

    def tick(self) -> None:
        """One second passes."""
        self.at(self.now + SECOND, self.tick)
        for guard in self.guards:
            self.give(
                guard,
                e.HealthTicked(at_ns=self.now, market_age_ns=0, account_age_ns=0, loop_lag_ns=0, clock_skew_ns=0),
            )
            for symbol, price in self.marks.items():
                if guard.streams_up:
                    self.give(guard, e.MarkSeen(at_ns=self.now, symbol=symbol, price=price))
        self.misbehave()

    def misbehave(self) -> None:
        """Draw this second's mischief."""
        chance, faults = self.random.random, self.faults
        if chance() < faults.bot:
            self.at(self.now + self.random.randint(0, 999) * MS, self.trade)
        if chance() < faults.cancel_stops:
            self.at(self.now + self.random.randint(0, 999) * MS, self.cancel_everything)
        if chance() < faults.stuck:
            self.stuck_until = self.now + 5 * SECOND
        for guard in self.guards:
            if chance() < faults.drop_stream:
                self.disconnect(guard)
            if chance() < faults.restart:
                if chance() < faults.forget_restart:
                    guard.state = initial_state(ACCOUNT, self.policies[guard.name])
                self.boot(guard)

    # ------------------------------------------------------------------ guards

    def give(self, guard: Guard, event: e.Event) -> None:
        """Let a guard's core see an event, and send off what it asks for."""
        if guard.is_out:
            return
        outcome = step(guard.state, event)
        guard.state = outcome.state
        for command in outcome.commands:
            guard.commands.append(command)
            if len(guard.commands) == self.crash_at:
                self.crash(guard, command)
                return
            self.obey(guard, command)

    def crash(self, guard: Guard, command: Command) -> None:
        """The process is killed at this command; systemd starts it again."""
        if self.crash_sends:
            self.obey(guard, command)
        guard.alive_since += 1
        guard.timer, guard.streams_up, guard.is_out = 0, False, True
        self.at(self.now + 300 * MS, lambda: self.revive(guard))

    def revive(self, guard: Guard) -> None:
        """Start again, with or without what the journal held."""
        guard.is_out = False
        if self.crash_forgets:
            guard.state = initial_state(ACCOUNT, self.policies[guard.name])
        self.boot(guard)

    def obey(self, guard: Guard, command: Command) -> None:
        """Do what a shell does."""
        match command:
            case SetTimer():
                guard.timer = command.at_ns
                self.at(command.at_ns, self.living(guard, lambda: self.ring(guard, command.at_ns)))
            case Exit():
                guard.is_out = True
            case RaiseAlert():
                pass
            case (
                PlaceStop()
                | PlaceTakeProfit()
                | AmendStop()
                | CancelOrder()
                | ReduceAtMarket()
                | FindOrders()
                | ReadPicture()
            ):
                why = refusal(command, guard.state)
                if why is not None:
                    self.problems.append(f"refused at once: {why}: {command}")
                self.travel(guard, command)
            case FeedSwitch() | DisarmSwitch():
                timeout = command.timeout_ns if isinstance(command, FeedSwitch) else 0
                answer = e.SwitchAnswered(
                    at_ns=self.now, command_id=command.command_id, sent_ns=self.now, timeout_ns=timeout
                )
                self.reply(guard, self.now + 20 * MS, answer)
            case _:
                pass

    def ring(self, guard: Guard, when: int) -> None:
        """The timer, unless it was replaced."""
        if guard.timer == when:
            guard.timer = 0
            self.give(guard, e.TimerFired(at_ns=self.now))

    def travel(self, guard: Guard, command: Carried) -> None:
        """A request on its way: it may be lost, refused, delayed, or carried out with its reply lost."""
        chance, faults, number = self.random.random, self.faults, command.command_id
        there = self.now + self.random.randint(5, 40) * MS
        if chance() < faults.slow:
            there += self.random.randint(200, 6000) * MS
        if chance() < faults.not_sent:
            self.reply(
                guard, there, e.RequestNotSent(at_ns=0, command_id=number, reason="busy", retry_after_ns=100 * MS)
            )
        elif chance() < faults.lose_request:
            self.reply(guard, there + 3 * SECOND, e.RequestUnanswered(at_ns=0, command_id=number, reason="lost"))
        elif chance() < faults.refuse and not isinstance(command, (FindOrders, ReadPicture)):
            self.reply(guard, there, e.RequestRefused(at_ns=0, command_id=number, reason="refused by the test"))
        else:
            sent = self.now
            self.at(there, lambda: self.arrive(guard, command, sent))

    def arrive(
        self,
        guard: Guard,
        command: Carried,
        sent: int,
    ) -> None:
        """Carry a request out and send the reply, which may get lost or be too late."""
        answer = self.carry_out(guard, command, sent)
        back = self.now + self.random.randint(5, 40) * MS
        if self.random.random() < self.faults.lose_reply or back - sent > 3 * SECOND:
            answer = e.RequestUnanswered(at_ns=0, command_id=command.command_id, reason="reply lost")
            back = max(back, sent + 3 * SECOND)
        self.reply(guard, back, answer)

    def reply(self, guard: Guard, when: int, answer: e.Event) -> None:
        """Hand an outcome to the process that waits for it."""
        self.at(when, self.living(guard, lambda: self.give(guard, replace(answer, at_ns=self.now))))

    # ------------------------------------------------------------------ the venue's rules

    def carry_out(
        self,
        guard: Guard,
        command: Carried,
        sent: int,
    ) -> e.Event:
        """Do what a request asks for; return its outcome."""
        number = command.command_id
        match command:
            case FindOrders():
                found = tuple(o for o in self.orders.values() if o.client_order_id in command.client_order_ids)
                return e.OrdersFound(at_ns=self.now, command_id=number, orders=found)
            case ReadPicture():
                recent = tuple(list(self.orders.values())[-40:])
                return e.PictureRead(
                    at_ns=self.now,
                    command_id=number,
                    asked_ns=sent,
                    positions=self.listed(),
                    open_orders=self.open_orders(),
                    recent_orders=recent,
                    margins=(a_margin(),),
                )
            case PlaceStop() | PlaceTakeProfit() | ReduceAtMarket():
                return self.enter(command)
            case AmendStop():
                return self.amend(command)
            case CancelOrder():
                order = self.orders[command.order_id]
                if order.status.is_final:
                    return e.RequestAnswered(at_ns=self.now, command_id=number, order=None)
                row = self.change(order, status=OrderStatus.CANCELED)
                late = [o for o in self.orders.values() if o.filled_quantity and o.timestamp_ns > self.now - SECOND]
                if command.reason is Reason.COVER_SURPLUS and not self.own_orders(order.symbol):
                    self.bared += all(o.symbol != order.symbol for o in late)
                return e.RequestAnswered(at_ns=self.now, command_id=number, order=row)

    def enter(self, command: PlaceStop | PlaceTakeProfit | ReduceAtMarket) -> e.Event:
        """A new order."""
        number, held = command.command_id, self.positions[command.key.symbol].quantity
        if self.is_used(command.client_order_id):
            return e.RequestRefused(at_ns=self.now, command_id=number, reason="Duplicate clOrdID", is_duplicate=True)
        stop, limit = isinstance(command, PlaceStop), isinstance(command, PlaceTakeProfit)
        order = an_order(
            f"v-{next(self.count)}",
            command.client_order_id,
            symbol=command.key.symbol,
            side=command.side,
            kind=OrderKind.STOP_MARKET if stop else OrderKind.LIMIT if limit else OrderKind.MARKET,
            quantity=command.quantity,
            leaves_quantity=command.quantity or 0,
            price=command.price if isinstance(command, PlaceTakeProfit) else None,
            stop_price=command.stop_price if isinstance(command, PlaceStop) else None,
            trigger=Trigger.MARK if stop else None,
            is_reduce_only=True,
            is_close=command.quantity is None,
        )
        self.used[command.client_order_id] = order.order_id
        opposes = held > 0 if command.side is OrderSide.SELL else held < 0
        if not opposes or self.random.random() < self.faults.answer_cancelled:
            order = self.change(order, status=OrderStatus.CANCELED, text="Canceled: nothing to reduce")
        elif stop or limit:
            order = self.change(order)
            self.watch_number_of_stops(order.symbol)
            self.fire(order.symbol)
            order = self.orders[order.order_id]
        else:
            order = self.fill(self.change(order))
        return e.RequestAnswered(at_ns=self.now, command_id=number, order=order)

    def is_used(self, name: str) -> bool:
        """Whether an id is refused: how long BitMEX remembers one is not known, so both ways are played."""
        if self.remembers_ids:
            return name in self.used
        return any(order.client_order_id == name for order in self.open_orders())

    def amend(self, command: AmendStop) -> e.Event:
        """Move or resize a stop."""
        order = self.orders[command.order_id]
        if order.status.is_final:
            return e.RequestRefused(at_ns=self.now, command_id=command.command_id, reason="Invalid ordStatus")
        price = order.stop_price if command.stop_price is None else command.stop_price
        quantity = order.quantity if command.quantity is None else command.quantity
        changed = self.change(order, stop_price=price, quantity=quantity, leaves_quantity=quantity or 0)
        self.fire(order.symbol)
        return e.RequestAnswered(at_ns=self.now, command_id=command.command_id, order=changed)

    def change(self, order: Order, **changes: object) -> Order:
        """Set an order row and tell the streams."""
        row = replace(order, timestamp_ns=self.now, **changes)
        self.orders[row.order_id] = row
        self.tell(lambda: e.OrderSeen(at_ns=0, order=row, source=e.Source.STREAM))
        return row

    def fill(self, order: Order) -> Order:
        """Shrink the position by an order."""
        held = self.positions[order.symbol].quantity
        amount = min(abs(held), order.quantity or abs(held))
        if amount > 1 and self.random.random() < self.faults.partial:
            # Stopped at the bankruptcy price, say: what is left of the order is cancelled.
            amount //= 2
            row = self.change(order, status=OrderStatus.CANCELED, filled_quantity=amount, leaves_quantity=0)
        else:
            row = self.change(order, status=OrderStatus.FILLED, filled_quantity=amount, leaves_quantity=0)
        self.set_position(order.symbol, held - amount if held > 0 else held + amount)
        return row

    def set_position(self, symbol: str, quantity: int, distance: int | None = None) -> None:
        """Change a position; the distance to liquidation stays unless it is given, opened or turned."""
        before = self.positions[symbol]
        row = a_position(quantity, symbol, timestamp_ns=self.now)
        if distance is not None and quantity:
            row = replace(row, liquidation_price=Decimal(1000 - distance if quantity > 0 else 1000 + distance))
        elif quantity and before.quantity * quantity > 0:
            row = replace(row, liquidation_price=before.liquidation_price)
        self.positions[symbol] = row
        self.tell(lambda: e.PositionSeen(at_ns=0, position=row, source=e.Source.STREAM))

    def set_mark(self, symbol: str, price: Decimal) -> None:
        """Move the mark, liquidate what it reaches, fire what it passes."""
        self.marks[symbol] = price
        self.tell(lambda: e.MarkSeen(at_ns=0, symbol=symbol, price=price))
        self.fire(symbol)
        row = self.positions[symbol]
        line = row.liquidation_price
        if row.quantity and line is not None and (price <= line if row.quantity > 0 else price >= line):
            self.liquidations += 1
            for order in self.open_orders():
                if order.symbol == symbol:
                    self.change(order, status=OrderStatus.CANCELED, text="Canceled: Position in liquidation")
            self.set_position(symbol, 0)

    def fire(self, symbol: str) -> None:
        """Trigger the stops that the mark has reached."""
        if self.now < self.stuck_until:
            return
        mark = self.marks[symbol]
        for order in self.open_orders():
            if order.symbol == symbol and order.kind is OrderKind.LIMIT and order.client_order_id.startswith("sw-"):
                self.take_profit(order, mark)
            if order.symbol != symbol or order.kind is not OrderKind.STOP_MARKET or order.stop_price is None:
                continue
            if mark <= order.stop_price if order.side is OrderSide.SELL else mark >= order.stop_price:
                held = self.positions[symbol].quantity
                opposes = held > 0 if order.side is OrderSide.SELL else held < 0
                if opposes:
                    self.fill(replace(order, is_triggered=True))
                else:
                    self.change(order, status=OrderStatus.CANCELED, is_triggered=True)

    def take_profit(self, order: Order, mark: Decimal) -> None:
        """Fill a limit order of the guard that the price has reached; one with nothing to reduce is cancelled."""
        held, selling = self.positions[order.symbol].quantity, order.side is OrderSide.SELL
        if order.price is None or not (mark >= order.price if selling else mark <= order.price):
            return
        if held > 0 if selling else held < 0:
            self.fill(order)
        else:
            self.change(order, status=OrderStatus.CANCELED, leaves_quantity=0)

    def tell(self, event: Callable[[], e.Event]) -> None:
        """Put news on every guard's stream, in order; a row may come twice."""
        for guard in self.guards:
            if not guard.streams_up:
                continue
            when = max(self.last_stream[guard.name], self.now + self.random.randint(1, 30) * MS)
            if self.random.random() < self.faults.slow:
                when += self.random.randint(0, 500) * MS
            self.last_stream[guard.name] = when
            for _ in range(2 if self.random.random() < self.faults.repeat_row else 1):
                self.at(when, self.living(guard, self.delivery(guard, event)))

    def delivery(self, guard: Guard, event: Callable[[], e.Event]) -> Callable[[], None]:
        """Deliver unless the stream was lost meanwhile."""
        return lambda: self.give(guard, replace(event(), at_ns=self.now)) if guard.streams_up else None

    # ------------------------------------------------------------------ others

    def trade(self) -> None:
        """A bot opens, grows, shrinks, turns or closes a position, or the price moves."""
        symbol = self.random.choice(self.symbols)
        if self.random.random() < self.faults.margin:
            # Leverage or the other positions of the account move the liquidation price.
            self.set_position(symbol, self.positions[symbol].quantity, self.random.randint(20, 200))
            return
        match self.random.randint(0, 5):
            case 0:
                self.set_position(symbol, self.random.choice((-300, -100, 0, 100, 200, 300)))
            case 1:
                self.set_position(symbol, self.positions[symbol].quantity * 2)
            case 2:
                self.set_position(symbol, -self.positions[symbol].quantity)
            case 3:
                self.set_mark(symbol, Decimal(self.random.randint(930, 1070)))
            case 4:
                self.set_mark(symbol, Decimal(self.random.randint(905, 1095)))
            case _:
                self.set_mark(symbol, Decimal(1000))
        for symbol_now in self.symbols:
            self.at(self.now + 300 * MS, lambda symbol_now=symbol_now: self.fire(symbol_now))

    def cancel_everything(self) -> None:
        """Somebody's cancel-all, or the dead man's switch."""
        for order in self.open_orders():
            self.change(order, status=OrderStatus.CANCELED, text="Canceled: cancelAllAfter")

    def watch_number_of_stops(self, symbol: str) -> None:
        """P4, counted at the venue."""
        own = [o for o in self.own_orders(symbol) if o.kind is not OrderKind.LIMIT]
        held = self.positions[symbol].quantity
        right = [o for o in own if (o.side is OrderSide.SELL) == (held > 0)]
        self.most_own_stops = max(self.most_own_stops, len(right))

    def own_orders(self, symbol: str) -> list[Order]:
        """Open orders of the guards."""
        return [o for o in self.open_orders() if o.symbol == symbol and o.client_order_id.startswith("sw-")]

    def listed(self) -> tuple[Position, ...]:
        """The position table: rows of what was ever held."""
        return tuple(row for row in self.positions.values() if row.quantity or row.timestamp_ns > START_NS)

    def open_orders(self) -> tuple[Order, ...]:
        """Orders that can still do something."""
        return tuple(order for order in self.orders.values() if order.is_open)
