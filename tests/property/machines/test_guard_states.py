"""The guard as a whole under a venue, bots, operators and time: every table of its state keeps its laws."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from daemon.core import events as e
from daemon.core.mode import Mode
from daemon.core.operator_requests import (
    ClearStop,
    FlattenAsked,
    FreezeAsked,
    LiftLatch,
    OperatorRequest,
    PauseAsked,
    ResumeAsked,
    ShadowAsked,
)
from tests.builders import ACCOUNT, SECOND
from tests.property.machines.guard_world import LAWS, MAKER, GuardWorld

feeds = st.sampled_from(e.FeedName)
CHECKED: Counter[str] = Counter()
"""How often each law had something to judge, over all runs of this process."""


class GuardMachine(RuleBasedStateMachine):
    """Anything may happen to the guard, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = GuardWorld()

    @initialize(quantity=st.sampled_from([0, 100, 100, -100]))
    def morning(self, quantity: int) -> None:
        """An ordinary start, with or without a position."""
        self.world.quantity = quantity
        self.world.come_up()

    @rule(seconds=st.sampled_from([0.2, 1.0, 1.0, 2.0, 3.0, 12.0]))
    def time_passes(self, seconds: float) -> None:
        """All is well."""
        self.world.tick(seconds)

    @rule(seconds=st.sampled_from([1.0, 6.0]))
    def time_passes_and_is_answered(self, seconds: float) -> None:
        """The venue answers whatever is asked."""
        self.world.tick(seconds)
        self.world.answer_all()

    @rule(what=st.sampled_from(["market_age_ns", "account_age_ns", "loop_lag_ns", "clock_skew_ns"]))
    def a_sick_second(self, what: str) -> None:
        """One sign of life is late, the loop was held up, or the clock is off."""
        self.world.tick(1.0, **{what: 20 * SECOND})

    @rule(deaf=st.sampled_from(["", "the socket is gone"]))
    def bots_cannot_call(self, deaf: str) -> None:
        """The control API is down, or back."""
        self.world.tick(1.0, deaf=deaf)

    @rule(feed=feeds)
    def stream_breaks(self, feed: e.FeedName) -> None:
        """A connection is lost."""
        self.world.tell(e.FeedLost(at_ns=self.world.now_ns, feed=feed, reason="reset"))

    @rule(feed=feeds)
    def stream_comes(self, feed: e.FeedName) -> None:
        """A connection is up, with its partials."""
        self.world.connect(feed)

    @rule(table=st.sampled_from(["order", "position", "instrument"]), problem=st.sampled_from(["odd", "odd", "", ""]))
    def table_is_doubted(self, table: str, problem: str) -> None:
        """A frame could not be read, or the partial came."""
        feed = e.FeedName.MARKET if table == "instrument" else e.FeedName.ACCOUNT
        self.world.tell(e.TableDoubted(at_ns=self.world.now_ns, feed=feed, table=table, problem=problem))

    @rule(price=st.sampled_from([905, 915, 920, 930, 950, 1000, 1050, 1085, 1095]))
    def mark_moves(self, price: int) -> None:
        """The market moves."""
        self.world.mark(price)

    @rule(quantity=st.sampled_from([0, 50, 100, 200, -100]))
    def position_moves(self, quantity: int) -> None:
        """Somebody trades."""
        self.world.trade(quantity)

    @precondition(lambda self: self.world.unanswered)
    @rule(
        place=st.integers(0, 5), fate=st.sampled_from(["done", "done", "refused", "not_sent", "silent", "silent_done"])
    )
    def request_meets_its_fate(self, place: int, fate: str) -> None:
        """One of the requests under way is answered, refused, never sent, or lost before or after its effect."""
        self.world.answer(place, fate)

    @rule(name=st.sampled_from(["mm-", "mm-", "by-hand-"]))
    def order_appears(self, name: str) -> None:
        """A bot or a person quotes."""
        self.world.quote(name)

    @precondition(lambda self: self.world.orders)
    @rule(place=st.integers(0, 5))
    def order_vanishes(self, place: int) -> None:
        """Somebody cancels an order at the venue, ours too."""
        world = self.world
        order_id = sorted(world.orders)[place % len(world.orders)]
        for order in world._cancel([order_id]):
            world.tell(e.OrderSeen(at_ns=world.now_ns, order=order, source=e.Source.STREAM))

    @rule()
    def bot_calls(self) -> None:
        """A heartbeat."""
        self.world.tell(e.BotHeard(at_ns=self.world.now_ns, bot=MAKER, how=e.HeardBy.CALL))

    @rule(
        request=st.sampled_from(
            [
                FreezeAsked(),
                FlattenAsked(),
                LiftLatch(name=""),
                LiftLatch(name="operator"),
                ClearStop(symbol="XBTUSDT"),
                PauseAsked(seconds=5),
                ShadowAsked(seconds=5),
                ResumeAsked(),
            ]
        )
    )
    def operator_asks(self, request: OperatorRequest) -> None:
        """A person asks for something."""
        world = self.world
        world.number += 1
        asked = e.OperatorAsked(at_ns=world.now_ns, request_id=str(world.number), who="anna", request=request)
        world.tell(asked)

    @rule()
    def restart(self) -> None:
        """The process dies and comes back: its requests are lost, its state is not."""
        world = self.world
        lost = tuple(command.command_id for command in world.unanswered)  # type: ignore[attr-defined]
        world.unanswered.clear()
        world.tell(e.Started(at_ns=world.now_ns, account=ACCOUNT, unanswered=lost))

    @rule()
    def stop_asked(self) -> None:
        """SIGTERM; the service manager starts it again."""
        self.world.tell(e.StopAsked(at_ns=self.world.now_ns))
        self.world.tick(1.0)
        self.world.answer_all()
        self.restart()

    def teardown(self) -> None:
        """Everything heals: within a minute the guard guards, and what is open is covered or being closed."""
        world = self.world
        if not world.state.started_ns:
            return
        for feed in e.FeedName:
            world.connect(feed)
            for table in ("order", "position", "instrument"):
                world.tell(e.TableDoubted(at_ns=world.now_ns, feed=feed, table=table, problem=""))
        for _ in range(60):
            world.mark(1000)
            world.tell(e.BotHeard(at_ns=world.now_ns, bot=MAKER, how=e.HeardBy.CALL))
            world.tick(1.0)
            world.answer_all()
            if world.is_renewal_asked:
                world.tell(e.FeedLost(at_ns=world.now_ns, feed=e.FeedName.ACCOUNT, reason="renewed"))
                world.connect(e.FeedName.ACCOUNT)
            if world.state.mode is Mode.GUARDING and not world.quantity:
                break
        CHECKED.update(world.checked)
        assert world.state.mode is Mode.GUARDING
        if world.quantity:
            assert world.state.positions["XBTUSDT"].covered_ns, "open, and neither covered nor closed"


GuardMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class TestGuard(GuardMachine.TestCase):  # type: ignore[misc]
    """The machine, and the proof that its laws had something to judge."""

    def runTest(self) -> None:  # noqa: N802 - the name that unittest looks for
        """Play, then count."""
        CHECKED.clear()
        super().runTest()
        missing = {"mode", "switch", "latches", "writes", "protection", "outcomes"} - set(CHECKED)
        assert not missing, f"never judged: {missing}"
        assert len(LAWS) == 8
