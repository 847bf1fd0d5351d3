"""The demo's report: one HTML file that opens without a network, for years.

Why: a table in a terminal is gone when the window closes. The report holds the verdict, what each account kept, each
stop and alert with both clocks, and a chart for each position. Nothing is fetched: style and charts are inline.

Pure: from a `Result` to text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import zip_longest

from daemon.demo.chart import Level, Moment, price_chart
from daemon.demo.record import AccountRecord, AlertFact, HeldPosition, Result, RunRecord, StopSummary, Verdict
from daemon.demo.words import clock_time, iso_time, money_text, price_text, span_text

HEADLINES = {
    Verdict.SAVED: "The guard got out in time; the account without it was liquidated.",
    Verdict.LIQUIDATED: "The guarded account was liquidated.",
    Verdict.INCONCLUSIVE: "Inconclusive: the account without a guard survived this tape too.",
    Verdict.COVER_LATE_OR_UNSAFE: "The guard was late, left early, or sent what it must not.",
}

STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #66737f; --paper: #fbfcfd; --line: #d9e0e6;
  --mark: #2463a8; --stop: #b7791f; --liq: #c0392b; --good: #2f855a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #95a3b0; --paper: #12181f; --line: #2b3641;
  --mark: #6fb1f5; --stop: #e8b04a; --liq: #f08072; --good: #68d391; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 980px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }
.verdict { border-left: 5px solid var(--liq); padding: .4rem 1rem; } .verdict.saved { border-color: var(--good); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; } .soft { color: var(--soft); }
svg { width: 100%; height: auto; } .grid { stroke: var(--line); } .axis { fill: var(--soft); font-size: 11px; }
polyline.mark { fill: none; stroke: var(--mark); stroke-width: 1.6; stroke-linejoin: round; }
line.stop { stroke: var(--stop); stroke-width: 1.6; } line.liq { stroke: var(--liq); stroke-dasharray: 6 4; }
text.label { font-size: 11px; stroke: none; } text.stop { fill: var(--stop); } text.liq { fill: var(--liq); }
circle.saved { fill: var(--good); } circle.taken { fill: var(--liq); } circle.covered { fill: var(--stop); }
"""


def report_html(result: Result) -> str:
    """Return the whole page."""
    record = result.record
    body = [
        "<h1>Seawall demo</h1>",
        _verdict(result),
        _source(record),
        "<h2>What each account kept</h2>",
        _accounts(result),
        "<h2>The stops</h2>",
        _stops(result),
        "<h2>Price, stop and liquidation</h2>",
        *(_position_chart(position, result) for position in record.positions),
        "<h2>Alerts</h2>",
        _alerts(result),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Seawall demo</title><style>{STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _source(record: RunRecord) -> str:
    span = f"{iso_time(record.tape_start_ms)} to {iso_time(record.tape_end_ms)}"
    words = f"{record.source}, {span}, played in {record.seconds:.0f} s. Mark price: {record.mark_source}"
    return f'<p class="soft">{escape(words)}</p>'


def _verdict(result: Result) -> str:
    css = "verdict saved" if result.verdict is Verdict.SAVED else "verdict"
    reasons = "".join(f"<br>{escape(reason)}" for reason in result.reasons)
    return f'<p class="{css}"><strong>{escape(HEADLINES[result.verdict])}</strong>{reasons}</p>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    titles = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _accounts(result: Result) -> str:
    head = ("account", "equity at the first candle", "at the last", "kept", "liquidations")
    return _table(head, (_account_row(account) for account in (result.record.guarded, result.record.unguarded)))


def _account_row(account: AccountRecord) -> tuple[str, ...]:
    return (
        account.name,
        money_text(account.equity_start_sat),
        money_text(account.equity_end_sat),
        f"{account.kept_share:.1%}",
        str(account.liquidations),
    )


def _stops(result: Result) -> str:
    head = ("position", "stop", "confirmed resting", "after the entry", "mark reached it", "order id")
    return _table(head, (_stop_row(stop) for stop in result.stops))


def _stop_row(stop: StopSummary) -> tuple[str, ...]:
    return (
        stop.title,
        price_text(float(stop.stop_price)) if stop.stop_price is not None else "none",
        clock_time(stop.confirmed_tape_ms) if stop.confirmed_tape_ms is not None else "never",
        f"{stop.confirmed_after_ms} ms" if stop.confirmed_after_ms is not None else "",
        clock_time(stop.crossed_tape_ms) if stop.crossed_tape_ms is not None else "never",
        stop.client_order_id,
    )


def _alerts(result: Result) -> str:
    rows = []
    for alert in result.record.alerts:
        lead = alert_lead_ms(alert, result)
        early = f"{span_text(lead)} before" if lead is not None and lead > 0 else ""
        rows.append((clock_time(alert.tape_ms), alert.severity, alert.symbol, alert.text, early))
    return _table(("tape time", "severity", "symbol", "what it said", "liquidation without a guard"), rows)


def alert_lead_ms(alert: AlertFact, result: Result) -> int | None:
    """Return how early an alert came: before the last liquidation of a position that it tells of."""
    leads = [lead_ms(symbol, alert.tape_ms, result) for symbol in alert.symbols or (alert.symbol,)]
    return max((lead for lead in leads if lead is not None), default=None)


def lead_ms(symbol: str, tape_ms: int, result: Result) -> int | None:
    """Return how long before the unguarded account's liquidation in `symbol` a moment was; None if it kept it."""
    for exit_ in result.record.unguarded.exits:
        if exit_.is_liquidation and exit_.symbol == symbol:
            return exit_.tape_ms - tape_ms
    return None


def _position_chart(position: HeldPosition, result: Result) -> str:
    record = result.record
    points = record.prices.get(position.symbol, ())
    if not points:
        return ""
    chart = price_chart(position.title, points, _levels(position, result), _moments(position, result))
    return f"<h3>{escape(position.title)}</h3>\n{chart}"


def _levels(position: HeldPosition, result: Result) -> list[Level]:
    record = result.record
    levels = []
    if position.liquidation_price is not None:
        levels.append(
            Level(
                css="liq",
                label=f"liquidation {price_text(float(position.liquidation_price))}",
                price=float(position.liquidation_price),
                from_ms=position.opened_tape_ms,
                to_ms=record.tape_end_ms,
            )
        )
    resting = [fact for fact in record.stops if fact.symbol == position.symbol and fact.what == "resting"]
    ends = [fact.tape_ms for fact in record.stops if fact.symbol == position.symbol and fact.what == "triggered"]
    for fact, following in zip_longest(resting, resting[1:]):
        end = following.tape_ms if following else (ends[-1] if ends else record.tape_end_ms)
        price = float(fact.stop_price)
        levels.append(
            Level(css="stop", label=f"stop {price_text(price)}", price=price, from_ms=fact.tape_ms, to_ms=end)
        )
    return levels


def _moments(position: HeldPosition, result: Result) -> list[Moment]:
    record = result.record
    moments = []
    for account, word in ((record.guarded, "guarded"), (record.unguarded, "unguarded")):
        for exit_ in account.exits:
            if exit_.symbol == position.symbol:
                css, what = ("taken", "liquidated") if exit_.is_liquidation else ("saved", "stopped out")
                label = f"{word}: {what} at {price_text(float(exit_.price))}"
                moments.append(Moment(css=css, label=label, tape_ms=exit_.tape_ms, price=float(exit_.price)))
    return moments
