"""The stop rules at work in the whole core: who speaks, what moves, what is closed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import (
    BreakEvenPolicy,
    FixedPolicy,
    MaxLossPolicy,
    Policy,
    StartBreach,
    StopPolicy,
    StopStyle,
    TimeStopPolicy,
    TrailingPolicy,
)
from connectors.vocabulary import Order, OrderStatus, Position, Side
from daemon.core import events as e
from daemon.core import stops
from daemon.core.commands import AmendStop, CancelOrder, Command, PlaceStop, ReduceAtMarket, SetBand
from daemon.core.degraded import Degraded
from daemon.core.draft import Draft
from daemon.core.memory.episode import Release
from daemon.core.memory.under_way import PendingKind
from daemon.core.protecting.cover import judge
from daemon.core.protecting.wanted import work_out
from daemon.core.reasons import Reason
from daemon.core.state import Need, Standing, with_policy
from tests.builders import SECOND, START_NS, a_margin, a_position
from tests.driven import Driven

D = Decimal
HOUR = 3_600 * SECOND
TRAIL = TrailingPolicy(mode=RuleMode.ON, step_percent=D(1))
MAX_LOSS = MaxLossPolicy(mode=RuleMode.ON, equity_percent=D("0.3"))


def opened(*, mark: str | int = 1000, quantity: int = 100, **stop: object) -> Driven:
    """A position that opens while the guard runs, its first stop confirmed."""
    guard = Driven(Policy(stop=StopPolicy(**stop))).up(mark=mark)  # type: ignore[arg-type]
    guard.position(a_position(quantity))
    if guard.some(PlaceStop):
        guard.rest()
    return guard


def confirm(guard: Driven) -> AmendStop:
    """Let the stream confirm the one amend that is under way."""
    amend = guard.some(AmendStop, guard.all)[-1]
    known = guard.state.orders["XBTUSDT"][amend.order_id].order
    changes = {"stop_price": amend.stop_price or known.stop_price, "timestamp_ns": guard.now}
    if amend.quantity is not None:
        changes |= {"quantity": amend.quantity, "leaves_quantity": amend.quantity}
    guard.order(type(known)(**{name: changes.get(name, getattr(known, name)) for name in known.__slots__}))
    return amend


# ---------------------------------------------------------------------- the nearest speaks


def test_the_loss_rule_is_nearer_and_named() -> None:
    """P2: 0.3 % of a million is 3000: the stop rests at 972.5, not at the buffer's 918, and the alert says why."""
    guard = opened(max_loss=MAX_LOSS)
    assert guard.guarded().ratchet == D("972.5")
    assert guard.guarded().ruled_by == "max_loss"
    told = guard.alerts("covered")[0]
    assert "max_loss: 0.3 % of 1 USDT equity" in told.text
    assert dict(told.facts)["rule"] == "max_loss"


def test_the_ratchet_keeps_the_name_of_the_rule_that_set_it() -> None:
    """P3: half of the position is sold, the loss rule asks for less, the stop and its reason stay."""
    guard = opened(max_loss=MAX_LOSS)
    guard.now += SECOND
    guard.position(a_position(40))
    assert guard.guarded().ruled is not None
    assert guard.guarded().ruled < D("972.5")
    assert (guard.guarded().ratchet, guard.guarded().ruled_by) == (D("972.5"), "max_loss")


def test_without_liquidation_in_range_the_loss_rule_still_has_its_stop() -> None:
    """P2: no tier, no alarm, and a stop all the same; without such a rule none is needed."""
    for stop, need in [({"max_loss": MAX_LOSS}, Need.STOP), ({}, Need.NOTHING)]:
        guard = Driven(Policy(stop=StopPolicy(**stop))).up()  # type: ignore[arg-type]
        guard.position(_unreachable())
        assert guard.guarded().liquidation.standing is Standing.NOT_IN_RANGE
        assert guard.guarded().need is need
        if need is Need.STOP:
            place = guard.only(PlaceStop, guard.all)
            guard.rest(place)
            assert guard.guarded().covered_ns
            assert guard.guarded().tier.value == "calm"


def _unreachable() -> Position:
    """A long so small on so much margin that no price can liquidate it, and the venue says so."""
    return a_position(
        liquidation_price=D("0.5"),
        cost_sat=100_000,
        unrealised_cost_sat=100_000,
        margin_sat=200_000,
        initial_margin_sat=200_000,
        fee_reserve_sat=75,
        maintenance_sat=575,
        leverage=D(1),
        maintenance_margin_ratio=D("0.005"),
        commission=D("0.00075"),
        mark_price=D(1000),
    )


