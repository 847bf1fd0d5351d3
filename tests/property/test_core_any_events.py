"""Any event in any order: the core never raises, never asks for danger, and stays the same after a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.ladder import Step
from config.modes import RuleMode
from config.policy import (
    BreakEvenPolicy,
    FixedPolicy,
    ForeignStops,
    LadderPolicy,
    MaxLossPolicy,
    Policy,
    StartBreach,
    StopPolicy,
    StopStyle,
    SwitchMode,
    SwitchPolicy,
    TakeProfitPolicy,
    TimeStopPolicy,
    TrailingPolicy,
)
from config.stop_rules import TimeStopAction
from connectors.vocabulary import (
    Execution,
    ExecutionKind,
    OrderKind,
    OrderSide,
    OrderStatus,
    Side,
    Trigger,
)
from daemon.core import events as e
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import (
    AmendStop,
    CancelOrder,
    CancelOrders,
    DisarmSwitch,
    FeedSwitch,
    FindOrders,
    PlaceStop,
    PlaceTakeProfit,
    PositionCommand,
    ReadPicture,
    ReduceAtMarket,
)
from daemon.core.market.floor import floor_of
from daemon.core.mode import Mode
from daemon.core.operator_requests import (
    AcknowledgeAsked,
    ClearStop,
    FlattenAsked,
    FreezeAsked,
    LiftLatch,
    PauseAsked,
    ResumeAsked,
    SetStop,
    ShadowAsked,
    SilenceAsked,
    UnsilenceAsked,
)
from daemon.core.reasons import Reason
from daemon.core.state import GuardState, Need, initial_state
from daemon.core.step import step
from tests.builders import ACCOUNT, SECOND, START_NS, a_key, a_margin, a_position, an_instrument, an_order

ORDER_COMMANDS = (
    *(PlaceStop, AmendStop, CancelOrder, ReduceAtMarket, PlaceTakeProfit, CancelOrders),
    *get_args(PositionCommand),
)
VENUE_COMMANDS = (*ORDER_COMMANDS, FindOrders, ReadPicture, FeedSwitch, DisarmSwitch)

symbols = st.sampled_from(["XBTUSDT", "ETHUSDT"])
prices = st.sampled_from([Decimal(p) for p in (890, 900, 905, 915, 918, 925, 950, 1000, 1050, 1080, 1095, 1100, 1110)])
quantities = st.sampled_from([-200, -100, 0, 0, 50, 100, 200])
small_ids = st.integers(1, 12)
names = st.sampled_from(
    [f"sw-7-XBTUSDT-{d}-{p}{n}" for d in "LS" for p in "srt" for n in (1, 2, 10)] + ["", "bot", "sw-7-x"]
)
stamps = st.integers(0, 5).map(lambda n: START_NS + n * SECOND)
sources = st.sampled_from(list(e.Source))
texts = st.sampled_from(["", "why"])

positions = st.builds(
    a_position,
    quantities,
    symbols,
    liquidation_price=st.one_of(st.none(), st.just(Decimal(0)), prices),
    is_cross=st.booleans(),
    mark_price=st.one_of(st.none(), prices),
    cost_sat=st.sampled_from([0, 100_000]),
    margin_sat=st.sampled_from([0, 5_000]),
    realised_pnl_sat=st.sampled_from([None, 0, -100, -5_000, 300]),
    timestamp_ns=stamps,
    key=st.builds(
        a_key, symbols, account=st.sampled_from([7, 7, 7, 8]), strategy=st.sampled_from(["OneWay", "OneWay", "Long"])
    ),
)
orders = st.builds(
    an_order,
    st.sampled_from(["o-1", "o-2", "o-3", "o-4"]),
    names,
    symbol=symbols,
    account=st.sampled_from([7, 7, 7, 8]),
    side=st.sampled_from(list(OrderSide)),
    kind=st.sampled_from([OrderKind.STOP_MARKET, OrderKind.STOP_MARKET, OrderKind.LIMIT]),
    status=st.sampled_from([OrderStatus.NEW, OrderStatus.NEW, *OrderStatus]),
    quantity=st.one_of(st.none(), st.sampled_from([50, 100, 200])),
    stop_price=st.one_of(st.none(), prices),
    trigger=st.sampled_from([Trigger.MARK, Trigger.MARK, Trigger.LAST, None]),
    is_reduce_only=st.booleans(),
    is_triggered=st.sampled_from([False, False, False, True]),
    filled_quantity=st.sampled_from([0, 0, 50]),
    timestamp_ns=stamps,
)
margins = st.builds(
    a_margin,
    timestamp_ns=stamps,
    wallet_balance_sat=st.sampled_from([0, 1_000, 1_000_000]),
    margin_balance_sat=st.sampled_from([0, 1_000, 20_000, 1_000_000]),
)
some_positions = st.lists(positions, max_size=3).map(tuple)
some_orders = st.lists(orders, max_size=3).map(tuple)
at = st.just(0)
ages = st.sampled_from([0, 5 * SECOND, 20 * SECOND])

events = st.one_of(
    st.builds(e.FeedLive, at_ns=at, feed=st.sampled_from(list(e.FeedName))),
    st.builds(e.FeedLost, at_ns=at, feed=st.sampled_from(list(e.FeedName)), reason=texts),
    st.builds(
        e.HealthTicked,
        at_ns=at,
        market_age_ns=ages,
        account_age_ns=ages,
        loop_lag_ns=ages,
        clock_skew_ns=ages,
        journal_ok=st.booleans(),
    ),
    st.builds(e.InstrumentSeen, at_ns=at, instrument=st.builds(an_instrument, symbols)),
    st.builds(e.MarkSeen, at_ns=at, symbol=symbols, price=prices),
    st.builds(e.PositionSeen, at_ns=at, position=positions, source=sources),
    st.builds(e.PositionsListed, at_ns=at, positions=some_positions),
    st.builds(e.OrderSeen, at_ns=at, order=orders, source=sources),
    st.builds(e.OrdersListed, at_ns=at, orders=some_orders),
    st.builds(e.MarginSeen, at_ns=at, margin=margins),
    st.builds(
        e.ExecutionSeen,
        at_ns=at,
        execution=st.builds(
            Execution,
            execution_id=texts,
            order_id=texts,
            client_order_id=names,
            account=st.just(7),
            symbol=symbols,
            kind=st.sampled_from(list(ExecutionKind)),
            side=st.none(),
            quantity=st.just(1),
            price=prices,
        ),
    ),
    st.builds(
        e.RequestRefusedOnStream,
        at_ns=at,
        client_order_id=names,
        order_id=st.sampled_from(["o-1", "o-2", ""]),
        reason=texts,
    ),
    st.builds(
        e.PictureRead,
        at_ns=at,
        command_id=small_ids,
        asked_ns=stamps,
        positions=some_positions,
        open_orders=some_orders,
        recent_orders=some_orders,
        margins=st.lists(margins, max_size=1).map(tuple),
    ),
    st.builds(e.OrdersFound, at_ns=at, command_id=small_ids, orders=some_orders),
    st.builds(e.OrdersCancelled, at_ns=at, command_id=small_ids, orders=some_orders),
    st.builds(e.RequestAnswered, at_ns=at, command_id=small_ids, order=st.one_of(st.none(), orders)),
    st.builds(
        e.SwitchAnswered,
        at_ns=at,
        command_id=small_ids,
        sent_ns=stamps,
        timeout_ns=st.sampled_from([0, 60 * SECOND, 60_000]),
    ),
    st.builds(e.RequestRefused, at_ns=at, command_id=small_ids, reason=texts, is_duplicate=st.booleans()),
    st.builds(e.RequestNotSent, at_ns=at, command_id=small_ids, reason=texts, retry_after_ns=ages),
    st.builds(e.RequestUnanswered, at_ns=at, command_id=small_ids, reason=texts),
    st.builds(e.RequestMisconfigured, at_ns=at, command_id=small_ids, reason=texts),
    st.builds(e.TimerFired, at_ns=at),
    st.builds(e.StopAsked, at_ns=at),
    st.builds(
        e.OperatorAsked,
        at_ns=at,
        request_id=small_ids.map(str),
        who=st.just("anna"),
        request=st.one_of(
            st.builds(SetStop, symbol=symbols, side=st.sampled_from(Side), price=prices, may_loosen=st.booleans()),
            st.builds(ClearStop, symbol=symbols),
            st.builds(FreezeAsked),
            st.builds(PauseAsked, seconds=st.integers(1, 600)),
            st.builds(ShadowAsked, seconds=st.integers(1, 60)),
            st.builds(ResumeAsked),
            st.builds(AcknowledgeAsked, key=st.sampled_from(["", "cover", "distance", "nothing"])),
            st.builds(SilenceAsked, seconds=st.integers(-1, 600), comment=texts, symbol=symbols),
            st.builds(UnsilenceAsked, name=st.sampled_from(["", "s1", "nothing"])),
            st.builds(FlattenAsked, symbols=st.sampled_from([(), ("XBTUSDT",)])),
            st.builds(FlattenAsked, symbols=st.just(())),
            st.builds(LiftLatch, name=st.sampled_from(["", "operator", "nothing"])),
        ),
    ),
    st.builds(e.Started, at_ns=at, account=st.just(7)),
)
modes = st.sampled_from([RuleMode.OFF, RuleMode.ON, RuleMode.ON, RuleMode.SHADOW])
percents = st.sampled_from([Decimal("0.3"), Decimal(2), Decimal(10)])
rules = {
    "max_loss": st.builds(MaxLossPolicy, mode=modes, equity_percent=percents, counts_costs_so_far=st.booleans()),
    "trailing": st.builds(TrailingPolicy, mode=modes, distance_percent=percents, activate_percent=percents),
    "fixed": st.builds(
        FixedPolicy, mode=modes, long=st.none() | st.fixed_dictionaries({"XBTUSDT": prices}), short=st.none()
    ),
    "break_even": st.builds(BreakEvenPolicy, mode=modes, after_percent=percents),
    "time_stop": st.builds(
        TimeStopPolicy, mode=modes, after_hours=st.just(Decimal("0.002")), action=st.sampled_from(TimeStopAction)
    ),
}
steps = st.sampled_from([(), (Step.FREEZE, Step.TIGHTEN), (Step.TRIM, Step.FLATTEN), (Step.ADD_MARGIN, Step.TRIM)])
policies = st.builds(
    Policy,
    take_profit=st.builds(TakeProfitPolicy, mode=modes),
    ladder=st.builds(LadderPolicy, mode=modes, watch=steps, critical=steps, emergency=steps),
    observe=st.sampled_from([False, False, False, True]),
    stop=st.builds(
        StopPolicy,
        style=st.sampled_from(list(StopStyle)),
        foreign=st.sampled_from(list(ForeignStops)),
        on_start_breach=st.sampled_from(list(StartBreach)),
        **rules,
    ),
    switch=st.builds(SwitchPolicy, mode=st.sampled_from(list(SwitchMode)), cancel_on_stop=st.booleans()),
)
gaps = st.sampled_from([0, 1_000_000, 300_000_000, SECOND, 3 * SECOND, 20 * SECOND])
reloads = st.builds(
    e.PolicyChanged,
    at_ns=at,
    policy=policies,
    who=st.just("anna"),
    changes=st.just(("something",)),
    may_loosen=st.booleans(),
)
stories = st.lists(st.tuples(gaps, st.one_of(*[events] * 12, reloads)), max_size=25)


def tell(state: GuardState, story: list[tuple[int, e.Event]]) -> list[tuple[GuardState, tuple[object, ...]]]:
    """Run a story after a start; return each state with the commands it led to."""
    now, told = START_NS, []
    outcome = step(state, e.Started(at_ns=now, account=ACCOUNT))
    told.append((outcome.state, outcome.commands))
    for gap, event in story:
        now += gap
        outcome = step(outcome.state, replace(event, at_ns=now))
        told.append((outcome.state, outcome.commands))
    return told


@given(policies, stories)
def test_no_event_order_raises_or_asks_for_danger(policy: Policy, story: list[tuple[int, e.Event]]) -> None:
    """P1: every venue command passes the choke point against the state that made it, and fits the position."""
    for state, commands in tell(initial_state(ACCOUNT, policy), story):
        for command in commands:
            if isinstance(command, VENUE_COMMANDS):
                assert refusal(command, state) is None, command
            if isinstance(command, (PlaceStop, AmendStop, ReduceAtMarket, PlaceTakeProfit)):
                held = state.positions[command.key.symbol].position.quantity
                assert held != 0
                assert command.side is (OrderSide.SELL if held > 0 else OrderSide.BUY)
                assert command.quantity is None or 0 < command.quantity <= abs(held)
            if policy.observe:
                assert not isinstance(command, (*ORDER_COMMANDS, FeedSwitch, DisarmSwitch))


@given(policies, stories)
def test_orders_of_others_are_touched_by_the_stop_alone(policy: Policy, story: list[tuple[int, e.Event]]) -> None:
    """P1: a cancel without our prefix: only while stopping, with the setting on, and of what may add exposure."""
    for state, commands in tell(initial_state(ACCOUNT, policy), [*story, (0, e.StopAsked(at_ns=0))]):
        for command in commands:
            if isinstance(command, CancelOrder) and not command.client_order_id.startswith("sw-7-"):
                assert state.mode is Mode.STOPPING
                assert policy.switch.cancel_on_stop
                assert policy.switch.mode is SwitchMode.AUTO
                order = state.orders[command.key.symbol][command.order_id].order
                assert not order.is_reduce_only
                assert not order.is_close


@given(policies, stories)
def test_many_are_cancelled_only_while_a_latch_holds(policy: Policy, story: list[tuple[int, e.Event]]) -> None:
    """P1: never ours; what only shrinks goes only as a stop that is left over once flat is proved."""
    for state, commands in tell(initial_state(ACCOUNT, policy), story):
        for command in commands:
            for named in command.orders if isinstance(command, CancelOrders) else ():
                held = [latch for latch in state.latches.values() if latch.concerns(named.symbol)]
                order = state.orders[named.symbol][named.order_id].order
                assert held
                assert not named.client_order_id.startswith("sw-7-")
                if order.is_reduce_only or order.is_close:
                    assert any(latch.proven_ns for latch in held)
                    assert not (named.symbol in state.positions and state.positions[named.symbol].position.quantity)


@given(policies, stories)
def test_one_open_write_per_position_and_purpose(policy: Policy, story: list[tuple[int, e.Event]]) -> None:
    """P4: a new write is sent only when the one before it is settled, and never more than two stops are placed."""
    before = initial_state(ACCOUNT, policy)
    for state, commands in tell(before, story):
        for command in commands:
            if isinstance(command, PlaceStop):
                book = state.orders.get(command.key.symbol, {}).values()
                own = [
                    k.order
                    for k in book
                    if k.order.client_order_id.startswith("sw-7-")
                    and "-s" in k.order.client_order_id
                    and k.order.side is command.side
                    and not k.order.is_triggered
                ]
                assert len(own) <= 1
                previous = before.positions.get(command.key.symbol)
                earlier = None if previous is None else previous.write
                assert earlier is None or state.positions[command.key.symbol].write != earlier
        before = state


@given(policies, stories)
def test_profit_orders_come_after_protection_and_never_hold_more_than_there_is(
    policy: Policy, story: list[tuple[int, e.Event]]
) -> None:
    """P1, P8: placed only while the stop is confirmed and nothing about it is under way, one write at a time."""
    before = initial_state(ACCOUNT, policy)
    for state, commands in tell(before, story):
        for command in commands:
            if isinstance(command, PlaceTakeProfit):
                guarded = state.positions[command.key.symbol]
                assert guarded.covered_ns or guarded.need is Need.NOTHING
                assert guarded.write is None
                assert guarded.reduce is None
                assert guarded.bracket.write is not None
                assert guarded.bracket.write.command_id == command.command_id
                previous = before.positions.get(command.key.symbol)
                assert previous is None or previous.bracket.write != guarded.bracket.write
        before = state


@given(policies, stories)
def test_the_ratchet_never_loosens(policy: Policy, story: list[tuple[int, e.Event]]) -> None:
    """P3: within an episode the tightest confirmed trigger only moves toward the mark, whatever rules are on.

    The one exception: an operator's word, as far as the price given.
    """
    before: GuardState | None = None
    loosened = [False, *(_may_loosen(event) for _, event in story)]
    for (state, _), by_operator in zip(tell(initial_state(ACCOUNT, policy), story), loosened, strict=True):
        for symbol, guarded in state.positions.items():
            old = None if before is None else before.positions.get(symbol)
            if old is None or old.known_ns != guarded.known_ns or old.position.side is not guarded.position.side:
                continue
            if guarded.episode.released is not None and old.episode.released is None:
                assert by_operator
                continue
            if old.ratchet is not None:
                assert guarded.ratchet is not None
                long = guarded.position.quantity > 0 or old.position.quantity > 0
                assert guarded.ratchet >= old.ratchet if long else guarded.ratchet <= old.ratchet
        before = state


def _may_loosen(event: e.Event) -> bool:
    if isinstance(event, e.PolicyChanged):
        return event.may_loosen
    return isinstance(event, e.OperatorAsked) and isinstance(event.request, SetStop) and event.request.may_loosen


@given(policies, stories)
def test_a_stop_is_moved_away_from_the_mark_by_an_operator_alone(
    policy: Policy, story: list[tuple[int, e.Event]]
) -> None:
    """P3: every amend of a confirmed stop goes toward the mark, or says by its reason who let it go."""
    before = initial_state(ACCOUNT, policy)
    for state, commands in tell(before, story):
        for command in commands:
            if not isinstance(command, AmendStop) or command.stop_price is None:
                continue
            rests = state.orders[command.key.symbol][command.order_id].order.stop_price
            assert rests is not None
            long = command.side is OrderSide.SELL
            if command.stop_price < rests if long else command.stop_price > rests:
                assert command.reason is Reason.STOP_LOOSENED
                assert state.positions[command.key.symbol].episode.released is not None
        before = state


@given(policies, stories)
def test_no_rule_rests_a_stop_where_liquidation_would_remove_it(
    policy: Policy, story: list[tuple[int, e.Event]]
) -> None:
    """P2: what is placed stands beyond the floor, whoever asked for it, but for a ratchet from before."""
    for state, commands in tell(initial_state(ACCOUNT, policy), story):
        for command in commands:
            if isinstance(command, PlaceStop):
                guarded = state.positions[command.key.symbol]
                floor = floor_of(state, guarded)
                if floor is not None and command.stop_price != guarded.ratchet:
                    sign = 1 if guarded.position.quantity > 0 else -1
                    assert sign * (command.stop_price - floor.price) >= 0


@given(policies, stories)
def test_a_checkpoint_changes_nothing(policy: Policy, story: list[tuple[int, e.Event]]) -> None:
    """P7, P9: state through JSON and back is equal, and the same events again give the same commands."""
    told = tell(initial_state(ACCOUNT, policy), story)
    last = told[-1][0]
    assert msgspec.json.decode(msgspec.json.encode(last), type=GuardState) == last
    assert msgspec.convert(msgspec.to_builtins(last), GuardState) == last
    assert tell(initial_state(ACCOUNT, policy), story) == told


@given(policies, stories)
def test_the_same_moment_again_asks_for_nothing(policy: Policy, story: list[tuple[int, e.Event]]) -> None:
    """Level-triggered: a timer that rings twice at one moment adds no request about orders the second time."""
    last = tell(initial_state(ACCOUNT, policy), story)[-1][0]
    first = step(last, e.TimerFired(at_ns=last.now_ns))
    second = step(first.state, e.TimerFired(at_ns=last.now_ns))
    assert not [c for c in second.commands if isinstance(c, VENUE_COMMANDS)]
