"""Where alerts go, and whom to ask to notice silence. Pure.

An address of a channel is a secret: it often holds a token. So it may stand in a file of its own, in an environment
variable or in systemd's credential folder; `config.addresses_from` reads it from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from config.checks import require

WEBHOOK_CHANNEL = "webhook"
"""The name of the channel that `alerts.webhook_url` makes."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_ANY_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.")
SOURCES = ("url", "url_file", "url_env", "url_credential")


class ChannelKind(Enum):
    """What is at the other end.

    WEBHOOK: one POST of a JSON object for each alert. ALERTMANAGER: an Alertmanager, told again and again what holds.
    APPRISE: any of the services that Apprise knows (chats, mail, pagers); needs the extra `alerts`.
    """

    WEBHOOK = "webhook"
    ALERTMANAGER = "alertmanager"
    APPRISE = "apprise"


class PingMethod(Enum):
    """How the outside heartbeat is asked for. POST sends the status line along."""

    GET = "GET"
    POST = "POST"


class FailOn(Enum):
    """When the word of failure is sent, at once.

    BLIND: while the guard does not see or cannot act. HALT: on any reason of the halt flag, latches included. NEVER:
    silence alone tells. While the guard is blind no success is told in any case.
    """

    BLIND = "blind"
    HALT = "halt"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelSettings:
    """One place where alerts go. Exactly one of `url`, `url_file`, `url_env` and `url_credential` says where."""

    kind: ChannelKind = ChannelKind.WEBHOOK
    url: str | None = None
    """The address itself; better kept elsewhere if it holds a token."""
    url_file: str | None = None
    """A file that holds the address, readable by nobody else. A relative path begins at the settings file."""
    url_env: str | None = None
    """An environment variable that holds it."""
    url_credential: str | None = None
    """A systemd credential that holds it (`LoadCredential=`)."""
    timeout_s: float = 10.0
    """One attempt takes no longer, whatever the other end does."""
    fallback: str | None = None
    """The channel that gets what this one could not deliver at the first attempt."""
    pictures: bool = True
    """Attach a chart of price, stop and liquidation price where the service takes pictures (Apprise only)."""
    renew_every_s: float = 60.0
    """An Alertmanager is told this often what still holds; it takes what it did not hear of four times for resolved."""

    def __post_init__(self) -> None:
        require(0 < self.timeout_s <= 120, "timeout_s", "must be above 0 and at most 120")
        require(5 <= self.renew_every_s <= 3600, "renew_every_s", "must be from 5 to 3600")


@dataclass(frozen=True, kw_only=True, slots=True)
class HeartbeatSettings:
    """An outside service that notices silence (Healthchecks and its kind): it expects a ping at regular times.

    Off unless one of `url`, `url_file`, `url_env` and `url_credential` says where.
    """

    url: str | None = None
    """The address to ping. The word of failure goes to the same with `/fail` behind it."""
    url_file: str | None = None
    """A file that holds the address, readable by nobody else."""
    url_env: str | None = None
    """An environment variable that holds it."""
    url_credential: str | None = None
    """A systemd credential that holds it."""
    method: PingMethod = PingMethod.POST
    interval_s: float = 60.0
    """Give the service a grace of some of these."""
    timeout_s: float = 10.0
    """One ping takes no longer."""
    fail_on: FailOn = FailOn.HALT

    def __post_init__(self) -> None:
        table = "alerts.heartbeat"
        require(5 <= self.interval_s <= 86_400, f"{table}.interval_s", "must be from 5 to 86400")
        require(0 < self.timeout_s <= 120, f"{table}.timeout_s", "must be above 0 and at most 120")

    @property
    def is_on(self) -> bool:
        """Whether anybody is pinged."""
        return any(getattr(self, name) is not None for name in SOURCES)


def problems_of_channels(
    channels: Mapping[str, ChannelSettings], heartbeat: HeartbeatSettings, *, has_webhook: bool
) -> Iterator[tuple[str, str]]:
    """Yield the dotted place below `alerts` and what is wrong there.

    Args:
        channels: By name.
        heartbeat: The outside one.
        has_webhook: `alerts.webhook_url` makes one more channel, of the name "webhook".
    """
    names = {*channels, *((WEBHOOK_CHANNEL,) if has_webhook else ())}
    for name, channel in channels.items():
        place = f"channels.{name}"
        if not _NAME.fullmatch(name):
            yield place, "must begin with a letter, then letters, digits, - and _, 32 in all"
        if has_webhook and name == WEBHOOK_CHANNEL:
            yield place, "is the name of the channel that alerts.webhook_url makes: choose another, or leave that out"
        if channel.fallback is not None and (channel.fallback not in names or channel.fallback == name):
            known = ", ".join(sorted(names - {name}))
            instead = f"known here are {known}" if known else "there is none, so leave it out"
            yield f"{place}.fallback", f"must be the name of another channel: {instead}"
        yield from _problems_of_address(place, channel, any_scheme=channel.kind is ChannelKind.APPRISE)
    if heartbeat.is_on:
        yield from _problems_of_address("heartbeat", heartbeat, any_scheme=False)


def problem_of_address(address: str, *, any_scheme: bool) -> str | None:
    """Return what is wrong with an address, without repeating any of it.

    Args:
        address: Wherever it came from.
        any_scheme: Apprise knows a hundred; everything else is HTTP.
    """
    if any_scheme:  # a token with a colon, a password with a bracket: no grammar of addresses holds for all of these
        return None if _ANY_ADDRESS.match(address) else "must be a whole address, such as https://... or tgram://..."
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme or not address[len(parts.scheme) :].startswith("://"):
        return "must be a whole address, such as https://..."
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must be a whole address that begins with https:// or http://"
    return None


def _problems_of_address(
    place: str, settings: ChannelSettings | HeartbeatSettings, *, any_scheme: bool
) -> Iterator[tuple[str, str]]:
    given = [name for name in SOURCES if getattr(settings, name) is not None]
    if not given:
        yield place, f"needs exactly one of {', '.join(SOURCES)}"
    for name in given[1:]:
        yield f"{place}.{name}", f"stands beside {given[0]}: keep exactly one of {', '.join(SOURCES)}"
    if settings.url is not None and (problem := problem_of_address(settings.url, any_scheme=any_scheme)) is not None:
        yield f"{place}.url", problem
