"""What the guard needs of a venue, shown on the embedded exchange always and on BitMEX testnet where keys allow."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from config.credentials import Credentials, Secret
from connectors.bitmex import BitmexOrderEntry
from connectors.errors import Misconfigured, Rejected
from connectors.ports import Feed, ReduceRequest, StopRequest
from connectors.vocabulary import Instrument, OrderSide, OrderStatus, Trigger
from daemon.core.margin.contracts import tick_down
from tests.integration.venue.conftest import SYMBOL, Venue
from tests.integration.venue.recording_sink import RecordingSink

SKEW_NS = 5_000_000_000


@contextlib.asynccontextmanager
async def running(stream: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run a stream for as long as the block lasts."""
    task = asyncio.create_task(stream)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def an_id() -> str:
    """A fresh client order id: testnet remembers those of earlier runs."""
    return f"test-{uuid4().hex[:20]}"


def a_stop(instrument: Instrument, mark: float, *, percent_below: int = 5) -> StopRequest:
    """A reduce-only sell stop some percent below the mark."""
    price = Decimal(str(mark)) * (100 - percent_below) / 100
    return StopRequest(
        client_order_id=an_id(),
        symbol=SYMBOL,
        side=OrderSide.SELL,
        quantity=instrument.lot_size,
        stop_price=tick_down(price, instrument.tick_size),
    )


async def a_mark(venue: Venue) -> float:
    """The mark price now, off the stream."""
    sink = RecordingSink()
    async with running(venue.market_data(sink).run()):
        await sink.wait_for(lambda: sink.marks)
    return sink.marks[-1][1]


async def test_clock_and_rights(venue: Venue) -> None:
    """The venue's clock is near ours and the key may order but not withdraw."""
    rights = await venue.orders.key_rights()
    assert rights.can_order
    assert not rights.can_withdraw
    assert abs(await venue.orders.server_time_ns() - time.time_ns()) < SKEW_NS


async def test_market_stream_is_live_and_exact(venue: Venue) -> None:
    """Marks arrive as floats, and the same frame gives the exact price."""
    sink = RecordingSink()
    stream = venue.market_data(sink)
    async with running(stream.run()):
        await sink.wait_for(lambda: Feed.MARKET in sink.live and sink.marks and sink.instruments)
        symbol, price, frame = sink.marks[-1]
        exact = stream.exact_mark(frame, symbol)
    assert symbol == SYMBOL
    assert exact is not None
    assert float(exact) == price
    assert sink.instruments[SYMBOL].multiplier == -100_000_000


async def test_a_stop_rests_moves_and_goes(venue: Venue) -> None:
    """Placed, confirmed by the order stream, found by its id, amended in place, cancelled once and not twice."""
    sink = RecordingSink()
    async with running(venue.drop_copy(sink).run()):
        await sink.wait_for(lambda: Feed.ACCOUNT in sink.live)
        instrument = await venue.open_smallest_long()
        await sink.wait_for(lambda: SYMBOL in sink.positions and sink.positions[SYMBOL].quantity)
        request = a_stop(instrument, await a_mark(venue))
        placed = await venue.orders.place_stop(request)
        await sink.wait_for(lambda: (o := sink.order_of(request.client_order_id)) and o.is_resting_stop)
        rested = sink.order_of(request.client_order_id)
        assert rested is not None
        assert (rested.trigger, rested.is_reduce_only, rested.stop_price) == (Trigger.MARK, True, request.stop_price)

        found = await venue.orders.order_by_client_id([request.client_order_id, an_id()])
        assert [order.order_id for order in found] == [placed.order_id]

        nearer = request.stop_price + instrument.tick_size * 10
        await venue.orders.amend_stop(order_id=placed.order_id, stop_price=nearer, quantity=None)
        await sink.wait_for(lambda: (o := sink.order_of(request.client_order_id)) and o.stop_price == nearer)

        cancelled = await venue.orders.cancel_order(order_id=placed.order_id)
        assert cancelled is not None
        assert cancelled.status is OrderStatus.CANCELED
        assert await venue.orders.cancel_order(order_id=placed.order_id) is None


