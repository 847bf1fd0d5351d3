"""Two witnesses of a position: the newer row is believed, and gone needs both."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.vocabulary import Order, OrderStatus
from daemon.core import events as e
from daemon.core.commands import AmendStop, PlaceStop, ReadPicture
from daemon.core.degraded import Degraded
from daemon.core.folding.account import is_agreed
from daemon.core.state import Standing
from tests.builders import SECOND, a_key, a_margin, a_position, a_stop, an_instrument
from tests.driven import MS, Driven


def test_a_stream_row_outranks_a_picture_asked_before_it() -> None:
    """The picture was under way when the stream said 250: its 100 is old."""
    guard = Driven().up()
    guard.position(a_position())
    guard.rest()
    guard.wait(31 * SECOND)
    assert guard.state.pictures.command_id is not None
    guard.now += MS
    guard.position(a_position(250))
    guard.picture([a_position(100)], [next(iter(guard.state.orders["XBTUSDT"].values())).order])
    assert guard.guarded().position.quantity == 250


def test_a_picture_asked_after_the_last_row_is_believed() -> None:
    """The stream missed something: the newer read counts."""
    guard = Driven().up()
    guard.position(a_position())
    row = guard.rest()
    guard.wait(31 * SECOND)
    commands = guard.picture([a_position(250)], [row])
    assert guard.guarded().position.quantity == 250
    assert guard.only(AmendStop, commands).quantity == 250


def test_a_read_from_a_copy_that_lags_behind_is_not_believed() -> None:
    """P3: asked later, and stamped by the venue a minute before the stream's row: its other side begins no new life."""
    guard = Driven().up()
    guard.position(replace(a_position(), timestamp_ns=200 * SECOND))
    row = guard.rest()
    ratchet = guard.guarded().ratchet
    guard.wait(31 * SECOND)
    commands = guard.picture([replace(a_position(-250), timestamp_ns=140 * SECOND)], [row])
    assert guard.guarded().position.quantity == 100
    assert guard.guarded().ratchet == ratchet is not None
    assert not [each for each in commands if isinstance(each, PlaceStop | AmendStop)]
    guard.wait(31 * SECOND)
    guard.picture([replace(a_position(250), timestamp_ns=230 * SECOND)], [row])
    assert guard.guarded().position.quantity == 250


def test_a_read_stamped_before_a_move_of_the_mark_alone_is_believed() -> None:
    """P2: the stream's row is younger, but tells the size that it told before the read's row was stamped."""
    guard = Driven().up()
    guard.position(replace(a_position(), timestamp_ns=200 * SECOND))
    row = guard.rest()
    guard.position(replace(a_position(), timestamp_ns=230 * SECOND))
    guard.wait(31 * SECOND)
    guard.picture([replace(a_position(250), timestamp_ns=210 * SECOND)], [row])
    assert guard.guarded().position.quantity == 250


def test_a_position_that_only_the_picture_shows_is_covered() -> None:
    """Seen by REST alone: covered, and known as such."""
    guard = Driven().up()
    guard.wait(31 * SECOND)
    assert guard.only(PlaceStop, guard.picture([a_position()]))


def test_a_position_that_only_one_picture_showed_goes_with_the_next() -> None:
    """The stream, live, never had it; the next picture does not show it either: both agree that it is flat."""
    guard = Driven().up()
    guard.wait(31 * SECOND)
    guard.picture([a_position()])
    guard.wait(31 * SECOND)
    guard.picture([])
    assert guard.guarded().position.quantity == 0


def test_a_reconnect_without_the_row_is_not_flat_until_a_picture_agrees() -> None:
    """An empty table of a new connection alone says nothing."""
    guard = Driven().up()
    guard.position(a_position())
    row = guard.rest()
    guard.now += SECOND
    guard.give(e.PositionsListed(at_ns=guard.now, positions=()))
    assert guard.guarded().position.quantity == 100
    guard.wait(SECOND)
    guard.picture([], [row])
    assert guard.guarded().position.quantity == 0
    assert is_agreed(guard.guarded())


def test_another_accounts_rows_are_ignored() -> None:
    """A key of a sub-account may show rows of others."""
    guard = Driven().up()
    assert guard.some(PlaceStop, guard.position(a_position(key=a_key(account=8)))) == []
    assert guard.state.positions == {}


