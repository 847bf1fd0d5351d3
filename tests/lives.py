"""A short life of a guard as events, for tests of journal and recovery: a position opens, is covered, grows, doubts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from config.policy import Policy
from daemon.core.commands import Command, FeedSwitch, PlaceStop, ReadPicture
from daemon.core.events import (
    Event,
    FeedLive,
    FeedName,
    HealthTicked,
    InstrumentSeen,
    MarginSeen,
    MarkSeen,
    OrderSeen,
    OrdersListed,
    PictureRead,
    PositionSeen,
    PositionsListed,
    RequestAnswered,
    RequestUnanswered,
    Source,
    Started,
    SwitchAnswered,
)
from daemon.core.state import GuardState, initial_state
from daemon.core.step import step
from tests.fakes import ACCOUNT, SECOND_NS, START_NS, SYMBOL, a_long, a_margin, a_resting_stop, an_instrument


def opening() -> Iterator[Event]:
    """Streams come up and the first position appears."""
    at = START_NS
    yield Started(at_ns=at, account=ACCOUNT)
    yield InstrumentSeen(at_ns=at, instrument=an_instrument())
    yield FeedLive(at_ns=at, feed=FeedName.MARKET)
    yield MarginSeen(at_ns=at, margin=a_margin())
    yield PositionsListed(at_ns=at, positions=())
    yield OrdersListed(at_ns=at, orders=())
    yield FeedLive(at_ns=at, feed=FeedName.ACCOUNT)
    yield MarkSeen(at_ns=at, symbol=SYMBOL, price=Decimal("60000.5"))
    yield PositionSeen(at_ns=at + SECOND_NS, position=a_long(), source=Source.STREAM)


def ticking(seconds: range) -> Iterator[Event]:
    """Healthy seconds."""
    for second in seconds:
        yield HealthTicked(
            at_ns=START_NS + second * SECOND_NS,
            market_age_ns=0,
            account_age_ns=0,
            loop_lag_ns=0,
            clock_skew_ns=0,
        )


class Life:
    """Plays events through the core and answers its commands as a friendly venue would, one event later."""

    def __init__(self) -> None:
        self.state: GuardState = initial_state(ACCOUNT, Policy())
        self.history: list[tuple[Event, GuardState, tuple[Command, ...]]] = []
        self._answers: list[Event] = []

    def play(self, events: Iterator[Event]) -> Life:
        """Take events, each followed by the answers that are due."""
        for event in events:
            self._take(event)
            while self._answers:
                self._take(self._answers.pop(0))
        return self

    def _take(self, event: Event) -> None:
        outcome = step(self.state, event)
        self.state = outcome.state
        self.history.append((event, outcome.state, outcome.commands))
        for command in outcome.commands:
            self._answers.extend(self._answer(command, event.at_ns + 1_000_000))

    def _answer(self, command: Command, at_ns: int) -> Iterator[Event]:
        held = tuple(each.position for each in self.state.positions.values())
        match command:
            case ReadPicture(command_id=command_id):
                yield PictureRead(
                    at_ns=at_ns,
                    command_id=command_id,
                    asked_ns=at_ns,
                    positions=held,
                    open_orders=(),
                    recent_orders=(),
                    margins=(a_margin(),),
                )
            case PlaceStop(command_id=command_id):
                order = replace(
                    a_resting_stop(command.client_order_id), stop_price=command.stop_price, quantity=command.quantity
                )
                yield RequestAnswered(at_ns=at_ns, command_id=command_id, order=order)
                yield OrderSeen(at_ns=at_ns, order=order, source=Source.STREAM)
            case FeedSwitch(command_id=command_id):
                yield RequestUnanswered(at_ns=at_ns, command_id=command_id, reason="no answer")
            case _ if (switch_id := getattr(command, "command_id", None)) is not None:
                yield SwitchAnswered(at_ns=at_ns, command_id=switch_id, sent_ns=at_ns, timeout_ns=0)
            case _:
                pass


def a_life() -> Life:
    """A position opens and is covered, and some seconds pass; the last command of all is left without an answer."""
    life = Life().play(opening()).play(ticking(range(2, 8)))
    grown = replace(a_long(3_000), timestamp_ns=START_NS + 9 * SECOND_NS)
    life._take(PositionSeen(at_ns=START_NS + 9 * SECOND_NS, position=grown, source=Source.STREAM))
    return life
