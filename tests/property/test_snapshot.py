"""Any state can be written down and gone on from: nothing is lost, nothing is doubled."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated.engine import snapshot
from connectors.simulated.engine.changes import Change, Reply
from connectors.simulated.engine.exchange import Exchange, Refused
from connectors.simulated.engine.switches import Switches
from tests.property.test_simulated_exchange import START_MS, Timed, histories, opening

Told = list[tuple[Reply | str, list[Change]]]


def go_on(exchange: Exchange, history: list[Timed], now: int) -> tuple[Told, int]:
    """Apply a part of a history; return what the exchange told, and when it ended."""
    told: Told = []
    for timed in history:
        now += timed.wait_ms
        try:
            reply: Reply | str = exchange.apply(timed.value, at_ms=now)
        except Refused as refusal:
            reply = refusal.message
        told.append((reply, exchange.take_changes()))
    return told, now


@given(history=histories, cut=st.integers(0, 40), liquidation_first=st.booleans())
def test_a_loaded_exchange_goes_on_as_the_saved_one(history: list[Timed], cut: int, liquidation_first: bool) -> None:
    """Saved at any point, loaded and continued: same replies, same changes, same final bytes."""
    exchange = Exchange(switches=Switches(liquidation_first=liquidation_first))
    _, now = go_on(exchange, [*(Timed(value, 0) for value in opening()), *history[:cut]], START_MS)
    document = exchange.save()
    again = Exchange.load(document)
    assert again.save() == document
    assert go_on(again, history[cut:], now) == go_on(exchange, history[cut:], now)
    assert again.save() == exchange.save()
    assert again.money_is_conserved()


@given(history=histories)
def test_asking_and_saving_change_nothing(history: list[Timed]) -> None:
    """A document does not depend on what was read or saved on the way to it."""
    watched, alone = Exchange(), Exchange()
    now = START_MS
    for timed in [*(Timed(value, 0) for value in opening()), *history]:
        now += timed.wait_ms
        for exchange in (watched, alone):
            with suppress(Refused):
                exchange.apply(timed.value, at_ms=now)
            exchange.take_changes()
        watched.save()
        for account in watched.accounts():
            watched.position_rows(account)
            watched.margin_rows(account)
    assert list(snapshot.differences(watched.save(), alone.save())) == []
