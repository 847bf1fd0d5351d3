"""Bots: who is heard, who falls silent, and what goes then."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from config.bots import BotPolicy, Heartbeat, OnSilence
from config.policy import Policy, SwitchMode, SwitchPolicy
from connectors.vocabulary import Order, OrderKind, OrderSide, OrderStatus
from daemon.core import events as e
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import CancelOrders, Command, DisarmSwitch, FeedSwitch, ReduceAtMarket, Severity
from daemon.core.degraded import Degraded
from daemon.core.operator_requests import LiftLatch
from daemon.core.reasons import Reason
from daemon.core.state import GuardState, SwitchState, with_policy
from tests.builders import SECOND, a_position, a_stop, an_order
from tests.driven import Driven
from tests.unit.daemon.core.emergency.test_freezing import cancelled, names
from tests.unit.daemon.core.restraint.test_latches import ask
from tests.unit.daemon.core.test_switch import answer

HOUR = 3_600 * SECOND
MAKER = "mm-1"


def policy(*, switch: SwitchMode = SwitchMode.AUTO, **changes: object) -> Policy:
    """One bot, `maker`, that calls and is silent after 30 seconds; but for the changes."""
    maker = BotPolicy(**{"id_prefix": "mm-", **changes})  # type: ignore[arg-type]  # checked by the class
    return Policy(bots={"maker": maker}, switch=SwitchPolicy(mode=switch))


def call(guard: Driven, bot: str = "maker") -> tuple[Command, ...]:
    """The bot calls."""
    return guard.give(e.BotHeard(at_ns=guard.now, bot=bot, how=e.HeardBy.CALL))


def seconds_pass(guard: Driven, count: int, **ages: int | str) -> list[Command]:
    """So many ticks, a second apart."""
    commands: list[Command] = []
    for _ in range(count):
        before = len(guard.all)
        guard.now += SECOND
        if guard.state.timer_ns and guard.state.timer_ns <= guard.now:
            guard.give(e.TimerFired(at_ns=guard.now))
        guard.tick(**ages)  # type: ignore[arg-type]  # also words
        answer_switch(guard, guard.all[before:])
        if guard.state.pictures.command_id is not None:
            orders = [known.order for book in guard.state.orders.values() for known in book.values()]
            guard.picture([each.position for each in guard.state.positions.values()], orders)
        commands += guard.all[before:]
    return commands


def until_silent(guard: Driven) -> list[Command]:
    """Ticks until the bot is taken for dead, and what the last one led to."""
    for _ in range(40):
        commands = seconds_pass(guard, 1)
        if is_silent(guard):
            return commands
    raise AssertionError("it never falls silent")


def answer_switch(guard: Driven, commands: list[Command]) -> None:
    """The venue confirms what was asked of the switch."""
    for command in commands:
        if isinstance(command, FeedSwitch | DisarmSwitch) and command.command_id in guard.state.pending:
            answer(guard, command)


def alive(**changes: object) -> Driven:
    """A guard whose bot has called once."""
    guard = Driven(policy(**changes)).up()  # type: ignore[arg-type]
    answer_switch(guard, list(guard.all))
    call(guard)
    return guard


def quote(order_id: str = "q-1", client_order_id: str = MAKER, **changes: object) -> Order:
    """An order of the bot that may add exposure."""
    return an_order(order_id, client_order_id, **changes)


def is_silent(guard: Driven, bot: str = "maker") -> bool:
    """Whether the bot is taken for dead."""
    return guard.state.bots[bot].is_silent


# ---------------------------------------------------------------------- silence and return


def test_a_silent_bots_own_orders_go_by_id_and_its_stops_stay() -> None:
    """P1, P6: after 30 s without a call its quotes are cancelled; its stops, and the orders of others, stay."""
    guard = alive()
    for order in (
        quote(),
        quote("q-2", "mm-2"),
        an_order("by-hand", ""),
        quote("mm-stop", "mm-s", is_reduce_only=True),
    ):
        guard.order(order)
    assert guard.some(CancelOrders, seconds_pass(guard, 29)) == []
    sent = guard.only(CancelOrders, until_silent(guard))
    assert names(sent) == ["q-1", "q-2"]
    assert sent.reason is Reason.BOT_SILENT
    assert refusal(sent, guard.state) is None
    cancelled(guard, sent)
    assert guard.state.bots["maker"].cancelled == 2
    assert guard.some(CancelOrders, seconds_pass(guard, 20)) == []
    assert sorted(guard.state.orders["XBTUSDT"]) == ["by-hand", "mm-stop"]
    told = guard.alerts("silent")
    assert len(told) == 1
    assert told[0].severity is Severity.CRITICAL
    assert "2 open order(s)" in told[0].text


def test_the_switch_is_disarmed_once_nothing_is_left_that_may_add_exposure() -> None:
    """P6: a dead bot's quotes go, and the countdown with them, so that the stops outlive the guard."""
    guard = alive()
    guard.order(quote())
    answer_switch(guard, list(guard.last))
    assert guard.state.switch.state is SwitchState.ARMED
    sent = guard.only(CancelOrders, until_silent(guard))
    cancelled(guard, sent)
    answer_switch(guard, list(guard.last))
    assert guard.state.switch.state is SwitchState.DISARMED


