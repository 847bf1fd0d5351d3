"""Take-profit ladders: stages, sizes, order of things, refusals, and what stays when the position changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import Policy, StartBreach, StopPolicy, TakeProfitPolicy
from connectors.vocabulary import Order, OrderKind, OrderSide, OrderStatus
from daemon.core import events as e
from daemon.core import ids
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import AmendStop, CancelOrder, Command, FindOrders, PlaceStop, PlaceTakeProfit, SetBand
from daemon.core.degraded import Degraded
from daemon.core.operator_requests import FlattenAsked
from daemon.core.protecting.take_profit import Rung, rungs
from daemon.core.reasons import Reason
from daemon.core.state import with_policy
from tests.builders import SECOND, a_position, an_order
from tests.driven import MS, Driven
from tests.unit.daemon.core.protecting.test_wanted import a_guarded, a_view
from tests.unit.daemon.core.test_stop_stories import confirm

D = Decimal
LADDER = TakeProfitPolicy(mode=RuleMode.ON)


def a_policy(**changes: object) -> Policy:
    """The ladder of the defaults: 25 % at +2 %, 25 % at +4 %, 50 % at +8 %."""
    return Policy(take_profit=LADDER, **changes)  # type: ignore[arg-type]


def covered(quantity: int = 100, policy: Policy | None = None) -> Driven:
    """A position that opened while the guard ran, its stop confirmed, before its size has lasted."""
    guard = Driven(policy or a_policy()).up()
    guard.position(a_position(quantity))
    guard.rest()
    return guard


def row_of(guard: Driven, place: PlaceTakeProfit, **changes: object) -> Order:
    """The order that a placement makes."""
    row = an_order(
        f"v-{place.client_order_id}",
        place.client_order_id,
        side=place.side,
        quantity=place.quantity,
        leaves_quantity=place.quantity,
        price=place.price,
        is_reduce_only=True,
        timestamp_ns=guard.now,
    )
    return replace(row, **changes)


def settle(guard: Driven, commands: list[Command]) -> list[Command]:
    """Confirm every placement and cancel of a take-profit order on the stream until none is left."""
    seen: list[Command] = []
    while commands:
        command = commands.pop(0)
        seen.append(command)
        if isinstance(command, PlaceTakeProfit):
            commands += guard.order(row_of(guard, command))
        elif isinstance(command, CancelOrder) and ids.is_take(7, command.client_order_id):
            known = guard.state.orders["XBTUSDT"][command.order_id].order
            ended = replace(known, status=OrderStatus.CANCELED, leaves_quantity=0, timestamp_ns=guard.now)
            commands += guard.order(ended)
    return seen


def ladder(quantity: int = 100, policy: Policy | None = None) -> Driven:
    """A covered position whose ladder rests."""
    guard = covered(quantity, policy)
    settle(guard, guard.wait(4 * SECOND))
    return guard


def resting(guard: Driven) -> list[tuple[Decimal | None, int]]:
    """Price and what is left of our take-profit orders, nearest rung first."""
    book = [k.order for k in guard.state.orders.get("XBTUSDT", {}).values()]
    takes = [order for order in book if ids.is_take(7, order.client_order_id)]
    return [(each.price, each.leaves_quantity) for each in sorted(takes, key=lambda each: each.client_order_id[-1])]


# ---------------------------------------------------------------------- which rungs


@pytest.mark.parametrize(
    ("quantity", "largest", "lot", "sizes"),
    [
        (100, 100, 1, [25, 25, 50]),
        (-100, 100, 1, [25, 25, 50]),
        (60, 100, 1, [25, 25, 10]),
        (10, 100, 1, [10]),
        (7, 7, 1, [1, 2, 4]),
        (100, 100, 10, [20, 30, 50]),
        (1, 1, 1, [1]),
        (95, 100, 10, [20, 30, 40]),
    ],
)
def test_sizes_are_whole_lots_and_never_more_than_the_position(
    quantity: int, largest: int, lot: int, sizes: list[int]
) -> None:
    """Shares of the largest size; the far rungs are cut first; nothing is lost to rounding in between."""
    guarded = a_guarded(quantity)
    guarded = replace(guarded, episode=replace(guarded.episode, largest=largest))
    found = rungs(a_view(guarded, policy=a_policy(), lot_size=lot), guarded)
    assert [rung.quantity for rung in found] == sizes
    assert sum(sizes) <= abs(quantity)


@pytest.mark.parametrize(
    ("quantity", "prices"), [(100, ["1020.5", "1040.5", "1080.5"]), (-100, ["980.5", "960.5", "920.5"])]
)
def test_prices_are_rounded_toward_more_profit(quantity: int, prices: list[str]) -> None:
    """Entry 1000.2 (long) or 1000.7 (short): never a tick less than asked."""
    guarded = a_guarded(quantity)
    entry = D("1000.2") if quantity > 0 else D("1000.7")
    guarded = replace(guarded, position=replace(guarded.position, entry_price=entry))
    found = rungs(a_view(guarded, policy=a_policy()), guarded)
    assert [rung.price for rung in found] == [D(price) for price in prices]


def test_what_was_filled_is_not_asked_for_again() -> None:
    """By rung and client order id; a part that was filled is taken off."""
    guarded = a_guarded(70)
    fills = {"sw-7-XBTUSDT-L-t10": 25, "sw-7-XBTUSDT-L-t21": 5, "sw-7-XBTUSDT-S-t11": 9, "bot": 1}
    guarded = replace(
        guarded,
        bracket=replace(guarded.bracket, fills=fills),
        episode=replace(guarded.episode, largest=100),
    )
    found = rungs(a_view(guarded, policy=a_policy()), guarded)
    assert found == (Rung(index=1, price=D(1040), quantity=20), Rung(index=2, price=D(1080), quantity=50))


def test_what_cannot_be_worked_out_has_no_rungs() -> None:
    """Flat, no entry price, no contract, a price that the contract does not have."""
    flat, blank = a_guarded(0), a_guarded()
    blank = replace(blank, position=replace(blank.position, entry_price=None))
    view = a_view(a_guarded(), policy=a_policy())
    assert rungs(view, flat) == rungs(view, blank) == rungs(replace(view, instruments={}), a_guarded()) == ()
    assert [rung.index for rung in rungs(a_view(a_guarded(), policy=a_policy(), max_price=D(1050)), a_guarded())] == [
        0,
        1,
    ]


# ---------------------------------------------------------------------- placed, one at a time, after the stop


def test_the_ladder_is_placed_one_order_at_a_time() -> None:
    """Nearest first, each after the one before is confirmed, on the closing side, by derived ids."""
    guard = covered()
    first = guard.only(PlaceTakeProfit, guard.wait(4 * SECOND))
    assert (first.client_order_id, first.side, first.quantity, first.price) == (
        "sw-7-XBTUSDT-L-t10",
        OrderSide.SELL,
        25,
        D(1020),
    )
    assert first.reason is Reason.TAKE_PROFIT
    assert guard.some(PlaceTakeProfit, guard.wait(SECOND)) == []
    second = guard.only(PlaceTakeProfit, guard.order(row_of(guard, first)))
    assert (second.client_order_id, second.quantity, second.price) == ("sw-7-XBTUSDT-L-t11", 25, D(1040))
    settle(guard, [second])
    assert resting(guard) == [(D(1020), 25), (D(1040), 25), (D(1080), 50)]
    assert not guard.some(PlaceTakeProfit, guard.wait(60 * SECOND))


def test_nothing_is_placed_before_the_stop_is_confirmed() -> None:
    """P8: protection first: accepted is not confirmed."""
    guard = Driven(a_policy()).up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    guard.give(e.RequestAnswered(at_ns=guard.now, command_id=place.command_id, order=guard.row_of(place)))
    guard.wait(SECOND)
    find = guard.only(FindOrders, guard.wait(3 * SECOND))
    assert guard.some(PlaceTakeProfit, guard.all) == []
    row = guard.row_of(place)
    assert guard.some(
        PlaceTakeProfit, guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(row,)))
    )


def test_a_pending_profit_order_never_holds_up_the_stop() -> None:
    """P8: the answer to a take-profit order is missing; the position grows, and its stop follows at once."""
    guard = covered()
    place = guard.only(PlaceTakeProfit, guard.wait(4 * SECOND))
    guard.give(e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="time-out"))
    assert guard.only(AmendStop, guard.position(a_position(150))).quantity == 150


def test_the_choke_point_lets_through_only_what_shrinks_and_fits() -> None:
    """P1: side, size, price, and together with those that rest no more than there is."""
    guard = covered()
    place = guard.only(PlaceTakeProfit, guard.wait(4 * SECOND))
    assert refusal(place, guard.state) is None
    wrong: list[tuple[Callable[[PlaceTakeProfit], PlaceTakeProfit], str]] = [
        (lambda each: replace(each, side=OrderSide.BUY), "could grow the position"),
        (lambda each: replace(each, quantity=101), "do not fit"),
        (lambda each: replace(each, quantity=0), "do not fit"),
        (lambda each: replace(each, price=D(0)), "is no price"),
        (lambda each: replace(each, price=D("NaN")), "is no price"),
        (lambda each: replace(each, client_order_id="bot"), "not an order of ours"),
    ]
    for change, words in wrong:
        assert words in (refusal(change(place), guard.state) or ""), words
    guard.order(row_of(guard, place))
    again = replace(place, client_order_id="sw-7-XBTUSDT-L-t20", quantity=76)
    assert "more than the 100 there are" in (refusal(again, guard.state) or "")
    assert "observing" in (refusal(place, replace(guard.state, policy=Policy(observe=True))) or "")


@pytest.mark.parametrize("mode", [RuleMode.OFF, RuleMode.SHADOW])
def test_off_and_shadow_send_nothing_and_take_away_what_rests(mode: RuleMode) -> None:
    """Switched off under an open position: our own orders go, nobody else's."""
    guard = ladder()
    guard.state = with_policy(guard.state, Policy(take_profit=TakeProfitPolicy(mode=mode)))
    theirs = an_order("theirs", "bot-1", side=OrderSide.SELL, price=D(1030), is_reduce_only=True)
    settle(guard, list(guard.order(theirs)))
    assert resting(guard) == []
    assert "theirs" in guard.state.orders["XBTUSDT"]
    assert not guard.some(PlaceTakeProfit, guard.wait(60 * SECOND))


