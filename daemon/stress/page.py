"""The stress test as one page: opens from a file, without a network, light or dark, and prints.

Pure: from a `Stress` to text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from daemon.calc.numbers import amount_text, currency_name, percent_of, percent_text
from daemon.stress.account import Event, Happening, Point, Stress, Walk
from daemon.stress.drawing import equity_chart, lanes
from daemon.stress.words import (
    TITLES,
    closed_text,
    fill_text,
    held_currencies,
    left_text,
    mark_text,
    move_text,
    position_text,
    price_text,
    verdict,
)

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5c6873; --paper: #fbfcfd; --line: #d9e0e6;
  --mark: #2463a8; --stop: #a8660f; --taken: #c0392b; --gain: #2f855a; --band: #eef3f7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b3; --paper: #12181f; --line: #2b3641;
  --mark: #6fb1f5; --stop: #e8b04a; --taken: #f08072; --gain: #68d391; --band: #1b242d; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 980px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .3rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.soft { color: var(--soft); } .verdict { border-left: 5px solid var(--mark); padding: .4rem 1rem; }
.verdict.danger { border-color: var(--taken); } .verdict p { margin: .2rem 0; }
.scroll { overflow-x: auto; } .scroll svg { min-width: 640px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; } tr.today td { background: var(--band); }
th { color: var(--soft); font-weight: 600; } span.stop { color: var(--stop); } span.taken { color: var(--taken); }
span.gain { color: var(--gain); }
svg { width: 100%; height: auto; } .grid { stroke: var(--line); } .axis { fill: var(--soft); font-size: 11px; }
.today { stroke: var(--soft); stroke-dasharray: 2 3; } .label { fill: var(--ink); font-size: 11.5px; }
polyline { fill: none; stroke-linejoin: round; } polyline.equity { stroke: var(--mark); stroke-width: 2; }
polyline.bare { stroke: var(--soft); stroke-width: 1.3; stroke-dasharray: 5 4; }
line.alive { stroke: var(--gain); stroke-width: 6; stroke-linecap: round; opacity: .75; }
line.dead { stroke: var(--line); stroke-width: 2; }
circle.stop { fill: var(--stop); } circle.taken { fill: var(--taken); } circle.gain { fill: var(--gain); }
path.taken { stroke: var(--taken); stroke-width: 2.6; fill: none; }
text.stop { fill: var(--stop); } text.taken { fill: var(--taken); } text.gain { fill: var(--gain); }
.legend span { margin-right: 1.2rem; white-space: nowrap; } .legend b { font-size: 1.1em; }
@media print { :root { --ink: #000; --paper: #fff; --soft: #444; } body { margin: 0; max-width: none; }
  h2 { break-after: avoid; } svg, tr { break-inside: avoid; } }
"""
_LEGEND = (
    '<p class="legend soft"><span><b style="color:var(--mark)">&#9473;</b> with the resting orders</span> '
    "<span><b>&#9476;</b> without them</span> "
    '<span><b style="color:var(--stop)">&#9679;</b> a stop fires</span> '
    '<span><b style="color:var(--gain)">&#9679;</b> a take-profit fills</span> '
    '<span><b style="color:var(--taken)">&#9679; &#10005;</b> liquidated</span></p>'
)
_CSS = {
    Happening.STOP: "stop",
    Happening.TAKE_PROFIT: "gain",
    Happening.LIQUIDATION: "taken",
    Happening.ACCOUNT_FAILURE: "taken",
}
_ASSUMED = (
    "Marks move without jumps, one way at a time, from today's prices outward; what happened nearer counts farther "
    "out. A stop fills where it triggers, worse by the slippage. No funding is exchanged on the way. What is "
    "liquidated is gone at its bankruptcy price. A position above its lowest risk limit goes as a whole; the exchange "
    "would first try a part."
)


