"""Named checks of one client program, told to the runner as one JSON object a line.

Why: the program runs in an environment of its own, with the client's dependencies and none of ours; a line of JSON is
all that the two need to agree on. The first line lists every check there is, so that one that was never reached counts
as failed. Standard library only.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

CHECK_S = 15.0
"""Longest time of one check."""
POLL_S = 0.02

Case = Callable[[Any], Awaitable[None] | None]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """One account's key, its other keys by name, and the addresses where they are good."""

    account: int
    http: str
    ws: str
    key: str
    secret: str
    others: dict[str, dict[str, str]]


class Given:
    """What the runner gave this program: an exchange without limits, one with, and accounts of both.

    Every check takes an account of its own, so none can trip over what another left.
    """

    def __init__(self) -> None:
        given = json.loads(os.environ["SEAWALL_INTEROP"])
        self.control: str = given["open"]["control"]
        self.fresh = _accounts(given["open"])
        self.limited = _accounts(given["limited"])

    @contextmanager
    def fault(self, name: str, account: int, **parameters: object) -> Iterator[None]:
        """Let something go wrong for one account, as the control API describes it."""
        number = self._control("POST", "/faults", name=name, account=account, **parameters)["number"]
        try:
            yield
        finally:
            self._control("DELETE", "/faults", number=number)

    def _control(self, verb: str, path: str, **fields: object) -> Any:
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.control + path, json.dumps(fields).encode(), headers, method=verb)
        with urllib.request.urlopen(request, timeout=CHECK_S) as answer:
            return json.load(answer)


def _accounts(exchange: dict[str, Any]) -> Iterator[Keys]:
    for account in exchange["accounts"]:
        yield Keys(
            account=account["account"],
            http=exchange["http"],
            ws=exchange["ws"],
            key=account["key"],
            secret=account["secret"],
            others=account["other_keys"],
        )


class Checks:
    """The checks of one program, in the order in which they are written."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}

    def __call__(self, name: str) -> Callable[[Case], Case]:
        """Register the decorated function, plain or asynchronous, as the check called `name`."""

        def register(case: Case) -> Case:
            assert name not in self._cases, f"two checks are called {name!r}"
            self._cases[name] = case
            return case

        return register

    async def run(self, enter: Callable[[], Any]) -> None:
        """Run all checks, each with what `enter()` (an asynchronous context manager) yields."""
        _say(planned=list(self._cases))
        for name, case in self._cases.items():
            started = time.monotonic()
            error = await _outcome(case, enter)
            _say(check=name, error=error, seconds=round(time.monotonic() - started, 2))


async def _outcome(case: Case, enter: Callable[[], Any]) -> str | None:
    """Return None, or what went wrong in one line."""
    try:
        async with asyncio.timeout(CHECK_S), enter() as subject:
            result = case(subject)
            if inspect.isawaitable(result):
                await result
    except Exception as error:  # noqa: BLE001 - whatever a client raises is the check's outcome
        return f"{_place(error)}{type(error).__name__}: {error}".replace("\n", " ")[:600]
    return None


def _place(error: BaseException) -> str:
    """Return the line of the check that failed."""
    here = os.path.dirname(__file__)
    lines = [frame for frame in inspect.getinnerframes(error.__traceback__) if os.path.dirname(frame.filename) == here]
    own = [frame for frame in lines if os.path.basename(frame.filename) != os.path.basename(__file__)]
    return f"{os.path.basename(own[-1].filename)}:{own[-1].lineno} " if own else ""


def equal(found: object, wanted: object, what: str = "value") -> None:
    """Raise with both values unless they are equal."""
    assert found == wanted, f"{what}: {found!r}, not {wanted!r}"


async def eventually(condition: Callable[[], Any]) -> Any:
    """Return the first true value of `condition`, within the time of the check."""
    while not (value := condition()):
        await asyncio.sleep(POLL_S)
    return value


def raises(wanted: type[BaseException], text: str, error: BaseException | None) -> None:
    """Raise unless `error` is of the class and holds the text."""
    assert error is not None, f"no error where {wanted.__name__} with {text!r} was expected"
    assert isinstance(error, wanted), f"{type(error).__name__}, not {wanted.__name__}: {error}"
    assert text.lower() in str(error).lower(), f"{text!r} is not in: {error}"


def _say(**fields: object) -> None:
    sys.__stdout__.write(json.dumps(fields) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
