"""The tape player and the timers, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

import pytest

from connectors.simulated.engine.inputs import CancelAllAfter, PlaceOrder
from connectors.simulated.server.clock import system_clock
from connectors.simulated.server.player import Player, run_refresher, run_timers
from connectors.simulated.server.settings import ClockKind, ExchangeSettings
from connectors.simulated.server.venue import Venue
from tests.integration.exchange_client import START_MS, StillTape

DEADLINE_S = 10.0


def a_venue(**settings: object) -> Venue:
    """Return a venue with one account and no prices yet."""
    venue = Venue(ExchangeSettings(**settings), system_clock)  # type: ignore[arg-type]
    venue.open({})
    return venue


async def reached(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - the loops under test have no event to wait for
            await asyncio.sleep(0.001)


async def test_first_prices_are_there_before_anything_plays() -> None:
    """Paused from the start, the market exists; nothing moves on."""
    venue = a_venue(start_paused=True, heartbeat_ms=5)
    player = Player(venue, StillTape(3))
    assert (venue.step, venue.tape_ms) == (0, START_MS)
    task = asyncio.ensure_future(player.run())
    quotes = len(venue.exchange.quote_rows("XBTUSD"))
    await reached(lambda: len(venue.exchange.quote_rows("XBTUSD")) > quotes + 1)
    assert venue.step == 0
    player.control(is_playing=True)
    await reached(lambda: player.has_ended)
    assert venue.step == 2
    task.cancel()


async def test_the_factor_shortens_steps_that_are_on_their_way() -> None:
    """A tape of hour-long steps is over at once when its speed is raised."""
    venue = a_venue()
    player = Player(venue, StillTape(4, real_ms=3_600_000))
    task = asyncio.ensure_future(player.run())
    await reached(lambda: venue.step == 1)
    player.control(factor=1e9)
    await reached(lambda: player.has_ended)
    assert venue.step == 3
    task.cancel()


async def test_a_player_goes_on_where_the_venue_stands() -> None:
    """After a restart the next step is the one after the last journalled."""
    venue = a_venue()
    Player(venue, StillTape(5)).advance(2)
    again = Player(venue, StillTape(5))
    assert venue.step == 2
    assert again.advance(10) == 2
    assert again.has_ended


async def test_a_slow_reader_holds_up_the_tape_and_is_given_up() -> None:
    """A client far behind is waited for, but not for ever."""

    class Sleeper:
        """A session that never reads."""

        is_given_up = False

        def readers(self) -> tuple[()]:
            return ()

        def backlog(self) -> int:
            return 0 if self.is_given_up else 1_000_000

        def give_up(self) -> None:
            self.is_given_up = True

        def leave(self, address: str) -> None:
            """Stay."""

    venue = a_venue()
    sleeper = Sleeper()
    venue.hub.add(sleeper)
    player = Player(venue, StillTape(3))
    task = asyncio.ensure_future(player.run())
    await reached(lambda: player.has_ended)
    assert sleeper.is_given_up
    task.cancel()


async def test_the_switch_fires_at_its_time() -> None:
    """The timer loop needs no request and no price to let the switch run out."""
    venue = a_venue()
    Player(venue, StillTape())
    account = venue.accounts[0]
    task = asyncio.ensure_future(run_timers(venue))
    venue.submit(PlaceOrder(account=account, symbol="XBTUSD", order_qty=100, stop_px=Decimal(50_000), side="Sell"))
    venue.submit(CancelAllAfter(account=account, timeout_ms=20))
    await reached(lambda: venue.exchange.order_rows(account)[0]["ordStatus"] == "Canceled")
    assert venue.exchange.next_timer_ms() is None
    task.cancel()


async def test_positions_follow_each_step_where_that_is_chosen() -> None:
    """Merged to a slow pace by default; with a pace of 0 each step of prices tells them, and no loop does."""
    for pace_ms, expected in ((5_000, 0), (0, 4)):
        venue = a_venue(position_refresh_ms=pace_ms)
        refreshed: list[int] = []
        venue.refresh = refreshed.append  # type: ignore[method-assign]
        player = Player(venue, StillTape(4))
        player.advance(3)
        assert len(refreshed) == expected
    await run_refresher(venue)  # ends at once
    assert len(refreshed) == 4


@pytest.mark.parametrize(("clock", "beats"), [(ClockKind.REAL, 1), (ClockKind.TAPE, 0)])
async def test_nothing_moves_while_the_tapes_clock_stands(clock: ClockKind, beats: int) -> None:
    """In real time a standing tape repeats its prices; on the tape's clock that would be state by chance."""
    venue = a_venue(clock=clock, start_paused=True, heartbeat_ms=1)
    player = Player(venue, StillTape(3))
    repeated: list[int] = []
    venue.repeat_prices = lambda: repeated.append(1)  # type: ignore[method-assign]
    await player._stand_still()
    assert len(repeated) == beats


async def test_positions_follow_the_tapes_clock() -> None:
    """With steps of a second and a pace of two, every second step publishes them, whatever the real time."""
    venue = a_venue(clock=ClockKind.TAPE, position_refresh_ms=2_000)
    refreshed: list[int] = []
    venue.refresh = refreshed.append  # type: ignore[method-assign]
    player = Player(venue, StillTape(9))
    refreshed.clear()
    assert (player.advance(8), len(refreshed)) == (8, 4)


async def test_the_refresher_publishes_what_prices_moved() -> None:
    """Without any request the position row gets its new mark."""
    venue = a_venue(position_refresh_ms=10)
    Player(venue, StillTape())
    refreshed: list[int] = []
    venue.refresh = refreshed.append  # type: ignore[method-assign]
    task = asyncio.ensure_future(run_refresher(venue))
    await reached(lambda: len(refreshed) >= 2)
    assert set(refreshed) == {venue.accounts[0]}
    task.cancel()