# ---------------------------------------------------------------------- the position changes


def test_a_filled_rung_is_told_and_not_placed_again() -> None:
    """25 sold at 1020: the others stay as they are, and the stop shrinks on the slow cycle as ever."""
    guard = ladder()
    first = next(k.order for k in guard.state.orders["XBTUSDT"].values() if k.order.price == D(1020))
    guard.order(
        replace(first, status=OrderStatus.FILLED, filled_quantity=25, leaves_quantity=0, timestamp_ns=guard.now)
    )
    guard.position(a_position(75))
    settle(guard, guard.wait(10 * SECOND))
    assert resting(guard) == [(D(1040), 25), (D(1080), 50)]
    assert "25 contracts of XBTUSDT were closed at a profit" in guard.alerts("filled")[0].text
    guard.order(
        replace(first, status=OrderStatus.FILLED, filled_quantity=25, leaves_quantity=0, timestamp_ns=guard.now)
    )
    assert len(guard.alerts("filled")) == 1


def test_the_position_row_may_come_before_the_fill() -> None:
    """Rows overtake each other: no rung is cut for a size that its own fill explains a moment later."""
    guard = ladder()
    first = next(k.order for k in guard.state.orders["XBTUSDT"].values() if k.order.price == D(1020))
    assert not guard.some(CancelOrder, guard.position(a_position(75)))
    guard.now += SECOND
    guard.order(
        replace(first, status=OrderStatus.FILLED, filled_quantity=25, leaves_quantity=0, timestamp_ns=guard.now)
    )
    commands = settle(guard, guard.wait(10 * SECOND))
    assert not [c for c in guard.some(CancelOrder, commands) if ids.is_take(7, c.client_order_id)]