def test_with_liquidation_unknown_the_loss_rule_rests_a_stop_and_the_state_is_named() -> None:
    """P12: what is not known is said, and what can be done is done."""
    guard = Driven(Policy(stop=StopPolicy(max_loss=MAX_LOSS))).up()
    guard.position(a_position(liquidation_price=None))
    guard.rest()
    guard.wait(3 * SECOND)
    assert guard.guarded().covered_ns
    assert Degraded.LIQUIDATION_UNKNOWN in guard.guarded().degraded


def test_a_rule_that_cannot_speak_is_named() -> None:
    """P12: the equity of the currency was never told: the other rules hold, and that is said until it is known."""
    guard = Driven(Policy(stop=StopPolicy(max_loss=MAX_LOSS))).up()
    guard.position(a_position(currency="XBt"))
    guard.rest()
    guard.wait(3 * SECOND)
    assert Degraded.RULE_SILENT in guard.guarded().degraded
    assert "max_loss: the equity is unknown" in guard.alerts(Degraded.RULE_SILENT.value)[0].text
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(currency="XBt")))
    assert Degraded.RULE_SILENT not in guard.guarded().degraded


# ---------------------------------------------------------------------- trailing and break-even


def test_the_trail_moves_in_steps_once_a_second_mark_agrees() -> None:
    """One print of 1030 moves nothing; the next one does, and marks between two steps cost no request."""
    guard = opened(trailing=TRAIL)
    assert guard.guarded().ratchet == D(960)
    assert guard.some(AmendStop, guard.mark(1030)) == []
    amend = guard.only(AmendStop, guard.mark(1031))
    assert amend.stop_price == D(989)
    assert amend.reason is Reason.COVER_TOO_FAR
    confirm(guard)
    before = len(guard.all)
    for price in ("1033", "1035", "1039", "1039.5", "1032", "1036"):
        guard.now += 10 * SECOND
        guard.mark(price)
    assert not guard.some(AmendStop, guard.all[before:])


def test_the_band_ends_where_the_next_step_begins() -> None:
    """Section 6 of the promises: inside it nothing is decided, beyond it the core has to hear."""
    guard = opened(trailing=TRAIL)
    guard.mark(1004)
    bands = guard.some(SetBand, guard.all)
    assert bands[-1].high == D("1009.5")


def test_a_fall_through_the_trail_closes() -> None:
    """The mark falls back from 1100 through the stop before it could be moved: reduced with a second witness."""
    guard = opened(trailing=TRAIL)
    guard.mark(1100)
    guard.mark(1100)
    guard.mark(1050)
    guard.picture([a_position()], [k.order for k in guard.state.orders["XBTUSDT"].values()])
    reduce = guard.only(ReduceAtMarket, guard.all)
    assert reduce.reason is Reason.THROUGH_TRIGGER
    assert "trailing" in guard.alerts("reducing")[0].text


def test_break_even_after_the_gain() -> None:
    """Two percent up, twice: entry and fees from then on."""
    guard = opened(break_even=BreakEvenPolicy(mode=RuleMode.ON))
    guard.mark(1021)
    amend = guard.only(AmendStop, guard.mark(1022))
    assert amend.stop_price == D("1002.5")
    assert guard.guarded().ruled_by == "break_even"


# ---------------------------------------------------------------------- exits


def a_day_old(on_start_breach: StartBreach = StartBreach.ALERT) -> Driven:
    """A covered position whose day is over without a gain, as the timer rings."""
    guard = opened(time_stop=TimeStopPolicy(mode=RuleMode.ON), on_start_breach=on_start_breach)
    guard.now = START_NS + 25 * HOUR
    guard.mark(1001)
    guard.tick()
    return guard


def test_the_time_stop_closes_with_a_second_witness_only() -> None:
    """P12: never on one message alone; the stop rests meanwhile, and the reason names the rule."""
    guard = a_day_old()
    assert guard.some(ReduceAtMarket, guard.all) == []
    guard.picture([a_position()], [k.order for k in guard.state.orders["XBTUSDT"].values()])
    reduce = guard.only(ReduceAtMarket, guard.all)
    assert reduce.reason is Reason.RULE_EXIT
    assert "time_stop asks for it: open for 24 h without a gain of 0.5 %" in guard.alerts("reducing")[0].text
    assert guard.guarded().covered_ns


def test_the_timer_is_set_for_it() -> None:
    """A quiet market has to wake it all the same."""
    guard = opened(time_stop=TimeStopPolicy(mode=RuleMode.ON))
    known_ns = guard.guarded().known_ns
    guard.now = known_ns + 24 * HOUR - SECOND
    guard.mark(1001)
    guard.tick()
    assert guard.state.wakes["XBTUSDT"] <= known_ns + 24 * HOUR
    assert guard.guarded().exit_ns == 0


