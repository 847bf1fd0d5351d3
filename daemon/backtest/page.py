"""The report of a run as one HTML page: verdict, figures, pictures, rounds. Opens from a file, loads nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from daemon.backtest.drawing import bars_picture, equity_picture, price_picture
from daemon.backtest.figures import Figures, figures, ladder_told, shadow_words, tiers_told
from daemon.backtest.plan import SAT
from daemon.backtest.record import Exit, LaneRecord, RunRecord
from daemon.backtest.summary import covered_text, problem_text, shadow_text, verdict
from daemon.backtest.words import SAYS, SAYS_NOT, clock_time, iso_time, money_text, price_text, span_text

MOST_ROWS = 400
"""Of a table; the JSON file holds all."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --paper: #fff; --faint: #d8dee6; --soft: #5b6b7b; --good: #0a7d4f;
  --bad: #c22f3d; --mark: #33658a; --stop: #b7791f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4eaf0; --paper: #12181f; --faint: #2c3743; --soft: #93a3b3;
  --good: #4cc38a; --bad: #ff6b76; --mark: #7fb2e5; --stop: #e3b341; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 980px; padding: 24px; }
h1 { font-size: 22px; } h2 { font-size: 18px; margin-top: 32px; } h3 { font-size: 15px; margin-bottom: 4px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; display: block; overflow-x: auto; }
th, td { text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid var(--faint); white-space: nowrap; }
.verdict { font-size: 18px; font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
.soft { color: var(--soft); font-size: 13px; } svg { width: 100%; height: auto; }
svg .grid { stroke: var(--faint); } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
svg .label { fill: var(--ink); font-size: 12px; } svg .range { fill: var(--mark); opacity: .25; }
svg .mark { fill: none; stroke: var(--mark); } svg .stop { fill: none; stroke: var(--stop); stroke-width: 1.6; }
svg .liq { fill: none; stroke: var(--bad); stroke-dasharray: 5 3; } svg .guarded { fill: none; stroke: var(--good);
  stroke-width: 1.8; } svg .unguarded { fill: none; stroke: var(--bad); stroke-width: 1.2; }
svg .entry { fill: var(--ink); } svg .taken { fill: var(--bad); } svg .saved { fill: var(--good); }
svg .closed { fill: var(--soft); } svg .gain { fill: var(--good); } svg .loss { fill: var(--bad); }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 12px; }
"""


def page(record: RunRecord) -> str:
    """Return the page of one run."""
    whole = figures(record.lanes)
    body = [
        f"<h1>Backtest: {escape(record.source)}</h1>",
        *(f'<p class="soft">{escape(note)}</p>' for note in record.notes),
        f'<p class="verdict {verdict_class(whole)}">{escape(verdict(whole, observes=record.observes))}</p>',
        table(("", "value"), _rows(record, whole)),
        "<h2>Kinds of position</h2>",
        _lanes_table(record),
        *(_lane_part(record, lane) for lane in record.lanes),
        _rules_part(whole),
        *_told_parts(record),
        "<h2>What this says, and what not</h2>",
        f"<p>{escape(SAYS)}</p><p>{escape(SAYS_NOT)}</p>",
        f'<p class="soft">Mark price: {escape(record.mark_source)}. Times are UTC.</p>',
    ]
    return whole_page("Seawall backtest", body)


def whole_page(title: str, body: Iterable[str]) -> str:
    """Return an HTML document."""
    inside = "\n".join(part for part in body if part)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body>\n{inside}\n'
        "</body></html>\n"
    )


def verdict_class(whole: Figures) -> str:
    """Return the class that colours a verdict."""
    return "bad" if whole.unsafe or whole.guarded_liquidations else "good"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; every cell is escaped."""
    found = list(rows)
    if not found:
        return '<p class="soft">none</p>'
    cells = "".join(f"<th>{escape(one)}</th>" for one in head)
    lines = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in found)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>\n{lines}\n</tbody></table>"


def _rows(record: RunRecord, whole: Figures) -> list[tuple[str, str]]:
    tiers = ", ".join(f"{tier} {count}" for tier, count in tiers_told(record).items()) or "none"
    return [
        ("liquidations of the unguarded accounts", str(whole.unguarded_liquidations)),
        ("of them avoided", str(whole.avoided)),
        ("liquidations of the guarded accounts", _lost(whole)),
        ("guarded positions ended", ", ".join(f"{name} {count}" for name, count in whole.exits.items())),
        ("kept where the unguarded account was liquidated", money_text(whole.saved_sat)),
        ("whipsaws", f"{whole.whipsaws}, {money_text(-whole.whipsaw_cost_sat)} compared with holding on"),
        ("result", f"guarded {money_text(whole.guarded_sat)}, unguarded {money_text(whole.unguarded_sat)}"),
        ("fees", f"guarded {money_text(-whole.fees_sat)}, unguarded {money_text(-whole.unguarded_fees_sat)}"),
        ("funding", f"guarded {money_text(-whole.funding_sat)}, unguarded {money_text(-whole.unguarded_funding_sat)}"),
        ("covered by a confirmed stop", f"{covered_text(whole, digits=3)} of the time a position was open"),
        ("slowest cover after an entry", f"{span_text(whole.slowest_ms)}; never covered: {whole.never_covered}"),
        ("requests", f"{whole.requests}, of them refused {whole.refused_requests}"),
        ("alerts", f"{sum(record.told_count.values())}; tiers: {tiers}"),
        ("orders that could have added danger", "; ".join(whole.unsafe) or "none"),
    ]


