"""Whatever happens to bots and guard, in any order: silence is never mistaken, and allows no more than it should."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.bots import BotPolicy, OnSilence
from config.policy import Policy
from connectors.vocabulary import OrderStatus
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import CancelOrders, FeedSwitch
from daemon.core.state import GuardState
from tests.builders import SECOND, an_order
from tests.driven import Driven
from tests.unit.daemon.core.test_bots import answer_switch, call

SILENT_AFTER_S = 10
PREFIXES = {"mm-": "maker", "hh-": "hedger", "": None}
POLICY = Policy(
    bots={
        "maker": BotPolicy(id_prefix="mm-", silent_after_s=Decimal(SILENT_AFTER_S)),
        "hedger": BotPolicy(
            id_prefix="hh-",
            silent_after_s=Decimal(SILENT_AFTER_S),
            on_silence=OnSilence.CANCEL_AND_FLATTEN,
            symbols=("ETHUSD",),
            must_be_alive=True,
        ),
    }
)
ACTS = st.one_of(
    st.tuples(st.just("call"), st.sampled_from(["maker", "hedger"])),
    st.tuples(st.just("ticks"), st.integers(1, 14)),
    st.tuples(st.just("sleep"), st.sampled_from([3, 60, 86_400])),
    st.tuples(st.just("deaf"), st.integers(1, 20)),
    st.tuples(st.just("restart"), st.just(0)),
    st.tuples(st.just("quote"), st.sampled_from(sorted(PREFIXES))),
    st.tuples(st.just("gone"), st.just(0)),
)


class Story:
    """A guard, and beside it the plainest account of how long each bot could have been heard and was not."""

    def __init__(self) -> None:
        self.guard = Driven(POLICY).up()
        answer_switch(self.guard, list(self.guard.all))
        self.quiet_s = {"maker": 3, "hedger": 3}  # the morning's own ticks, at most
        self.orders = 0
        self.owners: dict[str, str | None] = {}
        self.silent: set[str] = set()
        self.read = len(self.guard.all)

    def act(self, name: str, what: object) -> None:
        """Do one thing, and look at what came of it."""
        getattr(self, f"_{name}")(what)
        self.check()

    def _call(self, bot: str) -> None:
        call(self.guard, bot)
        self.quiet_s[bot] = 0
        assert not self.guard.state.bots[bot].is_silent

    def _ticks(self, count: int, **ages: str) -> None:
        for _ in range(count):
            self.guard.now += SECOND
            self.guard.tick(**ages)  # type: ignore[arg-type]  # also words
            if not ages:
                self.quiet_s = {bot: quiet_s + 1 for bot, quiet_s in self.quiet_s.items()}
            self.check()

    def _sleep(self, duration_s: int) -> None:
        self.guard.now += duration_s * SECOND
        self.guard.tick()
        self.quiet_s = {bot: quiet_s + 2 for bot, quiet_s in self.quiet_s.items()}

    def _deaf(self, count: int) -> None:
        self._ticks(count, deaf="down")

    def _restart(self, _what: int) -> None:
        before = {name: bot.silent_ns for name, bot in self.guard.state.bots.items()}
        self.guard.state = msgspec.json.decode(msgspec.json.encode(self.guard.state), type=GuardState)
        orders = [known.order for book in self.guard.state.orders.values() for known in book.values()]
        self.guard.start()
        assert {name: bot.silent_ns for name, bot in self.guard.state.bots.items()} == before
        self.guard.connect(orders=orders)
        for _ in range(2):
            if self.guard.state.pictures.command_id is not None:
                self.guard.picture(orders=orders)
        self.quiet_s = dict.fromkeys(self.quiet_s, 0)

    def _quote(self, prefix: str) -> None:
        self.orders += 1
        self.owners[f"o-{self.orders}"] = PREFIXES[prefix]
        self.guard.order(an_order(f"o-{self.orders}", f"{prefix}{self.orders}"))

    def _gone(self, _what: int) -> None:
        for book in list(self.guard.state.orders.values()):
            for known in list(book.values()):
                row = replace(known.order, status=OrderStatus.CANCELED, timestamp_ns=self.guard.now)
                self.guard.order(row)

    def check(self) -> None:
        """P1, P6: what was asked for since the last look is borne out by a silence that is real."""
        state, fresh = self.guard.state, self.guard.all[self.read :]
        answer_switch(self.guard, list(fresh))
        self.read = len(self.guard.all)
        for name, bot in state.bots.items():
            assert not bot.is_silent or name in self.silent or self.quiet_s[name] >= SILENT_AFTER_S
        self.silent = {name for name, bot in state.bots.items() if bot.is_silent}
        for command in fresh:
            if isinstance(command, CancelOrders) and not state.latches:
                assert refusal(command, state) is None
                owners = {self.owners[each.order_id] for each in command.orders}
                hedger = state.bots["hedger"]
                is_held = hedger.is_silent or state.listening.deaf_ns
                assert is_held or all(owner and state.bots[owner].is_silent for owner in owners)
        assert not (state.bots["hedger"].is_silent and any(isinstance(each, FeedSwitch) for each in fresh))


@given(st.lists(ACTS, max_size=40))
def test_no_order_of_things_makes_a_false_silence_or_lets_one_do_too_much(acts: list[tuple[str, object]]) -> None:
    """Calls, stalls, clock jumps, deafness, restarts, orders of anybody: in any order."""
    story = Story()
    for name, what in acts:
        story.act(name, what)
