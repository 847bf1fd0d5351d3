"""Account rules under any order of events: nothing is raised, and what waits for a person is never lifted by itself."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.account_rules import AccountPolicy, QuietHoursPolicy
from config.modes import Action, Lift, RuleMode
from config.policy import Policy
from connectors.vocabulary import (
    ContractKind,
    Execution,
    ExecutionKind,
    Insurance,
    LiquidationOrder,
    Margin,
    OrderSide,
    Wallet,
)
from daemon.core import events as e
from daemon.core.account_rules.risk_per_trade import loss_sat, surely_fits
from daemon.core.commands import Command, IsolatePosition, ReduceAtMarket, SetLeverage
from daemon.core.memory.interventions import LatchKind
from daemon.core.operator_requests import LiftLatch
from daemon.core.state import GuardState, initial_state
from daemon.core.step import step
from tests.builders import ACCOUNT, SECOND, START_NS, a_margin, a_position, an_instrument
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_view

currencies = st.sampled_from(["USDt", "XBt"])
amounts = st.sampled_from([-100_000, 0, 1, 200_000, 900_000, 1_000_000, 5_000_000])
symbols = st.sampled_from(["XBTUSDT", "ETHUSDT"])
stamps = st.integers(0, 3).map(lambda n: START_NS + n * SECOND)

margins = st.builds(
    a_margin,
    currency=currencies,
    margin_balance_sat=amounts,
    amount_sat=st.one_of(st.none(), amounts),
    maintenance_margin_sat=st.sampled_from([0, 500_000, 2_000_000]),
    is_multi_asset=st.sampled_from([False, False, False, True]),
    timestamp_ns=stamps,
)
wallets = st.builds(
    Wallet,
    account=st.just(ACCOUNT),
    currency=currencies,
    transfers_sat=st.one_of(st.none(), amounts),
    amount_sat=st.one_of(st.none(), amounts),
    timestamp_ns=stamps,
)
positions = st.builds(
    a_position,
    st.sampled_from([-200, -100, 0, 100, 200]),
    symbols,
    currency=currencies,
    is_cross=st.booleans(),
    adl_rank=st.sampled_from([None, 1, 5]),
    margin_sat=st.sampled_from([0, 1_000, 50_000]),
    cost_sat=st.sampled_from([0, 100_000]),
    leverage=st.sampled_from([Decimal(0), Decimal(100)]),
    entry_price=st.sampled_from([None, Decimal(0), Decimal(1000)]),
)
instruments = st.builds(
    an_instrument,
    symbols,
    funding_rate=st.sampled_from([Decimal(0), Decimal("0.01"), Decimal("-0.01")]),
    funding_at_ns=st.sampled_from([0, START_NS + SECOND]),
    multiplier=st.sampled_from([1, 0]),
)
executions = st.builds(
    Execution,
    execution_id=st.just("e"),
    order_id=st.sampled_from(["", "a", "b", "c"]),
    client_order_id=st.just(""),
    account=st.just(ACCOUNT),
    symbol=symbols,
    kind=st.sampled_from(list(ExecutionKind)),
    side=st.just(OrderSide.BUY),
    quantity=st.just(1),
    price=st.just(Decimal(1000)),
)
funds = st.builds(Insurance, currency=currencies, balance_sat=amounts, timestamp_ns=stamps)
forced = st.builds(
    LiquidationOrder,
    order_id=st.sampled_from(["l-1", "l-2"]),
    symbol=symbols,
    side=st.just(OrderSide.SELL),
    price=st.none(),
    leaves_quantity=st.just(5),
)
marks = st.sampled_from([Decimal(p) for p in (1, 900, 990, 1000, 1100, 90_000)])
feeds = st.sampled_from(list(e.FeedName))

NOW = {"at_ns": st.just(0)}
happenings = st.one_of(
    st.builds(e.MarginSeen, **NOW, margin=margins),
    st.builds(e.WalletSeen, **NOW, wallet=wallets),
    st.builds(e.PositionSeen, **NOW, position=positions, source=st.just(e.Source.STREAM)),
    st.builds(e.InstrumentSeen, **NOW, instrument=instruments),
    st.builds(e.MarkSeen, **NOW, symbol=symbols, price=marks),
    st.builds(e.ExecutionSeen, **NOW, execution=executions),
    st.builds(e.InsuranceSeen, **NOW, insurance=funds),
    st.builds(e.LiquidationSeen, **NOW, liquidation=forced, is_gone=st.booleans()),
    st.builds(e.TopicSeen, **NOW, topic=st.sampled_from(["wallet", "insurance"]), problem=st.sampled_from(["", "no"])),
    st.builds(e.FeedLost, **NOW, feed=feeds, reason=st.just("gone")),
    st.builds(e.FeedLive, **NOW, feed=feeds),
    st.builds(e.TimerFired, **NOW),
)
seconds = st.sampled_from([1, 1, 1, 30, 3_600, 90_000])
lives = st.lists(st.tuples(happenings, seconds, st.booleans()), min_size=1, max_size=25)


def every_rule(action: Action, mode: RuleMode, lift: Lift) -> Policy:
    """All rules in one mode, each with this action where it has it."""
    rules = {}
    for field in fields(AccountPolicy):
        plain = getattr(AccountPolicy(), field.name)
        deed = action if action in plain.actions else Action.ALERT
        rules[field.name] = replace(plain, mode=mode, action=deed, lift=lift, cool_down_s=Decimal(5))
    quiet = rules["quiet_hours"]
    assert isinstance(quiet, QuietHoursPolicy)
    rules["quiet_hours"] = replace(quiet, events_utc=("2023-11-14T22:15:00Z",))
    return Policy(account=AccountPolicy(**rules))


def begun(policy: Policy) -> GuardState:
    """Both streams up, a position, equity of a million, a picture taken."""
    state = initial_state(ACCOUNT, policy)
    row = a_position(100, cost_sat=100_000, margin_sat=50_000)
    for event in (
        e.Started(at_ns=START_NS, account=ACCOUNT),
        e.InstrumentSeen(at_ns=START_NS, instrument=an_instrument()),
        e.MarkSeen(at_ns=START_NS, symbol="XBTUSDT", price=Decimal(1000)),
        e.FeedLive(at_ns=START_NS, feed=e.FeedName.MARKET),
        e.MarginSeen(at_ns=START_NS, margin=a_margin(amount_sat=1_000_000)),
        e.PositionsListed(at_ns=START_NS, positions=(row,)),
        e.OrdersListed(at_ns=START_NS, orders=()),
        e.FeedLive(at_ns=START_NS, feed=e.FeedName.ACCOUNT),
    ):
        state = step(state, event).state
    return replace(state, was_whole=True)


def rule_latches(state: GuardState) -> set[str]:
    """Names of the latches of rules; the ladder has its own."""
    return {name for name in state.latches if not name.startswith("ladder")}


def tick(at_ns: int) -> e.HealthTicked:
    """The second's report, all well."""
    return e.HealthTicked(at_ns=at_ns, market_age_ns=0, account_age_ns=0, loop_lag_ns=0, clock_skew_ns=0)


