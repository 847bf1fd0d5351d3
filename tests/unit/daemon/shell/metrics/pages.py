"""Snapshots for tests: an ordinary guard, and one of which everything is known that can be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache

from config.bots import BotPolicy
from config.policy import Policy
from connectors.vocabulary import OrderSide
from daemon.core.commands import PlaceStop
from daemon.core.ledger import BudgetFacts, StreamFacts
from daemon.core.memory.bot_standing import Bot
from daemon.core.memory.interventions import Pause, PauseKind
from daemon.core.memory.orders import WriteKind
from daemon.core.memory.under_way import Unproved
from daemon.core.state import GuardState, SwitchState
from daemon.core.volatility import Volatility
from daemon.shell.metrics.meter import Meter
from daemon.shell.metrics.rendering import pieces
from daemon.shell.metrics.snapshot import JournalFigures, Running, Snapshot
from tests.builders import SECOND, a_position, an_instrument
from tests.driven import Driven

CHANNEL = {"waiting": 1, "delivered": 7, "lost": 0, "replaced": 2, "failed": 3, "handed_over": 1}
ALERTS = {
    "raised": 9,
    "channels": {"phone": CHANNEL},
    "heartbeat": {"successes": 60, "fails": 1, "undelivered": 2},
}


def a_guard(*symbols: str, policy: Policy | None = None) -> Driven:
    """A guard whose positions are covered."""
    guard = Driven(policy)
    guard.start()
    positions = [a_position(symbol=symbol) for symbol in symbols]
    guard.connect(positions, (), [an_instrument(symbol) for symbol in symbols])
    guard.picture(positions)
    for place in guard.some(PlaceStop, guard.all):
        guard.rest(place)
    return guard


def snapshot_of(state: GuardState, *, live: bool = True) -> Snapshot:
    """A snapshot of an open guard."""
    told_ns = state.now_ns - 2 * SECOND
    running = Running(
        state=state,
        market=StreamFacts(connected_ns=told_ns, pong_ns=told_ns, data_ns=told_ns, topics={"instrument": told_ns}),
        account=StreamFacts(connected_ns=told_ns, data_ns=told_ns, topics={"position": told_ns, "order": told_ns}),
        live={"market": live, "account": live},
        marks_received=10,
        marks_told=3,
        journal=JournalFigures(records=100, waiting=2, lag_s=0.01, is_ok=True),
    )
    return Snapshot(
        now_ns=state.now_ns,
        version="1.2.3",
        venue="testnet",
        started_ns=state.now_ns - 60 * SECOND,
        alerts=ALERTS,
        reloads={"reloads": 2, "refused": 1, "problem": "a word"},
        counts=Meter().read(state.now_ns),
        running=running,
    )


def everything_known() -> GuardState:
    """A state in which nothing is unknown: volatility, budget, switch, bots, a request nobody knows of, a pause."""
    policy = replace(Policy(), bots={"quoter": BotPolicy(id_prefix="qt-")})
    state = a_guard("XBTUSDT", policy=policy).state
    now_ns = state.now_ns
    mark = state.marks["XBTUSDT"]
    unproved = Unproved(
        command_id=1,
        kind=WriteKind.PLACE,
        symbol="XBTUSDT",
        client_order_id="sw-1",
        side=OrderSide.SELL,
        first_ns=now_ns - SECOND,
        since_ns=now_ns,
    )
    moved = Volatility(price=mark.price, at_ns=now_ns, samples=1_000, hourly_percent=Decimal("1.5"))
    pause = Pause(kind=PauseKind.PAUSE, who="ann", since_ns=now_ns, until_ns=now_ns + 60 * SECOND, told_ns=now_ns)
    return replace(
        state,
        volatility={"XBTUSDT": moved},
        ledger=replace(state.ledger, budget=BudgetFacts(tokens=90, capacity=120, reserve=20)),
        switch=replace(state.switch, state=SwitchState.ARMED, expires_ns=now_ns + 55 * SECOND),
        bots={"quoter": Bot(heard_ns=now_ns - SECOND)},
        unproved={"place:sw-1": unproved},
        pause=pause,
    )


def a_full_page() -> bytes:
    """A page on which every metric has a value."""
    return _full()


@cache
def _full() -> bytes:
    return b"".join(pieces(snapshot_of(everything_known())))