def test_new_orders_of_a_silent_bot_go_as_they_appear_until_it_is_back() -> None:
    """A process that lost its heartbeat thread and still quotes: nothing of it stands; its call ends that."""
    guard = alive()
    seconds_pass(guard, 31)
    assert is_silent(guard)
    assert names(guard.only(CancelOrders, guard.order(quote()))) == ["q-1"]
    call(guard)
    assert not is_silent(guard)
    assert guard.some(CancelOrders, guard.order(quote("q-2", "mm-2"))) == []
    assert len(guard.alerts("back")) == 1
    assert guard.some(CancelOrders, seconds_pass(guard, 10)) == []


def test_alert_only_tells() -> None:
    """on_silence = "alert": nothing is cancelled."""
    guard = alive(on_silence=OnSilence.ALERT)
    guard.order(quote())
    assert guard.some(CancelOrders, seconds_pass(guard, 60)) == []
    assert guard.alerts("silent")[0].severity is Severity.WARNING


def test_cancel_and_flatten_closes_and_stays_latched_when_the_bot_is_back() -> None:
    """The position is closed at the market; the bot's return ends the cancels, and not the latch."""
    guard = alive(on_silence=OnSilence.CANCEL_AND_FLATTEN)
    guard.position(a_position())
    guard.rest()
    commands = seconds_pass(guard, 33)
    assert guard.some(ReduceAtMarket, commands)
    assert guard.state.latches["bot-maker"].symbols == ()
    call(guard)
    assert "bot-maker" in guard.state.latches
    assert "seawall lift bot-maker" in guard.alerts("back")[0].text


def test_a_flatten_that_a_person_lifted_is_not_set_again_by_the_same_silence() -> None:
    """It is set when the bot falls silent, and only then."""
    guard = alive(on_silence=OnSilence.CANCEL_AND_FLATTEN, symbols=("XBTUSDT",))
    seconds_pass(guard, 31)
    assert guard.state.latches["bot-maker"].symbols == ("XBTUSDT",)
    ask(guard, LiftLatch(name="bot-maker"))
    seconds_pass(guard, 60)
    assert "bot-maker" not in guard.state.latches
    call(guard)
    seconds_pass(guard, 31)
    assert "bot-maker" in guard.state.latches


def test_a_bot_that_was_never_heard_closes_nothing() -> None:
    """Its settings may be ahead of its program: its exposure goes, positions stay, and people hear which it is."""
    guard = Driven(policy(on_silence=OnSilence.CANCEL_AND_FLATTEN)).up()
    guard.order(quote())
    guard.position(a_position())
    guard.rest()
    commands = until_silent(guard)
    assert names(guard.only(CancelOrders, commands)) == ["q-1"]
    assert guard.some(ReduceAtMarket, commands) == []
    assert guard.state.latches == {}
    assert "never heard" in guard.alerts("silent")[0].text


def test_a_bot_that_comes_and_goes_is_told_once_a_minute() -> None:
    """P10: a flood of one cause is one message; each silence still acts."""
    guard = alive(silent_after_s=Decimal(5))
    for number in range(9):
        guard.order(quote(f"q-{number}"))
        cancelled(guard, guard.only(CancelOrders, until_silent(guard)))
        call(guard)
    assert guard.state.bots["maker"].silences == 9
    assert len(guard.alerts("silent")) == 1
    assert len(guard.alerts("back")) == 1


def test_a_silence_that_came_too_soon_to_be_told_is_told_if_it_lasts() -> None:
    """P12: grouped, never swallowed."""
    guard = alive(silent_after_s=Decimal(5))
    until_silent(guard)
    call(guard)
    until_silent(guard)
    assert len(guard.alerts("silent")) == 1
    seconds_pass(guard, 70)
    assert len(guard.alerts("silent")) == 2
    assert "silent for" in guard.alerts("silent")[1].text
    seconds_pass(guard, 300)
    assert len(guard.alerts("silent")) == 2


# ---------------------------------------------------------------------- what does not count


def test_a_restart_of_the_guard_makes_no_bot_silent() -> None:
    """The time in which no guard ran is not the bot's silence: it gets its whole time anew."""
    guard = alive()
    seconds_pass(guard, 25)
    guard.now += HOUR
    guard.start()
    guard.connect()
    seconds_pass(guard, 29)
    assert not is_silent(guard)
    seconds_pass(guard, 2)
    assert is_silent(guard)


