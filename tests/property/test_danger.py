"""P1 at the choke point: whatever the state and whoever made the command, nothing passes that adds danger.

What may pass is said here once more, in the plainest words and without the choke point's own functions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.modes import RuleMode
from config.policy import Policy, TakeProfitPolicy
from connectors.vocabulary import Order, OrderKind, OrderSide, Trigger
from daemon.core.choke_point.danger import refusal
from daemon.core.commands import (
    AmendStop,
    CancelOrder,
    CancelOrders,
    NamedOrder,
    PlaceStop,
    PlaceTakeProfit,
    ReduceAtMarket,
)
from daemon.core.memory.episode import Release
from daemon.core.memory.interventions import FrozenOrder, Latch, LatchKind
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.reasons import Reason
from daemon.core.state import GuardState, Liquidation, Standing
from tests.builders import START_NS, a_key, a_position, an_order
from tests.driven import Driven

D = Decimal
_BASE = Driven().up([a_position()]).state
inside = ["905", "910", "930", "970", "999.5"]
prices = st.sampled_from([*inside, *inside, "0", "-1", "NaN", "850", "900", "1000", "1005", "1100"]).map(D)
usual = st.sampled_from(["850", "900", "910", "930", "970", "1000", "1005", "1100"]).map(D)
sides = st.sampled_from([OrderSide.SELL, OrderSide.SELL, OrderSide.SELL, OrderSide.BUY])
sizes = st.sampled_from([100, 100, 50, None, None, -100, 0, 1, 99, 101, 200])
OURS = ["sw-7-XBTUSDT-L-s1", "sw-7-XBTUSDT-L-t4", "sw-7-XBTUSDT-S-r2"]
names = st.sampled_from([*OURS, *OURS, "bot-1", "bot-2", "sw-8-XBTUSDT-L-s1", ""])
keys = st.sampled_from([*[a_key()] * 9, a_key("ETHUSDT"), a_key(account=8), a_key(strategy="Long")])
ids_of_orders = st.sampled_from(["a", "a", "b", "c", "nobody's"])
reasons = st.sampled_from(Reason)


@st.composite
def orders(draw: st.DrawFn, name: str) -> Order:
    """A stop, a quote or a rung, anybody's, of any shape."""
    is_stop = draw(st.booleans())
    size = draw(st.sampled_from([None, 50, 100, 200])) if is_stop else draw(st.sampled_from([50, 100]))
    return an_order(
        name,
        draw(names),
        side=draw(sides),
        kind=OrderKind.STOP_MARKET if is_stop else OrderKind.LIMIT,
        quantity=size,
        leaves_quantity=size or 0,
        price=None if is_stop else draw(usual),
        stop_price=draw(usual) if is_stop else None,
        trigger=draw(st.sampled_from([Trigger.MARK, Trigger.LAST])) if is_stop else None,
        is_reduce_only=draw(st.booleans()),
        is_close=size is None,
    )


@st.composite
def states(draw: st.DrawFn) -> GuardState:
    """A position of any direction or none, a book of up to three orders, latches, an operator's release."""
    quantity = draw(st.sampled_from([100, 100, 100, 100, 100, -100, 50, 0]))
    row = a_position(quantity)
    guarded = replace(
        _BASE.positions["XBTUSDT"],
        position=row,
        liquidation=Liquidation(
            standing=Standing.UNKNOWN if row.liquidation_price is None else Standing.IN_RANGE,
            price=row.liquidation_price,
        ),
        ratchet=draw(st.sampled_from([None, None, D(910), D(930)])),
        covered_ns=draw(st.sampled_from([0, START_NS])),
    )
    if draw(st.booleans()):
        release = Release(price=D(910), who="ada", at_ns=START_NS)
        guarded = replace(guarded, episode=replace(guarded.episode, released=release))
    book = {name: draw(orders(name)) for name in draw(st.sampled_from(["abc", "ab", "a", "b", ""]))}
    known = {name: KnownOrder(order=each, taken_ns=START_NS, is_confirmed=True) for name, each in book.items()}
    latch = Latch(
        name="x",
        kind=draw(st.sampled_from(LatchKind)),
        symbols=draw(st.sampled_from([(), ("XBTUSDT",), ("ETHUSDT",)])),
        since_ns=START_NS,
        text="",
        proven_ns=draw(st.sampled_from([0, START_NS])),
    )
    return replace(
        _BASE,
        policy=Policy(
            observe=draw(st.integers(0, 19)) == 7,
            take_profit=TakeProfitPolicy(mode=draw(st.sampled_from([RuleMode.ON, RuleMode.ON, RuleMode.SHADOW]))),
        ),
        positions={"XBTUSDT": guarded},
        orders={"XBTUSDT": known},
        latches={"x": latch} if draw(st.booleans()) else {},
        frozen_orders={name: FrozenOrder(symbol="XBTUSDT", seen_ns=START_NS) for name in known},
    )


def shrinks(state: GuardState, command: PlaceStop | AmendStop | ReduceAtMarket | PlaceTakeProfit) -> None:
    """It names the open position, its closing side, and no more contracts than there are."""
    position = state.positions["XBTUSDT"].position
    assert not state.policy.observe
    assert command.key == position.key
    assert position.quantity * (1 if command.side is OrderSide.SELL else -1) > 0
    assert command.quantity is None or 0 < command.quantity <= abs(position.quantity)
    assert command.client_order_id.startswith("sw-7-")