def test_a_picture_that_nobody_awaits_is_ignored() -> None:
    """A late answer of a read that was given up."""
    guard = Driven().up()
    late = e.PictureRead(
        at_ns=guard.now,
        command_id=99,
        asked_ns=guard.now,
        positions=(a_position(),),
        open_orders=(),
        recent_orders=(),
        margins=(),
    )
    guard.give(late)
    assert guard.state.positions == {}


def test_an_old_picture_does_not_bring_a_finished_order_back() -> None:
    """The order ended while the read was under way."""
    guard = Driven().up()
    guard.position(a_position())
    row = guard.rest()
    guard.wait(31 * SECOND)
    guard.now += MS
    place = guard.only(PlaceStop, guard.order(replace(row, status=OrderStatus.CANCELED)))
    guard.picture([a_position()], [row])
    assert row.order_id not in guard.state.orders.get("XBTUSDT", {})
    assert place.client_order_id == "sw-7-XBTUSDT-L-s2"


def test_an_older_margin_row_is_ignored() -> None:
    """Stamps decide."""
    guard = Driven().up()
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(timestamp_ns=1, wallet_balance_sat=5)))
    assert guard.state.margins["USDt"].wallet_balance_sat == 1_000_000


def test_the_common_failure_of_cross_positions_draws_the_stop_nearer() -> None:
    """P2: two cross longs fail together before either price shown is reached: the stop stands in front of that."""
    guard = Driven()
    guard.start()
    guard.connect(instruments=[an_instrument("XBTUSDT"), an_instrument("ETHUSDT")])
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(wallet_balance_sat=20_000, margin_balance_sat=20_000)))
    for symbol in ("XBTUSDT", "ETHUSDT"):
        row = a_position(
            100,
            symbol,
            is_cross=True,
            liquidation_price=Decimal(805),
            cost_sat=100_000,
            unrealised_cost_sat=100_000,
            margin_sat=500,
            maintenance_sat=500,
            locked_sat=500,
        )
        guard.position(row)
    guarded = guard.guarded()
    assert guarded.common_price is not None
    assert guarded.common_price > 900
    assert guarded.liquidation.price == guarded.common_price
    assert guarded.ruled is not None
    assert guarded.ruled > guarded.common_price


def test_a_position_that_cannot_be_liquidated_is_shown_without_alarm() -> None:
    """P2: venue and our own computation agree: no liquidation in range, no stop, no alarm."""
    guard = Driven().up()
    row = a_position(
        100,
        liquidation_price=Decimal(0),
        cost_sat=100_000,
        unrealised_cost_sat=100_000,
        margin_sat=100_500,
        maintenance_sat=500,
        initial_margin_sat=100_000,
    )
    assert guard.some(PlaceStop, guard.position(row)) == []
    assert guard.guarded().liquidation.standing is Standing.NOT_IN_RANGE
    guard.wait(10 * SECOND)
    assert Degraded.POSITION_DISPUTED not in guard.guarded().degraded


def test_an_unknown_liquidation_price_is_said() -> None:
    """P12: the venue shows none and ours cannot be computed."""
    guard = Driven().up()
    guard.position(a_position(liquidation_price=None))
    guard.wait(3 * SECOND)
    assert guard.alerts("liquidation_unknown")


def test_a_contract_that_is_not_known_yet_delays_the_stop() -> None:
    """Without a tick there is no trigger; the figures come and the stop goes out."""
    guard = Driven().up()
    assert guard.some(PlaceStop, guard.position(a_position(symbol="NEW"))) == []
    guard.mark(1000, "NEW")
    commands = guard.give(e.InstrumentSeen(at_ns=guard.now, instrument=an_instrument("NEW")))
    assert guard.only(PlaceStop, commands).stop_price == 918


def test_a_failed_picture_is_asked_again_with_growing_pauses() -> None:
    """P8: reads restrain themselves."""
    guard = Driven()
    guard.start()
    commands: list[object] = list(guard.last)
    for _ in range(120):
        for read in guard.some(ReadPicture, commands):
            guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=read.command_id, reason="x"))
        commands = guard.wait(250 * MS)
    assert 5 <= len(guard.some(ReadPicture, guard.all)) <= 12


