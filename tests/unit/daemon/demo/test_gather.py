"""From rows and alerts to the record of a run."""

from decimal import Decimal

import msgspec

from daemon.demo.alert_receiver import ReceivedAlert, ReceivedFact, only_news
from daemon.demo.gather import (
    TapeClock,
    alert_facts,
    confirmations,
    equity_sat,
    exits,
    price_points,
    stop_facts,
    unsafe_orders,
)
from daemon.demo.tape_control import TapeEvent, TapePrices

GUARDED = 100_001


def an_event(kind: str, at_ms: int, account: int = GUARDED, **row: object) -> TapeEvent:
    return TapeEvent(
        sequence=1,
        kind=kind,
        at_ms=at_ms,
        tape_ms=at_ms * 100,
        account=account,
        row={"symbol": "XBTUSD", "clOrdID": "bot-open-XBTUSD", **row},
    )


def a_fill(at_ms: int, side: str, quantity: int, kind: str = "fill") -> TapeEvent:
    return an_event(kind, at_ms, side=side, lastQty=quantity, lastPx=100.5)


def a_stop(kind: str, at_ms: int, price: float = 97.0, **row: object) -> TapeEvent:
    stop = {"clOrdID": "sw-1-XBTUSD-L-s0", "ordType": "Stop", "execInst": "MarkPrice,ReduceOnly", "side": "Sell"}
    return an_event(kind, at_ms, **{**stop, "stopPx": price, **row})


def an_alert(raised_ms: int, topic: str = "cover", state: str = "covered", alert_id: str = "a") -> ReceivedAlert:
    return ReceivedAlert(
        alert_id=alert_id,
        severity="note",
        topic=topic,
        state=state,
        symbol="XBTUSD",
        text="covered",
        raised_ns=raised_ms * 1_000_000,
        members=(ReceivedFact(topic=topic, state=state, symbol="XBTUSD", since_ns=raised_ms * 1_000_000),),
    )


def tape(*at_ms: int) -> list[TapePrices]:
    return [TapePrices(at_ms=t, tape_ms=t * 100, mark={"XBTUSD": 100.0}, last={"XBTUSD": 100.1}) for t in at_ms]


def test_tape_clock_reads_the_step_in_force() -> None:
    """Between two steps the earlier one is in force; before the first, the first; without any, 0."""
    clock = TapeClock.of(tape(10, 20))
    assert [clock.read(t) for t in (5, 10, 15, 20, 99)] == [1_000, 1_000, 1_000, 2_000, 2_000]
    assert TapeClock.of([]).read(5) == 0


def test_an_exit_is_when_the_size_is_zero_again() -> None:
    """Partial closes are no exit; a second round counts on its own; other accounts do not matter."""
    events = [
        a_fill(1, "Buy", 10),
        a_fill(2, "Sell", 4),
        a_fill(2, "Sell", 6),
        a_fill(3, "Sell", 5),
        a_fill(4, "Buy", 5, kind="liquidation"),
        an_event("fill", 5, account=7, side="Buy", lastQty=1, lastPx=1.0),
    ]
    found = exits(events, GUARDED)
    assert [(e.tape_ms, e.is_liquidation) for e in found] == [(200, False), (400, True)]


def test_a_stop_counts_from_its_confirmation() -> None:
    """The exchange accepted the stop at 10 ms; the guard had it confirmed at 15: that is when it rests."""
    events = [a_stop("confirmed", 10), a_stop("amend", 20, 98.0), a_stop("trigger", 30), a_stop("fill", 30)]
    facts = stop_facts(events, GUARDED, {"XBTUSD": 15}, TapeClock.of(tape(10, 15, 20)))
    assert [(f.at_ms, f.tape_ms, f.what, f.stop_price) for f in facts] == [
        (15, 1_500, "resting", Decimal("97.0")),
        (20, 2_000, "resting", Decimal("98.0")),
        (30, 3_000, "triggered", Decimal("97.0")),
        (30, 3_000, "filled", Decimal("97.0")),
    ]


def test_a_stop_that_was_never_confirmed_does_not_rest() -> None:
    """An accepted order without the guard's confirmation is no cover."""
    assert stop_facts([a_stop("confirmed", 10)], GUARDED, {}, TapeClock.of([])) == ()


def test_a_stop_that_fired_while_the_guard_was_dead_counts_from_the_exchanges_word() -> None:
    """P7: killed between placing and hearing of it; the next guard tells late or, the position being gone, never."""
    events = [a_stop("confirmed", 10), a_stop("trigger", 20)]
    clock = TapeClock.of(tape(10, 15, 20))
    for confirmed in ({}, {"XBTUSD": 25}):
        resting, triggered = stop_facts(events, GUARDED, confirmed, clock, was_restarted=True)
        assert (resting.what, resting.at_ms, triggered.what) == ("resting", 10, "triggered")
    (only,) = stop_facts(events, GUARDED, {}, clock)
    assert only.what == "triggered"
    (resting, _) = stop_facts(events, GUARDED, {"XBTUSD": 15}, clock, was_restarted=True)
    assert resting.at_ms == 15


def test_confirmations_take_the_first_per_symbol() -> None:
    """A repeat after a restart does not move the time; other topics do not count."""
    alerts = [an_alert(9, topic="tier"), an_alert(15), an_alert(40, alert_id="b")]
    assert confirmations(alerts) == {"XBTUSD": 15}


def test_orders_that_could_add_danger_are_named() -> None:
    """The bot's orders and proper stops pass; each kind of danger is found alone."""
    opened = [an_event("confirmed", 1, side="Buy", ordType="Market"), a_fill(1, "Buy", 10)]
    assert unsafe_orders([*opened, a_stop("confirmed", 2)], GUARDED) == ()
    for row, words in (
        ({"execInst": "MarkPrice"}, "neither reduce-only nor close"),
        ({"execInst": "ReduceOnly"}, "not triggered by the mark"),
        ({"side": "Buy"}, "adds to a position"),
    ):
        found = unsafe_orders([*opened, a_stop("confirmed", 2, **row)], GUARDED)
        assert len(found) == 1
        assert words in found[0]


def test_equity_adds_the_dollar_wallet_at_the_mark() -> None:
    """1 XBT and 50,000 USDT at 50,000 are 2 XBT."""
    rows: list[dict[str, object]] = [
        {"currency": "XBt", "marginBalance": 100_000_000},
        {"currency": "USDt", "marginBalance": 50_000_000_000},
    ]
    assert equity_sat(rows, Decimal(50_000)) == 200_000_000


def test_alerts_and_prices_get_tape_time() -> None:
    """Both clocks are kept."""
    facts = alert_facts([an_alert(15)], TapeClock.of(tape(10, 20)))
    assert (facts[0].at_ms, facts[0].tape_ms) == (15, 1_000)
    assert [(p.tape_ms, p.mark) for p in price_points(tape(1, 2), "XBTUSD")] == [(100, 100.0), (200, 100.0)]


def test_each_fact_is_listed_once() -> None:
    """Messages tell their whole group again: the list shows what is new, and no message without news."""

    def told(raised_ms: int, *texts: str) -> ReceivedAlert:
        members = tuple(ReceivedFact(topic="tier", state="warn", symbol="X", since_ns=1, text=each) for each in texts)
        return msgspec.structs.replace(an_alert(raised_ms), text=" ".join(texts), members=members)

    messages = [
        told(1, "A warns."),
        told(2, "B warns.", "A warns."),
        told(3, "A warns."),
        told(4, "A is calm."),
    ]
    assert [each.text for each in only_news(messages)] == ["A warns.", "B warns.", "A is calm."]
