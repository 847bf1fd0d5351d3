"""The page in a real browser: its script runs under its own content policy, and draws what the guard says."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from daemon.shell.control.client import SOCKET_NAME
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import DEADLINE_S, a_guard, open_long, until, wait_stop
from tests.integration.test_web import a_page

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0")
ARRIVED = "document.readyState === 'complete' && location.protocol === 'http:'"
DRAWN = """(() => {
  const lines = [...document.querySelectorAll('#positions line')];
  return JSON.stringify({
    words: document.body.innerText,
    title: document.title,
    marks: Object.fromEntries(lines.map((each) => [each.getAttribute('class'), Number(each.getAttribute('x1'))])),
    widths: lines.map((each) => each.getBoundingClientRect().right),
    stroke: lines.length ? getComputedStyle(lines[lines.length - 1]).stroke : '',
    memory: document.getElementById('main').className,
  });
})()"""


class Tab:
    """One tab of a browser, asked over its debugging socket."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self._asked = 0
        self.broken: list[str] = []

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method; what the page's console complains of meanwhile is kept."""
        self._asked += 1
        await self._socket.send(json.dumps({"id": self._asked, "method": method, "params": parameters}))
        async with asyncio.timeout(DEADLINE_S):
            while True:
                heard = json.loads(await self._socket.recv())
                if heard.get("id") == self._asked:
                    return dict(heard)
                if heard["method"] in {"Runtime.exceptionThrown", "Log.entryAdded"}:
                    self.broken.append(json.dumps(heard["params"]))

    async def arrived(self) -> bool:
        """Return whether the page is there whole; asked in the midst of a navigation, a browser may also refuse."""
        answer = await self.call("Runtime.evaluate", expression=ARRIVED)
        return "result" in answer and answer["result"]["result"].get("value") is True

    async def drawn(self) -> dict[str, Any]:
        """Return what stands on the page."""
        answer = await self.call("Runtime.evaluate", expression=DRAWN)
        assert "value" in answer.get("result", {}).get("result", {}), f"the browser could not say: {answer}"
        return dict(json.loads(answer["result"]["result"]["value"]))


@asynccontextmanager
async def a_tab(folder: Path, url: str) -> AsyncIterator[Tab]:
    """A browser of its own profile, that shows this page."""
    assert BROWSER is not None
    process = await asyncio.create_subprocess_exec(
        *(BROWSER, *FLAGS, f"--user-data-dir={folder}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            port = await _port(process)
        async with httpx.AsyncClient() as client:
            (target,) = [
                each for each in (await client.get(f"http://127.0.0.1:{port}/json")).json() if each["type"] == "page"
            ]
        async with websockets.connect(target["webSocketDebuggerUrl"], max_size=None) as socket:
            tab = Tab(socket)
            for domain in ("Runtime", "Log", "Page"):
                await tab.call(f"{domain}.enable")
            await tab.call("Page.navigate", url=url)
            await until(tab.arrived, "the page to be loaded")
            yield tab
    finally:
        process.terminate()
        await process.wait()


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stderr is not None
    async for line in process.stderr:
        if found := re.match(rb"DevTools listening on ws://127\.0\.0\.1:(\d+)/", line):
            return int(found[1])
    raise AssertionError("the browser ended before it listened")


@pytest.mark.skipif(BROWSER is None, reason="no browser is installed here (apt install chromium)")
async def test_a_browser_draws_the_position_and_says_when_the_guard_is_gone(tmp_path: Path) -> None:
    """P12: mark, stop and liquidation lie in their order and inside the window; a dead guard's figures are a memory."""
    async with running() as exchange, Rest(exchange) as rest, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(rest)
        await wait_stop(rest)
        async with (
            a_page(tmp_path / "state" / SOCKET_NAME) as (client, _),
            a_tab(tmp_path / "browser", str(client.base_url)) as tab,
        ):

            async def shows_the_stop() -> dict[str, Any]:
                drawn = await tab.drawn()
                return drawn if "protection proved" in drawn["words"] else {}

            drawn = await until(shows_the_stop, "a position that is proved covered")
            marks = drawn["marks"]
            assert 0 < marks["liquidation"] < marks["stop"] < marks["mark"]
            assert max(drawn["widths"]) <= 800, "nothing is drawn outside the window"
            assert drawn["stroke"].startswith("rgb"), "the style sheet is applied: a line without a stroke is not seen"
            assert drawn["title"] == "guarding - Seawall"
            assert tab.broken == [], "neither an error of the script nor a word against its own content policy"
            await guard.kill()

            async def shows_the_end() -> dict[str, Any]:
                drawn = await tab.drawn()
                return drawn if drawn["memory"] == "memory" else {}

            gone = await until(shows_the_end, "the page to say that the guard is gone")
            assert "No news of the guard" in gone["words"]
            assert "XBTUSD" in gone["words"], "what was known last is kept"
            assert gone["title"] == "(!) no news - Seawall"
