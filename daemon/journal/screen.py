"""The one screen of `seawall explain`: from what was found to lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from daemon.core.state import GuardState
from daemon.journal.known import Known
from daemon.journal.times import NS_PER_S, moment
from daemon.journal.trail import Decision, Entry
from daemon.journal.words import command_words, meanings
from daemon.shell.status import describe_state
from daemon.shell.status_latches import latch_lines

MOST_POSITIONS: Final = 5
MOST_ENTRIES: Final = 14


def known_lines(known: Known, symbol: str = "") -> Iterator[str]:
    """What was known: how well the guard saw, and the position (or all of them)."""
    if known.problem:
        yield f"  not rebuilt: {known.problem}"
    if known.state is None:
        return
    described = describe_state(known.state, now_ns=known.at_ns)
    yield _sight(known.state, described)
    yield from (f"  {line}" for line in latch_lines(described["latches"]))  # type: ignore[arg-type]  # a list of rows
    rows: Sequence[Mapping[str, Any]] = described["positions"]  # type: ignore[assignment]  # as describe_state makes it
    shown = [row for row in rows if not symbol or row["symbol"] == symbol]
    for row in shown[:MOST_POSITIONS]:
        yield from _position(row)
    if len(shown) > MOST_POSITIONS:
        yield f"  and {len(shown) - MOST_POSITIONS} more positions"
    if not shown:
        yield f"  no position{f' in {symbol}' if symbol else ''} was known"


def decision_lines(decision: Decision, known: Known) -> Iterator[str]:
    """Which rule spoke, and what was sent."""
    reason = getattr(decision.command, "reason", None)
    if reason is not None:
        yield f"  reason   {reason.value}: {meanings().get(reason.value, '')}"
    guarded = None if known.state is None else known.state.positions.get(decision.symbol)
    if guarded is not None and guarded.ruled_by:
        at = "" if guarded.ruled is None else f" asks for {format(guarded.ruled, 'f')}"
        yield f"  rule     {guarded.ruled_by}{at}: {guarded.ruled_why}"
    yield f"  cause    {decision.cause.name} (record {decision.cause.seq}, {moment(decision.at_ns)})"
    yield f"  decided  {command_words(decision.command)} (record {decision.seq})"


def entry_lines(entries: Sequence[Entry], since_ns: int) -> Iterator[str]:
    """What was sent and what came back, with the time since the decision; the middle of a long trail is left out."""
    if len(entries) <= MOST_ENTRIES:
        shown: list[Entry | None] = list(entries)
    else:
        shown = [*entries[: MOST_ENTRIES - 5], None, *entries[-4:]]
    for entry in shown:
        if entry is None:
            yield f"  ... {len(entries) - MOST_ENTRIES + 1} more"
            continue
        reason = f" [{entry.reason}]" if entry.reason else ""
        times = f", {entry.times} times" if entry.times > 1 else ""
        record = f"record {entry.seq}"
        if entry.fills is not None and entry.fills.last_seq != entry.seq:
            record = (
                f"until {_after(entry.fills.last_ns - since_ns).strip()}, records {entry.seq} to {entry.fills.last_seq}"
            )
        yield f"  {_after(entry.at_ns - since_ns)}  {entry.by:<6} {entry.words}{reason} ({record}{times})"


def _after(span_ns: int) -> str:
    span_s = span_ns / NS_PER_S
    text = f"{span_s:+.3f} s" if abs(span_s) < 100 else f"{span_s:+.0f} s"
    return text.rjust(10)


def _sight(state: GuardState, described: Mapping[str, Any]) -> str:
    feeds = "; ".join(
        f"{name} stream {'live' if feed['live'] else 'LOST'}, {feed['age_s']:.1f} s old"
        for name, feed in described["feeds"].items()
    )
    journal = "journal ok" if state.health.is_journal_ok else "journal NOT written"
    troubles = ", ".join(each["state"] for each in described["degraded"])
    degraded = f"; degraded: {troubles}" if troubles else ""
    return f"  {state.mode.value}; {feeds}; switch {described['switch']['state']}; {journal}{degraded}"


def _position(row: Mapping[str, Any]) -> Iterator[str]:
    entry = "" if row["entry_price"] is None else f" from {row['entry_price']}"
    yield (
        f"  {row['symbol']}: {row['quantity']:+d}{entry}, mark {row['mark_price'] or 'unknown'}"
        f"{'' if row['mark_age_s'] is None else ' ({:.1f} s old)'.format(row['mark_age_s'])}, tier {row['tier']}"
    )
    price = row["liquidation_price"]
    figures = row["liquidation_figures"] or "no figure"
    standing = "" if price is not None else f" ({row['liquidation']})"
    yield f"    liquidation {price or 'none'}{standing}: {figures}"
    stops = ", ".join(
        f"{each['client_order_id'] or 'foreign'} {each['quantity'] or 'all'} at {each['stop_price']}"
        for each in row["stops"]
    )
    troubles = f"; degraded: {', '.join(row['degraded'])}" if row["degraded"] else ""
    yield f"    stops: {stops or 'none rests'}; {_cover(row)}{troubles}"


def _cover(row: Mapping[str, Any]) -> str:
    if row["covered_since"]:
        return f"covered since {row['covered_since']}"
    return "NOT YET as near the mark, or for as many, as wanted" if row["stops"] else "NOT COVERED"
