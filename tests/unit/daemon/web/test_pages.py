"""The page's routes: read-only, for this machine's names alone, and strict about what a browser may run."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from importlib.resources import files

import httpx
import pytest

from daemon.core.mode import Mode
from daemon.shell.metrics.samples import WAITING
from daemon.web.follow import Follower
from daemon.web.pages import application


def _ask(target: str) -> tuple[int, bytes]:
    return 200, b'{"mode":"guarding"}' if target == "/v1/state" else b'{"alerts":[]}'


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """Someone who looks at the page of a healthy guard."""
    follower = Follower(_ask, clock=lambda: 0.0)
    transport = httpx.ASGITransport(app=application(follower))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8790") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/picture", "/next"])
async def test_each_answer_forbids_what_a_page_needs_not(browser: httpx.AsyncClient, path: str) -> None:
    """No script but ours, no frames, nothing kept."""
    answer = await browser.get(path)
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8790", "10.0.0.7:8790", "127.0.0.1.evil.example"])
async def test_a_foreign_name_is_turned_away(browser: httpx.AsyncClient, host: str) -> None:
    """Somebody's page that points its own name at loopback reads nothing."""
    answer = await browser.get("/picture", headers={"host": host})
    assert answer.status_code == 421
    assert "guarding" not in answer.text


@pytest.mark.parametrize("host", ["localhost:8790", "127.0.0.1", "[::1]:8790"])
async def test_the_names_of_this_machine_are_answered(browser: httpx.AsyncClient, host: str) -> None:
    """By number or by name."""
    assert (await browser.get("/picture", headers={"host": host})).json()["state"] == {"mode": "guarding"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_changed(browser: httpx.AsyncClient, method: str) -> None:
    """There is no route that writes."""
    assert (await browser.request(method, "/picture")).status_code == 405


def test_the_script_makes_no_markup_of_what_the_guard_says() -> None:
    """A symbol or an alert is never markup: the script only sets text."""
    script = files("daemon.web").joinpath("page.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)


def test_the_page_names_only_what_is_served() -> None:
    """Each place in the page that the script fills exists, and nothing is fetched from elsewhere."""
    page = files("daemon.web").joinpath("page.html").read_text(encoding="utf-8")
    script = files("daemon.web").joinpath("page.js").read_text(encoding="utf-8")
    wanted = set(re.findall(r'(?:byId|fill)\("([a-z]+)"', script))
    assert wanted == set(re.findall(r'<(?:span|p|main|ul|div|dl)[^>]* ?id="([a-z]+)"', page))
    assert not re.search(r"https?://", page)


def test_every_mode_but_guarding_is_something_wrong_in_words() -> None:
    """The page never says that nothing is wrong while nothing is guarded."""
    script = files("daemon.web").joinpath("page.js").read_text(encoding="utf-8")
    table = re.search(r"const NOT_GUARDING = \{(.*?)\};", script, re.DOTALL)
    assert table is not None
    told = set(re.findall(r"^  ([a-z_]+): ", table[1], re.MULTILINE))
    assert told == {WAITING, *(each.value for each in Mode)} - {Mode.GUARDING.value}
