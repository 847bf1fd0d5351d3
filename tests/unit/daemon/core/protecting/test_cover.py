"""What covers a position (P2), and which of several stops is worth most."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.policy import ForeignStops, Policy, StopPolicy, StopStyle
from connectors.vocabulary import Order, OrderKind, OrderSide, OrderStatus, Side, Trigger
from daemon.core.memory.witnesses import KnownOrder
from daemon.core.protecting.cover import Cover, is_crowded, is_enough, is_sound, judge, own_stops
from daemon.core.state import Guarded, GuardState, Liquidation, Standing, initial_state
from tests.builders import ACCOUNT, START_NS, a_position, a_stop, an_instrument, an_order

D = Decimal
ADOPT = Policy(stop=StopPolicy(foreign=ForeignStops.ADOPT))


def a_view(*orders: Order | KnownOrder, quantity: int = 100, policy: Policy | None = None) -> GuardState:
    """A guard that knows a position (liquidation at 900 or 1100) and these orders, confirmed if given as rows."""
    position = a_position(quantity)
    known = [
        each if isinstance(each, KnownOrder) else KnownOrder(order=each, taken_ns=START_NS, is_confirmed=True)
        for each in orders
    ]
    guarded = Guarded(
        position=position,
        taken_ns=START_NS,
        liquidation=Liquidation(standing=Standing.IN_RANGE, price=position.liquidation_price),
    )
    return replace(
        initial_state(ACCOUNT, policy or Policy()),
        positions={"XBTUSDT": guarded},
        orders={"XBTUSDT": {each.order.order_id: each for each in known}},
        instruments={"XBTUSDT": an_instrument()},
    )


def cover_of(view: GuardState, trigger: str | None = "918") -> Cover:
    """The cover of the one position."""
    guarded = view.positions["XBTUSDT"]
    side = guarded.position.side
    assert side is not None
    return judge(view, guarded, side, None if trigger is None else D(trigger))


# ---------------------------------------------------------------------- one order


@pytest.mark.parametrize(
    "changes",
    [
        {"status": OrderStatus.PENDING},
        {"status": OrderStatus.CANCELED},
        {"status": OrderStatus.UNKNOWN},
        {"is_triggered": True},
        {"kind": OrderKind.STOP_LIMIT},
        {"kind": OrderKind.LIMIT},
        {"stop_price": None},
        {"stop_price": D(900)},
        {"stop_price": D(899)},
        {"trigger": Trigger.LAST},
        {"trigger": Trigger.INDEX},
        {"trigger": None},
        {"side": OrderSide.BUY},
        {"is_reduce_only": False},
    ],
    ids=lambda changes: "-".join(f"{name}={value}" for name, value in changes.items()),
)
def test_what_is_no_protection(changes: dict[str, object]) -> None:
    """P2: each property that a protective stop of a long has to have, taken away; at liquidation is too late."""
    assert is_sound(a_stop(), Side.LONG, D(900))
    assert not is_sound(a_stop(**changes), Side.LONG, D(900))


def test_a_close_stop_protects_without_being_reduce_only() -> None:
    """P2: Close can only shrink a position too; a short's stop stands above the mark and below liquidation."""
    assert is_sound(a_stop(is_reduce_only=False, is_close=True), Side.LONG, D(900))
    assert is_sound(a_stop(side=OrderSide.BUY, stop_price=D(1099)), Side.SHORT, D(1100))
    assert not is_sound(a_stop(side=OrderSide.BUY, stop_price=D(1100)), Side.SHORT, D(1100))


def test_without_a_liquidation_price_the_place_is_not_judged() -> None:
    """Any protective stop may help then."""
    assert is_sound(a_stop(stop_price=D(1)), Side.LONG, None)


@pytest.mark.parametrize(
    ("quantities", "enough"), [([100], True), ([99], False), ([50, 50], True), ([1, None], True), ([], False)]
)
def test_quantities_add_up(quantities: list[int | None], enough: bool) -> None:
    """P2: together for the whole quantity, of a short as of a long; a Close stop holds all."""
    stops = [a_stop(f"o-{n}", quantity=quantity) for n, quantity in enumerate(quantities)]
    assert is_enough(stops, 100) is enough
    assert is_enough(stops, -100) is enough


# ---------------------------------------------------------------------- all of them


@pytest.mark.parametrize(
    ("known", "whole"),
    [
        (KnownOrder(order=a_stop(), taken_ns=1, is_confirmed=True), True),
        (KnownOrder(order=a_stop(), taken_ns=1, is_confirmed=False), False),
        (KnownOrder(order=a_stop(), taken_ns=1, is_confirmed=True, is_doubted=True), False),
    ],
    ids=["confirmed", "submitted", "doubted"],
)
def test_only_what_is_known_for_sure_counts(known: KnownOrder, whole: bool) -> None:
    """P2: an answer alone, or one that a list left out, is not cover, and nothing is placed beside it."""
    cover = cover_of(a_view(known))
    assert cover.is_whole is whole
    assert cover.is_doubtful is not whole
    assert cover.placed == 1


