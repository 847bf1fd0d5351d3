"""The states of the wire: one connection, its tables in doubt, its extras, its rows, the budget and the pauses."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connectors.bitmex.protocol.backoff import Backoff
from connectors.bitmex.protocol.budget import RequestBudget
from connectors.bitmex.protocol.redress import CALM_AFTER_S, PAUSES_S, Redress
from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.bitmex.protocol.session_events import Doubted, ExtraTopic, Live, Lost, Whole
from connectors.bitmex.protocol.session_states import TRANSITIONS, State
from connectors.bitmex.protocol.tables import FINISHED_REMEMBERED, Action, OrderTable, TableBroken
from tests.unit.connectors.bitmex.bitmex_builders import SIGNED_IN, STOP_ROW, change, partial, raw

_MODERATE = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TIMES = SessionTimes(ping_after_s=5.0, pong_within_s=5.0, live_within_s=15.0)
TOPICS = ("order", "position")
EXTRAS = ("wallet",)
topics = st.sampled_from(TOPICS)
names = st.sampled_from([*TOPICS, *EXTRAS, "chat", ""])
JUNK = [b"<html>", b'{"table":"order","act', b'{"table":"wallet","action":"x","data":[]}', b"[]", b'{"table":"chat"']


class ConnectionMachine(RuleBasedStateMachine):
    """A session, and a venue that answers what it is asked for: at once, late, refused, as junk, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(topics=TOPICS, times=TIMES, is_private=True, extras=EXTRAS)
        self.now_s = 0.0
        self.asked: list[str] = []
        self.subscribed: set[str] = set()
        self.refused: set[str] = set()
        self.doubted: set[str] = set()
        self.live_told = self.lost_told = 0
        self.extras_there: dict[str, bool] = {}
        self.state = self.session.state

    @initialize()
    def open(self) -> None:
        """The socket opens."""
        self.session.opened(self.now_s, sign_in=b"{}")
        self._look()

    def _look(self) -> None:
        """Take out what the session says, as a feed would, and hold it against the table."""
        for event in self.session.events():
            match event:
                case Doubted(is_extra=False):
                    self.doubted.add(event.table)
                case Whole(is_extra=False):
                    assert event.table in self.doubted, "whole that was never doubted"
                    self.doubted.discard(event.table)
                case Live():
                    self.live_told += 1
                case Lost():
                    self.lost_told += 1
                    self.doubted.clear()
                case ExtraTopic():
                    self.extras_there[event.topic] = not event.problem
                case _:
                    pass
        for frame in self.session.frames_to_send():
            self._venue_hears(frame)
        moved = (self.state, self.session.state)
        allowed = {(before, after) for (before, _), after in TRANSITIONS.items()}
        two = {(a, c) for a, b in allowed for b2, c in allowed if b == b2}
        assert moved[0] is moved[1] or moved in allowed | two
        self.state = self.session.state

    def _venue_hears(self, frame: bytes) -> None:
        assert self.state is not State.LOST or self.session.state is not State.LOST
        if frame == b"ping":
            return
        request: Any = msgspec.json.decode(frame)
        if request.get("op") == "unsubscribe":
            assert self.subscribed.union(self.asked, self.refused).issuperset(request["args"]), "never begun"
            self.subscribed.difference_update(request["args"])
            self.asked = [topic for topic in self.asked if topic not in request["args"]]
        if request.get("op") == "subscribe":
            assert not self.subscribed.intersection(request["args"]), "a topic that is subscribed brings no partial"
            self.asked += [topic for topic in request["args"] if topic not in self.asked]
            self.refused.difference_update(request["args"])

    @rule()
    def sign_in_is_confirmed(self) -> None:
        """The venue believes the key."""
        self._hear(raw(SIGNED_IN))

    @precondition(lambda self: self.asked)
    @rule(place=st.integers(0, 9))
    def partial_comes(self, place: int) -> None:
        """The venue gives what was asked for."""
        topic = self.asked.pop(place % len(self.asked))
        self.subscribed.add(topic)
        self._hear(partial(topic))

    @precondition(lambda self: self.asked)
    @rule(status=st.sampled_from([429, 503]))
    def too_fast(self, status: int) -> None:
        """The venue wants a pause."""
        topic = self.asked.pop()
        self.refused.add(topic)
        request = {"op": "subscribe", "args": [topic]}
        self._hear(raw({"status": status, "error": "slow", "meta": {"retryAfter": 2}, "request": request}))

    @rule(frame=st.sampled_from(JUNK))
    def junk_comes(self, frame: bytes) -> None:
        """A frame that says nothing, or not enough."""
        self._hear(frame)

    @rule(table=names)
    def reader_fails(self, table: str) -> None:
        """A row of this table cannot be read."""
        self.session.doubt(table, "odd", self.now_s)
        self._look()

    @rule(table=st.sampled_from([*TOPICS, "chat"]))
    def change_comes(self, table: str) -> None:
        """A change of any table."""
        self._hear(change(table, "insert", {"x": 1}))

    @rule(seconds=st.sampled_from([0.5, 2.0, 4.0, 4.9]), answers=st.booleans())
    def time_passes(self, seconds: float, *, answers: bool) -> None:
        """The watch looks at the clock; the venue answers pings, or nothing."""
        self.now_s += seconds
        if answers:
            self._hear(b"pong")
        self.session.tick(self.now_s)
        self._look()

    def _hear(self, frame: bytes) -> None:
        if self.session.state is not State.CONNECTING:
            self.session.receive(frame, self.now_s)
            self._look()

    @invariant()
    def what_is_told_is_what_holds(self) -> None:
        """LIVE and LOST are told once, doubts and their end in pairs."""
        assert self.live_told <= 1
        assert self.lost_told == (self.session.state is State.LOST)
        if self.session.state is not State.LOST:
            assert self.session.doubted - set(EXTRAS) == self.doubted

    @invariant()
    def a_doubted_table_is_missing_until_its_partial(self) -> None:
        """Doubt is never forgotten."""
        if self.session.state is not State.LOST:
            assert self.doubted <= self.session.missing

    @invariant()
    def there_is_always_something_to_wait_for(self) -> None:
        """No state hangs: a deadline comes while the connection lives."""
        if self.session.state not in {State.LOST, State.CONNECTING}:
            assert self.session.deadline_s() <= self.now_s + 45.0

    def teardown(self) -> None:
        """An honest venue from now on: live and whole, or lost, within two minutes."""
        for _ in range(240):
            if self.session.state is State.LOST:
                return
            if self.session.state is State.AUTHENTICATING:
                self.sign_in_is_confirmed()
            while self.asked:
                self.partial_comes(0)
            if self.session.state is State.LIVE and not self.session.doubted and not self.session.missing:
                return
            self.time_passes(0.5, answers=True)
        raise AssertionError(f"hangs: {self.session.state}, doubted {self.session.doubted}")


