"""Settings side by side: a table for people, an object for machines, a page with small pictures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from daemon.backtest.drawing import equity_picture
from daemon.backtest.figures import Figures, figures
from daemon.backtest.page import table, verdict_class, whole_page
from daemon.backtest.record import LaneRecord, RunRecord
from daemon.backtest.summary import as_object, covered_text, verdict
from daemon.backtest.words import SAYS, SAYS_NOT, money_text, span_text

_HEAD = ("settings", "liquidated", "avoided", "stopped", "whipsaws", "whipsaw cost", "kept", "result", "covered")


def grid_lines(names: Sequence[str], records: Sequence[RunRecord]) -> list[str]:
    """Return what the command prints of a grid."""
    rows = [_HEAD, *(_row(name, figures(one.lanes)) for name, one in zip(names, records, strict=True))]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    first = records[0]
    whole = figures(first.lanes)
    holding = (
        f"holding on without a guard: {money_text(whole.unguarded_sat)}, {whole.unguarded_liquidations} liquidations"
    )
    notes = [f"note: {note}" for note in first.notes]
    return [first.source, *notes, "", *lines, "", holding, "", SAYS, SAYS_NOT]


def grid_object(names: Sequence[str], records: Sequence[RunRecord]) -> dict[str, object]:
    """Return a grid as one JSON-ready object."""
    return {"cells": [{"settings": name, **as_object(one)} for name, one in zip(names, records, strict=True)]}


def grid_page(names: Sequence[str], records: Sequence[RunRecord]) -> str:
    """Return the page of a grid: the table, and one small picture for each cell."""
    cells = list(zip(names, records, strict=True))
    wholes = [_together(one.lanes) for one in records]
    body = [
        f"<h1>Backtest, settings side by side: {escape(records[0].source)}</h1>",
        *(f'<p class="soft">{escape(note)}</p>' for note in records[0].notes),
        table(_HEAD, (_row(name, figures(one.lanes)) for name, one in cells)),
        '<h2>Profit and loss of all positions, XBT (green: guarded; one scale for all)</h2>\n<div class="small">',
        *(_small(name, one, whole, wholes) for (name, one), whole in zip(cells, wholes, strict=True)),
        "</div>",
        f"<h2>What this says, and what not</h2><p>{escape(SAYS)}</p><p>{escape(SAYS_NOT)}</p>",
    ]
    return whole_page("Seawall backtest, settings side by side", body)


def _row(name: str, its: Figures) -> tuple[str, ...]:
    stopped = its.exits.get("stopped", 0) + its.exits.get("cut", 0)
    return (
        name,
        str(its.guarded_liquidations),
        f"{its.avoided} of {its.unguarded_liquidations}",
        str(stopped),
        str(its.whipsaws),
        money_text(-its.whipsaw_cost_sat),
        money_text(its.saved_sat),
        money_text(its.guarded_sat),
        covered_text(its, digits=2),
    )


def _small(name: str, record: RunRecord, together: LaneRecord, wholes: Sequence[LaneRecord]) -> str:
    whole = figures(record.lanes)
    picture = equity_picture(name, together, beside=wholes, is_small=True)
    slowest = span_text(whole.slowest_ms)
    said = f"{verdict(whole, observes=record.observes)} Slowest cover {slowest}."
    words = f'<p class="soft {verdict_class(whole)}">{escape(said)}</p>'
    return f"<div><h3>{escape(name)}</h3>{words}{picture}</div>"


def _together(lanes: Sequence[LaneRecord]) -> LaneRecord:
    """Return the first lane with the profits of all: they were noted at the same times."""
    points = tuple(
        (rows[0][0], sum(row[1] for row in rows), sum(row[2] for row in rows))
        for rows in zip(*(lane.equity for lane in lanes), strict=True)
    )
    return replace(lanes[0], equity=points)
