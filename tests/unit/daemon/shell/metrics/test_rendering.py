"""The page: what is on it, what is absent, and that it is made in small pieces."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connectors.vocabulary import OrderStatus
from daemon.core.degraded import Degraded
from daemon.core.state import GuardState
from daemon.shell.metrics import rendering
from daemon.shell.metrics.rendering import pieces
from daemon.shell.metrics.snapshot import Snapshot
from tests.builders import a_position
from tests.driven import MS
from tests.unit.daemon.shell.metrics.pages import a_guard, everything_known, snapshot_of


def values(snapshot: Snapshot) -> dict[str, dict[tuple[str, ...], float]]:
    """A page, as Prometheus reads it: series by name and label values."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(b"".join(pieces(snapshot)).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def page_of(state: GuardState) -> dict[str, dict[tuple[str, ...], float]]:
    """The same, of a state."""
    return values(snapshot_of(state))


def test_a_covered_position_is_told_in_every_unit() -> None:
    """Distance in percent, volatilities and probability; proof, trigger and age of the mark."""
    page = page_of(everything_known())
    symbol = ("XBTUSDT",)
    assert page["seawall_position_liquidation_distance_ratio"][symbol] == pytest.approx(0.1)
    assert page["seawall_position_liquidation_distance_volatilities"][symbol] == pytest.approx(6.6)
    assert 0 < page["seawall_position_liquidation_touch_probability"][symbol] < 1
    assert page["seawall_position_stop_state"]["proved", "XBTUSDT"] == 1
    assert sum(page["seawall_position_stop_state"].values()) == 1
    assert page["seawall_position_naked_seconds"][symbol] == 0
    assert page["seawall_position_liquidation_price"][symbol] < page["seawall_position_stop_price"][symbol]
    assert page["seawall_switch_countdown_seconds"] == {(): 55}
    assert page["seawall_request_budget_reserve"] == {(): 20}


def test_what_is_not_known_is_absent() -> None:
    """No volatility, no budget, nothing armed, nothing unknown: no series says 0 in their place, and none says NaN."""
    page = page_of(a_guard("XBTUSDT").state)
    for name in (
        "seawall_position_liquidation_touch_probability",
        "seawall_position_liquidation_distance_volatilities",
        "seawall_request_budget_remaining",
        "seawall_switch_countdown_seconds",
        "seawall_unproved_oldest_seconds",
        "seawall_pause_remaining_seconds",
        "seawall_bot_silent",
    ):
        assert name not in page
    assert not [name for name, series in page.items() if any(map(isnan, series.values()))]


def test_a_mark_that_is_not_known_gives_no_distance() -> None:
    """A position without a mark has its size and its stop state, and neither price nor room."""
    state = a_guard("XBTUSDT").state
    page = page_of(replace(state, marks={}))
    assert page["seawall_position_contracts"] == {("XBTUSDT",): 100}
    assert "seawall_position_mark_price" not in page
    assert "seawall_position_liquidation_distance_ratio" not in page


def test_series_of_a_closed_position_go_away() -> None:
    """One of two positions is closed: no series names it any more."""
    guard = a_guard("XBTUSDT", "ETHUSDT")
    before = page_of(guard.state)
    guard.now += MS
    guard.position(a_position(0, symbol="ETHUSDT"))
    page = page_of(guard.state)
    assert ("ETHUSDT",) in before["seawall_position_contracts"]
    assert not [name for name, series in page.items() if any("ETHUSDT" in labels for labels in series)]
    assert page["seawall_positions"]["proved",] == 1


def test_a_naked_position_is_told_at_once() -> None:
    """P2: the stop is gone: the state says so, the seconds run, and the trigger that protected is absent."""
    guard = a_guard("XBTUSDT")
    (known,) = guard.state.orders["XBTUSDT"].values()
    guard.now += MS
    guard.order(replace(known.order, status=OrderStatus.CANCELED, leaves_quantity=0))
    guard.now += 400 * MS
    snapshot = replace(snapshot_of(guard.state), now_ns=guard.now)
    page = values(snapshot)
    assert page["seawall_position_stop_state"]["repairing", "XBTUSDT"] == 1
    assert page["seawall_position_naked_seconds"]["XBTUSDT",] == pytest.approx(0.4)
    assert "seawall_position_stop_price" not in page


