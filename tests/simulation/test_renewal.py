"""A stream that lost a row without breaking: no read outvotes it, only a new connection does."""

from __future__ import annotations

from math import inf

from tests.simulation.virtual_loop import passing
from tests.simulation.world import Plan, World, play

SYMBOL = "XBTUSD"


def test_a_row_lost_on_the_stream_is_found_again_by_a_new_connection() -> None:
    """P12: the position is closed and the stream swallows it; the guard opens the stream anew and knows it flat."""

    async def script(world: World) -> None:
        await passing(5)
        world.bot.open(SYMBOL, side=1, leverage=10)
        await passing(5)
        assert world.promises.our_stops((world.account, SYMBOL))
        weather = world.guard.line.weather
        weather.silent_feeds = frozenset({"position"})
        world.bot._close(SYMBOL, world.promises.size((world.account, SYMBOL)))
        await passing(2)
        weather.silent_feeds = frozenset()
        (before,) = (id(socket) for socket in world.network.sockets[world.guard.name] if socket.session.key_id)

        def is_known_flat() -> bool:
            state = world.guard.state
            known = None if state is None else state.positions.get(SYMBOL)
            return known is None or known.position.quantity == 0

        assert not is_known_flat()
        await world.until(is_known_flat, within_s=90)
        (after,) = (id(socket) for socket in world.network.sockets[world.guard.name] if socket.session.key_id)
        assert after != before
        await passing(10)
        assert not world.promises.our_stops((world.account, SYMBOL))

    report = play(Plan(seed=71, troubles=0, act_every_s=inf), script)
    assert not report.violations, str(report)