def test_it_survives_a_restart() -> None:
    """P7: the time counts from when the position was first known, through a checkpoint and a new start."""
    guard = opened(time_stop=TimeStopPolicy(mode=RuleMode.ON))
    known_ns, stop = guard.guarded().known_ns, [k.order for k in guard.state.orders["XBTUSDT"].values()]
    guard.now += 12 * HOUR
    guard.up([a_position()], stop)
    assert guard.guarded().known_ns == known_ns
    guard.now = known_ns + 24 * HOUR
    guard.mark(1001)
    guard.tick()
    assert guard.guarded().exit_ns


def test_a_gain_calls_it_off() -> None:
    """The mark comes back before the second witness: nothing is closed."""
    guard = a_day_old()
    guard.mark(1006)
    guard.picture([a_position()], [k.order for k in guard.state.orders["XBTUSDT"].values()])
    assert guard.some(ReduceAtMarket, guard.all) == []


@pytest.mark.parametrize("on_start_breach", list(StartBreach))
def test_a_changed_policy_closes_nothing_that_was_there_unless_it_says_so(on_start_breach: StartBreach) -> None:
    """Known for two days before the rule was switched on: an alert, and the buffer's stop stays where it is."""
    guard = opened()
    guard.now = START_NS + 48 * HOUR
    rule = StopPolicy(time_stop=TimeStopPolicy(mode=RuleMode.ON), on_start_breach=on_start_breach)
    guard.state = with_policy(guard.state, Policy(stop=rule))
    guard.mark(1001)
    guard.tick()
    guard.picture([a_position()], [k.order for k in guard.state.orders["XBTUSDT"].values()])
    closes = on_start_breach is StartBreach.REDUCE
    assert bool(guard.some(ReduceAtMarket, guard.all)) is closes
    assert bool(guard.alerts("breach")) is not closes
    if not closes:
        assert "to be closed (time_stop" in guard.alerts("breach")[0].text


def test_a_loss_rule_passed_before_the_start_rests_the_next_rules_stop() -> None:
    """First seen beyond the maximum loss: an alert, and the buffer's stop rests; nothing is closed."""
    guard = Driven(Policy(stop=StopPolicy(max_loss=MAX_LOSS)))
    guard.up([a_position()], mark=960)
    place = guard.some(PlaceStop, guard.all)[0]
    assert place.stop_price == D(918)
    assert guard.some(ReduceAtMarket, guard.all) == []
    told = guard.alerts("breach")[0].text
    assert "beyond its stop trigger 972.5 (max_loss: 0.3 % of 1 USDT equity)" in told
    assert guard.guarded().ruled_by == "liquidation_buffer"


def test_no_rule_is_left_and_no_liquidation_a_buffer_away_from_the_mark() -> None:
    """First seen beyond its only rule's trigger, liquidation unknown: a stop two percent from the mark stands in."""
    guard = Driven(Policy(stop=StopPolicy(max_loss=MAX_LOSS)))
    guard.up([a_position(liquidation_price=None)], mark=960)
    assert guard.some(PlaceStop, guard.all)[0].stop_price == D(941)
    assert guard.guarded().ruled_by == "stand_in"


def test_a_fixed_price_of_the_settings_that_the_mark_has_passed_closes_at_once() -> None:
    """Opened beyond the line the trader drew: reduced, and the line is named."""
    guard = Driven(Policy(stop=StopPolicy(fixed=FixedPolicy(long={"XBTUSDT": D(1010)})))).up()
    guard.position(a_position())
    guard.picture([a_position()])
    assert guard.only(ReduceAtMarket, guard.all).reason is Reason.THROUGH_TRIGGER
    assert "1010 in the settings" in guard.alerts("reducing")[0].text


def test_a_stop_confirmed_just_now_holds_what_replaces_it() -> None:
    """P3: the policy asks for another form, further away; the first stop is confirmed in the very same step."""
    guard = Driven().up()
    place = guard.only(PlaceStop, guard.position(a_position()))
    row = guard.row_of(place)
    policy = Policy(stop=StopPolicy(buffer_percent=Decimal(1), style=StopStyle.CLOSE))
    guard.give(e.PolicyChanged(at_ns=guard.now, policy=policy, who="ada", changes=("stop",), may_loosen=False))
    beside = guard.only(PlaceStop, guard.order(row))
    assert beside.quantity is None
    assert beside.stop_price == place.stop_price == Decimal(918)


