"""The embedded exchange over restarts, on its control port, and as a process."""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.simulated.server.embedded import EmbeddedExchange, PortInUse, serve
from connectors.simulated.server.settings import ExchangeSettings
from connectors.simulated.server.state import JOURNAL_NAME, SNAPSHOT_NAME, StateError
from tests.integration.exchange_client import NO_LIMITS, START_MS, Rest, StillTape, prices, running

REPOSITORY = Path(__file__).resolve().parents[2]
READS = ("/order", "/execution", "/position", "/user/margin?currency=all", "/user/walletHistory?currency=all")


async def picture(rest: Rest) -> dict[str, Any]:
    """Return everything REST says of an account, but for the stamps of rows made on reading."""
    seen = {path: await rest.ask("GET", path) for path in READS}
    for path in ("/position", "/user/margin?currency=all"):
        for row in seen[path]:
            row.pop("timestamp")
    return seen


async def trade_a_little(rest: Rest) -> None:
    """Leave orders of all kinds, a position and an armed switch behind."""
    await rest.ask("POST", "/position/leverage", symbol="XBTUSD", leverage=10)
    await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=1_000, ordType="Market", clOrdID="in")
    await rest.ask("POST", "/order", symbol="XBTUSD", side="Sell", orderQty=1_000, stopPx=55_000, execInst="MarkPrice")
    await rest.ask("POST", "/order", symbol="ETHUSD", orderQty=10, price=2_000)
    await rest.refusal("POST", "/order", symbol="XBTUSD", orderQty=100, price=50_000, clOrdID="in")
    await rest.ask("POST", "/order/cancelAllAfter", timeout=600_000)


async def test_a_restart_restores_everything(tmp_path: Path) -> None:
    """Orders, executions, positions, margin, keys and the tape's place are as before."""
    async with running(StillTape(5), state_dir=tmp_path) as exchange, Rest(exchange) as rest:
        await trade_a_little(rest)
        exchange.venue.submit(prices(START_MS + 60_000, XBTUSD=59_000))
        before = await picture(rest)
        step, due_ms = exchange.venue.step, exchange.venue.exchange.next_timer_ms()
    async with (
        running(StillTape(5), state_dir=tmp_path, start_paused=True) as exchange,
        Rest(exchange, rest.key) as rest,
    ):
        assert await picture(rest) == before
        assert exchange.venue.step >= step
        assert exchange.venue.exchange.next_timer_ms() == due_ms
        assert await rest.refusal("POST", "/order", symbol="XBTUSD", orderQty=100, price=50_000, clOrdID="in") == (
            400,
            "Duplicate clOrdID",
        )


async def test_a_torn_journal_restores_all_but_the_torn_input(tmp_path: Path) -> None:
    """Killed in the middle of a write, the exchange comes back without that one input."""
    async with running(state_dir=tmp_path) as exchange, Rest(exchange) as rest:
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100, price=50_000)
        before = await picture(rest)
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100, price=50_001)
    file = tmp_path / JOURNAL_NAME
    lines = file.read_bytes().splitlines(keepends=True)
    last = max(number for number, line in enumerate(lines) if b"PlaceOrder" in line)
    file.write_bytes(b"".join(lines[:last]) + lines[last][:-7])
    async with running(state_dir=tmp_path) as exchange, Rest(exchange) as rest:
        assert await picture(rest) == before


async def test_a_switch_that_ran_out_while_away_fires_on_return(tmp_path: Path) -> None:
    """The dead man's switch lives in the exchange: due during the outage, it fires at the restart."""
    async with running(state_dir=tmp_path) as exchange, Rest(exchange) as rest:
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100, price=50_000)
        due = await rest.ask("POST", "/order/cancelAllAfter", timeout=600_000)
        due_ms = exchange.venue.exchange.next_timer_ms()
    assert due_ms is not None
    settings = ExchangeSettings(accounts=2, limits=NO_LIMITS, state_dir=tmp_path)
    async with EmbeddedExchange(settings, tape=StillTape(), clock=lambda: due_ms + 1) as exchange:
        (row,) = exchange.venue.exchange.order_rows(exchange.account)
        async with asyncio.timeout(5):
            while row["ordStatus"] != "Canceled":
                await asyncio.sleep(0)
                (row,) = exchange.venue.exchange.order_rows(exchange.account)
        assert str(row["timestamp"]) >= due["cancelTime"]


async def test_other_settings_do_not_fit_a_state(tmp_path: Path) -> None:
    """A folder of another seed is refused before any port answers."""
    async with running(state_dir=tmp_path):
        pass
    with pytest.raises(StateError, match="seed"):
        async with running(state_dir=tmp_path, seed=2):
            pass


