"""Flat by three witnesses: stream, read and margin row; what counts when one of them cannot speak (P2, P12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from connectors.vocabulary import Margin, Position
from daemon.core import events as e
from daemon.core.commands import CancelOrder, PlaceStop, RenewAccountStream
from daemon.core.degraded import Degraded
from daemon.core.folding import flatness
from daemon.core.folding.flatness import Word
from daemon.core.memory.witnesses import Witness
from tests.builders import SECOND, a_margin, a_position, an_instrument
from tests.driven import MS, Driven

IN_USE = a_margin(maintenance_margin_sat=5_000)


def covered() -> Driven:
    """A long of 100 and its confirmed stop."""
    guard = Driven().up()
    guard.rest(guard.only(PlaceStop, guard.position(a_position())))
    guard.wait(5 * SECOND)
    return guard


def reads(
    guard: Driven, count: int, positions: Iterable[Position] = (), margins: Iterable[Margin] = ()
) -> list[CancelOrder]:
    """So many reads of the account with these positions and margin rows; the cancels that follow."""
    found: list[CancelOrder] = []
    rows, sums = tuple(positions), tuple(margins)
    for _ in range(count):
        for _ in range(40):
            if guard.state.pictures.command_id is not None:
                break
            guard.wait(SECOND)
        orders = [known.order for book in guard.state.orders.values() for known in book.values()]
        found += guard.some(CancelOrder, guard.picture(rows, orders, margins=sums))
    return found


def test_the_three_agree_and_the_stop_goes() -> None:
    """Stream at zero, a read without the position, no margin in use: one read is enough."""
    guard = covered()
    guard.position(a_position(0))
    guard.wait(SECOND)
    assert len(reads(guard, 1, margins=[a_margin()])) == 1


def test_an_empty_list_and_a_lying_stream_do_not_take_the_stop_away() -> None:
    """P2: stream zero, empty list, margin in use: the stop stays, that is told, and the stream is opened anew."""
    guard = covered()
    guard.position(a_position(0))
    guard.wait(SECOND)
    assert reads(guard, 6, margins=[IN_USE]) == []
    assert "margin is in use; its stop stays" in guard.alerts(Degraded.POSITION_DISPUTED.value)[0].text
    assert guard.some(RenewAccountStream, guard.all)
    assert len(reads(guard, 1, margins=[replace(a_margin(), timestamp_ns=guard.now)])) == 1


def test_a_flat_row_whose_other_cells_deny_it_is_no_witness() -> None:
    """P12: quantity zero beside a cost: the row contradicts itself."""
    guard = covered()
    guard.position(a_position(0, cost_sat=123, maintenance_sat=5))
    guard.wait(SECOND)
    assert reads(guard, 3, margins=[a_margin()]) == []
    guard.now += 100 * MS
    guard.position(a_position(0))
    assert len(guard.some(CancelOrder, guard.all)) == 1


def test_without_a_margin_row_a_second_read_takes_its_place() -> None:
    """P12: the third cannot speak: two reads, one after the other, and the stream."""
    guard = covered()
    guard.position(a_position(0))
    guard.wait(SECOND)
    assert reads(guard, 1) == []
    assert len(reads(guard, 1)) == 1


def test_beside_another_position_of_the_currency_the_margin_row_is_silent() -> None:
    """What is in use belongs to the other: a second read decides."""
    guard = covered()
    other = a_position(50, symbol="ETHUSDT")
    guard.give(e.InstrumentSeen(at_ns=guard.now, instrument=an_instrument("ETHUSDT")))
    guard.mark(1000, "ETHUSDT")
    guard.rest(guard.only(PlaceStop, guard.position(other)))
    guard.position(a_position(0))
    guard.wait(SECOND)
    assert reads(guard, 1, [other], [IN_USE]) == []
    assert len(reads(guard, 1, [other], [IN_USE])) == 1


def test_without_the_stream_nothing_is_proved() -> None:
    """P12: reads alone are one source, however many: the stop stays until the stream lists its table."""
    guard = covered()
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="closed"))
    guard.now += SECOND
    assert reads(guard, 4, margins=[a_margin()]) == []
    guard.give(e.PositionsListed(at_ns=guard.now, positions=()))
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.ACCOUNT))
    assert len(reads(guard, 2, margins=[a_margin()])) == 1


def test_a_read_of_an_earlier_flat_time_is_no_second_read() -> None:
    """Flat, opened and closed again between two reads: the first of them speaks of another day."""
    guard = covered()
    guard.position(a_position(0))
    guard.wait(SECOND)
    reads(guard, 1)
    guard.wait(SECOND)
    guard.position(a_position(100))
    guard.wait(SECOND)
    guard.position(a_position(0))
    assert reads(guard, 1) == []
    assert len(reads(guard, 2)) == 1


@pytest.mark.parametrize(
    ("witness", "word"),
    [
        (None, Word.SILENT),
        (Witness(quantity=0, at_ns=1), Word.AGREES),
        (Witness(quantity=-3, at_ns=1), Word.DENIES),
        (Witness(quantity=0, at_ns=1, is_contradictory=True), Word.DENIES),
    ],
    ids=["never spoke", "zero", "open", "zero with a cost"],
)
def test_what_one_witness_says(witness: Witness | None, word: Word) -> None:
    """Each has one of three words."""
    assert flatness.says_flat(witness) is word


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (a_margin(), Word.AGREES),
        (IN_USE, Word.DENIES),
        (replace(IN_USE, is_multi_asset=True), Word.SILENT),
        (replace(IN_USE, currency="XBt"), Word.SILENT),
    ],
    ids=["nothing in use", "in use", "other currencies take part", "another currency"],
)
def test_what_the_margin_row_says(row: Margin, word: Word) -> None:
    """It speaks only of its own currency, and only where that stands for itself."""
    guard = covered()
    guard.position(a_position(0))
    guard.wait(SECOND)
    reads(guard, 1, margins=[row])
    assert flatness.margin_says(guard.state, guard.guarded(), guard.guarded().turned_ns) is word


def test_hedge_rows_silence_the_margin_row() -> None:
    """What is in use may be theirs."""
    guard = covered()
    guard.position(a_position(0))
    guard.wait(SECOND)
    reads(guard, 1, margins=[IN_USE])
    state = replace(guard.state, hedged={"XBTUSDT:Long": 5})
    assert flatness.margin_says(state, guard.guarded(), 0) is Word.SILENT