def test_every_degraded_state_is_0_or_1() -> None:
    """P12: those of the account and of positions are 1, every other one is there and 0."""
    state = a_guard("XBTUSDT").state
    guarded = replace(state.positions["XBTUSDT"], degraded=(Degraded.COVER_REFUSED,))
    page = page_of(replace(state, positions={"XBTUSDT": guarded}, degraded={"clock_skew": 1}))
    assert set(page["seawall_degraded"]) == {(each.value,) for each in Degraded}
    held = {name for (name,), value in page["seawall_degraded"].items() if value}
    assert held == {"clock_skew", "cover_refused"}


def test_before_there_is_a_core_there_is_a_page() -> None:
    """The guard waits for its venue: mode, build and alerts are told, and nothing is said of positions."""
    page = values(replace(snapshot_of(a_guard("XBTUSDT").state), running=None))
    assert page["seawall_mode"]["waiting_for_venue",] == 1
    assert sum(page["seawall_mode"].values()) == 1
    (build,) = page["seawall_build_info"]
    assert {"1.2.3", "testnet"} < {*build}
    assert page["seawall_alert_deliveries_total"]["phone", "delivered"] == 7
    assert "seawall_positions" not in page


def test_counting_that_broke_is_absent() -> None:
    """Counters that stand still would look like calm: they are gone, and the gauges are right."""
    page = values(replace(snapshot_of(a_guard("XBTUSDT").state), counts=None))
    assert "seawall_requests_total" not in page
    assert "seawall_naked_seconds_total" not in page
    assert page["seawall_mode"]["guarding",] == 0 or page["seawall_mode"]["guarding",] == 1


def test_symbols_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """More positions than are told one by one: the rest is counted by state, and how many they are is said."""
    monkeypatch.setattr(rendering, "MOST_SYMBOLS", 2)
    page = page_of(a_guard("AUSDT", "BUSDT", "CUSDT").state)
    assert set(page["seawall_position_contracts"]) == {("AUSDT",), ("BUSDT",)}
    assert page["seawall_positions_left_out"] == {(): 1}
    assert page["seawall_positions"]["proved",] == 3


def test_a_strange_symbol_stays_a_label() -> None:
    """A name with quotes, newlines and backslashes is written as a label, and makes no line of its own."""
    name = 'A"} 1\nup 0\\'
    state = a_guard("XBTUSDT").state
    guarded = state.positions["XBTUSDT"]
    odd = replace(guarded, position=replace(guarded.position, key=replace(guarded.position.key, symbol=name)))
    page = page_of(replace(state, positions={name: odd}))
    assert page["seawall_position_contracts"] == {(name,): 100}
    assert "up" not in page


def test_a_large_page_is_made_in_small_pieces() -> None:
    """P10: 300 positions: no piece grows with their number, and the head of a metric stands once."""
    state = a_guard("XBTUSDT").state
    guarded = state.positions["XBTUSDT"]

    def named(symbol: str) -> Any:
        return replace(guarded, position=replace(guarded.position, key=replace(guarded.position.key, symbol=symbol)))

    symbols = [f"S{number:03}USDT" for number in range(300)]
    large = replace(state, positions={symbol: named(symbol) for symbol in symbols})
    parts = list(pieces(snapshot_of(large)))
    page = b"".join(parts)
    assert parts.count(b"") >= 300 / rendering.POSITIONS_A_PIECE
    assert max(part.count(b"\n") for part in parts if b"_bucket" not in part) <= 2 + rendering.SAMPLES_A_PIECE
    assert page.count(b"# TYPE seawall_position_contracts gauge") == 1
    assert page.count(b"\nseawall_position_contracts{") == 300
    assert list(text_string_to_metric_families(page.decode()))
