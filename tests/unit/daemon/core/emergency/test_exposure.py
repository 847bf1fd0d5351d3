"""What may add exposure goes, what only shrinks stays: at an orderly stop with `cancel_on_stop`, and while blind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.policy import Policy, SwitchMode, SwitchPolicy
from connectors.vocabulary import Order, OrderKind, OrderSide, OrderStatus, Trigger
from daemon.core import events as e
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import CancelOrder, DisarmSwitch, Exit, FeedSwitch, PlaceStop, Severity
from daemon.core.mode import Mode
from daemon.core.reasons import Reason
from tests.builders import SECOND, a_position, a_stop, an_instrument, an_order
from tests.driven import MS, Driven

CANCELLING = Policy(switch=SwitchPolicy(cancel_on_stop=True))


def quoted(*orders: Order, policy: Policy = CANCELLING) -> Driven:
    """A guard that has fed the switch for these orders."""
    guard = Driven(policy).up(orders=orders)
    for command in [c for c in guard.all if isinstance(c, (FeedSwitch, DisarmSwitch))]:
        confirm(guard, command)
    return guard


def confirm(guard: Driven, command: FeedSwitch | DisarmSwitch) -> tuple[object, ...]:
    """The venue confirms the switch."""
    timeout_ns = command.timeout_ns if isinstance(command, FeedSwitch) else 0
    return guard.give(
        e.SwitchAnswered(at_ns=guard.now, command_id=command.command_id, sent_ns=guard.now, timeout_ns=timeout_ns)
    )


def stop(guard: Driven) -> tuple[object, ...]:
    """An orderly stop is asked for."""
    return guard.give(e.StopAsked(at_ns=guard.now))


def cancelled(guard: Driven, command: CancelOrder) -> tuple[object, ...]:
    """The venue cancels what was asked for."""
    row = guard.state.orders[command.key.symbol][command.order_id].order
    final = replace(row, status=OrderStatus.CANCELED, timestamp_ns=guard.now)
    return guard.give(e.RequestAnswered(at_ns=guard.now, command_id=command.command_id, order=final))


def test_what_may_add_exposure_is_cancelled_before_the_switch_is_disarmed() -> None:
    """P1: two quotes and a reduce-only order of a bot: the quotes go one after another, then disarm, then Exit."""
    quote, other = an_order("q-1", "bot-1"), an_order("q-2", "", side=OrderSide.SELL)
    guard = quoted(quote, other, an_order("tp", side=OrderSide.SELL, is_reduce_only=True))
    commands = stop(guard)
    first = guard.only(CancelOrder, commands)
    assert (first.order_id, first.client_order_id, first.reason) == ("q-1", "bot-1", Reason.STOPPING)
    assert refusal(first, guard.state) is None
    assert guard.some(DisarmSwitch, commands) == []
    commands = cancelled(guard, first)
    second = guard.only(CancelOrder, commands)
    assert second.order_id == "q-2"
    assert guard.some(DisarmSwitch, commands) == []
    disarm = guard.only(DisarmSwitch, cancelled(guard, second))
    assert guard.only(Exit, confirm(guard, disarm))
    assert list(guard.state.orders["XBTUSDT"]) == ["tp"]
    assert "stay open" not in guard.alerts("stopped")[0].text


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        Policy(switch=SwitchPolicy(mode=SwitchMode.ALWAYS, cancel_on_stop=True)),
        Policy(switch=SwitchPolicy(mode=SwitchMode.OFF, cancel_on_stop=True)),
        Policy(observe=True, switch=SwitchPolicy(cancel_on_stop=True)),
    ],
    ids=["setting off", "always", "off", "observing"],
)
def test_without_the_setting_or_in_another_mode_quotes_stay(policy: Policy) -> None:
    """P1: the exception is exactly as wide as the setting says."""
    guard = quoted(an_order(), policy=policy)
    stop(guard)
    guard.wait(6 * SECOND)
    assert guard.some(CancelOrder, guard.all) == []
    assert guard.some(Exit, guard.all)


def test_orders_that_stay_without_a_switch_are_counted_in_the_farewell() -> None:
    """P12: the default leaves quotes open and disarms: people hear how many."""
    guard = quoted(an_order(), policy=Policy())
    confirm(guard, guard.only(DisarmSwitch, stop(guard)))
    assert "1 order(s) that may add exposure stay open." in guard.alerts("stopped")[0].text


@pytest.mark.parametrize("failure", ["refused", "not sent", "unanswered"])
def test_a_cancel_without_effect_is_sent_again_and_given_up_in_time(failure: str) -> None:
    """P5, P12: nothing helps: tried once a second, then the switch is disarmed all the same and people hear of it."""
    guard = quoted(an_order())
    commands = stop(guard)
    sent = 0
    while guard.state.mode is Mode.STOPPING:
        for cancel in guard.some(CancelOrder, commands):
            sent += 1
            guard.give(failed(guard, cancel, failure))
        commands = guard.wait(250 * MS)
        for disarm in guard.some(DisarmSwitch, commands):
            commands += confirm(guard, disarm)
    assert sent == 3
    assert "1 order(s) that may add exposure stay open and could not be cancelled" in guard.alerts("stopped")[0].text


def failed(guard: Driven, cancel: CancelOrder, failure: str) -> e.Event:
    """An outcome without effect."""
    match failure:
        case "refused":
            return e.RequestRefused(at_ns=guard.now, command_id=cancel.command_id, reason="no")
        case "not sent":
            return e.RequestNotSent(at_ns=guard.now, command_id=cancel.command_id, reason="busy", retry_after_ns=0)
        case _:
            return e.RequestUnanswered(at_ns=guard.now, command_id=cancel.command_id, reason="time-out")


def test_nothing_left_to_cancel_counts_as_cancelled() -> None:
    """The bot was faster: the venue knows no such order, so nothing is waited for."""
    guard = quoted(an_order())
    cancel = guard.only(CancelOrder, stop(guard))
    commands = guard.give(e.RequestAnswered(at_ns=guard.now, command_id=cancel.command_id, order=None))
    assert guard.only(DisarmSwitch, commands)
    assert guard.state.orders == {}


def test_an_order_that_appears_while_stopping_goes_too() -> None:
    """The bot quotes again before the stop is over."""
    guard = quoted(an_order("q-1"))
    cancelled(guard, guard.only(CancelOrder, stop(guard)))
    assert guard.only(CancelOrder, guard.order(an_order("q-2"))).order_id == "q-2"


def test_a_stop_of_somebody_that_might_protect_waits_for_our_cover() -> None:
    """P1: a plain stop on the closing side goes only after our own stop is confirmed resting."""
    guard = quoted(an_order("b", kind=OrderKind.STOP_MARKET, side=OrderSide.SELL, stop_price=Decimal(950), price=None))
    place = guard.only(PlaceStop, guard.position(a_position()))
    assert guard.some(CancelOrder, stop(guard)) == []
    guard.rest(place)
    cancel = guard.only(CancelOrder, guard.all)
    assert cancel.order_id == "b"
    assert refusal(cancel, guard.state) is None


def test_a_plain_stop_waits_until_positions_are_known() -> None:
    """P1: stopped during the start, orders listed first: the stop may be all that a position has; the quote goes."""
    plain = an_order("b", kind=OrderKind.STOP_MARKET, side=OrderSide.SELL, stop_price=Decimal(950), price=None)
    guard = Driven(CANCELLING)
    guard.start()
    stop(guard)
    commands = guard.give(e.OrdersListed(at_ns=guard.now, orders=(plain, an_order("q"))))
    assert guard.only(CancelOrder, commands).order_id == "q"
    assert "not known yet" in str(refusal(cancel_of(plain), guard.state))
    cancelled(guard, guard.only(CancelOrder, commands))
    assert guard.only(CancelOrder, guard.give(e.PositionsListed(at_ns=guard.now, positions=()))).order_id == "b"


def test_the_protective_stops_of_others_and_ours_stay() -> None:
    """P1: reduce-only and Close stops are nobody's quotes."""
    theirs = a_stop("t", "theirs")
    closing = a_stop("c", "", is_reduce_only=False, is_close=True, quantity=None)
    guard = Driven(CANCELLING).up([a_position()], [a_stop("v"), theirs, closing])
    stop(guard)
    guard.wait(6 * SECOND)
    assert guard.some(CancelOrder, guard.all) == []


