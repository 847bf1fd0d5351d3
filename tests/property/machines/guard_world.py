"""A small venue and the real core, for the machines that move the guard as a whole.

Every event goes through `tell`, which holds state and commands before and after against the laws of every table. The
laws are named here, one function each, so that a law which is broken says which.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any, Final

from config.bots import BotPolicy, Heartbeat, OnSilence
from config.modes import Lift
from config.policy import Policy
from connectors.vocabulary import Order, OrderStatus
from daemon.core import bots
from daemon.core import events as e
from daemon.core.commands import (
    AmendStop,
    CancelOrder,
    CancelOrders,
    Command,
    DisarmSwitch,
    FeedSwitch,
    FindOrders,
    PlaceStop,
    ReadPicture,
    ReduceAtMarket,
    RenewAccountStream,
)
from daemon.core.market.marks import is_fresh
from daemon.core.memory.interventions import LatchKind
from daemon.core.memory.orders import TABLE as WRITES
from daemon.core.memory.under_way import Write
from daemon.core.mode import TABLE as MODES
from daemon.core.mode import Mode
from daemon.core.operator_requests import LiftLatch
from daemon.core.protecting import protection
from daemon.core.protecting.protection import Stage
from daemon.core.state import Guarded, GuardState, SwitchState, initial_state
from daemon.core.step import step
from daemon.core.tiers import RANK
from tests.builders import ACCOUNT, SECOND, START_NS, a_margin, a_position, a_stop, an_instrument, an_order

SYMBOL: Final = "XBTUSDT"
MAKER: Final = "maker"
POLICY: Final = Policy(
    bots={
        MAKER: BotPolicy(
            id_prefix="mm-",
            heartbeat=Heartbeat.EITHER,
            silent_after_s=Decimal(5),
            on_silence=OnSilence.CANCEL_AND_FLATTEN,
            must_be_alive=True,
        )
    }
)
_TIME: Final = (e.HealthTicked, e.TimerFired, e.FeedLost, e.FeedLive, e.TableDoubted, e.MarkSeen, e.MarginSeen)
_SPEAKS_OF_REQUESTS: Final = (e.RequestUnanswered, e.RequestNotSent)


def _closure(table: dict[tuple[Any, Any], Any]) -> set[tuple[Any, Any]]:
    """What the table can reach from each state by any number of its moves."""
    reached = {(before, after) for (before, _), after in table.items()}
    reached |= {(state, state) for pair in reached for state in pair}
    while True:
        more = {(a, d) for (a, b), (c, d) in product(reached, reached) if b is c} - reached
        if not more:
            return reached
        reached |= more


_MODE_MOVES: Final = {(before, after) for (before, _), after in MODES.items()}
_MODE_PATHS: Final = _MODE_MOVES | {(a, d) for (a, b), (c, d) in product(_MODE_MOVES, _MODE_MOVES) if b is c}
"""One event moves the mode twice at most: a stream comes up, and a picture is there already."""
_WRITE_PATHS: Final = _closure(WRITES)


class GuardWorld:
    """The account as the venue has it, and the guard that is told of it, or not."""

    def __init__(self) -> None:
        self.state: GuardState = initial_state(ACCOUNT, POLICY)
        self.now_ns = START_NS
        self.unanswered: list[Command] = []
        self.quantity = 0
        self.changed_ns = START_NS
        """When the account's rows changed last: a row keeps its stamp until then."""
        self.is_renewal_asked = False
        self.orders: dict[str, Order] = {}
        self.number = 0
        self.audible_ns = 0
        """The most that the maker can have been silent, by the ticks that were told."""
        self.checked: dict[str, int] = {}

    # ------------------------------------------------------------------ telling

    def tell(self, event: e.Event) -> None:
        """One event through the core, under all laws."""
        before = self.state
        outcome = step(before, event)
        self.state = outcome.state
        for law in LAWS:
            law(self, before, event, outcome.commands)
        self.is_renewal_asked |= any(isinstance(command, RenewAccountStream) for command in outcome.commands)
        self.unanswered += [command for command in outcome.commands if hasattr(command, "command_id")]

    def note(self, law: str) -> None:
        """Count how often a law had something to judge."""
        self.checked[law] = self.checked.get(law, 0) + 1

    def come_up(self) -> None:
        """Start, connect, answer: an ordinary morning."""
        self.tell(e.Started(at_ns=self.now_ns, account=ACCOUNT))
        self.tell(e.InstrumentSeen(at_ns=self.now_ns, instrument=an_instrument()))
        self.mark(1000)
        self.connect(e.FeedName.MARKET)
        self.connect(e.FeedName.ACCOUNT)
        self.tick()
        self.answer_all()

    def connect(self, feed: e.FeedName) -> None:
        """A stream comes up with its tables."""
        if feed is e.FeedName.ACCOUNT:
            self.is_renewal_asked = False
            self.tell(e.MarginSeen(at_ns=self.now_ns, margin=a_margin(timestamp_ns=self.changed_ns)))
            self.tell(e.PositionsListed(at_ns=self.now_ns, positions=(self.position(),)))
            self.tell(e.OrdersListed(at_ns=self.now_ns, orders=tuple(self.orders.values())))
        self.tell(e.FeedLive(at_ns=self.now_ns, feed=feed))

    def mark(self, price: int) -> None:
        """A mark of the market stream."""
        self.tell(e.MarkSeen(at_ns=self.now_ns, symbol=SYMBOL, price=Decimal(price)))

    def tick(self, seconds: float = 1.0, **odd: Any) -> None:
        """Time passes, with the timer as asked, and health is told."""
        end_ns = self.now_ns + int(seconds * SECOND)
        for _ in range(20):
            if not self.state.timer_ns or self.state.timer_ns > end_ns:
                break
            self.now_ns = max(self.now_ns, self.state.timer_ns)
            self.tell(e.TimerFired(at_ns=self.now_ns))
        self.now_ns = end_ns
        ages = {"market_age_ns": 0, "account_age_ns": 0, "loop_lag_ns": 0, "clock_skew_ns": 0}
        self.audible_ns += int(seconds * SECOND)
        self.tell(e.HealthTicked(at_ns=self.now_ns, **(ages | odd)))

    def position(self) -> Any:
        """The position's row."""
        return a_position(self.quantity, SYMBOL, timestamp_ns=self.changed_ns)

    def trade(self, quantity: int) -> None:
        """Somebody trades; the stream says so."""
        self.quantity, self.changed_ns = quantity, self.now_ns
        self.tell(e.PositionSeen(at_ns=self.now_ns, position=self.position(), source=e.Source.STREAM))

    def quote(self, name: str) -> None:
        """A bot, or a person, places a limit order."""
        self.number += 1
        order = an_order(f"o-{self.number}", f"{name}{self.number}", timestamp_ns=self.changed_ns)
        self.orders[order.order_id] = order
        self.tell(e.OrderSeen(at_ns=self.now_ns, order=order, source=e.Source.STREAM))

    # ------------------------------------------------------------------ answers

    def answer_all(self) -> None:
        """The venue carries out and answers whatever is asked, until nothing is."""
        for _ in range(12):
            if not self.unanswered:
                return
            self.answer(0)

    def answer(self, place: int, fate: str = "done") -> None:
        """One request meets its fate."""
        command: Any = self.unanswered.pop(place % len(self.unanswered))
        self.now_ns += 1_000_000
        common: dict[str, Any] = {"at_ns": self.now_ns, "command_id": command.command_id}
        if fate == "refused" and not isinstance(command, ReadPicture | FindOrders):
            self.tell(e.RequestRefused(**common, reason="no"))
        elif fate == "not_sent":
            self.tell(e.RequestNotSent(**common, reason="busy", retry_after_ns=SECOND))
        elif fate.startswith("silent"):
            if fate == "silent_done":
                self._carry_out(command)
            self.tell(e.RequestUnanswered(**common, reason="time-out"))
        else:
            self._answer_done(command, common)

    def _answer_done(self, command: Any, common: dict[str, Any]) -> None:
        sent_ns = self.now_ns - 1_000_000
        match command:
            case ReadPicture():
                self.tell(
                    e.PictureRead(
                        **common,
                        asked_ns=sent_ns,
                        positions=(self.position(),),
                        open_orders=tuple(self.orders.values()),
                        recent_orders=(),
                        margins=(a_margin(timestamp_ns=self.changed_ns),),
                    )
                )
            case FindOrders():
                wanted = set(command.client_order_ids)
                found = tuple(order for order in self.orders.values() if order.client_order_id in wanted)
                self.tell(e.OrdersFound(**common, orders=found))
            case FeedSwitch():
                self.tell(e.SwitchAnswered(**common, sent_ns=sent_ns, timeout_ns=command.timeout_ns))
            case DisarmSwitch():
                self.tell(e.SwitchAnswered(**common, sent_ns=sent_ns, timeout_ns=0))
            case CancelOrders():
                gone = self._carry_out(command)
                self.tell(e.OrdersCancelled(**common, orders=tuple(gone)))
                self._show(gone)
            case _:
                touched = self._carry_out(command)
                self.tell(e.RequestAnswered(**common, order=touched[0] if touched else None))
                self._show(touched)

    def _show(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self.tell(e.OrderSeen(at_ns=self.now_ns, order=order, source=e.Source.STREAM))
        if self.state.account:
            self.tell(e.PositionSeen(at_ns=self.now_ns, position=self.position(), source=e.Source.STREAM))

    def _carry_out(self, command: Any) -> list[Order]:
        """Do at the venue what is asked; return the rows it touched."""
        match command:
            case PlaceStop():
                known = [one for one in self.orders.values() if one.client_order_id == command.client_order_id]
                order = known[0] if known else self._stop(command)
                self.orders[order.order_id] = order
                return [order]
            case AmendStop() if command.order_id in self.orders:
                before = self.orders[command.order_id]
                self.orders[command.order_id] = order = replace(
                    before,
                    stop_price=command.stop_price or before.stop_price,
                    quantity=command.quantity or before.quantity,
                    leaves_quantity=command.quantity or before.leaves_quantity,
                    timestamp_ns=self.now_ns,
                )
                return [order]
            case CancelOrder():
                return self._cancel([command.order_id])
            case CancelOrders():
                return self._cancel([named.order_id for named in command.orders])
            case ReduceAtMarket():
                self.quantity, self.changed_ns = 0, self.now_ns
                return [self._filled(command)]
            case _:
                return []

    def _cancel(self, order_ids: list[str]) -> list[Order]:
        gone = [self.orders.pop(one) for one in order_ids if one in self.orders]
        return [replace(order, status=OrderStatus.CANCELED, leaves_quantity=0) for order in gone]

    def _stop(self, command: PlaceStop) -> Order:
        self.number += 1
        return a_stop(
            f"o-{self.number}",
            command.client_order_id,
            symbol=command.key.symbol,
            side=command.side,
            quantity=command.quantity,
            leaves_quantity=command.quantity or 0,
            is_close=command.quantity is None,
            stop_price=command.stop_price,
            timestamp_ns=self.now_ns,
        )

    def _filled(self, command: ReduceAtMarket) -> Order:
        self.number += 1
        return an_order(
            f"o-{self.number}",
            command.client_order_id,
            side=command.side,
            status=OrderStatus.FILLED,
            leaves_quantity=0,
            timestamp_ns=self.now_ns,
        )


# ---------------------------------------------------------------------- laws


def _mode_moves_along_its_table(world: GuardWorld, before: GuardState, event: e.Event, _: Any) -> None:
    state = world.state
    assert (before.mode, state.mode) in _MODE_PATHS, f"{before.mode} -> {state.mode} by {event}"
    if state.mode is Mode.GUARDING:
        world.note("mode")
        feeds = (state.health.market, state.health.account)
        assert all(feed.is_live and not feed.doubted for feed in feeds), "P6: guarding without sight"
        assert state.pictures.taken_ns >= state.mode_since_ns or before.mode is Mode.GUARDING or state.pictures.taken_ns


def _switch_is_fed_with_open_eyes(world: GuardWorld, before: GuardState, event: e.Event, commands: Any) -> None:
    after = world.state
    feeds = [one for one in commands if isinstance(one, FeedSwitch | DisarmSwitch)]
    assert len(feeds) <= 1, "one request about the switch at a time"
    for command in feeds:
        world.note("switch")
        assert before.switch.command_id is None or before.switch.command_id not in after.pending
        if isinstance(command, FeedSwitch):
            assert after.mode is Mode.GUARDING, "P6: fed without sight"
            assert not bots.missing(after), "P6: fed although a bot that must be alive is not"
    if before.switch.state is not after.switch.state and after.switch.state is not SwitchState.UNKNOWN:
        assert isinstance(event, e.SwitchAnswered), "armed or disarmed without the venue's word"
    if after.switch.state is SwitchState.ARMED:
        assert after.switch.expires_ns


def _latches_hold(world: GuardWorld, before: GuardState, event: e.Event, _: Any) -> None:
    for name, latch in before.latches.items():
        world.note("latches")
        now = world.state.latches.get(name)
        if now is None:
            asked = isinstance(event, e.OperatorAsked) and isinstance(event.request, LiftLatch)
            ended = bool(latch.day_ends_ns) and world.state.now_ns >= latch.day_ends_ns
            assert asked or ended or latch.lift is Lift.CLEARED, f"P7: {name} is gone by {event}"
        elif latch.kind is LatchKind.FLATTEN:
            assert now.kind is LatchKind.FLATTEN, "P7: a FLATTEN became a FREEZE"


def _tiers_are_judged_by_fresh_marks(world: GuardWorld, before: GuardState, event: e.Event, _: Any) -> None:
    for symbol, guarded in world.state.positions.items():
        old = before.positions.get(symbol)
        if old is None or old.known_ns != guarded.known_ns or old.tier is guarded.tier or not guarded.known_ns:
            continue
        if not guarded.position.quantity or guarded.position.side is not old.position.side:
            continue
        world.note("tiers")
        assert is_fresh(world.state, symbol), f"{old.tier} -> {guarded.tier} by a stale mark, {event}"
        assert RANK[guarded.tier] >= 0


def _bots_fall_silent_by_silence(world: GuardWorld, before: GuardState, event: e.Event, _: Any) -> None:
    was, now = before.bots.get(MAKER), world.state.bots.get(MAKER)
    if isinstance(event, e.BotHeard | e.Started) or (
        isinstance(event, e.OrderSeen) and _is_of_a_bot_alive(event.order)
    ):
        if now is not None and not now.is_silent:
            world.audible_ns = 0
        return
    if was is None or now is None or was.is_silent == now.is_silent:
        return
    world.note("bots")
    assert now.is_silent, f"back without a word, by {event}"
    assert world.audible_ns >= 5 * SECOND, "silent before its time"


def _is_of_a_bot_alive(order: Order) -> bool:
    """A new order of the maker; a cancel or a fill happens to a dead one's orders as well."""
    return order.client_order_id.startswith("mm-") and order.status is OrderStatus.NEW


def _time_proves_nothing(world: GuardWorld, before: GuardState, event: e.Event, _: Any) -> None:
    for key in before.unproved:
        world.note("outcomes")
        if key not in world.state.unproved:
            assert not isinstance(event, (*_TIME, *_SPEAKS_OF_REQUESTS)), f"P5: {key} is settled by {event}"


def _writes_move_along_their_table(world: GuardWorld, before: GuardState, event: e.Event, _: Any) -> None:
    for symbol, guarded in world.state.positions.items():
        old = before.positions.get(symbol)
        for was, now in _writes(old, guarded):
            if was is not None and now is not None and was.command_id == now.command_id:
                world.note("writes")
                assert (was.state, now.state) in _WRITE_PATHS, f"{was.state} -> {now.state} by {event}"


def _writes(old: Guarded | None, now: Guarded) -> list[tuple[Write | None, Write | None]]:
    if old is None:
        return [(None, now.write), (None, now.reduce)]
    return [(old.write, now.write), (old.reduce, now.reduce), (old.bracket.write, now.bracket.write)]


def _proof_names_what_rests(world: GuardWorld, _before: GuardState, event: e.Event, _: Any) -> None:
    for symbol, guarded in world.state.positions.items():
        if protection.stage(world.state, guarded) is not Stage.PROVED:
            continue
        world.note("protection")
        found = protection.proof(world.state, guarded)
        assert found, f"P2: covered without a proof after {event}"
        sold = guarded.position.quantity > 0
        assert all((stop.side.value == "sell") == sold for stop in found), "P2: a stop of the other side counts"
        if world.state.health.account.is_live and symbol == SYMBOL and all(stop.quantity for stop in found):
            assert sum(stop.quantity or 0 for stop in found) >= abs(guarded.position.quantity)


LAWS: Final = (
    _mode_moves_along_its_table,
    _switch_is_fed_with_open_eyes,
    _latches_hold,
    _tiers_are_judged_by_fresh_marks,
    _bots_fall_silent_by_silence,
    _time_proves_nothing,
    _writes_move_along_their_table,
    _proof_names_what_rests,
)