def test_a_smaller_position_cuts_the_far_rungs() -> None:
    """60 of 100 left by somebody else's trade: 25, 25 and 10, once the size has lasted."""
    guard = ladder()
    guard.position(a_position(60))
    settle(guard, guard.wait(4 * SECOND))
    settle(guard, guard.wait(6 * SECOND))
    assert resting(guard) == [(D(1020), 25), (D(1040), 25), (D(1080), 10)]


def test_an_addition_moves_the_ladder_to_the_new_entry() -> None:
    """200 from 1010: every rung by cancel and place, new sizes, new prices, ids counted on."""
    guard = ladder()
    guard.position(a_position(200, entry_price=D(1010)))
    confirm(guard)
    for _ in range(4):
        settle(guard, guard.wait(6 * SECOND))
    assert resting(guard) == [(D("1030.5"), 50), (D("1050.5"), 50), (D(1091), 100)]
    numbers = [ids.parse(7, k.order.client_order_id) for k in guard.state.orders["XBTUSDT"].values()]
    assert all(number is None or number[1] < 100 for number in numbers)


@pytest.mark.parametrize("quantity", [0, -100])
def test_flat_or_turned_leaves_no_rung_behind(quantity: int) -> None:
    """The old ladder goes; a turned position gets one of its own once its stop rests."""
    guard = ladder()
    commands = list(guard.position(a_position(quantity)))
    for place in guard.some(PlaceStop, commands):
        guard.rest(place)
    settle(guard, commands)
    for _ in range(4):
        settle(guard, guard.wait(4 * SECOND))
    assert resting(guard) == ([] if quantity == 0 else [(D(980), 25), (D(960), 25), (D(920), 50)])


