"""What a stress test found, in words and as fields. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from connectors.vocabulary import Position
from daemon.calc.numbers import amount_text, currency_name, percent_of, percent_text
from daemon.core.margin.contracts import tick_down, tick_up
from daemon.stress.account import Event, Happening, Point, Stress, Walk

TITLES = {
    Happening.STOP: "stop",
    Happening.TAKE_PROFIT: "take-profit",
    Happening.LIQUIDATION: "liquidated",
    Happening.ACCOUNT_FAILURE: "liquidated (cross account)",
}
TAKEN = frozenset({Happening.LIQUIDATION, Happening.ACCOUNT_FAILURE})


def move_text(move: Decimal) -> str:
    """Return a move as percent: "-8.68 %"."""
    return f"{move * 100:+.2f} %"


def price_text(price: Decimal, tick_size: Decimal) -> str:
    """Return a price on the tick grid with thousands marked."""
    return f"{tick_down(price, tick_size):,f}"


def position_text(position: Position) -> str:
    """Return a position in a word: "XBTUSD long 10,000"."""
    side = "long" if position.quantity > 0 else "short"
    return f"{position.key.symbol} {side} {abs(position.quantity):,}"


def event_text(stress: Stress, event: Event) -> str:
    """Return what happened in one line, without the move."""
    what = f"{closed_text(event)}: {TITLES[event.kind]} at mark {mark_text(stress, event)}"
    price = fill_text(stress, event)
    result = amount_text(event.result_sat, event.currency, signed=True)
    left = f", {abs(event.left):,} left" if event.left else ""
    name = f" [{event.client_order_id or event.order_id}]" if event.order_id else ""
    return f"{what}{', ' + price if price else ''}, {result}{left}{name}"


def closed_text(event: Event) -> str:
    """Return what went: "XBTUSD long 10,000"."""
    return f"{event.symbol} {'long' if event.contracts > 0 else 'short'} {abs(event.contracts):,}"


def mark_on_grid(stress: Stress, event: Event) -> Decimal:
    """Return the mark of the event on the tick grid: where it was met, not a tick beyond."""
    tick = stress.account.rows.instruments[event.symbol].tick_size
    return (tick_up if event.move < 0 else tick_down)(event.mark, tick)


def mark_text(stress: Stress, event: Event) -> str:
    """Return the mark of the event with thousands marked."""
    return f"{mark_on_grid(stress, event):,f}"


def fill_text(stress: Stress, event: Event) -> str:
    """Return at which price it went: "filled at 57,442.4"; empty where no price says it."""
    if event.price is None:
        return ""
    word = "taken over at" if event.kind in TAKEN else "filled at"
    return f"{word} {price_text(event.price, stress.account.rows.instruments[event.symbol].tick_size)}"


def verdict(stress: Stress) -> list[str]:
    """Return what a trader should know first: what is taken first each way, what the orders are worth, what is left."""
    lines = [_unknown(stress)] if stress.unknown else []
    lines += [_first_taken(stress, stress.down, stress.bare_down, "fall")]
    lines += [_first_taken(stress, stress.up, stress.bare_up, "rise")]
    return lines + [_least_left(stress, currency) for currency in held_currencies(stress)]


def _unknown(stress: Stress) -> str:
    names = ", ".join(stress.unknown)
    return f"Nobody can say where {names} is liquidated (see the notes): what follows is no all-clear."


def _first_taken(stress: Stress, walk: Walk, bare: Walk, word: str) -> str:
    taken = next((event for event in walk.events if event.kind in TAKEN), None)
    without = next((event for event in bare.events if event.kind in TAKEN), None)
    most = _size(walk.points[-1].move)
    if taken is not None:
        where = f"A {word} of {_size(taken.move)}" if taken.move else f"A {word} is not even needed: today's mark"
        return f"{where} liquidates {_taken_text(taken)}."
    what = "anything that can be computed" if stress.unknown else "anything"
    if without is not None:
        saved = f"without the resting orders {_size(without.move)} would take {_taken_text(without)}"
        return f"No {word} up to {most} liquidates {what}; {saved}."
    return f"No {word} up to {most} liquidates {what}."


def _taken_text(event: Event) -> str:
    if event.kind is Happening.LIQUIDATION:
        return event.symbol
    return f"the cross account in {currency_name(event.currency)}"


def _size(move: Decimal) -> str:
    return f"{abs(move) * 100:.2f} %"


def _least_left(stress: Stress, currency: str) -> str:
    worst = min(stress.points, key=lambda point: (point.equity[currency], abs(point.move)))
    today = stress.down.points[0].equity[currency]
    left = amount_text(worst.equity[currency], currency)
    if not worst.move:
        return f"The least that is left: {left}, today."
    lost = percent_of(worst.equity[currency] - today, today)
    change = "" if lost is None else f"{percent_text(lost, signed=True)}; "
    return f"The least that is left: {left} at {move_text(worst.move)} ({change}{amount_text(today, currency)} today)."


def held_currencies(stress: Stress) -> list[str]:
    """Return the currencies that open positions settle in."""
    rows = stress.account.rows
    return [currency for currency in rows.margins if rows.held(currency)]


def in_words(stress: Stress) -> str:
    """Return the whole answer for people."""
    lines = [f"account: {stress.account.source}", f"moving: {', '.join(stress.moving)}", ""]
    lines += [f"  {line}" for line in _positions(stress)]
    lines += ["", *verdict(stress), ""]
    for title, walk in (("on the way down", stress.down), ("on the way up", stress.up)):
        lines.append(f"{title}:")
        lines += [f"  {move_text(event.move):>10}  {event_text(stress, event)}" for event in walk.events]
        if not walk.events:
            lines.append("              nothing happens")
    lines += ["", *table(stress)]
    lines += [f"note: {note}" for note in stress.notes]
    return "\n".join(lines)


def _positions(stress: Stress) -> Iterator[str]:
    rows = stress.account.rows
    for symbol, position in rows.positions.items():
        if position.quantity:
            tick = rows.instruments[symbol].tick_size
            backed = (
                "cross"
                if position.is_cross
                else f"isolated, margin {amount_text(position.margin_sat, position.currency)}"
            )
            yield f"{position_text(position)} at mark {price_text(rows.marks[symbol], tick)}, {backed}"


def table(stress: Stress) -> list[str]:
    """Return the points of the grid as a table for a terminal."""
    names = [f"equity {currency_name(currency)}" for currency in held_currencies(stress)]
    head = ["move", *[name for each in names for name in (each, "change")], "positions left"]
    today = stress.down.points[0]
    rows = [head, *(_row(stress, point, today) for point in stress.points if not point.is_after_event)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head) - 1)]
    return [
        "  ".join([*(cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=True)), row[-1]]).rstrip()
        for row in rows
    ]


def _row(stress: Stress, point: Point, today: Point) -> list[str]:
    cells = ["today" if point is today or not point.move else move_text(point.move)]
    for currency in held_currencies(stress):
        equity = point.equity[currency]
        cells += [amount_text(equity, currency), amount_text(equity - today.equity[currency], currency, signed=True)]
    return [*cells, left_text(point)]


def left_text(point: Point) -> str:
    """Return the positions that are still open at a point."""
    return ", ".join(position_text(position) for position in point.positions.values()) or "none"


def as_fields(stress: Stress) -> dict[str, object]:
    """Return the whole answer for machines: moves in percent, money in minor units (`_sat`)."""
    return {
        "source": stress.account.source,
        "moving": list(stress.moving),
        "verdict": verdict(stress),
        "unknown": list(stress.unknown),
        "down": _walk_fields(stress, stress.down),
        "up": _walk_fields(stress, stress.up),
        "without_orders": {
            "down": _walk_fields(stress, stress.bare_down),
            "up": _walk_fields(stress, stress.bare_up),
        },
        "notes": list(stress.notes),
    }


def _walk_fields(stress: Stress, walk: Walk) -> dict[str, object]:
    return {
        "events": [_event_fields(stress, event) for event in walk.events],
        "points": [
            {
                "move_percent": point.move * 100,
                "equity_sat": dict(point.equity),
                "available_sat": dict(point.available),
                "positions": {symbol: position.quantity for symbol, position in point.positions.items()},
            }
            for point in walk.points
            if not point.is_after_event
        ],
    }


def _event_fields(stress: Stress, event: Event) -> dict[str, object]:
    return {
        "kind": event.kind.value,
        "move_percent": event.move * 100,
        "symbol": event.symbol,
        "currency": event.currency,
        "mark_price": mark_on_grid(stress, event),
        "price": event.price,
        "contracts": event.contracts,
        "left": event.left,
        "result_sat": event.result_sat,
        "order_id": event.order_id,
        "client_order_id": event.client_order_id,
    }
