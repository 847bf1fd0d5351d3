"""Who is timed against the scripted venue: the real guard, and two loops as one would write them by hand.

    python -m tests.benchmarks.guards KIND HTTP_URL WS_URL

`raw` is the floor: `websockets`, a comparison, one prepared request over a hand-written HTTP connection. `httpx` is the
same with httpx. `seawall` is the whole daemon: connector, inbox, journal on disk, core, executor, order entry.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import uvloop
from websockets.asyncio.client import connect

from config.credentials import Credentials, Secret
from config.model import LogSettings, Settings, StateSettings
from config.venue import Environment, venue_settings
from daemon.app import BitmexPorts, run_guard
from daemon.shell.clock import SystemClock
from daemon.shell.logs import set_up_logs
from daemon.shell.watchdog import ServiceNotifier

KEY, SECRET = "key", "a-secret-of-the-benchmark"
TRIGGER = 46_000.0
PATH = "/api/v1/order"
Send = Callable[[bytes, dict[str, str]], Awaitable[object]]


def signed(body: bytes) -> dict[str, str]:
    """Return the headers of a signed order."""
    expires = str(int(time.time()) + 10)
    signature = hmac.new(SECRET.encode(), f"POST{PATH}{expires}".encode() + body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "api-key": KEY, "api-expires": expires, "api-signature": signature}


async def watch(ws_url: str, send: Send) -> None:
    """Compare every mark with one trigger, and close what is through it."""
    decode = msgspec.json.Decoder().decode
    async with connect(ws_url, compression=None, ping_interval=None) as socket:
        await socket.send(b'{"op":"subscribe","args":["instrument"]}', text=True)
        while True:
            frame = decode(await socket.recv(decode=False))
            if frame.get("table") != "instrument":
                continue
            for row in frame["data"]:
                if row.get("markPrice", TRIGGER) < TRIGGER:
                    order = {"symbol": row["symbol"], "side": "Sell", "ordType": "Market", "execInst": "Close"}
                    body = msgspec.json.encode(order)
                    await send(body, signed(body))


async def guard_with_httpx(http_url: str, ws_url: str) -> None:
    """The hand-written loop with httpx."""
    async with httpx.AsyncClient(base_url=http_url, trust_env=False) as client:
        await client.get("/api/v1")
        await watch(ws_url, lambda body, headers: client.post(PATH, content=body, headers=headers))


async def guard_with_raw_http(http_url: str, ws_url: str) -> None:
    """The hand-written loop with hand-written HTTP."""
    where = urlsplit(http_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)

    async def send(body: bytes, headers: dict[str, str]) -> None:
        lines = [f"POST {PATH} HTTP/1.1", f"host: {where.netloc}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))

    await watch(ws_url, send)


async def guard_with_seawall(http_url: str, ws_url: str) -> None:
    """The daemon as `seawall run` puts it together, with a budget that lets a benchmark send; its log goes nowhere."""
    venue = venue_settings(Environment.EMBEDDED, rest_url=http_url, realtime_url=ws_url)
    venue = replace(venue, requests_per_minute=1_000_000, requests_per_second=1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(venue=venue, state=StateSettings(directory=str(Path(folder) / "state")), log=LogSettings())
        set_up_logs(settings.log, secrets=[SECRET], output=io.StringIO())
        clock = SystemClock()
        ports = BitmexPorts(settings, Credentials(key_id=KEY, secret=Secret(SECRET)), clock)
        await run_guard(settings, ports, clock=clock, notifier=ServiceNotifier(None))


KINDS = {"raw": guard_with_raw_http, "httpx": guard_with_httpx, "seawall": guard_with_seawall}

if __name__ == "__main__":
    uvloop.run(KINDS[sys.argv[1]](*sys.argv[2:]))
