"""Sessions without sockets for tests: a venue with prices, and an outlet that remembers what was said."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.clock import Clock, system_clock
from connectors.simulated.server.messages import Message
from connectors.simulated.server.realtime import Session
from connectors.simulated.server.settings import ExchangeSettings, RateLimits
from connectors.simulated.server.venue import Venue
from tests.integration.exchange_client import prices

NO_LIMITS = RateLimits(is_on=False)


class Remembered:
    """An outlet that keeps everything."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.code: int | None = 0
        self.is_closed = False

    def put(self, message: Message) -> None:
        """Keep the message."""
        if not self.is_closed:
            self.messages.append(message)

    def close(self, code: int | None = 1000) -> None:
        """Keep the code."""
        self.is_closed, self.code = True, code

    def backlog(self) -> int:
        """Nothing waits."""
        return 0

    def give_up(self) -> None:
        """Nobody is slow."""

    def taken(self) -> list[Any]:
        """Return what was said since the last time: JSON, or the text if it is none."""
        said, self.messages = self.messages, []
        return [json.loads(one.payload) if one.payload[:1] in b"{[" else one.payload.decode() for one in said]


def a_venue(*, clock: Clock = system_clock, **settings: Any) -> Venue:
    """Return an open venue with prices, two accounts and partials at once."""
    wanted: dict[str, Any] = {"limits": NO_LIMITS, "accounts": 2, "image_period_ms": 0, **settings}
    venue = Venue(ExchangeSettings(**wanted), clock)
    venue.open({})
    venue.submit(prices())
    return venue


def a_session(venue: Venue, *, key: ApiKey | None = None) -> tuple[Session, Remembered]:
    """Return a session past its welcome, and what it says."""
    outlet = Remembered()
    session = Session(venue, outlet=outlet, address="127.0.0.1", key=key)
    venue.hub.add(session)
    session.open(connections_left=10)
    outlet.taken()
    return session, outlet


def key_of(venue: Venue, number: int = 0) -> ApiKey:
    """Return the trading key of an account."""
    return venue.keyring.of_account(venue.accounts[number])[0]


def signed(key: ApiKey, expires: int | None = None) -> list[object]:
    """Return the arguments of a sign-in, from the description of the scheme alone."""
    when = int(time.time()) + 60 if expires is None else expires
    digest = hmac.new(key.secret.encode(), f"GET/realtime{when}".encode(), hashlib.sha256).hexdigest()
    return [key.key_id, when, digest]


def subscribe(session: Session, *topics: str) -> None:
    """Ask for topics."""
    session.take(json.dumps({"op": "subscribe", "args": list(topics)}))
