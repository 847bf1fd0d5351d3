"""Set metrics going, as the settings say. What nobody asks for is not loaded: the client library takes time to load."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from config.control import listen_address
from daemon.shell.metrics.source import Core, Disk, Ears, Records, Source
from daemon.shell.tracing.opening import open_traces

if TYPE_CHECKING:
    from config.model import Settings
    from daemon.shell.clock import Clock
    from daemon.shell.crew import Crew
    from daemon.shell.metrics.meter import Meter
    from daemon.shell.metrics.page import Page

_PAGE: Final = "daemon.shell.metrics.page"
"""Loaded in a thread when the first question comes, so that the loop does not stand still for it."""


class Metrics:
    """What one guard shows of itself to machines: what counts, where figures come from, the doors, and the traces."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        alerts: Callable[[], Mapping[str, object]],
        reloads: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        """Prepare; nothing is bound and nothing loaded yet.

        Args:
            settings: Where to listen, and which venue is guarded.
            clock: What time it is.
            alerts: The figures of the alert desk.
            reloads: The figures of reloads of the settings.
        """
        self._listen = settings.metrics.listen
        tracer, self.close = open_traces(settings, clock)
        venue = settings.venue.environment.value
        self._source = Source(clock=clock, venue=venue, alerts=alerts, reloads=reloads, tracer=tracer)
        self._page: Page | None = None
        self.meter: Meter = self._source.meter

    def serve(self, crew: Crew) -> None:
        """Serve the page over TCP, if the settings say where."""
        if self._listen is None:
            return
        from daemon.shell.metrics.listener import MetricsListener  # noqa: PLC0415 - see above

        crew.helpful("metrics", MetricsListener(*listen_address(self._listen), self._the_page()).run)

    def open(self, core: Core, ears: Ears, records: Records, disk: Disk) -> None:
        """The guard is open: from now on there is a state."""
        self._source.open(core, ears, records, disk)

    async def page(self) -> tuple[bytes, str]:
        """Return the page and its media type, for the control API."""
        await asyncio.to_thread(import_module, _PAGE)
        page = self._the_page()
        return await page.text(), page.media_type

    def _the_page(self) -> Page:
        """One page for all doors, so that it is rendered once for all who ask."""
        if self._page is None:
            from daemon.shell.metrics.page import Page  # noqa: PLC0415 - see above

            self._page = Page(self._source.take)
        return self._page