def test_a_stop_that_only_the_journal_shows_is_not_moved() -> None:
    """P3, P7: the journal lost its end, in which the stop was moved nearer; a witness of this process is awaited."""
    guard = opened()
    row = next(iter(guard.state.orders["XBTUSDT"].values())).order
    guard.now += SECOND
    guard.start()
    guard.mark(1000)
    assert not guard.some(AmendStop, guard.position(a_position(250, liquidation_price=Decimal(905))))[0].stop_price
    guard.now += SECOND
    guard.order(replace(row, stop_price=Decimal(950), quantity=250, timestamp_ns=guard.now))
    moved = [amend.stop_price for amend in guard.some(AmendStop, guard.all)]
    assert moved == [None]
    assert guard.guarded().ratchet == Decimal(950)


def test_a_stop_in_reserve_goes_back_no_further_than_a_person_let_it() -> None:
    """P3: the mark is beyond the stop that was confirmed, and not beyond the price up to which it was let go."""
    guard = opened()
    draft = Draft(guard.state, guard.now)
    held = draft.positions["XBTUSDT"]
    episode = replace(held.episode, released=Release(price=D(985), who="ada", at_ns=guard.now))
    draft.change("XBTUSDT", ratchet=D(1010), through_ns=guard.now - HOUR, episode=episode)
    guarded = draft.positions["XBTUSDT"]
    wanted = work_out(draft, guarded)
    case = stops._Case(guarded=guarded, wanted=wanted, cover=judge(draft, guarded, Side.LONG, D(1010)), is_through=True)
    assert stops._bridge(draft, case) == D(985)
    let_go = replace(episode, released=None)
    draft.change("XBTUSDT", episode=let_go)
    bare = replace(case, guarded=draft.positions["XBTUSDT"])
    assert stops._bridge(draft, bare) == D(950)


def _after_refusal(
    guard: Driven, amend: AmendStop, *, is_own: bool = False, wait_ns: int = 5 * SECOND
) -> list[Command]:
    """The amend is refused, the stop is asked for and still rests; what follows once the pause is over."""
    row = next(iter(guard.state.orders["XBTUSDT"].values())).order
    reason = "the amend is not valid"
    guard.give(e.RequestRefused(at_ns=guard.now, command_id=amend.command_id, reason=reason, is_own=is_own))
    _answer_questions(guard, row)
    return guard.wait(wait_ns)


def _answer_questions(guard: Driven, *rows: Order) -> None:
    guard.now += SECOND // 50
    for number, pending in list(guard.state.pending.items()):
        if pending.kind is PendingKind.FIND:
            guard.give(e.OrdersFound(at_ns=guard.now, command_id=number, orders=rows))


def test_a_stop_that_the_venue_refuses_to_change_is_replaced() -> None:
    """P2: the position grew, its stop may not follow: another rests beside it, and then the small one goes."""
    guard = opened()
    small = guard.only(AmendStop, guard.position(a_position(250)))
    beside = guard.only(PlaceStop, _after_refusal(guard, small))
    assert (beside.quantity, beside.stop_price, beside.reason) == (250, D(918), Reason.COVER_TOO_SMALL)
    assert not guard.some(CancelOrder, guard.all), "the small one stays until the other is confirmed"
    guard.rest(beside)
    assert guard.guarded().covered_ns
    assert guard.only(CancelOrder, guard.wait(SECOND)).order_id == small.order_id


@pytest.mark.parametrize("how", ["refused", "answered with a cancelled row", "cancelled in a moment"])
def test_where_a_second_stop_is_refused_as_well_both_ways_are_tried_in_turn(how: str) -> None:
    """P2: a refusal of one kind says nothing of the other for ever."""
    guard = opened()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    beside = guard.only(PlaceStop, _after_refusal(guard, amend, wait_ns=SECOND * 6 // 10))
    ended = guard.row_of(beside, status=OrderStatus.CANCELED)
    match how:
        case "refused":
            guard.give(e.RequestRefused(at_ns=guard.now, command_id=beside.command_id, reason="too many stops"))
        case "answered with a cancelled row":
            guard.give(e.RequestAnswered(at_ns=guard.now, command_id=beside.command_id, order=ended))
        case _:
            guard.order(guard.row_of(beside))
            guard.order(ended)
    again = guard.only(AmendStop, guard.wait(3 * SECOND))
    assert again.quantity == 250
    assert guard.some(PlaceStop, _after_refusal(guard, again))


def test_our_own_checks_no_is_no_reason_for_a_second_stop() -> None:
    """P1: what our own check holds back as an amend it is not offered in another form."""
    guard = opened()
    amend = guard.only(AmendStop, guard.position(a_position(250)))
    commands = _after_refusal(guard, amend, is_own=True)
    assert not guard.some(PlaceStop, commands)
    assert guard.some(AmendStop, commands)