def test_a_position_is_not_forgotten_while_a_rung_rests() -> None:
    """Flat for long, and the cancel is not confirmed: it is still asked for."""
    guard = ladder()
    guard.position(a_position(0))
    guard.wait(200 * SECOND)
    assert "XBTUSDT" in guard.state.positions


# ---------------------------------------------------------------------- refusals and lost answers


def test_a_refusal_is_calm_and_its_pauses_grow() -> None:
    """Other reduce-only orders hold the contracts: no alarm, no degraded state, a few requests an hour."""
    guard = covered()
    place = guard.only(PlaceTakeProfit, guard.wait(4 * SECOND))
    asked = 0
    for _ in range(720):
        guard.give(e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="reduce-only"))
        if guard.state.pictures.command_id is not None:
            guard.picture([a_position()], [known.order for known in guard.state.orders["XBTUSDT"].values()])
        found = guard.some(PlaceTakeProfit, guard.wait(5 * SECOND))
        if found:
            asked, place = asked + 1, found[0]
            assert place.client_order_id == "sw-7-XBTUSDT-L-t10"
    assert 10 < asked < 25
    assert not guard.guarded().refusal
    assert guard.guarded().bracket.refusal
    assert guard.guarded().covered_ns


def test_no_budget_for_profit_is_no_want_of_protection() -> None:
    """P8: a take-profit order that finds no budget raises no alarm: what protects has its reserve."""
    guard = covered()
    place = guard.only(PlaceTakeProfit, guard.wait(4 * SECOND))
    guard.give(
        e.RequestNotSent(
            at_ns=guard.now, command_id=place.command_id, reason="no budget", retry_after_ns=SECOND, is_limit=True
        )
    )
    guard.wait(20 * SECOND)
    assert guard.state.health.unsent_ns == 0
    assert Degraded.BUDGET_EMPTY.value not in guard.state.degraded


