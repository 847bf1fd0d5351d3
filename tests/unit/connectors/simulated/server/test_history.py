"""Events and prices on both clocks."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.server.history import History


def execution(kind: str, order_id: str = "1", account: int = 7) -> Change:
    """Return one execution row."""
    return Change(table="execution", account=account, row={"execType": kind, "orderID": order_id})


def prices(mark: int) -> tuple[SymbolPrices, ...]:
    """Return the prices of one contract."""
    value = Decimal(mark)
    return (SymbolPrices(symbol="XBTUSD", mark=value, index=value, last=value, half_spread=value, depth=1),)


def test_events_are_named_and_numbered() -> None:
    """Each execution becomes one event; a fill without an order is a liquidation."""
    history = History()
    nobody = "00000000-0000-0000-0000-000000000000"
    changes = [execution("New"), execution("Trade"), execution("Trade", nobody), execution("Strange", account=8)]
    history.note_changes(changes, at_ms=5, tape_ms=50)
    events = history.events()
    assert [event.kind for event in events] == ["confirmed", "fill", "liquidation", "other"]
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    assert [event.sequence for event in history.events(since=2)] == [3, 4]
    assert [event.sequence for event in history.events(conditions={"account": 8})] == [4]
    assert len(history.events(count=1)) == 1


def test_prices_can_be_thinned_but_keep_the_last() -> None:
    """A chart asks for so many points and always gets the end."""
    history = History()
    for step in range(10):
        history.note_prices(prices(step), at_ms=step, tape_ms=step)
    thinned, until = history.prices(points=3)
    assert [point.tape_ms for point in thinned] == [0, 4, 8, 9]
    assert until == 10
    assert len(history.prices(since=8)[0]) == 2
    assert history.prices(since=10) == ([], 10)


def test_old_prices_get_coarser_and_the_numbers_go_on() -> None:
    """A tape that runs for weeks keeps its whole length in bounded memory; who keeps up sees every step."""
    history = History(kept_prices=100)
    seen: list[int] = []
    since = 0
    for step in range(10_000):
        history.note_prices(prices(1), at_ms=step, tape_ms=step)
        if step % 20 == 0:
            new, since = history.prices(since=since)
            seen += [point.tape_ms for point in new]
    kept = [point.tape_ms for point in history.prices()[0]]
    assert seen == list(range(9_981))
    assert len(kept) <= 100
    assert (kept[0], kept[-1], kept) == (0, 9_999, sorted(kept))
    assert kept[-30:] == list(range(9_970, 10_000))


def test_old_events_go_and_the_numbers_go_on() -> None:
    """Events are counted for ever and kept for a while."""
    history = History(recent=deque(maxlen=10))
    history.note_changes([execution("New") for _ in range(25)], at_ms=1, tape_ms=1)
    assert [event.sequence for event in history.events(since=3)] == list(range(16, 26))
    assert [event.sequence for event in history.events(since=20)] == list(range(21, 26))
    assert history.last_sequence() == 25
