"""Faults of any kind with any parameters: refused with a reason or taken, and the engine stays itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated.engine.exchange import Exchange, Refused
from connectors.simulated.engine.faults.catalogue import CATALOGUE
from connectors.simulated.engine.faults.kinds import Parameter, Sort
from connectors.simulated.engine.inputs import (
    CancelAllAfter,
    ClearFault,
    Input,
    OpenAccount,
    PlaceOrder,
    SetFault,
    SetPosition,
    SetPrices,
    decode,
    encode,
)
from tests.unit.connectors.simulated.engine.desk import OPENING, START_MS, TAPE_MS, prices

WORDS = st.text(max_size=8) | st.sampled_from(
    ["", "yes", "null", "-1", "0", "1e400", "NaN", "hang", "stream", "99999999"]
)
RAW = st.integers(-(10**18), 10**18) | st.booleans() | WORDS


def _likely(one: Parameter) -> st.SearchStrategy[Any]:
    if one.choices:
        return st.sampled_from(one.choices)
    if one.sort is Sort.FLAG:
        return st.booleans()
    if one.sort is Sort.WORD:
        return WORDS
    return st.integers(one.least, min(one.most, one.least + 200))


@st.composite
def any_fault(draw: st.DrawFn) -> SetFault:
    """A fault with whatever somebody may send."""
    names = st.sampled_from(list(CATALOGUE)) | st.text(max_size=5)
    name = draw(names)
    known = [one.name for one in CATALOGUE[name].parameters] if name in CATALOGUE else []
    keys = st.sampled_from(known) | st.text(max_size=5) if known else st.text(max_size=5)
    return SetFault(
        name=name,
        parameters=draw(st.dictionaries(keys, RAW, max_size=3)),
        account=draw(st.none() | st.integers(0, 3)),
        symbol=draw(st.none() | st.sampled_from(["XBTUSD", "xbt*", "NONE"])),
        table=draw(st.none() | st.just("order")),
        count=draw(st.none() | st.integers(-1, 3)),
        probability=draw(st.decimals(-1, 2, places=2)),
        delay_ms=draw(st.integers(-1, 5_000)),
        duration_ms=draw(st.none() | st.integers(-1, 5_000)),
    )


@st.composite
def good_fault(draw: st.DrawFn) -> SetFault:
    """A fault that fits."""
    kind = draw(st.sampled_from([one for one in CATALOGUE.values() if not one.is_act]))
    parameters = {one.name: draw(_likely(one)) for one in kind.parameters if draw(st.booleans())}
    return SetFault(
        name=kind.name,
        parameters={name: str(value) if isinstance(value, Decimal) else value for name, value in parameters.items()},
        count=draw(st.none() | st.integers(1, 3)),
        probability=draw(st.decimals(0, 1, places=1)),
        seed=draw(st.integers(0, 3)),
        delay_ms=draw(st.integers(0, 2_000)),
        duration_ms=draw(st.none() | st.integers(1, 5_000)),
    )


@st.composite
def any_input(draw: st.DrawFn) -> Input:
    """What may come while faults are set."""
    stop = st.builds(
        PlaceOrder,
        account=st.just(1),
        symbol=st.just("XBTUSD"),
        side=st.sampled_from(["Buy", "Sell"]),
        order_qty=st.sampled_from([100, 5_000]),
        ord_type=st.sampled_from(["Stop", "Market"]),
        stop_px=st.none() | st.sampled_from([Decimal(49_000), Decimal(51_000)]),
    )
    moved = st.integers(40_000, 60_000).map(lambda mark: SetPrices(tape_ms=TAPE_MS, prices=(prices("XBTUSD", mark),)))
    switch = st.builds(CancelAllAfter, account=st.just(1), timeout_ms=st.sampled_from([0, 500]))
    held = st.builds(
        SetPosition, account=st.just(1), symbol=st.just("XBTUSD"), quantity=st.sampled_from([0, 10_000, -20_000])
    )
    acts = st.sampled_from([name for name, one in CATALOGUE.items() if one.is_act]).map(
        lambda name: SetFault(name=name)
    )
    return draw(stop | moved | switch | held | good_fault() | acts | st.just(ClearFault()))


def opened() -> Exchange:
    """An exchange with one account and prices."""
    exchange = Exchange()
    exchange.apply(OpenAccount(account=1, balances={"XBt": 100_000_000}), at_ms=START_MS)
    exchange.apply(SetPrices(tape_ms=TAPE_MS, prices=OPENING), at_ms=START_MS)
    return exchange


def reason(exchange: Exchange, value: Input, *, at_ms: int = START_MS) -> str | None:
    """Apply an input as it comes back from a journal; why it was refused, None if it was not."""
    try:
        exchange.apply(decode(encode(value)), at_ms=at_ms)
    except Refused as refusal:
        return refusal.message
    return None


def played(inputs: list[Input]) -> bytes:
    """The state after these inputs, one every half second."""
    exchange = opened()
    for place, value in enumerate(inputs):
        assert reason(exchange, value, at_ms=START_MS + 500 * place) != ""
        assert exchange.money_is_conserved()
    return exchange.save()


@given(any_fault())
def test_a_fault_is_taken_or_refused_with_a_reason(fault: SetFault) -> None:
    """Nothing else may happen; a refused one leaves nothing behind."""
    exchange = opened()
    refused = reason(exchange, fault)
    kept = refused is None and not CATALOGUE[fault.name].is_act
    assert refused != ""
    assert len(exchange.faults().active) == kept


@given(good_fault())
def test_what_fits_is_taken(fault: SetFault) -> None:
    """Every parameter within its bounds is accepted, and comes back as it was meant from a journal."""
    exchange = opened()
    assert reason(exchange, fault) is None
    [one] = exchange.faults().active.values()
    assert one.fault == fault
    assert set(one.parameters) == {parameter.name for parameter in CATALOGUE[fault.name].parameters}


@given(st.lists(any_input(), max_size=12))
def test_faults_conserve_money_and_repeat(inputs: list[Input]) -> None:
    """Whatever goes wrong, no unit of money is made or lost, and the same inputs give the same bytes."""
    assert played(inputs) == played(inputs)
