"""Requests to an exchange in the same process."""

from __future__ import annotations

import asyncio

import pytest

from config.credentials import Credentials, Secret
from config.venue import Environment, VenueSettings
from connectors.bitmex.order_entry import BitmexOrderEntry
from connectors.errors import Misconfigured, Rejected
from connectors.ports import ReduceRequest
from connectors.simulated.server.rest.door import Door
from connectors.vocabulary import OrderSide
from daemon.backtest.agenda import Agenda
from daemon.backtest.line import DoorLine, WouldWait, run_now
from daemon.backtest.venue import SYMBOL, BacktestVenue

PLACE = VenueSettings(environment=Environment.EMBEDDED, rest_url="http://x", realtime_url="ws://x/realtime")


def an_entry(*, secret: str | None = None) -> tuple[BitmexOrderEntry, DoorLine]:
    """Return the connector's requests over a line to an exchange with one account."""
    agenda = Agenda(1_600_000_000_000_000_000)
    venue = BacktestVenue(seed=1, equity_sat=100_000_000, has_guard=True, now_ms=agenda.now_ms)
    venue.open_account()
    key = venue.keyring.of_account(venue.account)[0]
    credentials = Credentials(key_id=key.key_id, secret=Secret(secret or key.secret))
    line = DoorLine(Door(venue), credentials, address="test", now_ns=agenda.wall_ns)
    return BitmexOrderEntry(settings=PLACE, credentials=credentials, now_ns=agenda.wall_ns, line=line), line


def test_the_exchange_answers_without_a_loop() -> None:
    """A picture of a new account comes back at once, and every request is counted."""
    entry, line = an_entry()
    picture = run_now(entry.picture())
    assert picture.open_orders == ()
    assert [margin.currency for margin in picture.margins] == ["XBt"]
    assert sum(line.sent.values()) == 4
    assert not line.refused


def test_refusals_are_the_exchanges_own() -> None:
    """What the exchange refuses comes back as the connector's error, and is counted by status."""
    entry, line = an_entry()
    reduce = ReduceRequest(client_order_id="sw-1", symbol=SYMBOL, side=OrderSide.SELL, quantity=100)
    with pytest.raises(Rejected):
        run_now(entry.reduce_at_market(reduce))
    assert line.refused[400] == 1


def test_signatures_are_checked() -> None:
    """A wrong secret is refused as at the venue."""
    entry, line = an_entry(secret="0" * 48)
    with pytest.raises(Misconfigured):
        run_now(entry.picture())
    assert line.refused[401] == 1


def test_whoever_would_wait_is_told() -> None:
    """A coroutine that waits for something is a mistake, not a stalled run."""
    with pytest.raises(WouldWait):
        run_now(asyncio.sleep(0))