def test_a_stop_that_is_looser_than_wanted_is_kept_and_does_not_count() -> None:
    """P2: it is the one to amend."""
    cover = cover_of(a_view(a_stop(stop_price=D(910))))
    assert not cover.is_whole
    assert cover.counted == ()
    assert cover.keeper is not None


def test_without_a_trigger_nothing_is_whole() -> None:
    """P12: where the stop belongs is not known."""
    assert not cover_of(a_view(a_stop()), trigger=None).is_whole


@pytest.mark.parametrize(("policy", "whole"), [(Policy(), False), (ADOPT, True)], ids=["own", "adopt"])
def test_somebody_elses_stop_counts_by_policy_alone(policy: Policy, whole: bool) -> None:
    """P2: `adopt` counts it; it is never kept, surplus or needless: not ours to touch."""
    cover = cover_of(a_view(a_stop("f", "their-own"), policy=policy))
    assert cover.is_whole is whole
    assert (cover.keeper, cover.others, cover.needless, cover.placed) == (None, (), (), 0)


def test_theirs_and_ours_add_up_under_adopt() -> None:
    """P2: half of each is a whole."""
    assert cover_of(a_view(a_stop("f", "x", quantity=50), a_stop(quantity=50), policy=ADOPT)).is_whole


def test_the_newest_is_kept_by_the_number_and_not_by_the_text() -> None:
    """P4: price and quantity may be changing at this moment in the other guard's hands; a number cannot."""
    old, nearer, newest = (
        a_stop("old", "sw-7-XBTUSDT-L-s1"),
        a_stop("nearer", "sw-7-XBTUSDT-L-s2", stop_price=D(925)),
        a_stop("newest", "sw-7-XBTUSDT-L-s10", quantity=40),
    )
    cover = cover_of(a_view(old, newest, nearer))
    assert cover.keeper == newest
    assert [order.order_id for order in cover.others] == ["old", "nearer"]


@pytest.mark.parametrize("style", list(StopStyle))
def test_guards_of_either_style_keep_the_same(style: StopStyle) -> None:
    """P1, P4: each would cancel what the other keeps if its own settings counted."""
    closing = a_stop("c", "sw-7-XBTUSDT-L-s2", quantity=None, is_close=True)
    cover = cover_of(a_view(a_stop(stop_price=D(925)), closing, policy=Policy(stop=StopPolicy(style=style))))
    assert cover.keeper == closing


def test_a_newer_one_beyond_liquidation_is_not_kept() -> None:
    """P2: it would never be reached; the older one protects."""
    beyond = a_stop("n", "sw-7-XBTUSDT-L-s2", stop_price=D(890))
    cover = cover_of(a_view(a_stop("a"), beyond))
    assert cover.keeper == a_stop("a")
    assert cover.others == (beyond,)


def test_an_unsound_stop_of_ours_is_the_first_to_go() -> None:
    """P4: last-price triggered: no keeper, and before any sound one in the row of those to cancel."""
    wrong = a_stop("w", "sw-7-XBTUSDT-L-s3", trigger=Trigger.LAST, stop_price=D(940))
    cover = cover_of(a_view(a_stop("a"), a_stop("b", "sw-7-XBTUSDT-L-s2"), wrong))
    assert [order.order_id for order in cover.others] == ["w", "a"]
    assert cover.placed == 3


def test_a_stop_of_the_other_direction_is_needless() -> None:
    """The position turned: its old stop is of no use, and not counted as placed."""
    old = a_stop("old", "sw-7-XBTUSDT-S-s1", side=OrderSide.BUY, stop_price=D(1078))
    cover = cover_of(a_view(old))
    assert cover.needless == (old,)
    assert cover.placed == 0


def test_a_fired_stop_of_ours_is_no_stop_any_more() -> None:
    """It is at work, or spent."""
    view = a_view(a_stop(is_triggered=True))
    assert own_stops(view, "XBTUSDT") == []
    assert cover_of(view).placed == 0


def test_reductions_of_ours_are_no_stops() -> None:
    """An open market reduction carries our prefix with another letter."""
    assert own_stops(a_view(a_stop("r", "sw-7-XBTUSDT-L-r1")), "XBTUSDT") == []


@pytest.mark.parametrize(("count", "crowded"), [(7, False), (8, True)])
def test_the_venues_ten_stops_are_nearly_used_up(count: int, crowded: bool) -> None:
    """P12: from the eighth waiting stop on, whoever's; fired stops and limits do not count."""
    stops = [a_stop(f"s-{n}", f"bot-{n}", kind=list(OrderKind)[2 + n % 2]) for n in range(count)]
    view = a_view(*stops, a_stop("x", "bot", is_triggered=True), an_order("l"))
    assert is_crowded(view, "XBTUSDT") is crowded