class RedressMachine(RuleBasedStateMachine):
    """Doubts of two topics, asked for and answered or not: never a flood, never forgotten, never for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.redress = Redress()
        self.now_s = 0.0
        self.asked: dict[str, list[float]] = {topic: [] for topic in TOPICS}
        self.open: set[str] = set()

    @rule(topic=topics)
    def doubt(self, topic: str) -> None:
        """A row cannot be read; what is hopeless is given up, and the next connection begins anew."""
        hopeless = self.redress.doubt([topic], self.now_s)
        if hopeless:
            assert len(self.asked[topic]) >= len(PAUSES_S), "given up before it was tried often enough"
            self.__init__()  # type: ignore[misc]
        else:
            self.open.add(topic)

    @rule(topic=topics)
    def partial(self, topic: str) -> None:
        """The partial comes."""
        self.redress.answered([topic], self.now_s)
        self.open.discard(topic)

    @rule(seconds=st.sampled_from([0.0, 1.0, 5.0, 16.0, 30.0, CALM_AFTER_S + 1.0]))
    def time_passes(self, seconds: float) -> None:
        """What is due is asked for."""
        self.now_s += seconds
        for topic in self.redress.due(self.now_s, answer_by_s=self.now_s + 15.0):
            self.asked[topic].append(self.now_s)

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """In doubt until its partial, with a time at which something happens."""
        assert self.redress.topics == self.open
        assert (self.redress.deadline_s() < float("inf")) == bool(self.open)

    @invariant()
    def no_flood(self) -> None:
        """Within the calm time a topic is asked for a few times at most."""
        for times in self.asked.values():
            assert sum(at_s > self.now_s - CALM_AFTER_S for at_s in times) <= 2 * len(PAUSES_S)


class OrderTableMachine(RuleBasedStateMachine):
    """The order table against two plain dictionaries: what is open, and what may come back."""

    def __init__(self) -> None:
        super().__init__()
        self.table = OrderTable()
        self.open: dict[str, int] = {}
        self.finished: dict[str, int] = {}
        self.is_known = False

    def _row(self, order_id: str, leaves: int, status: str) -> dict[str, object]:
        return {**STOP_ROW, "orderID": order_id, "leavesQty": leaves, "ordStatus": status}

    @rule(ids=st.lists(st.sampled_from("abcd"), unique=True, max_size=4), leaves=st.integers(1, 9))
    def partial(self, ids: list[str], leaves: int) -> None:
        """The whole picture."""
        self.table.apply(Action.PARTIAL, [self._row(one, leaves, "New") for one in ids], keys=("orderID",))
        self.table.settle()
        self.open, self.is_known = dict.fromkeys(ids, leaves), True
        for one in ids:
            self.finished.pop(one, None)

    @rule()
    def doubt(self) -> None:
        """Nothing counts before the next partial."""
        self.table.forget()
        self.open, self.finished, self.is_known = {}, {}, False

    @rule(
        action=st.sampled_from([Action.INSERT, Action.UPDATE, Action.DELETE]),
        order_id=st.sampled_from("abcd"),
        leaves=st.integers(0, 9),
    )
    def change(self, action: Action, order_id: str, leaves: int) -> None:
        """One change; a row with nothing left is filled."""
        status = "New" if leaves else "Filled"
        row = self._row(order_id, leaves, status) if action is not Action.DELETE else {"orderID": order_id}
        is_there = order_id in self.open or order_id in self.finished
        try:
            touched = self.table.apply(action, [row])
        except TableBroken:
            assert self.is_known
            assert action is not Action.INSERT
            assert not is_there
            return
        self.table.settle(touched) if action is not Action.DELETE else None
        if not self.is_known:
            assert touched == []
            return
        assert action is Action.INSERT or is_there
        self.open.pop(order_id, None)
        self.finished.pop(order_id, None)
        if action is not Action.DELETE:
            (self.open if leaves else self.finished)[order_id] = leaves

    @invariant()
    def equals_the_model(self) -> None:
        """Open is what is open; what finished is remembered, within bounds."""
        found = {str(row["orderID"]): row["leavesQty"] for row in self.table.rows()}
        assert found == self.open
        assert len(self.table._finished) <= FINISHED_REMEMBERED


class BudgetMachine(RuleBasedStateMachine):
    """Requests, honest and odd headers, pauses: never more than the buckets hold, never asleep for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = RequestBudget(per_minute=60, per_second=5, reserve=10)
        self.now_s = 1000.0
        self.paused_until_s = 0.0
        self.sent: list[float] = []

    @rule(is_protective=st.booleans(), is_limited=st.booleans())
    def take(self, *, is_protective: bool, is_limited: bool) -> None:
        """One request."""
        left = self.budget.remaining(self.now_s)
        wait_s = self.budget.take(self.now_s, is_protective=is_protective, is_limited_by_second=is_limited)
        assert wait_s >= 0.0
        if wait_s == 0.0:
            self.sent.append(self.now_s)
            assert self.now_s >= self.paused_until_s, "P8: nothing is sent into a ban"
            assert left >= 1.0, "P8: nothing is sent into an empty bucket"
        else:
            assert self.now_s + wait_s <= max(self.paused_until_s, self.now_s + 61.0) + 1e-6

    @rule(remaining=st.integers(-1, 100), limit=st.sampled_from([0, 30, 60, 120, 10**8]))
    def headers(self, remaining: int, limit: int) -> None:
        """What the venue counts."""
        self.budget.read_headers(self.now_s, {"x-ratelimit-limit": str(limit), "x-ratelimit-remaining": str(remaining)})

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0, 30.0, 120.0]))
    def time_passes(self, seconds: float) -> None:
        """Buckets refill."""
        self.now_s += seconds

    @rule(seconds=st.sampled_from([0.5, 5.0, 120.0]))
    def banned(self, seconds: float) -> None:
        """429 or 403."""
        self.budget.pause(self.now_s, seconds)
        self.paused_until_s = max(self.paused_until_s, self.now_s + seconds)

    @invariant()
    def within_its_bucket(self) -> None:
        """Never more than the bucket, nor below what one request takes."""
        assert -1.0 <= self.budget.remaining(self.now_s) <= 60.0
        assert sum(at_s > self.now_s - 60.0 for at_s in self.sent) <= 2 * 60

    def teardown(self) -> None:
        """Whatever was said: after the pause and a minute, a protective request may leave."""
        at_s = max(self.now_s, self.paused_until_s) + 61.0
        assert self.budget.take(at_s, is_protective=True, is_limited_by_second=True) == 0.0


