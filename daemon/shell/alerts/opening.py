"""From the settings to channels at work: addresses are read, channels made, each with a task of its own.

A channel that cannot be used (its address is not there, its package is not installed) is no reason not to guard: it is
kept as a channel that fails with that reason, so its fallback serves at once and people hear of it. `seawall check`
calls it a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import structlog

from config.addresses_from import AddressError, load_address
from config.channels import WEBHOOK_CHANNEL, ChannelKind, ChannelSettings
from config.credentials import Secret
from config.model import AlertSettings, Settings
from daemon.core.state import GuardState
from daemon.messenger.wire import Chart
from daemon.shell.alerts.alertmanager import Alertmanager
from daemon.shell.alerts.apprise_channel import AppriseChannel
from daemon.shell.alerts.channel import Channel, NotDelivered
from daemon.shell.alerts.desk import AlertDesk
from daemon.shell.alerts.heartbeat import Heartbeat
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.messenger import Messenger
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.alerts.outbox_file import OutboxFile
from daemon.shell.alerts.post import Post
from daemon.shell.alerts.trail import Trail
from daemon.shell.alerts.troubles import Troubles
from daemon.shell.alerts.webhook import Webhook
from daemon.shell.alerts.worker import Outlet
from daemon.shell.clock import Clock
from daemon.shell.crew import Crew
from daemon.shell.status import headline

FILE_NAME = "alerts.jsonl"
GRACE_S = 1.0
MESSENGER_GRACE_S = 5.0
"""A channel keeps its time-out by itself, and knows best what it waited for; only if it does not, its worker does."""
PACKAGES = ("apprise", "PIL")

log = structlog.get_logger("alerts")


class Unusable(Channel):
    """A channel that cannot be opened, and says so to whoever tries."""

    def __init__(self, why: str) -> None:
        self.why = why

    async def deliver(self, alert: Alert) -> None:  # noqa: ARG002 - whatever it is
        """Refuse for now."""
        raise NotDelivered(self.why)


@dataclass(kw_only=True, slots=True)
class Openings:
    """What channels share, and whatever has to be closed again."""

    clock: Clock
    resources: AsyncExitStack
    messenger: Messenger = field(default_factory=Messenger)
    picture: Callable[[Alert], Chart | None] | None = None
    """What Apprise channels show; None: nothing."""
    troubles: Troubles = field(default_factory=Troubles)
    uses_messenger: bool = False

    async def outlets(self, alerts: AlertSettings) -> tuple[Outlet, ...]:
        """Open every channel of the settings."""
        return tuple([await self._outlet(name, each) for name, each in channels_of(alerts).items()])

    async def pings(self, alerts: AlertSettings) -> Post | None:
        """Open the way to the service that notices silence; None: there is none, or it cannot be used."""
        if not alerts.heartbeat.is_on:
            return None
        try:
            address = load_address(alerts.heartbeat)
        except AddressError as error:
            log.error("the outside heartbeat cannot be used", why=str(error))  # noqa: TRY400 - one line
            return None
        return await self.resources.enter_async_context(Post(address, timeout_s=alerts.heartbeat.timeout_s))

    async def _outlet(self, name: str, settings: ChannelSettings) -> Outlet:
        is_apprise = settings.kind is ChannelKind.APPRISE
        return Outlet(
            name=name,
            channel=await self._channel(name, settings),
            kind=settings.kind.value,
            timeout_s=settings.timeout_s + (MESSENGER_GRACE_S if is_apprise else GRACE_S),
            fallback=settings.fallback,
        )

    async def _channel(self, name: str, settings: ChannelSettings) -> Channel:
        problem = missing_packages() if settings.kind is ChannelKind.APPRISE else None
        try:
            address = load_address(settings)
        except AddressError as error:
            problem = str(error)
        else:
            if problem is None:
                return await self._made(settings, address)
        log.error("an alert channel cannot be used", channel=name, why=problem)
        return Unusable(problem)

    async def _made(self, settings: ChannelSettings, address: Secret) -> Channel:
        match settings.kind:
            case ChannelKind.WEBHOOK:
                return await self.resources.enter_async_context(Webhook(address, timeout_s=settings.timeout_s))
            case ChannelKind.ALERTMANAGER:
                alertmanager = Alertmanager(
                    address,
                    timeout_s=settings.timeout_s,
                    renew_every_s=settings.renew_every_s,
                    clock=self.clock,
                    stands=self.troubles.stands,
                )
                return await self.resources.enter_async_context(alertmanager)
            case ChannelKind.APPRISE:
                self.uses_messenger = True
                picture = self.picture if settings.pictures else None
                return AppriseChannel(address, self.messenger, timeout_s=settings.timeout_s, picture=picture)


def channels_of(alerts: AlertSettings) -> dict[str, ChannelSettings]:
    """Every channel by name; `alerts.webhook_url` makes one more."""
    if alerts.webhook_url is None:
        return alerts.channels
    webhook = ChannelSettings(kind=ChannelKind.WEBHOOK, url=alerts.webhook_url, timeout_s=alerts.webhook_timeout_s)
    return {WEBHOOK_CHANNEL: webhook, **alerts.channels}


def missing_packages() -> str | None:
    """Return why Apprise channels cannot be used here, or None."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    return f"{' and '.join(missing)} is not installed: pip install 'seawall[alerts]'" if missing else None


def alert_secrets(alerts: AlertSettings) -> Iterator[str]:
    """Yield the addresses of all channels and of the outside heartbeat, as far as they can be read."""
    heartbeat = (alerts.heartbeat,) if alerts.heartbeat.is_on else ()
    for each in (*channels_of(alerts).values(), *heartbeat):
        try:
            yield load_address(each).reveal()
        except AddressError:
            continue  # said when the channel is opened


async def open_desk(settings: Settings, folder: Path, clock: Clock, crew: Crew, resources: AsyncExitStack) -> AlertDesk:
    """Open the desk first of all: people must hear even that the venue cannot be reached."""
    trail = Trail()
    openings = Openings(clock=clock, resources=resources, picture=trail.chart)
    pings = await openings.pings(settings.alerts)
    outlets = await openings.outlets(settings.alerts)
    if not outlets:
        return AlertDesk(clock=clock, routes=settings.alerts.routes, outbox=None, trail=None, pings=pings)
    outbox = AlertOutbox(
        outlets=outlets, file=OutboxFile(folder / FILE_NAME), clock=clock, retry_for_s=settings.alerts.retry_for_s
    )
    openings.troubles.watch(outbox=outbox)
    crew.helpful("alert outbox", outbox.run)
    for worker in outbox.workers:
        crew.helpful(f"alert channel {worker.name}", worker.run)
    if openings.uses_messenger:
        crew.helpful("messenger", openings.messenger.run)
    return AlertDesk(
        clock=clock,
        routes=settings.alerts.routes,
        outbox=outbox,
        trail=trail if openings.uses_messenger else None,
        troubles=openings.troubles,
        pings=pings,
    )


def watch_guard(
    settings: AlertSettings, desk: AlertDesk, crew: Crew, *, clock: Clock, state: Callable[[], GuardState]
) -> None:
    """Once there is a guard to speak of: begin the trail for the charts, and the outside heartbeat."""
    trail, pings = desk.trail, desk.pings
    desk.troubles.watch(state=state)
    if trail is not None:
        crew.helpful("price trail", lambda: trail.run(state))
    if pings is not None:
        desk.heartbeat = Heartbeat(
            settings.heartbeat, pings, clock=clock, state=state, headline=lambda: headline(state())
        )
        crew.helpful("outside heartbeat", desk.heartbeat.run)