def test_each_symbol_has_one_cancel_under_way() -> None:
    """P8: quotes on two symbols go side by side; on one symbol a stop never waits behind more than one cancel."""
    guard = Driven(CANCELLING)
    guard.start()
    guard.connect(
        orders=[an_order(f"{symbol}-{n}", symbol=symbol) for symbol in ("XBTUSDT", "ETHUSDT") for n in range(3)],
        instruments=[an_instrument(), an_instrument("ETHUSDT")],
    )
    assert sorted(c.order_id for c in guard.some(CancelOrder, stop(guard))) == ["ETHUSDT-0", "XBTUSDT-0"]


def test_orders_that_are_not_known_yet_are_waited_for() -> None:
    """Stopped during the start: the list comes, what may add exposure goes; without a list the wait ends in time."""
    guard = Driven(CANCELLING)
    guard.start()
    commands = stop(guard)
    assert guard.some(DisarmSwitch, commands) == []
    assert guard.only(CancelOrder, guard.give(e.OrdersListed(at_ns=guard.now, orders=(an_order(),))))
    silent = Driven(CANCELLING)
    silent.start()
    stop(silent)
    assert silent.only(DisarmSwitch, silent.wait(3 * SECOND))


def test_a_restart_forgets_what_the_stop_asked_for() -> None:
    """P7: killed while stopping: the next process guards, and cancels nothing of anybody."""
    guard = quoted(an_order())
    cancel = guard.only(CancelOrder, stop(guard))
    commands = guard.give(e.Started(at_ns=guard.now, account=7, unanswered=(cancel.command_id,)))
    assert guard.some(CancelOrder, commands) == []
    assert guard.state.cancels == {}
    assert guard.state.mode is Mode.STARTING