def restarted(state: GuardState) -> GuardState:
    """Through a checkpoint and a new process."""
    state = msgspec.convert(msgspec.json.decode(msgspec.json.encode(state)), GuardState, strict=False)
    return step(state, e.Started(at_ns=state.now_ns, account=ACCOUNT)).state


@given(life=lives, action=st.sampled_from(list(Action)), mode=st.sampled_from([RuleMode.ON, RuleMode.SHADOW]))
def test_nothing_is_raised_and_no_lock_out_lifts_itself(
    life: list[tuple[e.Event, int, bool]], action: Action, mode: RuleMode
) -> None:
    """P7: with lift = operator a latch that holds goes on holding, through restarts, midnight, loss of streams."""
    state, held = begun(every_rule(action, mode, Lift.OPERATOR)), set[str]()
    for happening, pause, is_restart in life:
        at_ns = state.now_ns + pause * SECOND
        for event in (replace(happening, at_ns=at_ns), tick(at_ns)):
            state = step(state, event).state
        if is_restart:
            state = restarted(state)
        assert held <= rule_latches(state)
        held = rule_latches(state)
        assert mode is RuleMode.ON or not held


@given(life=lives, action=st.sampled_from([Action.CORRECT, Action.FLATTEN]))
def test_shadow_sends_nothing_for_a_rule(life: list[tuple[e.Event, int, bool]], action: Action) -> None:
    """Whatever a rule in shadow would do, no correction or latch comes of it."""
    state, sent = begun(every_rule(action, RuleMode.SHADOW, Lift.CLEARED)), list[Command]()
    for happening, pause, _ in life:
        at_ns = state.now_ns + pause * SECOND
        for event in (replace(happening, at_ns=at_ns), tick(at_ns)):
            outcome = step(state, event)
            state, sent = outcome.state, sent + list(outcome.commands)
    assert not any(isinstance(each, SetLeverage | IsolatePosition) for each in sent)
    assert not any(isinstance(each, ReduceAtMarket) and each.reason.value == "correction" for each in sent)
    assert not rule_latches(state)


