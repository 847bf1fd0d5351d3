"""The words that commands, events and outcomes have as labels: fixed tables, so no label can grow."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, get_args

from daemon.core import events as e
from daemon.core.commands import FindOrders, ReadPicture, VenueCommand


class Outcome(Enum):
    """How a request ended, for the guard."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """By the venue."""
    STOPPED = "stopped"
    """By our own check before the wire (P1)."""
    NOT_SENT = "not_sent"
    """No budget, no connection, or it waited too long for its turn."""
    UNANSWERED = "unanswered"
    """Nobody knows whether it took effect (P5)."""
    MISCONFIGURED = "misconfigured"
    """The venue refuses the key, its rights, or our clock."""


class Trigger(Enum):
    """What kind of event a decision followed."""

    MARKET = "market"
    ACCOUNT = "account"
    ANSWER = "answer"
    TIME = "time"
    PEOPLE = "people"


class Errand(Enum):
    """What kind of request it is, as far as its way to the venue goes."""

    WRITE = "write"
    READ = "read"


def snake(kind: type) -> str:
    """Return a class name as a label.

    Example:
        >>> snake(ReadPicture)
        'read_picture'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


COMMANDS: Final[dict[type, str]] = {kind: snake(kind) for kind in get_args(VenueCommand)}
EVENTS: Final[dict[type, str]] = {kind: snake(kind) for kind in get_args(e.Event)}
READS: Final = (FindOrders, ReadPicture)
OUTCOMES: Final[dict[type, Outcome]] = {
    e.RequestAnswered: Outcome.ANSWERED,
    e.OrdersCancelled: Outcome.ANSWERED,
    e.OrdersFound: Outcome.ANSWERED,
    e.PictureRead: Outcome.ANSWERED,
    e.SwitchAnswered: Outcome.ANSWERED,
    e.RequestRefused: Outcome.REFUSED,
    e.RequestNotSent: Outcome.NOT_SENT,
    e.RequestUnanswered: Outcome.UNANSWERED,
    e.RequestMisconfigured: Outcome.MISCONFIGURED,
}
_MARKET: Final = (e.MarkSeen, e.InstrumentSeen, e.InsuranceSeen, e.LiquidationSeen, e.SpreadSeen)
_TIME: Final = (e.HealthTicked, e.LedgerRead, e.TimerFired, e.Started, e.FeedLive, e.FeedLost, e.TopicSeen)
_PEOPLE: Final = (e.StopAsked, e.OperatorAsked, e.PolicyChanged, e.BotHeard)


def _trigger(kind: type) -> Trigger:
    if kind in OUTCOMES:
        return Trigger.ANSWER
    for kinds, trigger in ((_MARKET, Trigger.MARKET), (_TIME, Trigger.TIME), (_PEOPLE, Trigger.PEOPLE)):
        if kind in kinds:
            return trigger
    return Trigger.ACCOUNT


TRIGGERS: Final[dict[type, Trigger]] = {kind: _trigger(kind) for kind in EVENTS}


def outcome_of(event: e.Event) -> Outcome:
    """Return how a request ended."""
    if isinstance(event, e.RequestRefused) and event.is_own:
        return Outcome.STOPPED
    return OUTCOMES[type(event)]