async def test_picture_shows_what_is_there(venue: Venue) -> None:
    """Position, resting stop and margin come back in one read."""
    instrument = await venue.open_smallest_long()
    request = a_stop(instrument, await a_mark(venue))
    await venue.orders.place_stop(request)
    picture = await venue.orders.picture()
    assert {p.key.symbol: p.quantity for p in picture.positions}[SYMBOL] == instrument.lot_size
    assert request.client_order_id in {order.client_order_id for order in picture.open_orders}
    assert "XBt" in {margin.currency for margin in picture.margins}


async def test_a_used_id_is_refused(venue: Venue) -> None:
    """The same client order id twice is a duplicate, so a repeat can never double a stop (P4)."""
    instrument = await venue.open_smallest_long()
    request = a_stop(instrument, await a_mark(venue))
    await venue.orders.place_stop(request)
    with pytest.raises(Rejected, match="Duplicate clOrdID"):
        await venue.orders.place_stop(request)


async def test_close_stop_follows_the_position(venue: Venue) -> None:
    """A Close stop without a quantity is accepted and reads back as reduce-only."""
    instrument = await venue.open_smallest_long()
    order = await venue.orders.place_stop(replace(a_stop(instrument, await a_mark(venue)), quantity=None))
    assert order.is_close
    assert order.is_reduce_only


async def test_reduce_closes_and_cannot_open(venue: Venue) -> None:
    """A reduce-only market order flattens; the next one has nothing to reduce and is cancelled, not filled (P1)."""
    instrument = await venue.open_smallest_long()
    reduce = ReduceRequest(client_order_id=an_id(), symbol=SYMBOL, side=OrderSide.SELL, quantity=instrument.lot_size)
    assert (await venue.orders.reduce_at_market(reduce)).status is OrderStatus.FILLED
    again = await venue.orders.reduce_at_market(replace(reduce, client_order_id=an_id()))
    assert again.status is OrderStatus.CANCELED
    assert again.filled_quantity == 0


async def test_switch_over_both_ways(venue: Venue) -> None:
    """The dead man's switch is armed for what was asked and disarmed, over the stream and over REST."""
    sink = RecordingSink()
    stream = venue.drop_copy(sink)
    async with running(stream.run()):
        await sink.wait_for(lambda: Feed.ACCOUNT in sink.live)
        for way in (stream.cancel_all_after, venue.orders.cancel_all_after):
            armed = await way(60_000)
            assert armed.cancel_time_ns is not None
            assert armed.cancel_time_ns - armed.now_ns == 60_000_000_000
            assert (await way(0)).cancel_time_ns is None


async def test_a_price_off_the_tick_is_rejected(venue: Venue) -> None:
    """The venue refuses it with its own words; nothing rests."""
    instrument = await venue.open_smallest_long()
    request = a_stop(instrument, await a_mark(venue))
    off = replace(request, stop_price=request.stop_price + instrument.tick_size / 7)
    with pytest.raises(Rejected, match="tick"):
        await venue.orders.place_stop(off)
    assert await venue.orders.order_by_client_id([request.client_order_id]) == ()


async def test_a_wrong_secret_needs_a_person(venue: Venue) -> None:
    """A bad signature is Misconfigured, and neither key nor secret is in the words (P11)."""
    secret = "not-the-secret-" + "x" * 33
    wrong = Credentials(key_id=venue.credentials.key_id, secret=Secret(secret))
    orders = BitmexOrderEntry(settings=venue.settings, credentials=wrong)
    try:
        with pytest.raises(Misconfigured) as caught:
            await orders.picture()
    finally:
        await orders.close()
    assert secret not in str(caught.value)
    assert "ignature" in str(caught.value)