def is_between(state: GuardState, price: Decimal) -> bool:
    """Whether a trigger stands between liquidation and mark."""
    guarded, mark = state.positions["XBTUSDT"], state.marks["XBTUSDT"].price
    line = guarded.liquidation.price
    assert line is not None
    return line < price < mark if guarded.position.quantity > 0 else mark < price < line


def cover(state: GuardState, book: Iterable[Order]) -> int:
    """Contracts of the position that stops hold, whoever's they are."""
    position, total = state.positions["XBTUSDT"].position, 0
    for order in book:
        is_right = order.trigger is Trigger.MARK and (order.is_reduce_only or order.is_close)
        is_closing = position.quantity * (1 if order.side is OrderSide.SELL else -1) > 0
        if order.stop_price is not None and is_right and is_closing:
            line = state.positions["XBTUSDT"].liquidation.price
            is_in_front = line is None or (order.stop_price - line) * position.quantity > 0
            total += (order.quantity or abs(position.quantity)) if is_in_front else 0
    return min(abs(position.quantity), total)


def the_book(state: GuardState) -> dict[str, Order]:
    """The open orders by id."""
    return {name: known.order for name, known in state.orders["XBTUSDT"].items()}


@given(states(), reasons, names, keys, sides, sizes, prices)
def test_a_new_order_only_shrinks_what_is_there(
    state: GuardState,
    reason: Reason,
    name: str,
    key: object,
    side: OrderSide,
    size: int | None,
    price: Decimal,
) -> None:
    """P1, P3: stops between mark and liquidation, not looser than before; rungs within the position together."""
    base = {"command_id": 1, "reason": reason, "client_order_id": name, "key": key, "side": side}
    stop = PlaceStop(**base, quantity=size, stop_price=price)  # type: ignore[arg-type]  # drawn by name
    if refusal(stop, state) is None:
        shrinks(state, stop)
        assert is_between(state, price)
        ratchet, sign = state.positions["XBTUSDT"].ratchet, state.positions["XBTUSDT"].position.quantity
        assert ratchet is None or (price - ratchet) * sign >= 0
    close = ReduceAtMarket(**base, quantity=size)  # type: ignore[arg-type]  # drawn by name
    if refusal(close, state) is None:
        shrinks(state, close)
    rung = PlaceTakeProfit(**base, quantity=size or 0, price=price)  # type: ignore[arg-type]  # drawn by name
    if refusal(rung, state) is None:
        assert state.policy.take_profit.mode is RuleMode.ON
        shrinks(state, rung)
        resting = [
            each
            for each in the_book(state).values()
            if "-t" in each.client_order_id and "sw-7-" in each.client_order_id
        ]
        others = sum(each.leaves_quantity for each in resting if each.client_order_id != name)
        assert others + (size or 0) <= abs(state.positions["XBTUSDT"].position.quantity)


@given(states(), reasons, ids_of_orders, names, sides, sizes, st.one_of(st.none(), prices))
def test_an_amend_takes_no_cover_away(
    state: GuardState,
    reason: Reason,
    order_id: str,
    name: str,
    side: OrderSide,
    size: int | None,
    price: Decimal | None,
) -> None:
    """P1, P3: never looser but for an operator's release, and never smaller than the position needs."""
    known = state.orders["XBTUSDT"].get(order_id)
    name = known.order.client_order_id if known is not None and not name.startswith("bot") else name
    command = AmendStop(
        command_id=1, reason=reason, order_id=order_id, client_order_id=name, key=a_key(), side=side,
        quantity=size, stop_price=price,
    )  # fmt: skip
    if refusal(command, state) is not None:
        return
    shrinks(state, command)
    book, guarded = the_book(state), state.positions["XBTUSDT"]
    before = book[order_id]
    after = replace(before, quantity=size or before.quantity, stop_price=price or before.stop_price)
    assert cover(state, {**book, order_id: after}.values()) >= cover(state, book.values())
    if price is not None and before.stop_price is not None:
        assert is_between(state, price)
        is_released = reason is Reason.STOP_LOOSENED and guarded.episode.released is not None
        assert is_released or (price - before.stop_price) * guarded.position.quantity >= 0


@given(states(), reasons, ids_of_orders)
def test_a_cancel_takes_no_cover_away(state: GuardState, reason: Reason, order_id: str) -> None:
    """P1: ours only, one at a time, and what stays holds what was held; in bulk nobody's cover but when proved flat."""
    book = the_book(state)
    order = book.get(order_id, an_order(order_id, "sw-7-XBTUSDT-L-s9"))
    single = CancelOrder(
        command_id=1, reason=reason, order_id=order_id, client_order_id=order.client_order_id, key=a_key()
    )
    rest = [each for name, each in book.items() if name != order_id]
    need = abs(state.positions["XBTUSDT"].position.quantity)
    if refusal(single, state) is None:
        assert order.client_order_id.startswith("sw-7-")
        assert cover(state, rest) >= min(need, cover(state, book.values()))
    named = NamedOrder(symbol="XBTUSDT", order_id=order_id, client_order_id=order.client_order_id)
    many = CancelOrders(command_id=1, reason=reason, orders=(named,))
    if refusal(many, state) is None:
        assert not order.client_order_id.startswith("sw-7-")
        assert [each for each in state.latches.values() if each.concerns("XBTUSDT")]
        assert need == 0 or not (order.is_reduce_only or order.is_close)
