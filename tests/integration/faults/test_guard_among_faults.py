"""The real guard while one fault of the catalogue lasts: what it still does, and that it is whole afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.engine.inputs import CancelAll, ClearFault, SetFault, SetPosition
from connectors.simulated.server.embedded import EmbeddedExchange
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import a_guard, guard_stops, open_long, position_size, until, wait_stop


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


@pytest.mark.parametrize(
    ("fault", "fields"),
    [
        ("reply-lost", {"verb": "POST", "path": "/order", "count": 1, "ending": "hang"}),
        ("order-rejected", {"count": 1}),
        ("session-expired", {}),
        ("stream-closed", {"mid_frame": True, "count": 1}),
        ("account-stalled", {}),
    ],
)
async def test_a_stop_that_is_taken_away_meanwhile_is_put_back_once(
    tmp_path: Path, fault: str, fields: dict[str, Any]
) -> None:
    """P2, P4, P5: somebody cancels everything while the fault lasts; one stop for the whole position rests again."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        first = await wait_stop(bot)
        put(exchange, fault, **fields)
        exchange.venue.submit(CancelAll(account=exchange.account))
        second = await wait_stop(bot, but=first["clOrdID"])
        assert second["orderQty"] == await position_size(bot)
        exchange.venue.submit(ClearFault())
        await guard.wait_mode("guarding")
        assert len(await guard_stops(bot)) == 1
        assert await guard.terminate() == 0


async def test_a_position_that_grows_behind_a_stalled_stream_is_covered_from_reads(tmp_path: Path) -> None:
    """P2: the stream stands still without breaking; the next read of the account shows twice the size."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        await wait_stop(bot)
        put(exchange, "account-stalled")
        exchange.venue.submit(SetPosition(account=exchange.account, symbol="XBTUSD", quantity=20_000))

        async def is_grown() -> bool:
            return [row["orderQty"] for row in await guard_stops(bot)] == [20_000]

        await until(is_grown, "a stop for all of it")
        assert await guard.terminate() == 0


async def test_a_market_order_leaves_the_switch_alone(tmp_path: Path) -> None:
    """P6: it never rests, so no countdown is over the stops if the stream breaks right after it."""
    async with running() as exchange, Rest(exchange) as bot, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(bot)
        await wait_stop(bot)
        assert (await guard.status())["switch"]["state"] == "disarmed"
        assert await guard.terminate() == 0
        journal = b"".join(path.read_bytes() for path in (tmp_path / "state" / "journal").iterdir())
        assert b'"name":"FeedSwitch"' not in journal