def test_a_silence_survives_the_restart() -> None:
    """P7: killed and started, the guard still lets no order of the dead bot stand, and says so."""
    guard = alive()
    seconds_pass(guard, 31)
    raw = msgspec.json.encode(guard.state)
    guard.state = msgspec.json.decode(raw, type=GuardState)
    guard.now += 5 * SECOND
    guard.start()
    assert is_silent(guard)
    assert "still silent after the restart" in guard.alerts("silent")[-1].text
    guard.connect(orders=[quote()])
    sent = guard.only(CancelOrders, guard.all[-30:])
    assert refusal(sent, guard.state) is None


def test_a_checkpoint_of_an_older_build_has_no_bots() -> None:
    """P7: what it lacks is what a new guard begins with."""
    described = msgspec.to_builtins(Driven(policy()).up().state)
    for name in ("bots", "listening"):
        del described[name]
    guard = Driven(policy())
    guard.state = msgspec.convert(described, type=GuardState)
    guard.start()
    assert set(guard.state.bots) == {"maker"}


def test_a_bot_that_left_the_settings_is_forgotten_at_the_next_start() -> None:
    """Nobody expects it any more, and its orders are anybody's."""
    guard = alive()
    seconds_pass(guard, 31)
    guard.state = with_policy(guard.state, Policy())
    guard.start()
    assert guard.state.bots == {}
    guard.connect(orders=[quote()])
    assert guard.some(CancelOrders, guard.all[-30:]) == []


@pytest.mark.parametrize("gap_ns", [20 * SECOND, 10 * 60 * SECOND, 24 * HOUR])
def test_a_process_that_slept_or_a_clock_that_jumped_makes_no_bot_silent(gap_ns: int) -> None:
    """A machine that was suspended, a stalled loop, a clock set forward: at most two seconds of it count."""
    guard = alive()
    seconds_pass(guard, 25)
    guard.now += gap_ns
    guard.tick()
    assert not is_silent(guard)
    call(guard)
    seconds_pass(guard, 25)
    assert not is_silent(guard)


def test_while_the_control_api_is_down_nobody_falls_silent_by_it() -> None:
    """P12: it is a named state of the guard, not the bot's silence."""
    guard = alive()
    seconds_pass(guard, 60, deaf="the socket is held by another process")
    assert not is_silent(guard)
    assert Degraded.BOTS_UNHEARD.value in guard.state.degraded
    assert "held by another process" in guard.alerts(Degraded.BOTS_UNHEARD.value)[0].text
    seconds_pass(guard, 5)
    assert Degraded.BOTS_UNHEARD.value not in guard.state.degraded


def test_a_call_of_a_bot_that_nobody_named_changes_nothing() -> None:
    """The desk refuses it; a journal of other settings may hold one."""
    guard = alive()
    before = guard.state.bots
    call(guard, "stranger")
    assert guard.state.bots == before


def test_a_call_within_the_same_second_writes_nothing() -> None:
    """What is known already is not copied again for every order of a busy bot."""
    guard = alive()
    before = guard.state.bots
    call(guard)
    assert guard.state.bots is before


def test_the_first_call_after_a_restart_is_noted_before_anybody_looked() -> None:
    """What is told of a bot is when this process heard it, and not one before."""
    guard = alive()
    guard.now += HOUR
    guard.start()
    call(guard)
    assert guard.state.bots["maker"].heard_ns == guard.now


# ---------------------------------------------------------------------- heard by orders


def by_orders() -> Driven:
    """A bot that shows that it lives by its orders."""
    guard = Driven(policy(heartbeat=Heartbeat.ORDERS)).up()
    guard.order(quote())
    assert guard.state.bots["maker"].heard_by is e.HeardBy.ORDER
    return guard


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(quote("q-2", "mm-2"), id="a new order"),
        pytest.param(quote("q-2", "mm-2", kind=OrderKind.MARKET, status=OrderStatus.FILLED), id="a market order"),
        pytest.param(quote("q-2", "mm-2", status=OrderStatus.REJECTED), id="a refused order"),
        pytest.param(quote(price=Decimal(951)), id="an amended price"),
        pytest.param(quote(quantity=200, leaves_quantity=200), id="an amended quantity"),
    ],
)
def test_what_only_the_bot_itself_can_have_done_is_a_sign_of_life(row: Order) -> None:
    """An order of its own that is new or amended."""
    guard = by_orders()
    seconds_pass(guard, 20)
    guard.order(replace(row, timestamp_ns=guard.now))
    assert guard.state.bots["maker"].quiet_ns == 0


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(quote(leaves_quantity=40, filled_quantity=60, status=OrderStatus.PARTIALLY_FILLED), id="a fill"),
        pytest.param(quote(leaves_quantity=0, filled_quantity=100, status=OrderStatus.FILLED), id="the last fill"),
        pytest.param(quote(status=OrderStatus.CANCELED, leaves_quantity=0), id="a cancel"),
        pytest.param(quote("gone", "mm-9", status=OrderStatus.CANCELED), id="a cancel of what is not known"),
        pytest.param(quote("gone", "mm-9", status=OrderStatus.FILLED), id="a late fill of what is not known"),
        pytest.param(an_order("x", "other-1"), id="somebody else's order"),
        pytest.param(an_order("x", ""), id="an order by hand"),
    ],
)
def test_what_happens_to_a_dead_bots_orders_is_no_sign_of_life(row: Order) -> None:
    """The resting orders of a dead bot are filled and cancelled as well."""
    guard = by_orders()
    seconds_pass(guard, 20)
    guard.order(replace(row, timestamp_ns=guard.now))
    assert guard.state.bots["maker"].quiet_ns == 20 * SECOND


