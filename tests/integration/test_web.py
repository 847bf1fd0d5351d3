"""`seawall web` beside the real daemon: it shows what the guard says, and says when the guard is gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx

from daemon.shell.control.client import SOCKET_NAME
from tests.integration.exchange_client import Rest, running
from tests.integration.guard_process import DEADLINE_S, REPOSITORY, a_guard, open_long, until, wait_stop


@asynccontextmanager
async def a_page(socket: Path) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.subprocess.Process]]:
    """The page's own process, without any key in its environment, and a browser that looks at it."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("SEAWALL_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daemon", "web", "--socket", str(socket), "--listen", "127.0.0.1:0"),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        env=bare,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            line = (await process.stdout.readline()).decode()
        found = re.match(r"(http://127\.0\.0\.1:\d+)/ ", line)
        assert found, line
        async with httpx.AsyncClient(base_url=found[1], timeout=10) as browser:
            yield browser, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def picture_with(browser: httpx.AsyncClient, key: str, *wanted: object) -> dict[str, Any]:
    """Wait for a picture whose `key` (of the picture, or of its state) is one of these."""

    async def is_there() -> dict[str, Any]:
        picture: dict[str, Any] = (await browser.get("/picture")).json()
        return picture if {**(picture["state"] or {}), **picture}[key] in wanted else {}

    found: dict[str, Any] = await until(is_there, f"a picture with {key} one of {wanted}")
    return found


async def test_it_shows_the_guard_and_says_when_it_is_gone(tmp_path: Path) -> None:
    """A position with its stop is seen, by the names that the script reads; kill -9 is said; so is a new guard."""
    async with running() as exchange, Rest(exchange) as rest, a_guard(tmp_path, exchange) as guard:
        await guard.start_guarding()
        await open_long(rest)
        await wait_stop(rest)
        async with a_page(tmp_path / "state" / SOCKET_NAME) as (browser, _):
            shown = await picture_with(browser, "mode", "guarding")
            assert [each["symbol"] for each in shown["state"]["positions"]] == ["XBTUSD"]
            assert _read_by_the_script("state") <= set(shown["state"])
            assert _read_by_the_script("position") <= set(shown["state"]["positions"][0])
            await guard.kill()
            gone = await _until_problem(browser)
            assert "no daemon answers" in gone["problem"]
            assert gone["state"]["positions"], "what was known last is kept, as a memory"
            await guard.start_guarding()
            again = await picture_with(browser, "problem", "")
            assert again["state"]["mode"] == "guarding"


async def test_open_pages_do_not_keep_it_from_ending(tmp_path: Path) -> None:
    """SIGTERM while a browser waits for the next picture: it ends by itself, and well."""
    async with a_page(tmp_path / "nobody.sock") as (browser, process):
        assert "no daemon answers" in (await browser.get("/picture")).json()["problem"]
        waiting = asyncio.create_task(browser.get("/next"))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_S):
            assert await process.wait() == 0
        with contextlib.suppress(httpx.TransportError):
            await waiting


async def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    """Two pages on one port: the second names the address and ends with the code for it."""
    async with a_page(tmp_path / "nobody.sock") as (browser, _):
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "daemon", "web", "--socket", "x.sock"),
            *("--listen", f"127.0.0.1:{browser.base_url.port}"),
            cwd=REPOSITORY,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(DEADLINE_S):
            _, words = await second.communicate()
        assert second.returncode == 6
        assert words.decode().startswith(f"seawall: cannot listen on 127.0.0.1:{browser.base_url.port}")
        assert words.count(b"\n") == 1


def _read_by_the_script(name: str) -> set[str]:
    script = files("daemon.web").joinpath("page.js").read_text(encoding="utf-8")
    return set(re.findall(rf"\b{name}\.([a-z_]+)", script))


async def _until_problem(browser: httpx.AsyncClient) -> dict[str, Any]:
    async def is_said() -> dict[str, Any]:
        picture: dict[str, Any] = (await browser.get("/picture")).json()
        return picture if picture["problem"] else {}

    found: dict[str, Any] = await until(is_said, "the page to say that the guard is gone")
    return found