moves = st.lists(st.tuples(st.sampled_from([-400_000, -50_000, 0, 250_000]), st.booleans()), min_size=1, max_size=12)


@given(moves=moves, lost=st.integers(0, 95_000))
def test_transfers_alone_never_flatten(moves: list[tuple[int, bool]], lost: int) -> None:
    """Deposits and withdrawals in any order of rows, after a loss within the limit: the kill switch stays away."""
    state = begun(every_rule(Action.FLATTEN, RuleMode.ON, Lift.OPERATOR))
    off = {
        field.name: replace(getattr(AccountPolicy(), field.name), mode=RuleMode.OFF)
        for field in fields(AccountPolicy)
        if field.name not in {"daily_loss", "drawdown"}
    }
    state = replace(state, policy=Policy(account=replace(state.policy.account, **off)))
    equity = 1_000_000
    steps = ((0, True), (-lost, True), (0, True), *moves)
    for index, (amount, wallet_first) in enumerate(steps):
        equity = max(1_000, equity + amount)
        at_ns = state.now_ns + SECOND
        booked = equity + (lost if index else 0)
        margin: Margin = a_margin(margin_balance_sat=equity, amount_sat=booked, timestamp_ns=at_ns)
        wallet = Wallet(
            account=ACCOUNT,
            currency="USDt",
            transfers_sat=booked - 1_000_000,
            amount_sat=booked,
            timestamp_ns=at_ns,
        )
        rows: list[e.Event] = [e.MarginSeen(at_ns=at_ns, margin=margin), e.WalletSeen(at_ns=at_ns, wallet=wallet)]
        for row in reversed(rows) if wallet_first else rows:
            for event in (row, tick(at_ns), tick(at_ns + SECOND // 2)):
                state = step(state, event).state
    assert not state.latches


def test_a_lift_is_never_undone_by_the_same_breach() -> None:
    """A person lifts every latch of a breach that stands: none comes back while it stands."""
    state = begun(every_rule(Action.FREEZE, RuleMode.ON, Lift.OPERATOR))
    bad = a_position(100, is_cross=True, adl_rank=5, cost_sat=100_000)
    state = step(state, e.PositionSeen(at_ns=state.now_ns, position=bad, source=e.Source.STREAM)).state
    for _ in range(11):  # nobody answers the read that would be the second witness
        state = step(state, tick(state.now_ns + SECOND)).state
    assert {"adl_rank:XBTUSDT", "isolated_only:XBTUSDT"} <= set(state.latches)
    lift = e.OperatorAsked(at_ns=state.now_ns, request_id="r", who="ann", request=LiftLatch(name=""))
    state = step(state, lift).state
    for _ in range(20):
        state = step(state, tick(state.now_ns + SECOND)).state
    # `naked` may speak in the meantime: no stop is ever confirmed in this story.
    assert {name for name in rule_latches(state) if not name.startswith("naked")} == set()
    assert all(latch.kind is LatchKind.FREEZE for latch in state.latches.values())


@given(
    kind=st.sampled_from([(ContractKind.LINEAR, 1_000), (ContractKind.QUANTO, 100), (ContractKind.INVERSE, -(10**9))]),
    quantity=st.sampled_from([-30_000, -7, 7, 100, 30_000]),
    stop=st.integers(501, 1_999),
    slippage=st.sampled_from([Decimal(0), Decimal("0.1"), Decimal("9.9")]),
    fee=st.sampled_from([Decimal(0), Decimal("0.00075"), Decimal("-0.001")]),
    allowed=st.integers(0, 10**9),
)
def test_the_coarse_bound_of_a_trades_risk_is_one(
    kind: tuple[ContractKind, int], quantity: int, stop: int, slippage: Decimal, fee: Decimal, allowed: int
) -> None:
    """What surely fits by the bound fits by the exact figure, for every profit formula."""
    instrument = an_instrument(kind=kind[0], multiplier=kind[1], taker_fee=fee, lot_size=abs(quantity) // 7 or 1)
    (held,) = a_view(a_guarded(a_position(quantity)), instruments=[instrument]).held
    price = Decimal(min(stop, 1_000) if quantity > 0 else max(stop, 1_000))
    if surely_fits(held, price, allowed, slippage):
        assert loss_sat(instrument, quantity, Decimal(1_000), price, slippage) <= allowed