async def test_a_file_that_has_grown_does_not_fit_a_state(tmp_path: Path) -> None:
    """Steps are counted along the candle file: with other lines in it the tape would jump in silence."""
    file = tmp_path / "day.csv"
    line = "2026-07-01T00:{:02}:00Z,60000,60000,60000,60000\n"

    def write(minutes: int) -> None:
        file.write_text("open_time,open,high,low,close\n" + "".join(map(line.format, range(minutes))))

    def settings() -> ExchangeSettings:
        return ExchangeSettings(candles=file, state_dir=tmp_path / "state", start_paused=True)

    write(5)
    for _ in range(2):
        async with EmbeddedExchange(settings()):
            pass
    write(6)
    with pytest.raises(StateError, match=r"written with tape day\.csv of \d+ bytes, not day\.csv of"):
        async with EmbeddedExchange(settings()):
            pass


async def test_a_taken_port_is_one_clear_error() -> None:
    """The second exchange on a port says which port, and releases what it had taken."""
    async with running() as exchange:
        port = int(exchange.http_url.rpartition(":")[2])
        with pytest.raises(PortInUse, match=f"port {port} on 127.0.0.1 is in use"):
            async with running(port=port):
                pass


async def test_control_steers_the_tape() -> None:
    """State, step, play, speed; events and prices carry both clocks."""
    async with (
        running(StillTape(50), start_paused=True) as exchange,
        Rest(exchange) as rest,
        httpx.AsyncClient(base_url=exchange.control_url) as control,
    ):
        state = (await control.get("/state")).json()
        assert (state["tape"]["step"], state["tape"]["is_playing"]) == (0, False)
        stepped = (await control.post("/tape", json={"action": "step", "count": 3})).json()
        assert (stepped["tape"]["step"], stepped["tape"]["tape_ms"]) == (3, START_MS + 3_000)
        await rest.ask("POST", "/order", symbol="XBTUSD", orderQty=100, ordType="Market")
        events = (await control.get("/events")).json()
        assert [one["kind"] for one in events["events"]] == ["confirmed", "fill"]
        assert {one["tape_ms"] for one in events["events"]} == {START_MS + 3_000}
        assert abs(events["events"][0]["at_ms"] - state["now_ms"]) < 60_000
        later = (await control.get("/events", params={"since": events["next"]})).json()
        assert later == {"events": [], "next": events["next"]}
        assert (await control.post("/tape", json={"action": "speed", "factor": 2})).json()["tape"]["factor"] == 2
        await control.post("/tape", json={"action": "play"})
        async with asyncio.timeout(10):
            while not (state := (await control.get("/state")).json())["tape"]["has_ended"]:
                pass
        prices_seen = (await control.get("/tape/prices", params={"points": 5})).json()
        assert prices_seen["next"] == 50
        assert prices_seen["prices"][-1]["mark"]["XBTUSD"] == 60_000


BAD_STEERING = [
    ("POST", "/tape", b'{"action":"rewind"}', 400),
    ("POST", "/tape", b'{"action":"speed","factor":0}', 400),
    ("POST", "/tape", b"{", 400),
    ("POST", "/tape", b"x" * 5_000, 413),
    ("GET", "/events?count=0x", b"", 400),
    ("GET", "/nope", b"", 404),
    ("GET", "/tape", b"", 405),
]


async def test_control_refuses_nonsense() -> None:
    """Bad requests to the control port are errors, not tracebacks."""
    async with running() as exchange, httpx.AsyncClient(base_url=exchange.control_url) as control:
        for verb, path, body, status in BAD_STEERING:
            response = await control.request(verb, path, content=body)
            assert response.status_code == status, path
            assert "Traceback" not in response.text


async def start(*options: str, port: int = 0, state: Path | None = None) -> asyncio.subprocess.Process:
    """Start `seawall exchange` as a process of its own, paused unless the options name a scenario."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "daemon",
        "exchange",
        *("--json", "--accounts", "2", "--port", str(port)),
        *(options or ("--scenario", "calm", "--start-paused")),
        *(("--state", str(state)) if state else ()),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def first_line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """Return the object of the first line of output."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = await process.stdout.readline()
    described: dict[str, Any] = json.loads(line)
    return described


async def test_first_line_and_orderly_stop() -> None:
    """`--json` writes one object with addresses and keys; SIGTERM ends the process with 0 and no noise."""
    process = await start()
    described = await first_line(process)
    assert {"http", "ws", "control", "key", "secret", "account", "accounts"} <= set(described)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{described['http']}/api/v1")).is_success
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        _, noise = await process.communicate()
    assert (process.returncode, noise) == (0, b"")


