"""Metrics of the whole daemon on a fake venue: what a scraper reads, over both doors."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from config.metrics import MetricsSettings
from daemon.shell.control.client import SOCKET_NAME, ask
from daemon.shell.metrics.catalogue import CATALOGUE, LIBRARY
from tests.fakes import FakeVenue, a_long
from tests.integration.test_app import DEADLINE_S, a_running_guard, is_stop, wait_request

NAMES = {metric.name for metric in CATALOGUE}


def a_free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        return int(finder.getsockname()[1])


async def scrape(port: int) -> tuple[int, bytes]:
    """Ask once, as a scraper does; an error while nobody listens."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split()[1]), body
    finally:
        writer.close()


async def scrape_until(port: int, wanted: bytes) -> bytes:
    """Ask until the page holds a line."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                _, page = await scrape(port)
            except OSError:
                page = b""
            if wanted in page:
                return page
            await asyncio.sleep(0.02)


async def test_a_scraper_sees_a_position_covered(tmp_path: Path) -> None:
    """A position found at the start gets its stop: the page says in every unit what is known, and nothing else."""
    venue, port = FakeVenue(positions=[a_long()]), a_free_port()
    metrics = MetricsSettings(listen=f"127.0.0.1:{port}")
    async with a_running_guard(tmp_path, venue, metrics=metrics):
        await wait_request(venue, is_stop)
        wanted = b'seawall_position_stop_state{stage="proved",symbol="XBTUSD"} 1.0'
        page = await scrape_until(port, wanted)
        status, body = await asyncio.to_thread(ask, tmp_path / "state" / SOCKET_NAME, "/v1/metrics", timeout_s=5)
    families = {family.name: family for family in text_string_to_metric_families(page.decode())}
    told = {name for family in families.values() for name in (family.name, f"{family.name}_total")} & (
        NAMES | {*LIBRARY}
    )
    assert len(told) == len(families)
    assert families["seawall_position_liquidation_distance_ratio"].samples[0].value == 0.05
    assert b'seawall_requests_total{command="place_stop",outcome="answered"} 1.0' in page
    assert b"seawall_time_to_protection_seconds_count 1.0" in page
    assert b"seawall_switch_countdown_seconds " not in page
    assert b"volatilities{" not in page
    assert status == 200
    assert wanted in body
