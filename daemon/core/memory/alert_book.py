"""What the guard remembers of what it told people, as values of the state.

A *fact* is one thing that stands or happened: (topic, who or what, symbol). Facts of one cause make a *group*, and a
group makes one message at a time. All of it is bounded, and survives a restart with the state.

Units: times `int` nanoseconds since 1970 UTC, 0 for "never"; ranks 1 (watch) to 4 (emergency), 0 for none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from config.alerting import Level

MOST_FACTS: Final = 2_000
"""More are not kept: the quieter go first, and how many went is said."""
MOST_SILENCES: Final = 100
MOST_SYMBOLS: Final = 5
"""So many symbols of a group are remembered by name."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that people should know. No slots: it is copied with some fields changed (`altered.py`)."""

    group: str
    topic: str
    state: str
    symbol: str
    subject: str = ""
    """Of what is neither account nor symbol: the name of a latch, a bot, a rule's subject."""
    level: Level
    text: str
    figures: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    severity: str = ""
    since_ns: int
    is_event: bool = False
    """It happened and is over by itself; otherwise it stands until the state says that it does not."""
    ends_ns: int = 0
    """An event is news until then, unless somebody acknowledges it; 0: until somebody does."""
    over_ns: int = 0
    """Since when it is over; 0 while it stands."""
    eased_ns: int = 0
    """Since when it is less bad than was told; 0: it is not."""
    times: int = 1
    """How often it began within this life of it."""
    told_rank: int = 0
    """The worst that people were told of it."""
    acknowledged_rank: int = 0
    """The worst that a person acknowledged."""
    acknowledged_ns: int = 0
    """When that was."""

    @property
    def rank(self) -> int:
        """How loudly it is told now: what was over before anybody heard of it wakes nobody."""
        return min(self.level.rank, Level.WARN.rank) if self.over_ns else self.level.rank


@dataclass(frozen=True, kw_only=True)
class Group:
    """Facts of one cause, and what was said of them."""

    key: str
    since_ns: int
    due_ns: int
    """When it is looked at next."""
    told_ns: int = 0
    """When people were last told; 0: not yet."""
    told_rank: int = 0
    """The worst of the last message."""
    told_count: int = 0
    """How many facts the last message told of."""
    told_symbols: tuple[str, ...] = ()
    """Those it named first, the most exposed before the others."""
    told_others: int = 0
    """How many symbols beside the first the last message was about."""
    liquidated: tuple[str, ...] = ()
    """What the venue liquidated meanwhile: the end of such a trouble is no good news."""
    messages: int = 0
    heard: tuple[str, ...] = ()
    """The levels by whose way people were told of it: its end goes by them all."""
    has_stood: bool = False
    """Something in it stood when it was told, so its end is told, too."""
    unheard_ns: int = 0
    """Since when it is told and nobody acknowledged it."""
    escalation: int = 0
    """How many levels above its own it is told by."""
    escalated_ns: int = 0
    acknowledged_by: str = ""
    acknowledged_ns: int = 0
    comment: str = ""
    dropped: int = 0
    """Facts that found no place in memory since the last message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """Facts that people do not want to hear of for a while. Never an emergency."""

    name: str
    topic: str = ""
    state: str = ""
    symbol: str = ""
    """Each exact, or a pattern with `*`; empty: any."""
    since_ns: int
    until_ns: int
    comment: str
    who: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertBook:
    """All of it. `due_ns` is the earliest time at which anything is to be looked at; 0: never."""

    facts: dict[str, Fact] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    due_ns: int = 0
    next_silence: int = 1
    messages: int = 0
    """Messages so far."""
    dropped: int = 0
    """Facts so far that found no place in memory."""
    inhibited: int = 0
    """Facts at the last look that follow from another, and are not told on their own."""


class Pages:
    """The book, open for writing within one step: what is written to is copied first, once."""

    __slots__ = ("dropped", "facts", "groups", "inhibited", "messages", "next_silence", "silences")

    def __init__(self, book: AlertBook) -> None:
        self.facts = dict(book.facts)
        self.groups = dict(book.groups)
        self.silences = dict(book.silences)
        self.next_silence = book.next_silence
        self.messages = book.messages
        self.dropped = book.dropped
        self.inhibited = book.inhibited

    def closed(self) -> AlertBook:
        """The book after the step."""
        dues = [group.due_ns for group in self.groups.values()]
        dues += [silence.until_ns for silence in self.silences.values()]
        return AlertBook(
            facts=self.facts,
            groups=self.groups,
            silences=self.silences,
            due_ns=min(dues, default=0),
            next_silence=self.next_silence,
            messages=self.messages,
            dropped=self.dropped,
            inhibited=self.inhibited,
        )
