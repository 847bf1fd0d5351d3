"""Where a venue is, how long it may take, and how much may be asked of it: frozen values.

Production, testnet and the embedded exchange differ in these values and in nothing else.
Source of the addresses and limits: www.bitmex.com/app/restAPI, www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

_SCHEMES: Final = {"rest_url": ("http", "https"), "realtime_url": ("ws", "wss")}
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


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


def problems_of_addresses(
    environment: Environment, addresses: Mapping[str, str], written: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """Return each address that is missing, has no place here or cannot be meant, and what to do.

    Args:
        environment: Which venue.
        addresses: Those that are text.
        written: Names of all that is written; one that is no text was complained of already.
    """
    if environment is not Environment.EMBEDDED:
        words = f'belongs to the embedded exchange: leave it out for "{environment.value}", whose address is known'
        return tuple((name, words) for name in _SCHEMES if name in addresses)
    missing = "is missing: the embedded exchange needs it, and `seawall exchange` says what it is"
    found = [(name, missing) for name in _SCHEMES if name not in written]
    wrong = [(name, words) for name, url in addresses.items() if (words := _problem_of_address(name, url))]
    return (*found, *wrong)


def _problem_of_address(name: str, url: str) -> str:
    plain, encrypted = _SCHEMES[name]
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in _SCHEMES[name] or not parts.hostname:
        return f"must be a whole address that begins with {plain}:// or {encrypted}://"
    if parts.scheme == plain and parts.hostname not in _LOOPBACK:
        return f"is not encrypted and leaves this machine: use {encrypted}://"
    return ""
