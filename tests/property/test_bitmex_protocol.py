"""BitMEX's protocol under anything that may arrive: known ends only, and no state that lies."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connectors.bitmex.protocol import answers, parse
from connectors.bitmex.protocol.budget import RequestBudget
from connectors.bitmex.protocol.frames import MalformedFrame, TableFrame, read_frame
from connectors.bitmex.protocol.marks import exact_mark, mark_excerpt, mark_rows
from connectors.bitmex.protocol.numbers import MalformedRow, without_float_noise
from connectors.bitmex.protocol.refusals import Answer, refusal
from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.bitmex.protocol.session_events import Live, Lost
from connectors.bitmex.protocol.session_states import TRANSITIONS, IllegalTransition, State
from connectors.bitmex.protocol.tables import Action, OrderTable, PositionTable, Table, TableBroken
from connectors.errors import VenueError
from tests.unit.connectors.bitmex.bitmex_builders import (
    EXECUTION_ROW,
    EXPIRED_TOKEN,
    INSTRUMENT_ROW,
    MARGIN_ROW,
    POSITION_ROW,
    SIGNED_IN,
    STOP_ROW,
    WELCOME,
    change,
    partial,
    raw,
)

TIMES = SessionTimes(ping_after_s=5.0, pong_within_s=5.0, live_within_s=15.0)
TOPICS = ("order", "position")

cells = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
COLUMNS = sorted({*STOP_ROW, *POSITION_ROW, *MARGIN_ROW, *EXECUTION_ROW, *INSTRUMENT_ROW, "error", "permissions", "id"})
rows = st.dictionaries(st.sampled_from(COLUMNS), cells, max_size=12)
PARSERS: list[Callable[[Any], object]] = [
    parse.parse_order,
    parse.parse_position,
    parse.parse_margin,
    parse.parse_execution,
    parse.parse_instrument,
    lambda row: parse.parse_key_rights([row], key_id="k"),
    parse.is_refused_request,
    parse.refusal_reason,
]


def decoded(row: object) -> Any:
    """Return a value as the connector decodes it."""
    return msgspec.json.Decoder(float_hook=Decimal).decode(msgspec.json.encode(row))


def only_malformed(action: Callable[[], object]) -> None:
    """Run something whose only allowed failure is `MalformedRow`."""
    with contextlib.suppress(MalformedRow):
        action()


@given(base=st.sampled_from([STOP_ROW, POSITION_ROW, MARGIN_ROW, EXECUTION_ROW, INSTRUMENT_ROW]), changed=rows)
def test_parsers_know_two_ends(base: dict[str, Any], changed: dict[str, Any]) -> None:
    """Any row gives a value or `MalformedRow`, whatever its cells hold."""
    row = decoded({**base, **changed})
    for parser in PARSERS:
        only_malformed(lambda parser=parser: parser(row))  # type: ignore[misc]


@given(body=st.binary(max_size=200) | cells.map(msgspec.json.encode))
def test_bodies_and_frames_know_two_ends(body: bytes) -> None:
    """Any bytes are a frame, an answer, an error, or named malformed; marks are simply not found."""
    only_malformed(lambda: answers.rows_of(body))
    only_malformed(lambda: answers.cancelled_order(body, "o"))
    mark_rows(body)
    exact_mark(body, "A")
    with contextlib.suppress(MalformedFrame):
        read_frame(body)


@given(
    status=st.integers(100, 599).filter(lambda status: status // 100 != 2),
    body=st.binary(max_size=60),
    write=st.booleans(),
)
def test_every_answer_is_one_of_the_four(status: int, body: bytes, write: bool) -> None:
    """No status and no body falls through the mapping."""
    answer = Answer(status=status, headers={}, body=body)
    assert isinstance(refusal(answer, is_write=write, expires_after_s=10.0), VenueError)


FRAMES = [
    raw(WELCOME),
    raw(SIGNED_IN),
    raw(EXPIRED_TOKEN),
    raw({"success": True, "subscribe": "order", "request": {"op": "subscribe", "args": ["order"]}}),
    raw({"status": 429, "error": "slow", "meta": {"retryAfter": 1}, "request": {"op": "subscribe", "args": "order"}}),
    raw({"status": 400, "error": "You are already subscribed to this topic: order", "request": {}}),
    raw({"status": 400, "error": "Unknown or expired symbol", "request": {"op": "subscribe", "args": "order:X"}}),
    raw({"now": "x", "cancelTime": "y"}),
    partial("order"),
    partial("position", [POSITION_ROW]),
    partial("margin"),
    change("order", "insert", STOP_ROW),
    b"pong",
    b"{}",
    b"garbage",
]
steps = st.lists(
    st.tuples(
        st.sampled_from(["frame", "frame", "frame", "tick", "closed", "doubt"]),
        st.sampled_from(FRAMES),
        st.floats(0, 6),
    ),
    max_size=30,
)


@given(steps=steps, is_private=st.booleans())
def test_session_goes_only_along_its_table(steps: list[tuple[str, bytes, float]], is_private: bool) -> None:
    """Whatever arrives: every move is in the table, LIVE has its partials, LOST is told once and last."""
    session = Session(topics=TOPICS, times=TIMES, is_private=is_private)
    session.opened(0.0, sign_in=b"{}")
    now_s, events, partials = 0.0, session.events(), set()
    allowed = {(before, after) for (before, _), after in TRANSITIONS.items()}
    for kind, frame, pause_s in steps:
        before = session.state
        now_s += pause_s
        match kind:
            case "frame":
                session.receive(frame, now_s)
            case "tick":
                session.tick(now_s)
            case "closed":
                session.closed("closed")
            case _:
                session.doubt("order", "broken", now_s)
        new = session.events()
        partials |= {event.table for event in new if isinstance(event, TableFrame) and event.action is Action.PARTIAL}
        events += new
        assert session.state is before or _is_path(allowed, before, session.state)
        if session.state is State.LIVE:
            assert partials >= set(TOPICS)
        assert before is not State.LOST or (not new and not session.frames_to_send())
    assert sum(isinstance(event, Lost) for event in events) == (session.state is State.LOST)
    assert sum(isinstance(event, Live) for event in events) <= 1
    if session.state is State.LOST:
        assert isinstance(events[-1], Lost)


def _is_path(allowed: set[tuple[State, State]], before: State, after: State) -> bool:
    """One input moves once, or twice where the second follows of itself."""
    return (before, after) in allowed or any(
        (before, between) in allowed and (between, after) in allowed for between in State
    )


@given(first=steps)
def test_session_refuses_frames_before_opening(first: list[tuple[str, bytes, float]]) -> None:
    """A session that was never opened takes no frame."""
    session = Session(topics=TOPICS, times=TIMES, is_private=False)
    for _, frame, _ in first[:3]:
        try:
            session.receive(frame, 0.0)
        except IllegalTransition:
            assert session.state is State.CONNECTING
        else:
            raise AssertionError("a frame was taken before the socket was open")


keys = st.sampled_from(["a", "b", "c"])
table_rows = st.builds(
    lambda key, quantity, price, extra: {"id": key} | quantity | price | extra,
    keys,
    st.sampled_from([{}, {"currentQty": 5}, {"currentQty": 0}, {"currentQty": -5}]),
    st.sampled_from([{}, {"liquidationPrice": 9}, {"liquidationPrice": None}]),
    st.sampled_from([{}, {"ordStatus": "New"}, {"ordStatus": "Filled"}]),
)
frames = st.lists(
    st.tuples(st.sampled_from(list(Action)), st.lists(table_rows, max_size=3)),
    max_size=15,
)


@given(frames=frames)
def test_table_equals_a_plain_model(frames: list[tuple[Action, list[dict[str, Any]]]]) -> None:
    """Any order of frames gives what a plain dictionary gives, and breaks exactly where a row is unknown."""
    table, model = Table("t"), None
    for action, changed in frames:
        before = {key: dict(row) for key, row in (model or {}).items()}
        try:
            table.apply(action, changed, keys=("id",) if action is Action.PARTIAL else None)
        except TableBroken:
            assert action in {Action.UPDATE, Action.DELETE}
            assert not _is_appliable(before, action, changed)
            return
        model = _modelled(model, action, changed)
        assert (model is None) is not table.is_known
        assert {row["id"]: row for row in table.rows()} == (model or {})


def _is_appliable(known: dict[str, Any], action: Action, changed: list[dict[str, Any]]) -> bool:
    present = set(known)
    for row in changed:
        if row["id"] not in present:
            return False
        if action is Action.DELETE:
            present.discard(row["id"])
    return True


def _modelled(model: dict[str, Any] | None, action: Action, changed: list[dict[str, Any]]) -> dict[str, Any] | None:
    if action is Action.PARTIAL:
        model = {}
    if model is None:
        return None
    for row in changed:
        match action:
            case Action.DELETE:
                del model[row["id"]]
            case Action.UPDATE:
                model[row["id"]] = {**model[row["id"]], **row}
            case _:
                model[row["id"]] = dict(row)
    return model


@given(frames=frames)
def test_position_prices_never_outlive_their_position(frames: list[tuple[Action, list[dict[str, Any]]]]) -> None:
    """A flat row updated into being has no price that the update which opened it did not bring."""
    table = PositionTable("position")
    table.apply(Action.PARTIAL, [{"id": key, "currentQty": 5, "liquidationPrice": 7} for key in "abc"], keys=("id",))
    for action, changed in frames:
        if action is not Action.UPDATE:
            continue
        for row in changed:
            before = next(dict(known) for known in table.rows() if known["id"] == row["id"])
            (after,) = table.apply(Action.UPDATE, [row])
            if after.get("currentQty") == 0:
                assert "liquidationPrice" not in after
            elif "liquidationPrice" in after and "liquidationPrice" not in row:
                assert _sign(before) == _sign(after)


def _sign(row: Any) -> int:
    quantity = row.get("currentQty") or 0
    return (quantity > 0) - (quantity < 0)


@given(frames=frames)
def test_order_table_holds_only_what_may_still_act(frames: list[tuple[Action, list[dict[str, Any]]]]) -> None:
    """After settling no finished order is left, and none that is open was lost."""
    table = OrderTable()
    for action, changed in frames:
        try:
            touched = table.apply(action, changed, keys=("id",) if action is Action.PARTIAL else None)
        except TableBroken:
            return
        opened = {row["id"] for row in touched if row.get("ordStatus") != "Filled" and action is not Action.DELETE}
        table.settle()
        left = {row["id"]: row for row in table.rows()}
        assert not [row for row in left.values() if row.get("ordStatus") == "Filled"]
        assert opened - {row["id"] for row in touched if row.get("ordStatus") == "Filled"} <= set(left)


@given(
    asks=st.lists(st.tuples(st.floats(0, 3), st.booleans(), st.booleans()), max_size=80),
    headers=st.dictionaries(
        st.sampled_from(["x-ratelimit-remaining", "x-ratelimit-limit", "x-ratelimit-remaining-1s"]),
        st.integers(-5, 400).map(str),
    ),
)
def test_budget_never_goes_below_zero_and_reads_never_touch_the_reserve(
    asks: list[tuple[float, bool, bool]], headers: dict[str, str]
) -> None:
    """P8: whatever is asked and whatever the venue tells, and the wait it names is enough."""
    budget, now_s = RequestBudget(per_minute=20, per_second=3, reserve=5), 0.0
    for index, (pause_s, protective, by_second) in enumerate(asks):
        now_s += pause_s
        if index == 10:
            budget.read_headers(now_s, headers)
        before = budget.remaining(now_s)
        wait_s = budget.take(now_s, is_protective=protective, is_limited_by_second=by_second)
        after = budget.remaining(now_s)
        assert after >= -1e-9
        assert wait_s > 0 or protective or after >= min(5, before - 1) - 1e-6
        if wait_s > 0:
            assert after == before
            assert budget.take(now_s + wait_s + 1e-6, is_protective=protective, is_limited_by_second=by_second) == 0.0
            now_s += wait_s + 1e-6


@given(value=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=8))
def test_marks_survive_their_excerpt(value: Decimal) -> None:
    """The excerpt of a mark gives the same mark, exactly."""
    assert exact_mark(mark_excerpt("A", value), "A") == value


@given(mantissa=st.integers(-(10**10), 10**10), places=st.integers(0, 8))
def test_float_noise_goes_and_prices_stay(mantissa: int, places: int) -> None:
    """A price of up to ten digits, through a binary double and back, is the price."""
    price = Decimal(mantissa).scaleb(-places)
    as_double = Decimal(f"{float(price):.17g}")
    assert without_float_noise(as_double) == price
    assert without_float_noise(price) == price
