"""Where a venue is, how long it may take, and how much may be asked of it: frozen values.

Production, testnet and the embedded exchange differ in these values and in nothing else.
Source of the addresses and limits: www.bitmex.com/app/restAPI, www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Environment(Enum):
    """Which BitMEX is meant."""

    PRODUCTION = "production"
    TESTNET = "testnet"
    EMBEDDED = "embedded"


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueSettings:
    """One venue, ready to connect to."""

    environment: Environment
    rest_url: str
    """Scheme, host and port, without a path: "https://www.bitmex.com"."""
    realtime_url: str
    """The WebSocket address with its path: "wss://ws.bitmex.com/realtime"."""
    connect_timeout_s: float = 5.0
    request_timeout_s: float = 5.0
    expires_after_s: int = 10
    """How long a signed request stays valid; bounds how late a stuck request may still act."""
    ping_after_s: float = 5.0
    """Silence on a stream after which "ping" is sent."""
    pong_within_s: float = 5.0
    """Silence after the ping after which the connection counts as dead."""
    reconnect_first_s: float = 0.2
    reconnect_cap_s: float = 15.0
    requests_per_minute: int = 120
    requests_per_second: int = 10
    protective_reserve: int = 30
    """Tokens of the minute bucket that only stops, closes, cancels and heartbeats may use."""


ADDRESSES: dict[Environment, tuple[str, str]] = {
    Environment.PRODUCTION: ("https://www.bitmex.com", "wss://ws.bitmex.com/realtime"),
    Environment.TESTNET: ("https://testnet.bitmex.com", "wss://ws.testnet.bitmex.com/realtime"),
}


def venue_settings(
    environment: Environment, *, rest_url: str | None = None, realtime_url: str | None = None
) -> VenueSettings:
    """Return the settings of one environment; the two addresses are needed for EMBEDDED and refused elsewhere.

    Raises:
        ValueError: If addresses are missing for EMBEDDED or given for another environment.
    """
    if environment is Environment.EMBEDDED:
        if not rest_url or not realtime_url:
            raise ValueError("the embedded exchange needs venue.rest_url and venue.realtime_url")
        return VenueSettings(environment=environment, rest_url=rest_url.rstrip("/"), realtime_url=realtime_url)
    if rest_url or realtime_url:
        raise ValueError(
            f"venue.rest_url and venue.realtime_url belong to the embedded exchange, not to {environment.value}"
        )
    rest, realtime = ADDRESSES[environment]
    return VenueSettings(environment=environment, rest_url=rest, realtime_url=realtime)