def page_html(stress: Stress) -> str:
    """Return the whole page."""
    body = [
        "<h1>What happens when prices move</h1>",
        f'<p class="soft">Account: {escape(stress.account.source)}. Moving: {escape(", ".join(stress.moving))}.</p>',
        _verdict(stress),
        "<h2>Today</h2>",
        _positions(stress),
        *(part for currency in held_currencies(stress) for part in _equity(stress, currency)),
        "<h2>Where each position ends</h2>",
        f'<div class="scroll">{lanes(stress)}</div>',
        *_happenings("On the way down", stress, stress.down),
        *_happenings("On the way up", stress, stress.up),
        "<h2>What is left</h2>",
        _points(stress),
        "<h2>How this was computed</h2>",
        *(f"<p>{escape(text)}</p>" for text in (_ASSUMED, *stress.notes)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Seawall stress test</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _verdict(stress: Stress) -> str:
    is_danger = bool(stress.unknown) or any(
        _CSS[event.kind] == "taken" for walk in (stress.down, stress.up) for event in walk.events
    )
    lines = "".join(f"<p>{escape(line)}</p>" for line in verdict(stress))
    return f'<div class="verdict{" danger" if is_danger else ""}">{lines}</div>'


def _equity(stress: Stress, currency: str) -> list[str]:
    return [
        f"<h2>Equity in {currency_name(currency)}</h2>",
        f'<div class="scroll">{equity_chart(stress, currency)}</div>',
        _LEGEND,
    ]


def _positions(stress: Stress) -> str:
    rows = stress.account.rows
    lines = []
    for symbol, position in rows.positions.items():
        if not position.quantity:
            continue
        tick = rows.instruments[symbol].tick_size
        stops = sum(1 for order in stress.account.orders if order.symbol == symbol and order.is_resting_stop)
        lines.append(
            (
                position_text(position),
                "cross" if position.is_cross else "isolated",
                price_text(rows.marks[symbol], tick),
                amount_text(position.margin_sat, position.currency),
                str(stops),
            )
        )
    return _table(("position", "margin mode", "mark", "margin", "resting stops"), lines, numbers=frozenset({2, 3, 4}))


def _happenings(title: str, stress: Stress, walk: Walk) -> list[str]:
    if not walk.events:
        return [f"<h2>{title}</h2>", "<p>Nothing happens.</p>"]
    rows = "".join(_event_row(stress, event) for event in walk.events)
    head = (
        '<tr><th class="number">move</th><th>position</th><th>what</th><th class="number">mark</th>'
        '<th class="number">realised</th></tr>'
    )
    return [f"<h2>{title}</h2>", f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>']


def _event_row(stress: Stress, event: Event) -> str:
    left = f", {abs(event.left):,} left" if event.left else ""
    more = [fill_text(stress, event), event.client_order_id or event.order_id]
    beside = ", ".join(part for part in more if part)
    return (
        f'<tr><td class="number">{move_text(event.move)}</td><td>{escape(closed_text(event) + left)}</td>'
        f'<td><span class="{_CSS[event.kind]}">{escape(TITLES[event.kind])}</span> '
        f'<span class="soft">{escape(beside)}</span></td>'
        f'<td class="number">{mark_text(stress, event)}</td>'
        f'<td class="number">{escape(amount_text(event.result_sat, event.currency, signed=True))}</td></tr>'
    )


def _points(stress: Stress) -> str:
    currencies = held_currencies(stress)
    head = ["move"]
    for currency in currencies:
        head += [f"equity {currency_name(currency)}", "change"]
    today = stress.down.points[0]
    body = "".join(_point_row(point, today, currencies) for point in stress.points if not point.is_after_event)
    titles = "".join(f'<th class="number">{escape(cell)}</th>' for cell in head)
    return (
        f'<div class="scroll"><table><thead><tr>{titles}<th>positions left</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _point_row(point: Point, today: Point, currencies: Sequence[str]) -> str:
    cells = [move_text(point.move) if point.move else "today"]
    for currency in currencies:
        equity, before = point.equity[currency], today.equity[currency]
        cells += [amount_text(equity, currency), percent_text(percent_of(equity - before, before), signed=True)]
    css = "" if point.move else ' class="today"'
    numbers = "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells)
    return f"<tr{css}>{numbers}<td>{escape(left_text(point))}</td></tr>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: frozenset[int]) -> str:
    css = ['class="number"' if column in numbers else "" for column in range(len(head))]
    titles = "".join(f"<th {kind}>{escape(cell)}</th>" for cell, kind in zip(head, css, strict=True))
    lines = (
        "<tr>" + "".join(f"<td {kind}>{escape(cell)}</td>" for cell, kind in zip(row, css, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{titles}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