def lost(guard: Driven) -> PlaceTakeProfit:
    """The first rung, whose answer does not come and that the venue, asked at once, does not show."""
    place = guard.only(PlaceTakeProfit, guard.wait(4 * SECOND))
    unanswered = e.RequestUnanswered(at_ns=guard.now, command_id=place.command_id, reason="x")
    find = guard.only(FindOrders, guard.give(unanswered))
    assert find.client_order_ids == (place.client_order_id,)
    assert not guard.some(PlaceTakeProfit, shown(guard, find))
    return place


def shown(guard: Driven, find: FindOrders, *orders: Order) -> list[Command]:
    """What the guard does when the venue shows these."""
    return list(guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=orders)))


def test_a_lost_answer_is_asked_for_until_the_order_can_no_longer_arrive() -> None:
    """P5: unknown is not failed; the same id goes out again when its request has expired and still is not there."""
    guard = covered()
    place = lost(guard)
    assert guard.some(PlaceTakeProfit, guard.wait(14 * SECOND)) == []
    find = guard.only(FindOrders, guard.wait(10 * SECOND))
    assert guard.only(PlaceTakeProfit, shown(guard, find)).client_order_id == place.client_order_id


def test_a_lost_order_that_rests_when_it_is_asked_for_counts() -> None:
    """P5: the question after its expiry finds it; the next rung follows."""
    guard = covered()
    place = lost(guard)
    find = guard.only(FindOrders, guard.wait(24 * SECOND))
    assert guard.only(PlaceTakeProfit, shown(guard, find, row_of(guard, place))).client_order_id.endswith("-t11")


def test_a_profit_order_that_arrives_late_is_the_only_one_of_its_rung() -> None:
    """P4: it was not found, and is filled eight seconds after it left, at a venue that forgets used ids."""
    guard = covered()
    place = lost(guard)
    guard.wait(5 * SECOND)
    filled = row_of(guard, place, status=OrderStatus.FILLED, leaves_quantity=0, filled_quantity=place.quantity)
    placed = guard.some(PlaceTakeProfit, settle(guard, list(guard.order(filled))))
    assert [each.client_order_id[-4:] for each in placed] == ["-t11", "-t12"]


def test_a_duplicate_is_probed_for() -> None:
    """P4: the journal is lost, the id was used: its rung's next number is taken."""
    guard = covered()
    place = guard.only(PlaceTakeProfit, guard.wait(4 * SECOND))
    refused = e.RequestRefused(at_ns=guard.now, command_id=place.command_id, reason="Duplicate", is_duplicate=True)
    find = guard.only(FindOrders, guard.give(refused))
    old = row_of(guard, place, status=OrderStatus.CANCELED, timestamp_ns=1)
    commands = guard.give(e.OrdersFound(at_ns=guard.now, command_id=find.command_id, orders=(old,)))
    assert guard.only(PlaceTakeProfit, commands).client_order_id == "sw-7-XBTUSDT-L-t20"


def test_swept_away_orders_come_back_slowly() -> None:
    """Somebody cancels everything again and again: the stop is put back at once, the ladder with growing pauses."""
    guard = ladder()
    for _ in range(3):
        for known in list(guard.state.orders["XBTUSDT"].values()):
            if ids.is_take(7, known.order.client_order_id):
                guard.order(replace(known.order, status=OrderStatus.CANCELED, timestamp_ns=guard.now))
        assert guard.guarded().bracket.retry_at_ns > guard.now
        assert not guard.some(PlaceTakeProfit, guard.wait(4 * SECOND))
        for _ in range(20):
            settle(guard, guard.wait(SECOND))
    assert len(resting(guard)) == 3
    assert guard.guarded().bracket.pause_ns == 20 * SECOND


def test_a_rung_that_reads_otherwise_is_replaced() -> None:
    """Somebody amended it to a price of their own."""
    guard = ladder()
    first = next(k.order for k in guard.state.orders["XBTUSDT"].values() if k.order.price == D(1020))
    guard.now += MS
    settle(guard, list(guard.order(replace(first, price=D(1005), timestamp_ns=guard.now))))
    settle(guard, guard.wait(10 * SECOND))
    assert resting(guard)[0] == (D(1020), 25)