class BackoffMachine(RuleBasedStateMachine):
    """Connections that fail, live long or short, and a venue that counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.backoff = Backoff(first_s=0.5, cap_s=30.0)
        self.ceiling_s = 0.5

    @rule(
        lived_s=st.sampled_from([0.0, 9.9, 10.0, 5000.0]),
        wanted_s=st.sampled_from([0.0, 10.0, 120.0]),
        left=st.sampled_from([None, 0, 5, 20, 700]),
        jitter=st.floats(0, 0.999),
    )
    def connection_ends(self, lived_s: float, wanted_s: float, left: int | None, jitter: float) -> None:
        """The delay is within its bounds, grows while nothing lasts, and starts over after what lasted."""
        if lived_s >= 10.0:
            self.ceiling_s = 0.5
        delay_s = self.backoff.next_delay_s(
            jitter=jitter, live_for_s=lived_s, at_least_s=wanted_s, connections_left=left
        )
        scarce_s = 0.0 if left is None else max(0.0, 60.0 * (20 - left) / 20)
        assert delay_s >= max(self.ceiling_s / 2, wanted_s, scarce_s)
        assert delay_s <= max(self.ceiling_s, wanted_s * 1.1, scarce_s)
        self.ceiling_s = min(30.0, self.ceiling_s * 2)


for _machine in (ConnectionMachine, RedressMachine, OrderTableMachine, BudgetMachine, BackoffMachine):
    _machine.TestCase.settings = _MODERATE
TestConnection = ConnectionMachine.TestCase
TestRedress = RedressMachine.TestCase
TestOrderTable = OrderTableMachine.TestCase
TestBudget = BudgetMachine.TestCase
TestBackoff = BackoffMachine.TestCase
