"""Which stop a position asks for: rules, ratchet, and what was first seen too late."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config.policy import Policy, StartBreach, StopPolicy, StopStyle
from connectors.vocabulary import Side
from daemon.core.memory.episode import GivenStop
from daemon.core.protecting.wanted import nearest_valid, stepped, wanted_quantity, work_out
from daemon.core.state import Feed, Guarded, GuardState, Health, Liquidation, Mark, Need, Standing, initial_state
from tests.builders import ACCOUNT, START_NS, a_position, an_instrument

D = Decimal


def a_guarded(quantity: int = 100, **changes: object) -> Guarded:
    """A position from 1000 whose liquidation is known: 900 for a long, 1100 for a short."""
    position = a_position(quantity)
    base = Guarded(
        position=position,
        taken_ns=START_NS,
        liquidation=Liquidation(standing=Standing.IN_RANGE, price=position.liquidation_price),
    )
    return replace(base, **changes)


def a_view(
    guarded: Guarded, mark: str | None = "1000", policy: Policy | None = None, **instrument: object
) -> GuardState:
    """A guard that knows this position, its contract and a fresh mark."""
    live = Feed(is_live=True, since_ns=START_NS)
    return replace(
        initial_state(ACCOUNT, policy or Policy()),
        now_ns=START_NS,
        health=Health(market=live, account=live),
        instruments={"XBTUSDT": an_instrument(**instrument)},
        marks={} if mark is None else {"XBTUSDT": Mark(price=D(mark), at_ns=START_NS)},
        positions={"XBTUSDT": guarded},
    )


def within(price: str) -> Liquidation:
    """Liquidation at a price."""
    return Liquidation(standing=Standing.IN_RANGE, price=D(price))


# ---------------------------------------------------------------------- the trigger


@pytest.mark.parametrize(("quantity", "trigger"), [(100, "918"), (-100, "1078")])
def test_a_buffer_in_front_of_liquidation(quantity: int, trigger: str) -> None:
    """P2: two percent of the liquidation price, toward the mark, on either side."""
    guarded = a_guarded(quantity)
    wanted = work_out(a_view(guarded), guarded)
    assert (wanted.need, wanted.trigger, wanted.ruled) == (Need.STOP, D(trigger), D(trigger))


@pytest.mark.parametrize(("quantity", "price", "trigger"), [(100, "900.3", "918.5"), (-100, "1100.3", "1078")])
def test_the_trigger_is_rounded_toward_the_mark(quantity: int, price: str, trigger: str) -> None:
    """P2: never a tick farther than asked: 918.306 up to 918.5, 1078.294 down to 1078.0."""
    guarded = a_guarded(quantity, liquidation=within(price))
    assert work_out(a_view(guarded), guarded).trigger == D(trigger)


@pytest.mark.parametrize(
    ("quantity", "ratchet", "trigger"), [(100, "925", "925"), (100, "910", "918"), (-100, "1070", "1070")]
)
def test_the_ratchet_wins_where_it_is_nearer(quantity: int, ratchet: str, trigger: str) -> None:
    """P3: never looser than what was confirmed, and what the rules alone ask for stays visible."""
    guarded = a_guarded(quantity, ratchet=D(ratchet))
    wanted = work_out(a_view(guarded), guarded)
    assert wanted.trigger == D(trigger)
    assert wanted.ruled in {D(918), D(1078)}


def test_a_flat_position_and_one_without_liquidation_in_range_need_nothing() -> None:
    """P2: no stop, no alarm."""
    flat, never = a_guarded(0), a_guarded(liquidation=Liquidation(standing=Standing.NOT_IN_RANGE))
    assert work_out(a_view(flat), flat).need is Need.NOTHING
    assert work_out(a_view(never), never).need is Need.NOTHING


@pytest.mark.parametrize("ratchet", [None, D(920)])
def test_without_a_liquidation_price_only_the_ratchet_is_left(ratchet: Decimal | None) -> None:
    """P12, P3: unknown is said, and what was confirmed before is kept."""
    guarded = a_guarded(liquidation=Liquidation(), ratchet=ratchet)
    wanted = work_out(a_view(guarded), guarded)
    assert (wanted.need, wanted.trigger) == (Need.UNKNOWN, ratchet)


def test_without_the_contract_nothing_can_be_worked_out() -> None:
    """P12: no tick size, no trigger."""
    guarded = a_guarded()
    assert work_out(replace(a_view(guarded), instruments={}), guarded).need is Need.UNKNOWN


def test_a_trigger_beyond_the_contracts_prices_is_none() -> None:
    """P12: a short whose buffer ends at zero or below, or a long above the highest price: unknown, not nonsense."""
    long = a_guarded(liquidation=within("999990"))
    assert work_out(a_view(long, mark="1000000"), long).need is Need.UNKNOWN
    tiny = a_guarded(-100, liquidation=within("0.5"))
    assert work_out(a_view(tiny, mark="0.1", tick_size=D(1)), tiny).need is Need.UNKNOWN


# ---------------------------------------------------------------------- first seen too late


@pytest.mark.parametrize(
    ("quantity", "mark", "stand_in"),
    [(100, "912", "906"), (-100, "1088", "1094"), (100, "902", "901.5"), (100, "918", "909")],
    ids=["long", "short", "not nearer than the floor", "at the trigger exactly"],
)
def test_a_breach_at_the_start_rests_the_nearest_valid_stop(quantity: int, mark: str, stand_in: str) -> None:
    """Half way between mark and liquidation, beyond the floor (1.35), until the mark comes back."""
    guarded = a_guarded(quantity, is_from_start=True)
    wanted = work_out(a_view(guarded, mark=mark), guarded)
    assert wanted.in_breach
    assert (wanted.need, wanted.trigger) == (Need.STOP, D(stand_in))


@pytest.mark.parametrize(
    ("quantity", "mark", "given", "found"),
    [
        (100, "990", "980", "980"),
        (-100, "1010", "1020", "1020"),
        (100, "990", "995", "945"),
        (100, "990", "940", "945"),
        (100, "990", None, "945"),
        (100, None, "980", None),
    ],
    ids=["long", "short", "passed itself", "farther than the stand-in", "no other rule", "no mark"],
)
def test_in_reserve_a_rule_that_the_mark_has_not_passed_still_speaks(
    quantity: int, mark: str | None, given: str | None, found: str | None
) -> None:
    """P2: a time stop at the entry was passed and its close waits; a price given is nearer than half way."""
    guarded = a_guarded(quantity, ratchet=D(1000))
    if given is not None:
        guarded = replace(guarded, episode=replace(guarded.episode, given=GivenStop(price=D(given), who="ada")))
    assert nearest_valid(a_view(guarded, mark=mark), guarded) == (None if found is None else D(found))


@pytest.mark.parametrize("mark", ["901", "900", "899"])
def test_no_room_is_left_for_a_stop(mark: str) -> None:
    """P12: at or beyond the floor no stop would help, and that is said."""
    guarded = a_guarded(is_from_start=True)
    wanted = work_out(a_view(guarded, mark=mark), guarded)
    assert (wanted.need, wanted.trigger, wanted.in_breach) == (Need.WORTHLESS, None, True)


def test_a_breach_with_a_confirmed_stop_keeps_that() -> None:
    """P3: half way may wander with the mark; what rests does not."""
    guarded = a_guarded(is_from_start=True, ratchet=D(906))
    wanted = work_out(a_view(guarded, mark="910"), guarded)
    assert (wanted.trigger, wanted.in_breach) == (D(906), True)


@pytest.mark.parametrize(
    ("mark", "trigger", "need"), [("912", "906", Need.STOP), ("901", None, Need.WORTHLESS)], ids=["room", "no room"]
)
def test_a_breach_with_a_stop_beyond_liquidation_does_not_keep_that(mark: str, trigger: str | None, need: Need) -> None:
    """P2: liquidation came nearer than what rests: a stand-in instead, or the word that none helps."""
    guarded = a_guarded(is_from_start=True, ratchet=D(890))
    wanted = work_out(a_view(guarded, mark=mark), guarded)
    assert (wanted.trigger, wanted.need) == (None if trigger is None else D(trigger), need)


@pytest.mark.parametrize(("is_from_start", "on_start_breach"), [(False, StartBreach.ALERT), (True, StartBreach.REDUCE)])
def test_what_opened_meanwhile_or_shall_be_reduced_has_no_stand_in(
    is_from_start: bool, on_start_breach: StartBreach
) -> None:
    """The wanted trigger stays, and `reduce.py` acts on it."""
    guarded = a_guarded(is_from_start=is_from_start)
    policy = Policy(stop=StopPolicy(on_start_breach=on_start_breach))
    wanted = work_out(a_view(guarded, mark="912", policy=policy), guarded)
    assert (wanted.trigger, wanted.in_breach) == (D(918), False)


def test_without_any_mark_nobody_speaks_of_a_breach() -> None:
    """P2: covered from its row alone while public data is away."""
    guarded = a_guarded(is_from_start=True)
    assert work_out(a_view(guarded, mark=None), guarded).trigger == D(918)


# ---------------------------------------------------------------------- a step ahead, and the size


@pytest.mark.parametrize(("quantity", "trigger", "ahead"), [(100, "940", "942"), (-100, "1060", "1058")])
def test_tightening_goes_a_little_farther(quantity: int, trigger: str, ahead: str) -> None:
    """A twentieth of the buffer, on the tick toward the mark: a creeping liquidation costs few requests."""
    guarded = a_guarded(quantity)
    assert stepped(a_view(guarded), guarded, D(trigger)) == D(ahead)


def test_the_step_never_reaches_the_mark() -> None:
    """A step that would fire at once is not taken."""
    guarded = a_guarded()
    assert stepped(a_view(guarded, mark="941"), guarded, D(940)) == D(940)


def test_the_ratchet_itself_is_not_stepped() -> None:
    """P3: what was confirmed is asked for again as it was."""
    guarded = a_guarded(ratchet=D(940))
    assert stepped(a_view(guarded), guarded, D(940)) == D(940)


def test_without_liquidation_there_is_no_step() -> None:
    """Nothing to measure it by."""
    guarded = a_guarded(liquidation=Liquidation())
    assert stepped(a_view(guarded), guarded, D(940)) == D(940)


@pytest.mark.parametrize(
    ("style", "largest", "quantity"),
    [
        (StopStyle.REDUCE_ONLY, 1_000, 100),
        (StopStyle.REDUCE_ONLY, 100, 100),
        (StopStyle.REDUCE_ONLY, 99, None),
        (StopStyle.REDUCE_ONLY, 0, 100),
        (StopStyle.CLOSE, 1_000, None),
    ],
)
def test_the_quantity_of_the_stop(style: StopStyle, largest: int, quantity: int | None) -> None:
    """P2: the whole position; a Close stop by policy, or where one order cannot hold it; 0 is no limit."""
    guarded = a_guarded(-100)
    view = a_view(guarded, policy=Policy(stop=StopPolicy(style=style)), max_order_quantity=largest)
    assert wanted_quantity(view, guarded) == quantity
    assert guarded.position.side is Side.SHORT