def test_numbers_go_on_from_what_the_venue_remembers() -> None:
    """P4: no journal; recent orders show that 7 was used, so 8 is next."""
    guard = Driven()
    guard.start()
    guard.connect()
    guard.wait(SECOND)
    used = a_stop("old", "sw-7-XBTUSDT-L-s7", status=OrderStatus.CANCELED)
    guard.picture([], [], [used])
    guard.wait(SECOND)
    assert guard.only(PlaceStop, guard.position(a_position())).client_order_id == "sw-7-XBTUSDT-L-s8"


def _disputed() -> tuple[Driven, Order]:
    """A guard whose stream goes on showing a position that a read no longer shows."""
    guard = Driven().up()
    guard.position(a_position())
    row = guard.rest()
    guard.wait(31 * SECOND)
    guard.picture([a_position(0)], [row])
    return guard, row


def test_a_position_in_dispute_costs_one_read_more_and_then_the_slow_cycle() -> None:
    """P8: the stream lost the row for good: no read after the other out of the budget that the bots live on."""
    guard, row = _disputed()
    guard.wait(SECOND)
    guard.picture([a_position(0)], [row])
    assert guard.some(ReadPicture, guard.wait(20 * SECOND)) == []
    guard.wait(11 * SECOND)
    guard.picture([a_position(0)], [row])
    assert guard.guarded().position.quantity == 100
    assert guard.guarded().covered_ns


def test_a_position_in_dispute_is_said_and_its_end_too() -> None:
    """P12: the two witnesses contradict each other for long: people hear, once, and hear that it is over."""
    guard, row = _disputed()
    guard.wait(SECOND)
    guard.picture([a_position(0)], [row])
    assert guard.alerts(Degraded.POSITION_DISPUTED.value) == []
    guard.wait(13 * SECOND)
    guard.position(a_position())
    assert Degraded.POSITION_DISPUTED in guard.guarded().degraded
    guard.wait(20 * SECOND)
    guard.picture([a_position()], [row])
    assert Degraded.POSITION_DISPUTED not in guard.guarded().degraded
    assert len(guard.alerts(Degraded.POSITION_DISPUTED.value)) == 2


def test_a_row_of_the_stream_ends_the_dispute() -> None:
    """The read was only a moment ahead of the stream: flat by both, and nothing was said."""
    guard, _row = _disputed()
    guard.position(a_position(0))
    assert guard.guarded().position.quantity == 0
    assert guard.guarded().disputed_ns == 0
    assert guard.alerts(Degraded.POSITION_DISPUTED.value) == []


@pytest.mark.parametrize(
    ("entry", "is_same"), [("1000", True), ("1001", False)], ids=["the very same", "another of that size"]
)
def test_a_position_that_reads_turned_round_and_back_keeps_its_ratchet(entry: str, *, is_same: bool) -> None:
    """P3: a copy shows the other side for a moment, while somebody cancels the stop: it goes back to where it was."""
    guard = Driven().up()
    row = guard.rest(guard.only(PlaceStop, guard.position(a_position())))
    row = replace(row, stop_price=Decimal(950), timestamp_ns=guard.now + 1)
    guard.order(row)
    guard.wait(2 * SECOND)
    assert guard.guarded().ratchet == 950
    other = a_position(-50, liquidation_price=Decimal(1100))
    guard.give(e.PositionSeen(at_ns=guard.now, position=other, source=e.Source.QUERY))
    assert guard.guarded().ratchet is None
    guard.order(replace(row, status=OrderStatus.CANCELED, timestamp_ns=guard.now))
    guard.now += MS
    again = a_position(entry_price=Decimal(entry))
    guard.give(e.PositionSeen(at_ns=guard.now, position=again, source=e.Source.QUERY))
    assert guard.guarded().position.quantity == 100
    assert guard.guarded().ratchet == (950 if is_same else None)
    assert guard.state.positions["XBTUSDT"].former is not None
    guard.position(a_position(0))
    guard.position(a_position(entry_price=Decimal(entry)))
    assert guard.guarded().ratchet is None
