"""The story of each request: which event led to it, when it was decided on, sent, answered, and confirmed.

Why apart from the library: while a decision is under way only times are noted, in a small object. When the story is
over it is handed on whole, so that nothing of tracing is done between an event and the request that it leads to.

A story ends when the core no longer waits for what was asked: the order stream or a question has shown it, or has shown
that it is not there. One that never ends is given up after a while and told as such. How many are kept is bounded.

Times: nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from daemon.core.commands import AmendStop, Command, OrderCommand, PlaceStop, PlaceTakeProfit, VenueCommand
from daemon.core.events import Event, HealthTicked
from daemon.core.state import Guarded, GuardState
from daemon.core.step import Step
from daemon.shell.words import COMMANDS, EVENTS, Outcome, outcome_of

MOST_OPEN: Final = 1_000
GIVE_UP_NS: Final = 120 * 10**9
_MAKES: Final = (PlaceStop, AmendStop, PlaceTakeProfit)
"""What is there afterwards, under its name."""
_OPEN_ENDED: Final = frozenset({Outcome.ANSWERED, Outcome.UNANSWERED})
"""After these the stream, or a question, has the last word; the others end the story at once."""


@dataclass(kw_only=True, slots=True)
class Story:
    """One request. What has not happened yet is 0 or empty."""

    command_id: int
    command: str
    event: str
    """What led to it."""
    reason: str
    symbol: str = ""
    order: str = ""
    """Client order id."""
    is_order: bool = False
    makes_order: bool = False
    event_ns: int
    decided_ns: int
    sent_ns: int = 0
    answered_ns: int = 0
    outcome: str = ""
    ended_ns: int = 0
    ending: str = ""
    """"confirmed", "not_there", "given_up", or the outcome that was the end of it."""
    ended_by: str = ""
    """The event that confirmed it."""


class Stories:
    """Follows requests from decision to proof; implements `daemon.shell.metrics.meter.Tracer`."""

    def __init__(self, *, now_ns: Callable[[], int], tell: Callable[[Story], None]) -> None:
        """Begin with none.

        Args:
            now_ns: What time it is.
            tell: Takes each story that is over; must not wait.
        """
        self._now_ns = now_ns
        self._tell = tell
        self._open: dict[int, Story] = {}
        self._waiting: dict[str, dict[int, None]] = {}
        self._state: GuardState | None = None
        self.dropped = 0

    def decided(self, event: Event, outcome: Step) -> None:
        """A step was taken: it may confirm what was asked before, and lead to more."""
        self._state = outcome.state
        if self._waiting:
            for symbol in outcome.touched:
                self._look(symbol, EVENTS[type(event)])
            if isinstance(event, HealthTicked):
                self._give_up_old(event.at_ns)
        for command in outcome.commands:
            if type(command) in COMMANDS:
                self._begin(event, command)

    def sent(self, command: VenueCommand, now_ns: int) -> None:
        """It leaves."""
        story = self._open.get(command.command_id)
        if story is not None:
            story.sent_ns = now_ns

    def ended(self, command: VenueCommand, outcome: Event) -> None:
        """It was answered, or was not; the core knows that already."""
        story = self._open.get(command.command_id)
        if story is None:
            return
        word = outcome_of(outcome)
        story.answered_ns, story.outcome = outcome.at_ns, word.value
        if not story.is_order or word not in _OPEN_ENDED:
            self._end(story, outcome.at_ns, "confirmed" if word is Outcome.ANSWERED else word.value)
        else:
            self._waiting.setdefault(story.symbol, {})[story.command_id] = None
            self._look(story.symbol, EVENTS[type(outcome)])

    # ------------------------------------------------------------ beginning, waiting, ending

    def _begin(self, event: Event, command: Command) -> None:
        while len(self._open) >= MOST_OPEN:
            self._forget(next(iter(self._open.values())))
            self.dropped += 1
        story = Story(
            command_id=command.command_id,  # type: ignore[union-attr]  # every venue command has one
            command=COMMANDS[type(command)],
            event=EVENTS[type(event)],
            reason=command.reason.value,  # type: ignore[union-attr]  # the same
            event_ns=event.at_ns,
            decided_ns=max(event.at_ns, self._now_ns()),
        )
        if isinstance(command, OrderCommand):
            story.symbol, story.order = command.key.symbol, command.client_order_id
            story.is_order, story.makes_order = True, isinstance(command, _MAKES)
        self._open[story.command_id] = story

    def _look(self, symbol: str, event: str) -> None:
        """End the stories of a symbol that the core no longer waits for."""
        state = self._state
        for command_id in tuple(self._waiting.get(symbol, ())):
            story = self._open[command_id]
            if state is None or _is_awaited(state, story):
                continue
            story.ended_by = event
            is_there = not story.makes_order or _is_known(state, story)
            self._end(story, max(story.answered_ns, state.now_ns), "confirmed" if is_there else "not_there")

    def _give_up_old(self, now_ns: int) -> None:
        for story in tuple(self._open.values()):
            if story.answered_ns and now_ns - story.answered_ns >= GIVE_UP_NS:
                self._end(story, now_ns, "given_up")

    def _end(self, story: Story, at_ns: int, ending: str) -> None:
        story.ended_ns, story.ending = at_ns, ending
        self._forget(story)
        self._tell(story)

    def _forget(self, story: Story) -> None:
        del self._open[story.command_id]
        waiting = self._waiting.get(story.symbol)
        if waiting is not None:
            waiting.pop(story.command_id, None)
            if not waiting:
                del self._waiting[story.symbol]


def _is_awaited(state: GuardState, story: Story) -> bool:
    """Whether the core still holds the write open."""
    guarded: Guarded | None = state.positions.get(story.symbol)
    if guarded is None:
        return False
    writes = (guarded.write, guarded.reduce, guarded.bracket.write)
    return any(write is not None and write.command_id == story.command_id for write in writes)


def _is_known(state: GuardState, story: Story) -> bool:
    return any(known.order.client_order_id == story.order for known in state.orders.get(story.symbol, {}).values())