def _lost(whole: Figures) -> str:
    why = f" ({whole.unpreventable} where nothing was traded in between, {whole.thin_books} for lack of a book)"
    return f"{whole.guarded_liquidations}{why if whole.guarded_liquidations else ''}"


def _lanes_table(record: RunRecord) -> str:
    head = ("position", "rounds", "liquidated", "avoided", "stopped", "whipsaws", "guarded", "unguarded", "covered")
    rows = []
    for lane in record.lanes:
        its = figures([lane])
        stopped = its.exits.get("stopped", 0) + its.exits.get("cut", 0)
        counts = (its.rounds, its.unguarded_liquidations, its.avoided, stopped, its.whipsaws)
        money = (money_text(its.guarded_sat), money_text(its.unguarded_sat))
        rows.append((lane.lane.name, *map(str, counts), *money, covered_text(its, digits=2)))
    return table(head, rows)


def _lane_part(record: RunRecord, lane: LaneRecord) -> str:
    name = escape(lane.lane.name)
    pictures = ""
    if record.prices:
        pictures = price_picture(lane.lane.name, record.prices, lane, record.scale)
        pictures += f"\n<h3>Profit and loss, XBT (green: guarded)</h3>\n{equity_picture(lane.lane.name, lane)}"
    legend = (
        "Blue: mark. Yellow: the guard's stop. Dashed: liquidation of the guarded position. Dots: entries; green where"
        " the guard got out, red where a position was liquidated, grey where the bot closed it."
    )
    problem = f'<p class="bad">{escape(problem_text(lane))}</p>' if lane.problem else ""
    return f'<h2>{name}</h2>{problem}\n<p class="soft">{legend}</p>\n{pictures}\n{_rounds_table(record, lane)}'


def _rounds_table(record: RunRecord, lane: LaneRecord) -> str:
    head = ("entered", "entry", "liquidation at", "guarded", "unguarded", "result", "holding on", "covered after")
    rows = (
        (
            clock_time(one.opened_ms),
            price_text(one.guarded.entry_price / record.scale),
            price_text(None if one.liquidation_price is None else one.liquidation_price / record.scale),
            _exit_text(one.guarded.exit, record.scale),
            _exit_text(one.unguarded.exit, record.scale),
            money_text(one.guarded.result_sat),
            money_text(one.unguarded.result_sat),
            span_text(one.protected_after_ms),
        )
        for one in lane.rounds[:MOST_ROWS]
    )
    return table(head, rows)


def _exit_text(taken: Exit | None, scale: float) -> str:
    if taken is None:
        return "still open"
    by = f" ({taken.rule})" if taken.rule else ""
    return f"{taken.ending.value.replace('_', ' ')}{by} {price_text(taken.price / scale)} {clock_time(taken.at_ms)}"


def _rules_part(whole: Figures) -> str:
    if not whole.rules:
        return ""
    bars = [
        (
            f"{rule.rule}: {rule.exits} exits, {rule.whipsaws} whipsaws",
            rule.versus_holding_sat / SAT,
            money_text(rule.versus_holding_sat),
        )
        for rule in whole.rules
    ]
    return f"<h2>Which rule spoke, and what it was worth compared with holding on</h2>\n{bars_picture('rules', bars)}"


def _told_parts(record: RunRecord) -> list[str]:
    parts = []
    ladder = ladder_told(record)
    if ladder:
        rows = [(clock_time(one.at_ms), record.lanes[one.lane].lane.name, one.text) for one in ladder[:MOST_ROWS]]
        parts += ["<h2>Ladder and latches</h2>", table(("time", "position", "what was said"), rows)]
    words = shadow_words(record)
    if words:
        said = [
            (
                clock_time(word.at_ms),
                record.lanes[word.lane].lane.name,
                shadow_text(word, record.scale),
                "" if word.would_sat is None else money_text(word.would_sat),
                "" if word.was_sat is None else money_text(word.was_sat),
            )
            for word in words[:MOST_ROWS]
        ]
        head = ("time", "position", "rule in shadow", "would have made", "was")
        parts += ["<h2>What rules in shadow would have done</h2>", table(head, said)]
    counts = [(name, str(count)) for name, count in record.told_count.items()]
    parts += ["<h2>Alerts</h2>", table(("severity, topic, state", "times"), counts)]
    span = f"{iso_time(record.start_ms)} to {iso_time(record.end_ms)}"
    return [*parts, f'<p class="soft">{span}, {record.steps} steps of the tape.</p>']
