"""The venue under test: the embedded exchange always, BitMEX testnet when keys are in the environment.

On testnet: the smallest size there is, everything ends flat, and no other host is ever talked to.
"""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest

from config.credentials import Credentials, Secret
from config.venue import Environment, VenueSettings, venue_settings
from connectors.bitmex import BitmexDropCopy, BitmexMarketData, BitmexOrderEntry
from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.settings import ExchangeSettings
from connectors.vocabulary import Instrument, Side
from daemon.demo.bot import Bot
from daemon.demo.plan import PlannedPosition
from daemon.shell.clock import SystemClock
from tests.integration.venue.recording_sink import RecordingSink

SYMBOL = "XBTUSD"
NO_KEYS = "no keys: SEAWALL_TESTNET_KEY and SEAWALL_TESTNET_SECRET are not set"


@dataclass(frozen=True, slots=True)
class Venue:
    """One venue with a key that may order, and a bot on the same account."""

    settings: VenueSettings
    credentials: Credentials
    orders: BitmexOrderEntry
    bot: Bot

    def market_data(self, sink: RecordingSink) -> BitmexMarketData:
        """A market stream of the one symbol into `sink`."""
        return BitmexMarketData(settings=self.settings, sink=sink, jitter=lambda: 0.5, symbols=[SYMBOL])

    def drop_copy(self, sink: RecordingSink) -> BitmexDropCopy:
        """The account's stream into `sink`."""
        return BitmexDropCopy(settings=self.settings, credentials=self.credentials, sink=sink, jitter=lambda: 0.5)

    async def instrument(self) -> Instrument:
        """The figures of the symbol."""
        return next(one for one in await self.orders.instruments() if one.symbol == SYMBOL)

    async def open_smallest_long(self) -> Instrument:
        """Take one lot at low leverage."""
        instrument = await self.instrument()
        plan = PlannedPosition(symbol=SYMBOL, side=Side.LONG, leverage=Decimal(5), notional_share=Decimal(0))
        await self.bot.open_position(plan, instrument.lot_size)
        return instrument


@pytest.fixture(params=["embedded", pytest.param("testnet", marks=pytest.mark.testnet)])
async def venue(request: pytest.FixtureRequest) -> AsyncIterator[Venue]:
    """The venue, flat and without orders before and after each test."""
    if request.param == "testnet":
        settings, credentials = _testnet()
        async with _opened(settings, credentials) as opened:
            yield opened
        return
    async with EmbeddedExchange(ExchangeSettings(scenario="calm", seed=7, image_period_ms=0)) as exchange:
        key = exchange.key()
        settings = venue_settings(Environment.EMBEDDED, rest_url=exchange.http_url, realtime_url=exchange.ws_url)
        async with _opened(settings, Credentials(key_id=key.key_id, secret=Secret(key.secret))) as opened:
            yield opened


def _testnet() -> tuple[VenueSettings, Credentials]:
    key, secret = os.environ.get("SEAWALL_TESTNET_KEY"), os.environ.get("SEAWALL_TESTNET_SECRET")
    if not key or not secret:
        pytest.skip(NO_KEYS)
    settings = venue_settings(Environment.TESTNET)
    host = httpx.URL(settings.rest_url).host
    assert host == "testnet.bitmex.com", "the suite trades on testnet and nowhere else"
    try:
        socket.create_connection((host, 443), timeout=5).close()
    except OSError as error:
        pytest.skip(f"host unreachable: {host}: {error}")
    return settings, Credentials(key_id=key, secret=Secret(secret))


class _opened:  # noqa: N801 - reads as a word in `async with`
    """A venue that is flat when it is left."""

    def __init__(self, settings: VenueSettings, credentials: Credentials) -> None:
        self._http = httpx.AsyncClient(base_url=settings.rest_url)
        self._orders = BitmexOrderEntry(settings=settings, credentials=credentials)
        bot = Bot("bot", 0, credentials, http=self._http, clock=SystemClock(), run=uuid4().hex[:8])
        self._venue = Venue(settings, credentials, self._orders, bot)

    async def __aenter__(self) -> Venue:
        await self._clean()
        return self._venue

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._clean()
        finally:
            await self._orders.close()
            await self._http.aclose()

    async def _clean(self) -> None:
        await self._venue.bot.cancel_all(SYMBOL)
        await self._venue.bot.close_position(SYMBOL)