@pytest.mark.parametrize("trouble", ["port", "state"])
async def test_a_start_that_fails_is_one_line(trouble: str, tmp_path: Path) -> None:
    """A port in use, a state that is a file: one line, an exit code of its own, no traceback."""
    (tmp_path / "file").write_text("x")
    async with running() as exchange:
        port = int(exchange.http_url.rpartition(":")[2])
        process = await start(
            port=port if trouble == "port" else 0,
            state=tmp_path / "file" if trouble == "state" else None,
        )
        async with asyncio.timeout(30):
            output, noise = await process.communicate()
    assert process.returncode not in {0, 1}
    assert output == b""
    assert noise.decode().strip().count("\n") == 0


async def test_a_full_disk_ends_the_exchange_with_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be journalled does not happen: the request fails, then the exchange ends and says why."""

    def no_space(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    settings = ExchangeSettings(limits=NO_LIMITS, state_dir=tmp_path, heartbeat_ms=20)
    with pytest.raises(StateError, match="No space left on device"):
        await serve(settings, announce=lambda _: monkeypatch.setattr("os.pwrite", no_space))


async def test_kill_nine_and_restart_on_the_same_port(tmp_path: Path) -> None:
    """Killed without warning, the exchange returns with the same keys, orders and position."""
    process = await start(state=tmp_path / "state")
    described = await first_line(process)
    port = int(described["http"].rpartition(":")[2])
    async with Rest.of_process(described) as rest:
        await trade_a_little(rest)
        before = await picture(rest)
        process.kill()
        await process.communicate()
        again = await start(port=port, state=tmp_path / "state")
        assert (await first_line(again))["key"] == described["key"]
    async with Rest.of_process(described) as rest:
        assert await picture(rest) == before
    again.terminate()
    await again.communicate()


async def steps_played(described: dict[str, Any], at_least: int) -> dict[str, Any]:
    """Wait until the tape has come this far; return its state."""
    async with httpx.AsyncClient(base_url=described["control"]) as control, asyncio.timeout(30):
        while (state := (await control.get("/state")).json())["tape"]["step"] < at_least:
            pass
    tape: dict[str, Any] = state["tape"]
    return tape


async def test_killed_in_the_middle_of_a_crash_the_tape_goes_on(tmp_path: Path) -> None:
    """Killed while prices fall, the exchange returns at the step it had reached and plays on from there."""
    options = ("--scenario", "crash", "--speed", "200")
    process = await start(*options, state=tmp_path)
    reached = await steps_played(await first_line(process), 5)
    process.kill()
    await process.communicate()
    again = await start(*options, state=tmp_path)
    described = await first_line(again)
    resumed = await steps_played(described, reached["step"] + 5)
    assert resumed["tape_ms"] > reached["tape_ms"]
    async with httpx.AsyncClient(base_url=described["control"]) as control:
        points = (await control.get("/tape/prices")).json()["prices"]
    again.terminate()
    await again.communicate()
    stamps = [point["tape_ms"] for point in points]
    assert stamps == sorted(set(stamps))
    assert len(points) > resumed["step"]


async def test_answers_are_not_held_back() -> None:
    """The listening sockets name their protocol, or asyncio would leave Nagle's delay on for every connection."""
    async with running() as exchange:
        assert {one.proto for one in exchange.listening} == {socket.IPPROTO_TCP}


async def test_killed_while_it_compacts_the_exchange_loses_nothing(tmp_path: Path) -> None:
    """A crash plays on everything the venue lists, the journal is outgrown all the time: killed, it is all there."""
    options = ("--scenario", "crash", "--speed", "200", "--listing", "venue", "--switch", "compact_bytes=0")
    process = await start(*options, state=tmp_path)
    described = await first_line(process)
    port = int(described["http"].rpartition(":")[2])
    async with Rest.of_process(described) as rest, asyncio.timeout(30):
        await trade_a_little(rest)
        while not (tmp_path / SNAPSHOT_NAME).exists():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
        orders = await rest.ask("POST", "/order", symbol="ETHUSD", orderQty=10, price=500, clOrdID="after")
        history = await rest.ask("GET", "/user/walletHistory", currency="all")
    process.kill()
    await process.communicate()
    again = await start(*options, port=port, state=tmp_path)
    await first_line(again)
    async with Rest.of_process(described) as rest:
        rows = await rest.ask("GET", "/order", count=500)
        assert {row["clOrdID"] for row in rows} >= {"in", "after"}
        assert orders["orderID"] in {row["orderID"] for row in rows}
        assert history == [
            row for row in await rest.ask("GET", "/user/walletHistory", currency="all") if row in history
        ]
    again.terminate()
    _, noise = await again.communicate()
    assert (again.returncode, noise) == (0, b"")