def test_a_trailing_stop_that_the_venue_moves_is_no_sign_of_life() -> None:
    """Nor is a reduce-only order that the venue cuts."""
    guard = by_orders()
    trailing = quote("t", "mm-t", kind=OrderKind.STOP_MARKET, side=OrderSide.SELL, stop_price=Decimal(900), price=None)
    target = quote("r", "mm-r", side=OrderSide.SELL, is_reduce_only=True)
    guard.order(trailing)
    guard.order(target)
    seconds_pass(guard, 20)
    guard.order(replace(trailing, stop_price=Decimal(910), timestamp_ns=guard.now))
    guard.order(replace(target, quantity=50, leaves_quantity=50, timestamp_ns=guard.now))
    assert guard.state.bots["maker"].quiet_ns == 20 * SECOND


def test_orders_that_were_open_when_the_guard_came_are_no_sign_of_life() -> None:
    """A table that is listed anew says nothing of who is alive."""
    guard = Driven(policy(heartbeat=Heartbeat.ORDERS)).up(orders=[quote()])
    assert guard.state.bots["maker"].heard_ns == 0


def test_while_the_account_stream_is_not_fresh_orders_cannot_be_seen() -> None:
    """A blind guard does not take its own blindness for a bot's silence."""
    guard = by_orders()
    seconds_pass(guard, 60, account_age_ns=20 * SECOND)
    assert not is_silent(guard)
    seconds_pass(guard, 31)
    assert is_silent(guard)


@pytest.mark.parametrize(("heartbeat", "counts"), [(Heartbeat.ORDERS, False), (Heartbeat.EITHER, True)])
def test_calls_count_where_they_are_asked_for(heartbeat: Heartbeat, counts: bool) -> None:
    """By orders alone: a supervisor that calls for a wedged bot changes nothing."""
    guard = Driven(policy(heartbeat=heartbeat)).up()
    call(guard)
    assert bool(guard.state.bots["maker"].heard_ns) is counts


def test_orders_count_where_they_are_asked_for() -> None:
    """By calls alone: orders of a bot whose head is gone do not keep it alive."""
    guard = Driven(policy()).up()
    guard.order(quote())
    assert guard.state.bots["maker"].heard_ns == 0


# ---------------------------------------------------------------------- whose order


def test_a_bot_without_a_prefix_has_all_that_is_nobody_elses() -> None:
    """Orders by hand too, and never the guard's own."""
    guard = Driven(Policy(bots={"one": BotPolicy(), "maker": BotPolicy(id_prefix="mm-")})).up()
    answer_switch(guard, list(guard.all))
    for order in (quote(), an_order("hand", ""), an_order("x", "other"), a_stop("ours")):
        guard.order(order)
    for _ in range(31):
        seconds_pass(guard, 1)
        call(guard)
    sent = guard.some(CancelOrders, guard.all)
    assert {name for each in sent for name in names(each)} == {"hand", "x"}


# ---------------------------------------------------------------------- observing, and plain stops


def test_an_observing_guard_tells_and_sends_nothing() -> None:
    """Observing: what would be done is said."""
    guard = Driven(replace(policy(), observe=True)).up()
    guard.order(quote())
    assert guard.some(CancelOrders, seconds_pass(guard, 40)) == []
    assert "Observing only" in guard.alerts("silent")[0].text


def test_a_plain_stop_that_may_be_all_that_protects_waits_for_our_own() -> None:
    """P2: it goes only when the guard's own cover is confirmed."""
    guard = alive()
    plain = quote("plain", "mm-p", kind=OrderKind.STOP_MARKET, side=OrderSide.SELL, stop_price=Decimal(920), price=None)
    guard.order(plain)
    guard.position(a_position())
    assert guard.some(CancelOrders, seconds_pass(guard, 33)) == []
    assert is_silent(guard)
