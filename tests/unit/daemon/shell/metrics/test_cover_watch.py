"""Gaps in protection, step by step."""

from __future__ import annotations

from dataclasses import replace

from connectors.vocabulary import OrderStatus
from daemon.core import events as e
from daemon.core.commands import PlaceStop
from daemon.core.step import step
from daemon.shell.metrics.cover_watch import CoverWatch
from tests.builders import SECOND, a_position, an_instrument
from tests.driven import MS, Driven


class Watched(Driven):
    """A guard whose every step the watch is told of."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = CoverWatch()

    def give(self, event: e.Event) -> tuple[object, ...]:  # type: ignore[override]  # commands of any kind
        before = self.state
        outcome = step(before, event)
        self.state, self.last = outcome.state, outcome.commands
        self.all += outcome.commands
        self.watch.follow(before, outcome.state, outcome.touched)
        return outcome.commands

    def gaps(self) -> tuple[int, float]:
        """How many gaps ended with a proof, and all their seconds."""
        buckets, total_s = self.watch.to_protection.read()
        return buckets[-1][1], round(total_s, 3)


def guarding(*symbols: str) -> Watched:
    """A guard that sees positions for the first time and has asked for their stops."""
    guard = Watched()
    guard.start()
    positions = [a_position(symbol=symbol) for symbol in symbols]
    guard.connect(positions, (), [an_instrument(symbol) for symbol in symbols])
    guard.picture(positions)
    return guard


def test_a_gap_ends_with_the_proof() -> None:
    """P2: two positions are naked until their stops are seen; each gap is one time to protection."""
    guard = guarding("XBTUSDT", "ETHUSDT")
    guard.wait(2 * SECOND)
    assert guard.gaps() == (0, 0.0)
    running_s = guard.watch.naked_s(guard.now)
    assert running_s >= 4
    for place in guard.some(PlaceStop, guard.all):
        guard.rest(place)
    count, total_s = guard.gaps()
    assert count == 2
    assert total_s == round(guard.watch.naked_s(guard.now), 3)
    assert guard.watch.naked_s(guard.now + 9 * SECOND) == guard.watch.naked_s(guard.now)


def test_a_stop_that_vanishes_opens_another_gap() -> None:
    """P2: the proof goes and comes back: the second gap counts from the moment it was gone."""
    guard = guarding("XBTUSDT")
    (place,) = guard.some(PlaceStop, guard.all)
    resting = guard.rest(place)
    covered_s = guard.watch.naked_s(guard.now)
    guard.now += 5 * SECOND
    guard.order(replace(resting, status=OrderStatus.CANCELED, leaves_quantity=0))
    guard.now += SECOND
    assert round(guard.watch.naked_s(guard.now) - covered_s, 3) == 1
    assert guard.gaps()[0] == 1


def test_a_position_that_closes_ends_its_gap_without_protection() -> None:
    """A naked position goes flat: its seconds count, and it is no time to protection."""
    guard = guarding("XBTUSDT")
    guard.now += 3 * SECOND
    guard.position(a_position(0, symbol="XBTUSDT"))
    total_s = guard.watch.naked_s(guard.now)
    assert total_s >= 3
    assert guard.watch.naked_s(guard.now + 60 * SECOND) == total_s
    assert guard.gaps() == (0, 0.0)


def test_the_sum_never_falls() -> None:
    """Read at every millisecond around the proof, position-seconds only rise: less would look like a restart."""
    guard = guarding("XBTUSDT")
    seen = []
    for _ in range(5):
        guard.now += MS
        seen.append(guard.watch.naked_s(guard.now))
    guard.rest(guard.some(PlaceStop, guard.all)[0])
    seen.append(guard.watch.naked_s(guard.now))
    assert seen == sorted(seen)
