"""One stream with the real session, reader, feed, inbox and core behind it, and no socket: frames in, decisions out.

Why: whatever a venue sends must not end a task. So the frames of a fuzzer go the whole way, from bytes to the commands
of the core, and what comes out is held to a few laws that hold for any frame.
"""

from __future__ import annotations

from typing import Final

import msgspec

from config.policy import Policy
from connectors.bitmex import BitmexDropCopy, BitmexMarketData
from connectors.bitmex.drop_copy import TOPICS
from connectors.bitmex.feed import FeedConnection
from connectors.bitmex.protocol.session import Session, SessionTimes
from connectors.bitmex.protocol.session_states import State
from connectors.bitmex.quarantine import SAMPLES_KEPT
from daemon.core import events as e
from daemon.core.commands import ClearBand, SetBand
from daemon.core.state import GuardState, initial_state
from daemon.core.step import step
from daemon.shell.bands import Bands
from daemon.shell.inbox import Inbox
from tests.unit.connectors.bitmex.bitmex_builders import (
    CREDENTIALS,
    INSTRUMENT_ROW,
    MARGIN_ROW,
    POSITION_ROW,
    SIGNED_IN,
    STOP_ROW,
    partial,
    raw,
    some_settings,
)

FUZZED_ACCOUNT: Final = 273093
_TIMES = SessionTimes(ping_after_s=5.0, pong_within_s=5.0)
_START_NS = 1_731_500_000_000_000_000
_MOST_FRAMES = 64
GOOD: Final = {
    "order": partial("order", [STOP_ROW]),
    "position": partial("position", [POSITION_ROW]),
    "margin": partial("margin", [MARGIN_ROW]),
    "execution": partial("execution"),
    "instrument": partial("instrument", [INSTRUMENT_ROW]),
}
"""A partial of each table that the guard lives on."""


class _Ticking:
    """A clock in the world's hand."""

    def __init__(self) -> None:
        self.ns = _START_NS

    def now_ns(self) -> int:
        return self.ns

    def wall_ns(self) -> int:
        return self.ns

    def move_past(self, ns: int) -> None:
        self.ns = max(self.ns, ns)


class FuzzedGuard:
    """The core behind an inbox: every event goes through `step`, its bands go back to the shell."""

    def __init__(self) -> None:
        self.clock = _Ticking()
        self.state: GuardState = initial_state(FUZZED_ACCOUNT, Policy())
        self.inbox = Inbox(clock=self.clock, take=self.take, bands=Bands())
        self.take(e.Started(at_ns=self.clock.ns, account=FUZZED_ACCOUNT))

    def take(self, event: e.Event) -> None:
        """One event; bands are carried out, everything else is only decided."""
        outcome = step(self.state, event)
        self.state = outcome.state
        for command in outcome.commands:
            match command:
                case SetBand():
                    self.inbox.set_band(command)
                case ClearBand():
                    self.inbox.clear_band(command.symbol)
                case _:
                    msgspec.json.encode(command)  # the journal has to be able to take it

    def second_passes(self) -> None:
        """The health tick."""
        self.clock.ns += 1_000_000_000
        tick = {"market_age_ns": 0, "account_age_ns": 0, "loop_lag_ns": 0, "clock_skew_ns": 0}
        self.take(e.HealthTicked(at_ns=self.clock.ns, **tick))


class Line:
    """One connection of one feed, without a socket."""

    def __init__(self, guard: FuzzedGuard, feed: FeedConnection, *tables: str) -> None:
        self._guard = guard
        self.feed = feed
        self._tables = tables
        self.now_s = 0.0
        feed._steady_s = lambda: self.now_s
        self.session = self._open()

    def _open(self) -> Session:
        reader = self.feed._reader
        session = reader.new_session(_TIMES)
        self.feed._session = session
        session.opened(self.now_s, sign_in=reader.sign_in() or b"{}")
        self.session = session
        for frame in (raw(SIGNED_IN), *(GOOD[table] for table in self._tables)):
            self.hear(frame)
        return session

    def hear(self, frame: bytes) -> None:
        """Take one frame, as the listener does."""
        self._guard.clock.ns += 1_000_000
        self.now_s += 0.001
        self.feed._take_frame(self.session, frame)
        sent = self.session.frames_to_send()
        assert len(sent) <= _MOST_FRAMES, "one frame makes the client talk without end"

    def second_passes(self) -> None:
        """The watch looks at its deadlines; a connection that is lost is opened anew."""
        self.now_s += 1.0
        self.session.tick(self.now_s)
        self.feed._report(self.session, self._guard.clock.ns)
        self.session.frames_to_send()
        if self.session.state is State.LOST:
            self.session = self._open()

    def heal(self) -> None:
        """The venue answers well from now on: the stream must be whole within a minute."""
        for _ in range(60):
            self.second_passes()
            for table in {*self.session.doubted, *(topic.partition(":")[0] for topic in self.session.missing)}:
                if table in GOOD:
                    self.hear(GOOD[table])
            if self.session.state is State.LIVE and not self.session.doubted.intersection(GOOD):
                return
        raise AssertionError(f"not whole: {self.session.state}, {self.session.doubted}")


class FuzzedWorld:
    """A guard with both streams up, its account holding one position with one stop."""

    def __init__(self) -> None:
        self.guard = guard = FuzzedGuard()
        market = BitmexMarketData(settings=some_settings(), sink=guard.inbox, jitter=lambda: 0.5)
        guard.inbox.read_marks_with(market.exact_mark)
        account = BitmexDropCopy(
            settings=some_settings(), credentials=CREDENTIALS, sink=guard.inbox, jitter=lambda: 0.5
        )
        self.market = Line(guard, market._feed, "instrument")
        self.account = Line(guard, account._feed, *TOPICS)
        self.market.feed._now_ns = self.account.feed._now_ns = guard.clock.now_ns

    def play(self, line: Line, content: bytes) -> None:
        """Feed frames, a line each, with a second after every eighth; then let the venue behave, and look."""
        for number, frame in enumerate(content.split(b"\n")[:_MOST_FRAMES]):
            line.hear(frame)
            if number % 8 == 7:
                line.second_passes()
                self.guard.second_passes()
        line.heal()
        self.guard.second_passes()
        assert len(line.feed.quarantine.samples) <= SAMPLES_KEPT
        health = self.guard.state.health
        assert health.market.is_live
        assert health.account.is_live
        assert not health.market.doubted, "whole at the wire, doubted in the core"
        assert not health.account.doubted, "whole at the wire, doubted in the core"