# ---------------------------------------------------------------------- while blind


def blinded(*orders: Order, policy: Policy | None = None) -> Driven:
    """A guard of a covered long that has fed the switch for these orders, and then loses the account stream."""
    guard = Driven(policy).up([a_position()], [OURS, *orders])
    for command in [c for c in guard.all if isinstance(c, (FeedSwitch, DisarmSwitch))]:
        confirm(guard, command)
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="x"))
    return guard


def pass_time(guard: Driven, duration_ns: int, *orders: Order) -> list[object]:
    """Let time pass; every picture is answered with our stop and these orders."""
    end, commands = guard.now + duration_ns, []
    while guard.now < end:
        commands += guard.wait(min(250 * MS, end - guard.now))
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([a_position()], [OURS, *orders])
    return commands


OURS = a_stop("v")
QUOTE = an_order("q", "bot-1")
HALF_NS = 30 * SECOND - 250 * MS


def test_a_blind_guard_takes_the_quotes_and_disarms_so_that_the_stops_stay() -> None:
    """P6: blind for half of the countdown, requests work: the quote goes by id, a picture shows none, disarm."""
    guard = blinded(QUOTE, an_order("tp", side=OrderSide.SELL, is_reduce_only=True))
    assert guard.some(CancelOrder, pass_time(guard, HALF_NS - SECOND, QUOTE)) == []
    commands = pass_time(guard, 2 * SECOND, QUOTE)
    cancel = guard.only(CancelOrder, commands)
    assert (cancel.order_id, cancel.reason) == ("q", Reason.EXPOSURE_UNWATCHED)
    assert refusal(cancel, guard.state) is None
    assert guard.some(DisarmSwitch, commands) == []
    assert guard.some(DisarmSwitch, cancelled(guard, cancel)) == []
    disarm = guard.only(DisarmSwitch, pass_time(guard, SECOND))
    assert disarm.reason is Reason.EXPOSURE_UNWATCHED
    confirm(guard, disarm)
    assert [a.state for a in guard.alerts() if a.topic == "switch" and a.severity is Severity.CRITICAL] == [
        "clearing",
        "cleared",
    ]
    pass_time(guard, 60 * SECOND)
    assert guard.alerts("expired") == []
    assert refusal(cancel_of(QUOTE), guard.state) == "not an order of ours"


def test_a_blind_guard_without_answers_leaves_it_to_the_countdown() -> None:
    """P6: no picture comes back, so nothing is cancelled and nothing disarmed; the countdown runs out."""
    guard = blinded(QUOTE)
    commands = guard.wait(70 * SECOND)
    assert guard.some(CancelOrder, commands) == []
    assert guard.some(DisarmSwitch, commands) == []
    assert guard.alerts("expired")


def test_a_short_gap_cancels_nothing() -> None:
    """P6: the stream is back before half of the countdown is over: the quote stays and is watched again."""
    guard = blinded(QUOTE)
    commands = pass_time(guard, HALF_NS - SECOND, QUOTE)
    guard.connect([a_position()], [OURS, QUOTE])
    commands += pass_time(guard, 10 * SECOND, QUOTE)
    assert guard.some(CancelOrder, commands) == []
    assert guard.state.mode is Mode.GUARDING


def test_an_order_that_only_the_picture_shows_goes_too() -> None:
    """P6: the stream is down when the bot quotes again: the younger picture shows it, and it goes before the disarm."""
    guard = blinded(QUOTE)
    first = guard.only(CancelOrder, pass_time(guard, HALF_NS + SECOND, QUOTE))
    cancelled(guard, first)
    again = an_order("q-2")
    second = guard.only(CancelOrder, pass_time(guard, SECOND, again))
    assert second.order_id == "q-2"
    assert guard.some(DisarmSwitch, cancelled(guard, second)) == []
    assert guard.only(DisarmSwitch, pass_time(guard, SECOND))


def test_a_disarm_of_a_blind_guard_is_repeated_until_it_is_confirmed() -> None:
    """P5: the answer is lost: nobody knows whether the countdown runs, so it is disarmed again."""
    guard = blinded(QUOTE)
    cancelled(guard, guard.only(CancelOrder, pass_time(guard, HALF_NS + SECOND, QUOTE)))
    disarm = guard.only(DisarmSwitch, pass_time(guard, SECOND))
    guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=disarm.command_id, reason="time-out"))
    assert guard.only(DisarmSwitch, pass_time(guard, 1500 * MS))


