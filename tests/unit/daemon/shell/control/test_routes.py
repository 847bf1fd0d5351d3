"""What the routes take and refuse: rights, ids, bodies, parameters; and that actions become operators' requests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from config.control import Right
from config.policy import Policy
from connectors.vocabulary import Side
from daemon.core.memory.interventions import Asked as Remembered
from daemon.core.operator_requests import (
    AcknowledgeAsked,
    ClearStop,
    FlattenAsked,
    FreezeAsked,
    LiftLatch,
    OperatorRequest,
    PauseAsked,
    ResumeAsked,
    SetStop,
    ShadowAsked,
    SilenceAsked,
    UnsilenceAsked,
)
from daemon.shell.control.application import ROUTES
from daemon.shell.control.route import BODY_LIMIT_BYTES, LONGEST_ID
from daemon.shell.status import describe_state
from tests.asgi import asked, bare_counter
from tests.builders import a_position
from tests.driven import Driven

ID = [(b"idempotency-key", b"r-1")]
FACTS = {"version": "1", "process": 1, "venue": "testnet", "uptime_s": 75.0, "alerts": {"raised": 0}}


class Desk:
    """Takes what is asked of the guard."""

    def __init__(self, answer: dict[str, Any] | None = None) -> None:
        self.heard: list[tuple[str, str, str, OperatorRequest]] = []
        self._answer = answer or {"done": "yes", "who": "ada", "is_repeat": False, "on_disk": True}
        guard = Driven(Policy()).up([a_position()])
        guard.rest()
        self.guard = guard
        self.counter = replace(
            bare_counter(guard.state),
            operate=self.operate,
            reload=self.reload,
            describe=self.describe,
            settings=lambda: {"settings": {}},
            tail=lambda _last, _every: [{"seq": 1, "kind": "event", "name": "Started", "body": {}}],
        )

    async def describe(self) -> dict[str, Any]:
        return {**FACTS, **describe_state(self.guard.state, now_ns=self.guard.now)}

    async def operate(self, who: str, request_id: str, request: OperatorRequest, *, via: str) -> dict[str, Any]:
        self.heard.append((who, via, request_id, request))
        return dict(self._answer)

    async def reload(self, who: str, *, may_loosen: bool) -> dict[str, Any]:
        return {"error": f"{who} {may_loosen}", "problems": ["stop.x is wrong"]}

    async def post(self, path: str, body: object = None, **more: Any) -> tuple[int, dict[str, Any]]:
        content = b"" if body is None else msgspec.json.encode(body)
        status, answer = await asked("POST", path, body=content, counter=self.counter, **{"headers": ID, **more})
        return status, msgspec.json.decode(answer)


WISHES: list[tuple[str, dict[str, object], OperatorRequest]] = [
    ("/v1/lift", {}, LiftLatch(name="")),
    ("/v1/lift", {"name": "daily_loss"}, LiftLatch(name="daily_loss")),
    ("/v1/flatten", {"symbols": ["XBTUSD"]}, FlattenAsked(symbols=("XBTUSD",))),
    ("/v1/freeze", {}, FreezeAsked()),
    ("/v1/pause", {"seconds": 90}, PauseAsked(seconds=90)),
    ("/v1/pause", {"seconds": 89.5}, PauseAsked(seconds=90)),
    ("/v1/shadow", {}, ShadowAsked(seconds=600)),
    ("/v1/resume", {}, ResumeAsked()),
    ("/v1/acknowledge", {"key": "cover"}, AcknowledgeAsked(key="cover")),
    (
        "/v1/silence",
        {"seconds": 60, "comment": "bot reload", "state": "budget_*"},
        SilenceAsked(seconds=60, comment="bot reload", state="budget_*"),
    ),
    ("/v1/unsilence", {"name": "s1"}, UnsilenceAsked(name="s1")),
    ("/v1/clear-stop", {"symbol": "XBTUSD"}, ClearStop(symbol="XBTUSD")),
    (
        "/v1/set-stop",
        {"symbol": "XBTUSDT", "price": "950.5", "may_loosen": True},
        SetStop(symbol="XBTUSDT", side=Side.LONG, price=Decimal("950.5"), may_loosen=True),
    ),
]


@pytest.mark.parametrize(("path", "body", "wish"), WISHES)
async def test_every_action_is_an_operators_request(path: str, body: dict[str, object], wish: OperatorRequest) -> None:
    """With who, how and the id; the same words as JSON in any spacing."""
    desk = Desk()
    assert await desk.post(path, body) == (200, {"done": "yes", "who": "ada", "is_repeat": False, "on_disk": True})
    assert desk.heard == [("ada", "socket", "r-1", wish)]
    await desk.post(path, body, headers=[*ID, (b"x-seawall-command", b"1")])
    assert desk.heard[1][1] == "command"


async def test_a_repeat_is_the_same_wish_whatever_became_of_the_position() -> None:
    """An answer got lost and the stop fired: asked again, the guard says that it was done, not that it cannot be."""
    desk = Desk()
    wish = SetStop(symbol="XBTUSDT", side=Side.SHORT, price=Decimal("950.5"))
    state = desk.counter.state()
    assert state is not None
    before = replace(state, positions={}, operator_ids={"r-1": Remembered(at_ns=1, request=wish)})
    desk.counter = replace(desk.counter, state=lambda: before)
    assert (await desk.post("/v1/set-stop", {"symbol": "XBTUSDT", "price": "950.5"}))[0] == 200
    assert desk.heard[0][3] == wish
    status, answer = await desk.post("/v1/reload", {})
    assert (status, answer["error"]) == (409, "the id r-1 was used for another request; nothing was done")


async def test_over_tcp_nobody_passes_for_a_command() -> None:
    """P11: the journal says that it came over the network, whatever the caller writes into a header."""
    desk = Desk()
    headers = [*ID, (b"x-seawall-command", b"1")]
    assert (await asked("POST", "/v1/freeze", headers=headers, counter=desk.counter, via="tcp"))[0] == 200
    assert desk.heard[0][1] == "tcp"


async def test_what_the_guard_refuses_is_409_in_its_words() -> None:
    """And a reload names every problem."""
    desk = Desk({"error": "nothing is latched"})
    assert await desk.post("/v1/lift", {}) == (409, {"error": "nothing is latched"})
    assert await desk.post("/v1/set-stop", {"symbol": "ETHUSD", "price": "5"}) == (
        409,
        {"error": "no position is open in ETHUSD"},
    )
    assert await desk.post("/v1/reload", {"may_loosen": True}) == (
        409,
        {"error": "ada True", "problems": ["stop.x is wrong"]},
    )


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.verb} {route.path}")
async def test_no_route_goes_beyond_the_callers_right(route: Any) -> None:
    """P11: who may read changes nothing; who shows no token sees nothing."""
    path = route.path.replace("{name}", "maker")
    assert (await asked(route.verb, path, headers=ID, right=None))[0] == 401
    status, _ = await asked(route.verb, path, headers=ID, right=Right.READ)
    assert (status == 403) == (route.right is Right.OPERATE)
    assert (route.right is Right.OPERATE) == route.needs_id


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/v1/flatten", b"[]", "not understood"),
        ("/v1/flatten", b'{"symbol":"XBTUSD"}', "fields here: symbols"),
        ("/v1/flatten", b'{"symbols":["X Y"]}', "not understood"),
        ("/v1/flatten", b"\xff", "not understood"),
        ("/v1/flatten", b"", "a JSON object is needed"),
        ("/v1/flatten", b'{"symbols":[]}', "not understood"),
        ("/v1/lift", b"", "a JSON object is needed"),
        ("/v1/pause", b'{"seconds":0}', "not understood"),
        ("/v1/pause", b'{"seconds":14401}', "not understood"),
        ("/v1/set-stop", b'{"symbol":"XBTUSDT","price":"NaN"}', "not understood"),
        ("/v1/set-stop", b'{"symbol":"XBTUSDT","price":"0.00"}', "not understood"),
        ("/v1/set-stop", b'{"symbol":"XBTUSDT"}', "price"),
    ],
)
async def test_a_body_that_is_not_understood_does_nothing(path: str, body: bytes, words: str) -> None:
    """A typo is never a wish: unknown fields are refused too."""
    desk = Desk()
    status, answer = await asked("POST", path, headers=ID, body=body, counter=desk.counter)
    assert status == 400
    assert words in msgspec.json.decode(answer)["error"]
    assert desk.heard == []


@pytest.mark.parametrize("value", [b"", b"x" * (LONGEST_ID + 1), b"a b", b"\xc3\xa4"])
async def test_a_change_needs_an_id(value: bytes) -> None:
    """Without one a repeat could not be told from a second wish."""
    desk = Desk()
    status, answer = await asked("POST", "/v1/freeze", headers=[(b"idempotency-key", value)], counter=desk.counter)
    assert (status, desk.heard) == (400, [])
    assert "Idempotency-Key" in msgspec.json.decode(answer)["error"]


async def test_a_body_that_grows_beyond_the_limit_is_cut_off() -> None:
    """Whatever its head said of its length."""
    body = b'{"name":"' + b"x" * BODY_LIMIT_BYTES + b'"}'
    assert (await asked("POST", "/v1/lift", headers=ID, body=body, counter=Desk().counter))[0] == 413


@pytest.mark.parametrize("query", [b"sybmol=XBTUSD", b"bot=maker&bot=other"])
async def test_a_parameter_that_is_not_known_is_refused(query: bytes) -> None:
    """A flag read for a misspelt symbol would be another's flag."""
    status, answer = await asked("GET", "/v1/halt", query=query)
    assert status == 400
    assert "error" in msgspec.json.decode(answer)


async def test_a_guard_that_opens_does_nothing_yet() -> None:
    """503 and when to ask again; what it does know is answered."""
    assert (await asked("POST", "/v1/freeze", headers=ID, counter=replace(Desk().counter, state=lambda: None)))[
        0
    ] == 503
    assert (await asked("GET", "/v1/positions"))[0] == 503
    assert (await asked("GET", "/v1/state"))[0] == 200
    assert (await asked("POST", "/v1/freeze", headers=ID))[0] == 404


READABLE = [route for route in ROUTES if route.verb == "GET" and route.answer not in (bytes, str)]


@pytest.mark.parametrize("route", READABLE, ids=lambda route: route.path)
async def test_answers_are_what_the_document_says(route: Any) -> None:
    """What a route answers fits the type that its description is made from, with a position and a stop at rest."""
    status, answer = await asked("GET", route.path, counter=Desk().counter)
    assert status in {200, 503}
    msgspec.json.decode(answer, type=route.answer)
