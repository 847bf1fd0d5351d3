"""The real guard while one fault of the catalogue lasts: what it still does, and that it is whole afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.simulated.engine.inputs import SetFault
from connectors.simulated.server.embedded import EmbeddedExchange
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import a_guard, open_long, wait_stop


def put(exchange: EmbeddedExchange, name: str, **fields: Any) -> None:
    """Set a fault; what is no field of it is a parameter."""
    scope = {key: fields.pop(key) for key in tuple(fields) if key in SetFault.__struct_fields__}
    exchange.venue.submit(SetFault(name=name, parameters=fields, **scope))


async def test_a_position_found_at_the_start_is_covered_before_the_market_stream_is_there(tmp_path: Path) -> None:
    """P2: the partial of `instrument` does not come, and requests are enough for a stop."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await open_long(bot)
        put(exchange, "partial-missing", table="instrument")
        await guard.start()
        await wait_stop(bot)
        assert (await guard.status())["mode"] != "guarding"
        assert await guard.terminate() == 0