@pytest.mark.parametrize(
    "policy",
    [
        Policy(switch=SwitchPolicy(mode=SwitchMode.ALWAYS)),
        Policy(switch=SwitchPolicy(mode=SwitchMode.OFF)),
        Policy(observe=True),
    ],
    ids=["always", "off", "observing"],
)
def test_only_mode_auto_clears_while_blind(policy: Policy) -> None:
    """P1: in other modes, and observing, orders of others are never touched."""
    guard = blinded(QUOTE, policy=policy)
    commands = pass_time(guard, HALF_NS + 5 * SECOND, QUOTE)
    assert guard.some(CancelOrder, commands) == []
    assert guard.some(DisarmSwitch, commands) == []
    assert refusal(cancel_of(QUOTE), guard.state) is not None


def test_a_plain_stop_that_might_protect_stays_while_blind() -> None:
    """P1: no cover of ours is confirmed, so a bot's plain stop on the closing side stays, and the switch armed."""
    plain = an_order("b", kind=OrderKind.STOP_MARKET, side=OrderSide.SELL, stop_price=Decimal(950), price=None)
    guard = Driven().up([a_position()], [plain])
    for command in [c for c in guard.all if isinstance(c, (FeedSwitch, DisarmSwitch))]:
        confirm(guard, command)
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.ACCOUNT, reason="x"))
    commands = []
    while guard.state.switch.expires_ns - guard.now > 10 * SECOND:
        commands += guard.wait(250 * MS)
        if guard.state.pictures.command_id is not None:
            commands += guard.picture([a_position()], [plain])
    assert guard.alerts("clearing")
    assert guard.some(CancelOrder, commands) == []
    assert guard.some(DisarmSwitch, commands) == []
    assert "might protect" in str(refusal(cancel_of(plain), guard.state))


def test_the_choke_point_opens_to_a_blind_guard_after_half_of_the_countdown() -> None:
    """P1: refused before, refused without an answered picture, refused for what only shrinks, then allowed."""
    shrinking = an_order("tp", side=OrderSide.SELL, is_reduce_only=True)
    guard = blinded(QUOTE, shrinking)
    assert refusal(cancel_of(QUOTE), guard.state) == "not an order of ours"
    guard.wait(HALF_NS + SECOND)
    assert refusal(cancel_of(QUOTE), guard.state) == "not an order of ours"
    pass_time(guard, 2 * SECOND, QUOTE, shrinking)
    assert refusal(cancel_of(QUOTE), guard.state) is None
    assert "only shrink" in str(refusal(cancel_of(shrinking), guard.state))


# ---------------------------------------------------------------------- the choke point


def cancel_of(order: Order) -> CancelOrder:
    """A cancel as the orderly stop makes it."""
    return CancelOrder(
        command_id=1,
        reason=Reason.STOPPING,
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        key=a_position().key,
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"is_reduce_only": True}, "only shrink"),
        ({"is_close": True}, "only shrink"),
        ({"kind": OrderKind.STOP_MARKET, "side": OrderSide.SELL, "trigger": Trigger.MARK}, "might protect"),
        ({"kind": OrderKind.STOP_LIMIT, "side": OrderSide.SELL}, "might protect"),
    ],
    ids=["reduce-only", "close", "plain stop", "plain stop limit"],
)
def test_the_choke_point_lets_no_protection_go(changes: dict[str, object], why: str) -> None:
    """P1: even while stopping with the setting on, what shrinks or might protect stays."""
    order = an_order("b", "bot", stop_price=Decimal(950), **changes)
    guard = Driven(CANCELLING).up([a_position()], [order])
    assert "not an order of ours" in str(refusal(cancel_of(order), guard.state))
    stop(guard)
    assert why in str(refusal(cancel_of(order), guard.state))


def test_the_choke_point_opens_only_while_stopping_with_the_setting_on() -> None:
    """P1: a quote: refused before the stop, without the setting, in other modes, observing, and if it is not known."""
    quote = an_order("b", "bot")
    guard = quoted(quote)
    assert refusal(cancel_of(quote), guard.state) == "not an order of ours"
    stop(guard)
    assert refusal(cancel_of(quote), guard.state) is None
    assert refusal(cancel_of(an_order("x", "bot")), guard.state) == "no such open order"
    for policy in (
        Policy(),
        Policy(switch=SwitchPolicy(mode=SwitchMode.ALWAYS, cancel_on_stop=True)),
        replace(CANCELLING, observe=True),
    ):
        assert refusal(cancel_of(quote), replace(guard.state, policy=policy)) is not None
