"""The story of each request, from the event to the proof."""

from __future__ import annotations

from typing import Any

from daemon.core import events as e
from daemon.core.commands import PlaceStop
from daemon.core.step import step
from daemon.shell.tracing import stories as stories_module
from daemon.shell.tracing.stories import GIVE_UP_NS, Stories, Story
from tests.builders import SECOND, a_position, an_instrument
from tests.driven import MS, Driven


class Told(Driven):
    """A guard whose every step is followed."""

    def __init__(self) -> None:
        super().__init__()
        self.over: list[Story] = []
        self.stories = Stories(now_ns=lambda: self.now, tell=self.over.append)

    def give(self, event: e.Event) -> tuple[Any, ...]:
        outcome = step(self.state, event)
        self.state, self.last = outcome.state, outcome.commands
        self.all += outcome.commands
        self.stories.decided(event, outcome)
        return outcome.commands

    def told(self, command_id: int) -> list[Story]:
        """The stories of one request that are over."""
        return [story for story in self.over if story.command_id == command_id]


def asking() -> tuple[Told, PlaceStop]:
    """A guard that has just asked for the stop of a new position."""
    guard = Told()
    guard.start()
    guard.connect([], (), [an_instrument()])
    guard.picture([])
    guard.now += MS
    guard.position(a_position())
    place = guard.only(PlaceStop)
    guard.now += MS
    guard.stories.sent(place, guard.now)
    return guard, place


def test_a_stop_is_confirmed_by_the_stream() -> None:
    """P2: answered is not confirmed; the story ends with the order row, and says that this was it."""
    guard, place = asking()
    begun = guard.now
    row = guard.row_of(place)
    guard.now += 40 * MS
    answer = e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=row)
    guard.give(answer)
    guard.stories.ended(place, answer)
    assert not guard.told(place.command_id)
    guard.now += 10 * MS
    guard.order(row)
    (story,) = guard.told(place.command_id)
    assert (story.event, story.command, story.symbol) == ("position_seen", "place_stop", "XBTUSDT")
    assert (story.ending, story.ended_by, story.outcome) == ("confirmed", "order_seen", "answered")
    assert (story.event_ns, story.sent_ns) == (begun - MS, begun)
    assert (story.answered_ns, story.ended_ns) == (begun + 40 * MS, begun + 50 * MS)


def test_a_refusal_is_the_end() -> None:
    """The venue says no: nothing is waited for."""
    guard, place = asking()
    refused = e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="no")
    guard.give(refused)
    guard.stories.ended(place, refused)
    (story,) = guard.told(place.command_id)
    assert (story.ending, story.ended_by) == ("refused", "")


def test_silence_is_followed_until_it_is_given_up() -> None:
    """P5: no answer and no row: the story stays open as the request does, and is given up in the end, as such."""
    guard, place = asking()
    silence = e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="time-out")
    guard.give(silence)
    guard.stories.ended(place, silence)
    guard.now += SECOND
    guard.tick()
    story = guard.stories._open.get(place.command_id)
    assert story is not None
    guard.stories._give_up_old(story.answered_ns + GIVE_UP_NS)
    assert guard.told(place.command_id)[0].ending == "given_up"
    assert not guard.stories._waiting


def test_stories_are_bounded(monkeypatch: Any) -> None:
    """Nobody answers any more: the oldest stories go, and are counted."""
    monkeypatch.setattr(stories_module, "MOST_OPEN", 3)
    guard, _ = asking()
    for symbol in (f"S{number}USDT" for number in range(5)):
        guard.give(e.InstrumentSeen(at_ns=guard.now, instrument=an_instrument(symbol)))
        guard.mark(1000, symbol)
        guard.position(a_position(symbol=symbol))
    assert len(guard.stories._open) <= 3
    assert guard.stories.dropped > 0
