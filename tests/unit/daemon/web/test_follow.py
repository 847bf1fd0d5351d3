"""Following a guard for many browsers: one question a second, and a memory that says that it is one."""

from __future__ import annotations

import asyncio
import threading

import msgspec
import pytest

from daemon.shell.control.client import DaemonUnreachable
from daemon.web import follow
from daemon.web.follow import EVERY_S, Follower


class _Guard:
    """Answers as long as `problem` is empty; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.problem: Exception | None = None
        self.status = 200
        self.body = b'{"mode":"guarding"}'
        self.now_s = 100.0

    def ask(self, target: str) -> tuple[int, bytes]:
        self.asked.append(target)
        if self.problem is not None:
            raise self.problem
        return self.status, self.body

    def follower(self) -> Follower:
        return Follower(self.ask, clock=lambda: self.now_s)


async def test_many_browsers_cost_the_guard_one_question() -> None:
    """Twenty browsers at one moment: each question is asked once, and they see the same picture."""
    guard = _Guard()
    follower = guard.follower()
    async with asyncio.TaskGroup() as tasks:
        looks = [tasks.create_task(follower.picture()) for _ in range(20)]
    assert guard.asked == ["/v1/state", "/v1/alerts"]
    assert {look.result().problem for look in looks} == {""}
    assert bytes(looks[0].result().state) == guard.body


async def test_it_is_asked_again_after_a_second() -> None:
    """Within `EVERY_S` the last picture serves; after it the guard is asked anew."""
    guard = _Guard()
    follower = guard.follower()
    await follower.picture()
    guard.now_s += EVERY_S * 0.9
    await follower.picture()
    assert len(guard.asked) == 2
    guard.now_s += EVERY_S * 0.2
    await follower.picture()
    assert len(guard.asked) == 4


async def test_a_guard_that_goes_away_leaves_a_memory_with_its_age() -> None:
    """The problem is said, the last picture stays, and its age grows."""
    guard = _Guard()
    follower = guard.follower()
    await follower.picture()
    guard.problem = DaemonUnreachable("nobody answers at control.sock")
    guard.now_s += 30
    gone = await follower.picture()
    assert (gone.problem, gone.age_s) == ("nobody answers at control.sock", 30.0)
    assert bytes(gone.state) == guard.body
    guard.problem = None
    guard.now_s += 30
    back = await follower.picture()
    assert (back.problem, back.age_s) == ("", 0.0)


async def test_a_guard_that_never_answered_has_no_age() -> None:
    """No picture yet: null, never a made-up one."""
    guard = _Guard()
    guard.problem = DaemonUnreachable("no such socket")
    picture = await guard.follower().picture()
    assert msgspec.json.decode(msgspec.json.encode(picture)) == {
        "problem": "no such socket",
        "age_s": None,
        "state": None,
        "alerts": None,
    }


async def test_half_an_answer_does_not_reach_the_browsers() -> None:
    """A body that is no JSON, or a refusal, is a problem and not a picture."""
    guard = _Guard()
    guard.body = b'{"mode":"guar'
    follower = guard.follower()
    cut = await follower.picture()
    assert cut.problem
    assert bytes(cut.state) == b"null"
    guard.now_s += 2
    guard.body, guard.status = b'{"error":"opening"}', 503
    assert "503" in (await follower.picture()).problem


async def test_an_answer_that_never_ends_is_said_and_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that sends a byte now and then: browsers are told, and hear it when it is done at last."""
    monkeypatch.setattr(follow, "LONGEST_S", 0.01)
    guard, is_done = _Guard(), threading.Event()

    def drip(target: str) -> tuple[int, bytes]:
        is_done.wait(10)
        return guard.ask(target)

    follower = Follower(drip, clock=lambda: guard.now_s)
    for _ in range(2):
        assert "takes longer" in (await follower.picture()).problem
        guard.now_s += 2
    is_done.set()
    monkeypatch.setattr(follow, "LONGEST_S", 10.0)
    assert (await follower.picture()).problem == ""
    assert guard.asked == ["/v1/state", "/v1/alerts"]


async def test_state_without_alerts_is_no_picture() -> None:
    """Half of the questions is answered: nothing is shown of it, or half of the page would be older than it says."""
    guard = _Guard()
    follower = Follower(
        lambda target: guard.ask(target) if target == "/v1/state" else (503, b"busy"), clock=lambda: guard.now_s
    )
    picture = await follower.picture()
    assert picture.problem == "the guard answered /v1/alerts with 503"
    assert (picture.age_s, bytes(picture.state)) == (None, b"null")
