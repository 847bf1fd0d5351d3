"""The connector's streams pointed at a scripted venue."""

from __future__ import annotations

from typing import Any

from connectors.bitmex import BitmexDropCopy, BitmexMarketData
from tests.integration.bitmex_fakes import FakeRealtime, Line
from tests.unit.connectors.bitmex.bitmex_builders import (
    CREDENTIALS,
    MARGIN_ROW,
    POSITION_ROW,
    STOP_ROW,
    RememberingSink,
    some_settings,
)

ROWS: dict[str, Any] = {"order": [STOP_ROW], "position": [POSITION_ROW], "margin": [MARGIN_ROW]}


def a_drop_copy(fake: FakeRealtime, sink: RememberingSink, **changed: Any) -> BitmexDropCopy:
    """Return a drop copy of a scripted venue."""
    settings = some_settings(**({"realtime_url": changed.pop("realtime_url", None) or fake.url} | changed))
    return BitmexDropCopy(settings=settings, credentials=CREDENTIALS, sink=sink, jitter=lambda: 0.5)


def a_market(fake: FakeRealtime, sink: RememberingSink, *symbols: str, **changed: Any) -> BitmexMarketData:
    """Return market data of a scripted venue."""
    settings = some_settings(realtime_url=fake.url, **changed)
    return BitmexMarketData(settings=settings, sink=sink, jitter=lambda: 0.5, symbols=symbols)


async def whole_account(line: Line) -> None:
    """Sign in, send four partials, answer pings."""
    await line.account(**ROWS)
    await line.listen()
