"""When a dispute between stream and reads is worth a new connection."""

from __future__ import annotations

from itertools import pairwise

from daemon.core import events as e
from daemon.core.commands import FindOrders, ReadPicture, RenewAccountStream
from daemon.core.folding.renewal import FIRST_PAUSE_NS, LONGEST_PAUSE_NS
from tests.builders import SECOND, a_position
from tests.driven import Driven

STALE_S = 10


def disputed() -> Driven:
    """A covered long that a read shows as flat, while the stream goes on showing it."""
    guard = Driven().up()
    guard.position(a_position())
    row = guard.rest()
    guard.wait(31 * SECOND)
    guard.picture([a_position(0)], [row])
    guard.wait(SECOND)
    guard.picture([a_position(0)], [row])
    return guard


def renewals(guard: Driven, seconds: int) -> list[int]:
    """Let seconds pass, pictures answered as before, and return in which of them a renewal was asked for."""
    found = []
    for second in range(seconds):
        commands = guard.wait(SECOND)
        if any(isinstance(command, RenewAccountStream) for command in commands):
            found.append(second)
        if any(isinstance(command, ReadPicture) for command in commands):
            guard.picture([a_position(0)], [known.order for known in guard.state.orders["XBTUSDT"].values()])
    return found


def test_a_dispute_that_lasts_asks_for_a_new_stream() -> None:
    """P12: not at once, since the stream may only be late; once, and again after a pause."""
    guard = disputed()
    assert renewals(guard, STALE_S - 3) == []
    first, second = renewals(guard, 40)
    assert (second - first) * SECOND == FIRST_PAUSE_NS


def test_pauses_grow_up_to_a_bound() -> None:
    """P8: where it is the read that is wrong, a new connection helps nothing and costs sight each time."""
    guard = disputed()
    asked = renewals(guard, 3600)
    pauses = [(later - earlier) * SECOND for earlier, later in pairwise(asked)]
    assert pauses[0] == FIRST_PAUSE_NS
    assert all(later >= earlier for earlier, later in pairwise(pauses))
    assert max(pauses) <= LONGEST_PAUSE_NS
    assert len(asked) < 12


def test_agreement_ends_it() -> None:
    """The new stream says flat as well: no more renewals."""
    guard = disputed()
    assert renewals(guard, 30)
    guard.position(a_position(0))
    assert guard.wait(SECOND)
    assert [command for command in guard.wait(120 * SECOND) if isinstance(command, RenewAccountStream)] == []


def test_a_stream_that_is_down_is_not_renewed() -> None:
    """It is being opened anew already."""
    guard = disputed()
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="closed"))
    assert not any(isinstance(command, RenewAccountStream) for _ in range(60) for command in guard.wait(SECOND))


def test_nothing_in_dispute_costs_nothing() -> None:
    """The usual day."""
    guard = Driven().up([a_position()])
    guard.rest()
    assert not any(isinstance(command, RenewAccountStream) for _ in range(30) for command in guard.wait(SECOND))


def test_a_stop_that_reads_deny_asks_for_a_new_stream() -> None:
    """P2: the stream told it and no end of it; only a fresh list of its orders settles that."""
    guard = Driven().up()
    guard.position(a_position())
    guard.rest()
    guard.wait(31 * SECOND)
    guard.picture([a_position()])
    find = guard.only(FindOrders)
    guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=()))
    commands = [command for _ in range(STALE_S + 5) for command in guard.wait(SECOND)]
    assert guard.some(RenewAccountStream, commands)
