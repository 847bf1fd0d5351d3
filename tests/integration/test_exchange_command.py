"""`seawall exchange` as people run it: on a terminal, with a recording, from a snapshot."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import sys
from collections.abc import Iterator
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.server import embedded
from connectors.simulated.server.recording import read_recording
from connectors.simulated.server.redaction import HIDDEN
from connectors.simulated.server.settings import ExchangeSettings
from connectors.simulated.tape.recorded import RecordedTape
from connectors.simulated.tape.recording import RecordingError
from connectors.simulated.tape.tape import Step
from tests.integration.exchange_client import START_MS, Rest, feed, prices, running

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE_S = 30.0


async def _read_until(terminal: int, wanted: str, seen: str = "") -> str:
    """Read what a terminal shows until it has shown this."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(DEADLINE_S):
        while not re.search(wanted, seen):
            seen += (await loop.run_in_executor(None, os.read, terminal, 4_096)).decode()
    return seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_terminal_shows_a_live_line_and_a_last_one(number: signal.Signals) -> None:
    """Addresses and a key first, then one line drawn over itself; a signal ends it with 0 and a last line."""
    terminal, end = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "exchange", "--limits", "off"),
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "200"},
        stdin=end,
        stdout=end,
        stderr=end,
    )
    os.close(end)
    seen = await _read_until(terminal, r"req/s")
    assert re.search(r"account 100001: key \S{24} secret \S{48}", seen)
    assert re.search(r"\r\x1b\[2K20\d\d-[\d-]+ [\d:]+  XBTUSD [\d,.]+  1 account  0 orders  0 sockets  0 req/s", seen)
    process.send_signal(number)
    seen = await _read_until(terminal, "exchange ended after 0 requests", seen)
    async with asyncio.timeout(DEADLINE_S):
        assert await process.wait() == 0
    os.close(terminal)
    assert seen.split("exchange ended")[0].endswith("\r\x1b[2K")


async def test_everything_on_the_venues_port_is_recorded_without_secrets(tmp_path: Path) -> None:
    """Requests, answers, hand-shakes and frames both ways; no signature and no secret anywhere in the file."""
    file = tmp_path / "recording.jsonl"
    async with running(record=file) as exchange, Rest(exchange) as rest:
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100, price=50_000, clOrdID="mine")
        await rest.refusal("POST", "/order", symbol="XBTUSD", orderQty=100, price=50_000, clOrdID="mine")
        async with feed(exchange) as stream:
            await stream.sign_in(rest.key)
            await stream.subscribe("order")
        async with feed(exchange, key=rest.key, query="?subscribe=margin"):
            pass
        secrets = [key.secret for key in exchange.venue.keyring.all()]
    text = file.read_text()
    assert not [secret for secret in secrets if secret in text]
    assert not re.search(r"[0-9a-f]{64}", text)
    assert text.count(HIDDEN) >= 4
    lines = list(read_recording(file))
    assert [line.at_ms for line in lines] == sorted(line.at_ms for line in lines)
    requests = {line.link: line for line in lines if line.kind == "request"}
    statuses = [(requests[line.link].path, line.status) for line in lines if line.kind == "answer"]
    assert statuses == [("/api/v1/order", 200), ("/api/v1/order", 400)]
    assert json.loads(requests[1].text)["clOrdID"] == "mine"
    said = [(line.kind, json.loads(line.text)) for line in lines if line.kind in {"in", "out"}]
    assert ("in", "subscribe") in [(kind, one.get("op")) for kind, one in said]
    partials = [one for kind, one in said if kind == "out" and one.get("action") == "partial"]
    assert [one["table"] for one in partials] == ["order", "margin"]
    assert [line.kind for line in lines].count("open") == [line.kind for line in lines].count("close") == 2


async def test_a_recording_can_be_played_as_a_market(tmp_path: Path) -> None:
    """What one subscriber was told of book, trades and marks is the market of the next exchange."""
    file = tmp_path / "recording.jsonl"
    marks = (60_000, 60_500, 59_000)
    async with running(record=file, image_period_ms=0) as exchange, feed(exchange) as stream:
        await stream.subscribe("orderBookL2_25:XBTUSD", "instrument:XBTUSD", "trade:XBTUSD")
        for second, mark in enumerate(marks):
            exchange.venue.submit(prices(START_MS + second * 1_000, XBTUSD=mark))
            await stream.until(lambda one, mark=mark: _is_mark(one, mark))
    async with running(RecordedTape(file, {"XBTUSD": XBTUSD}, factor=inf)) as exchange:  # type: ignore[arg-type]
        exchange.player.advance(1_000)
        market = exchange.venue.exchange.world.markets["XBTUSD"]
        assert market.mark == marks[-1]
        assert market.recorded


def _is_mark(message: Any, mark: int) -> bool:
    rows = message.get("data", ()) if message.get("table") == "instrument" else ()
    return any(row.get("markPrice") == mark for row in rows)


async def test_a_snapshot_over_the_control_port_begins_another(tmp_path: Path) -> None:
    """`POST /snapshot` answers with the file that `--snapshot` takes: same orders, positions and prices."""
    async with running() as exchange, Rest(exchange) as rest:
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=1_000, ordType="Market")
        await rest.ask("POST", "/order", symbol="XBTUSD", side="Sell", orderQty=1_000, stopPx=55_000)
        before = [await rest.ask("GET", path) for path in ("/order", "/execution", "/user/walletHistory")]
        async with httpx.AsyncClient(base_url=exchange.control_url) as control:
            (tmp_path / "day.json").write_bytes((await control.post("/snapshot")).content)
    async with running(snapshot=tmp_path / "day.json", start_paused=True) as exchange, Rest(exchange, rest.key) as rest:
        assert [await rest.ask("GET", path) for path in ("/order", "/execution", "/user/walletHistory")] == before


def _step(index: int, price: int) -> Step:
    row = replace(prices(START_MS + index * 1_000, XBTUSD=1).prices[0], mark=Decimal(price), last=Decimal(price))
    return Step(index=index, tape_ms=START_MS + index * 1_000, real_ms=0, prices=(row,))


class _OddTape:
    """A tape of which one step is no market, and after which a line cannot be read."""

    def __init__(self, *, is_torn: bool) -> None:
        self._is_torn = is_torn

    def steps(self, start: int = 0) -> Iterator[Step]:
        yield from (_step(index, price) for index, price in enumerate((60_000, -5, 61_000)) if index >= start)
        if self._is_torn:
            raise RecordingError("market.jsonl, line 7: cannot be read")


async def test_a_step_that_is_no_market_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    """A recorded price below zero is told and left out; the tape goes on."""
    async with running(_OddTape(is_torn=False), start_paused=True) as exchange:  # type: ignore[arg-type]
        exchange.player.advance(3)
        assert exchange.player.has_ended
        assert exchange.venue.exchange.world.markets["XBTUSD"].mark == 61_000
    assert "step of the tape refused" in capsys.readouterr().out


async def test_a_line_that_cannot_be_read_ends_the_exchange_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tape breaks while it plays: `serve` raises the one error that explains it."""
    monkeypatch.setattr(embedded, "_tape_of", lambda *_: _OddTape(is_torn=True))
    with pytest.raises(RecordingError, match="line 7"):
        await embedded.serve(ExchangeSettings(), announce=lambda _: None)
