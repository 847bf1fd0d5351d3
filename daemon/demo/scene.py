"""What the screen shows at one moment, from what the exchange, the webhook and the guard's own status say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from daemon.demo import gather
from daemon.demo.alert_receiver import only_news
from daemon.demo.programme import Programme
from daemon.demo.record import Exit, HeldPosition
from daemon.demo.screen import Line, Snapshot
from daemon.demo.stage import Stage
from daemon.demo.words import price_text

HIDDEN_ALERTS = frozenset({"note"})
"""Severities too quiet for the live table; the report has them all."""


def snapshot_of(
    stage: Stage,
    programme: Programme,
    positions: Sequence[HeldPosition],
    status: Mapping[str, object] | None,
    *,
    equity: Mapping[str, int] | None = None,
) -> Snapshot:
    """Return the present moment; `status` is None while the guard's process is away."""
    tape = stage.tape
    marks = tape.prices[-1].mark if tape.prices else {}
    stops = _stops(stage)
    guarded = {exit_.symbol: exit_ for exit_ in gather.exits(tape.events, stage.guarded.account)}
    unguarded = {exit_.symbol: exit_ for exit_ in gather.exits(tape.events, stage.unguarded.account)}
    lines = tuple(
        Line(
            title=f"{position.symbol} {position.side.value}",
            mark=marks.get(position.symbol),
            liquidation=float(position.liquidation_price) if position.liquidation_price is not None else None,
            stop=stops.get(position.symbol),
            guarded=_fate(guarded.get(position.symbol)),
            unguarded=_fate(unguarded.get(position.symbol)),
        )
        for position in positions
    )
    tape_ms = tape.position.tape_ms if tape.position else None
    return Snapshot(
        tape_ms=tape_ms,
        progress=programme.progress(tape_ms) if tape_ms is not None else 0.0,
        lines=lines,
        mode=str((status or {}).get("mode", "starting again")),
        switch=_switch(status),
        equity=(equity[stage.guarded.name], equity[stage.unguarded.name]) if equity else None,
        alerts=tuple(alert.text for alert in only_news(stage.alerts.alerts) if alert.severity not in HIDDEN_ALERTS),
    )


def _stops(stage: Stage) -> dict[str, float]:
    """Per symbol, the trigger price of the guard's resting stop."""
    resting: dict[str, float] = {}
    for event in stage.tape.events:
        row = event.row
        if event.account != stage.guarded.account or not str(row.get("clOrdID") or "").startswith(gather.GUARD_PREFIX):
            continue
        if event.kind in {"confirmed", "amend"} and row.get("stopPx") is not None:
            resting[str(row["symbol"])] = float(str(row["stopPx"]))
        elif event.kind in {"cancel", "fill"}:
            resting.pop(str(row["symbol"]), None)
    return resting


def _fate(exit_: Exit | None) -> str:
    if exit_ is None:
        return "held"
    word = "LIQUIDATED" if exit_.is_liquidation else "stopped"
    return f"{word} at {price_text(float(exit_.price))}"


def _switch(status: Mapping[str, object] | None) -> str:
    switch = (status or {}).get("switch")
    if not isinstance(switch, Mapping):
        return "unknown"
    left = switch.get("expires_in_s")
    return f"{switch.get('state')}, {left:.0f} s left" if isinstance(left, float | int) else str(switch.get("state"))