# ---------------------------------------------------------------------- from the start, closing, shapes


@pytest.mark.parametrize(
    ("on_start_breach", "prices"), [(StartBreach.ALERT, [1080]), (StartBreach.REDUCE, [1020, 1040])]
)
def test_rungs_that_the_mark_has_passed_wait_for_it_at_a_start(on_start_breach: StartBreach, prices: list[int]) -> None:
    """First seen at 1050: nothing is sold by surprise; with "reduce" those stages are taken at once."""
    guard = Driven(a_policy(stop=StopPolicy(on_start_breach=on_start_breach))).up([a_position()], mark=1050)
    for place in guard.some(PlaceStop, guard.all)[:1]:
        guard.rest(place)
    commands = settle(guard, guard.wait(4 * SECOND))
    placed = [int(each.price) for each in guard.some(PlaceTakeProfit, commands)]
    assert placed[: len(prices)] == prices
    if on_start_breach is StartBreach.ALERT:
        guard.mark(1010)
        settle(guard, list(guard.last) + guard.wait(4 * SECOND))
        assert [price for price, _ in resting(guard)] == [D(1020), D(1040), D(1080)]


def test_while_a_stop_fires_nothing_is_placed() -> None:
    """The position is about to be gone."""
    guard = covered()
    stop = next(k.order for k in guard.state.orders["XBTUSDT"].values())
    guard.order(replace(stop, is_triggered=True, timestamp_ns=guard.now))
    assert not guard.some(PlaceTakeProfit, guard.wait(4 * SECOND))


def test_an_order_of_another_kind_under_our_id_is_none_of_the_stages() -> None:
    """P1: whatever carries our id and could grow the position is cancelled, not counted."""
    guard = covered()
    place = guard.only(PlaceTakeProfit, guard.wait(4 * SECOND))
    for change in ({"is_reduce_only": False}, {"kind": OrderKind.STOP_MARKET, "stop_price": D(990)}):
        cancel = guard.only(CancelOrder, guard.order(row_of(guard, place, **change, timestamp_ns=guard.now)))
        assert cancel.order_id == f"v-{place.client_order_id}"
        break


def test_in_shadow_each_stage_is_told_once_when_the_mark_is_there() -> None:
    """A backtest reads what would have been sold where; nothing is placed, and marks in between cost nothing."""
    guard = Driven(Policy(take_profit=replace(LADDER, mode=RuleMode.SHADOW))).up()
    guard.position(a_position())
    guard.rest()
    assert guard.some(SetBand, guard.all)[-1].high == D("1019.5")
    for price in (1020, 1019, 1041, 1050):
        guard.mark(price)
    told = [each for each in guard.alerts("would_fire") if each.reason is Reason.SHADOW]
    assert [(dict(each.facts)["price"], dict(each.facts)["quantity"]) for each in told] == [
        ("1020.0", "25"),
        ("1040.0", "25"),
    ]
    assert not guard.some(PlaceTakeProfit, guard.wait(10 * SECOND))


def test_a_latch_that_closes_takes_the_ladder_away() -> None:
    """Reduce-only orders would compete with the close for the same contracts; none is placed while the latch holds."""
    guard = ladder()
    asked = e.OperatorAsked(at_ns=guard.now, request_id="1", who="anna", request=FlattenAsked())
    settle(guard, list(guard.give(asked)))
    assert resting(guard) == []
    assert not guard.some(PlaceTakeProfit, guard.wait(30 * SECOND))


def test_the_price_of_an_older_life_is_not_counted() -> None:
    """Long, closed, long again within seconds: what the first ladder filled is not taken off the second."""
    guard = ladder()
    first = next(k.order for k in guard.state.orders["XBTUSDT"].values() if k.order.price == D(1020))
    guard.position(a_position(0))
    guard.position(a_position(100))
    late = replace(first, status=OrderStatus.FILLED, filled_quantity=25, leaves_quantity=0, timestamp_ns=guard.now)
    guard.order(late)
    assert guard.guarded().bracket.fills == {}
