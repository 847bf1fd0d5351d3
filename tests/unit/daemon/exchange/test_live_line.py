"""The live line of a terminal."""

from __future__ import annotations

import io

from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.settings import ExchangeSettings
from daemon.exchange.live_line import LiveLine, state_line
from tests.integration.exchange_client import StillTape


def test_what_is_logged_goes_above_the_line() -> None:
    """A log line takes the place of the live one, which is drawn again below it."""
    terminal = io.StringIO()
    live = LiveLine(terminal)
    live.show("state")
    live.write("logged")
    live.write(" on\n")
    assert terminal.getvalue() == "\r\x1b[2Kstate\r\x1b[2Klogged\r\x1b[2K on\nstate"


async def test_the_line_says_how_things_are() -> None:
    """Tape, pace, mark, accounts, orders, sockets, requests; faults only when there are any."""
    settings = ExchangeSettings(accounts=2, start_paused=True)
    async with EmbeddedExchange(settings, tape=StillTape()) as exchange:
        assert state_line(exchange, 12.4) == (
            "2026-07-01 00:00:00  paused  XBTUSD 60,000.00  2 accounts  0 orders  0 sockets  12 req/s"
        )
        exchange.player.control(is_playing=True, factor=2.5)
        assert "00:00:00  x2.5  XBTUSD" in state_line(exchange, 0)
        exchange.player.control(factor=1)
        assert "00:00:00  XBTUSD" in state_line(exchange, 0)
