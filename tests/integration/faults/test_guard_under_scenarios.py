"""The real guard on each shipped scenario, up to and into its first fault: it lives, and is whole again afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from connectors.simulated.engine.inputs import ClearFault, SetFault
from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.settings import ExchangeSettings, ListingChoice, RateLimits
from connectors.simulated.tape.scenario_file import examples, scenario_tape
from tests.integration.exchange_client import Rest
from tests.integration.guard_process import a_guard, guard_stops, position_size, until, wait_stop

_MINUTE_MS = 60_000
_AT_ONCE = 20  # steps


def settings(name: str) -> ExchangeSettings:
    """A paused exchange of a scenario, with few contracts."""
    limits = RateLimits(is_on=False)
    return ExchangeSettings(scenario=name, speed="max", start_paused=True, limits=limits, listing=ListingChoice.MAJORS)


def first_fault_ms(name: str) -> int:
    """When something first goes wrong, a minute later."""
    script = scenario_tape(name, seed=1).script
    return min(one.at_ms for one in script if isinstance(one.input, SetFault)) + _MINUTE_MS


async def play_to(exchange: EmbeddedExchange, tape_ms: int) -> None:
    """Play to a moment, with turns for everybody else."""
    while (exchange.venue.tape_ms or 0) < tape_ms and exchange.player.advance(_AT_ONCE):  # noqa: ASYNC110 - gives turns
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("name", sorted(examples()))
async def test_the_guard_lives_through_the_first_fault(tmp_path: Path, name: str) -> None:
    """P1, P2: covered before, alive during, and afterwards covered or flat; nothing was liquidated."""
    async with EmbeddedExchange(settings(name)) as exchange, Rest(exchange) as bot:
        async with a_guard(tmp_path, exchange) as guard:
            await guard.start_guarding()
            await wait_stop(bot)
            await play_to(exchange, first_fault_ms(name))
            assert await guard.status()
            exchange.venue.submit(ClearFault())
            exchange.venue.repeat_prices()

            async def is_whole() -> bool:
                held, stops = await position_size(bot), await guard_stops(bot)
                return len(stops) == 1 if held else not stops

            await until(is_whole, "one stop for the position, or none of both")
            await guard.wait_mode("guarding")
            assert await guard.terminate() == 0
        rows = await bot.ask("GET", "/execution", filter={"symbol": "XBTUSD"}, count=100, reverse=True)
        assert not [row for row in rows if "iquidat" in (row["text"] or "")]
