"""The stress test as inline SVG: equity over the move, and under it a lane for each position.

Why two pictures on one axis: the curve says what is left, the lanes say why: where a stop fires, where a position is
taken, and how far the mark is from both today. Colours are CSS classes of the page, so light, dark and paper follow
the reader.

Pure. Coordinates are pixels of a fixed view box; the page scales it. Binary floats are only drawn, never computed with.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from daemon.calc.numbers import currency_name, decimals
from daemon.stress.account import Event, Happening, Point, Stress
from daemon.stress.words import TAKEN, event_text, move_text, position_text

WIDTH = 920
LEFT, RIGHT = 96, 24
CHART_HEIGHT, CHART_TOP, CHART_BOTTOM = 300, 20, 34
LANE_HEIGHT, LANE_TOP = 54, 26
_MOST_LINES = 6
_TICKS_A_SIDE = 5
_CSS = {
    Happening.STOP: "stop",
    Happening.TAKE_PROFIT: "gain",
    Happening.LIQUIDATION: "taken",
    Happening.ACCOUNT_FAILURE: "taken",
}
_LETTERS = 6.4
"""About the width of a letter of the small labels, for keeping them apart and inside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scale:
    most: float
    low: float = 0
    high: float = 1
    step: float = 1
    """From one grid line to the next."""

    def x(self, move: Decimal | float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (float(move) + self.most) / (2 * self.most)

    def y(self, amount: float) -> float:
        span = (self.high - self.low) or 1.0
        return CHART_TOP + (CHART_HEIGHT - CHART_TOP - CHART_BOTTOM) * (self.high - amount) / span


def equity_chart(stress: Stress, currency: str) -> str:
    """Return the curve of one currency: with the resting orders, and dashed without them."""
    scale = _scale(stress, currency)
    title = f"equity in {currency_name(currency)} over the move of the marks"
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {CHART_HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(scale, currency),
        _today(scale, CHART_TOP, CHART_HEIGHT - CHART_BOTTOM),
        _curve("bare", stress.bare_points, currency, scale),
        _curve("equity", stress.points, currency, scale),
        *_marks(stress, currency, scale),
        "</svg>",
    ]
    return "\n".join(parts)


def lanes(stress: Stress) -> str:
    """Return a lane for each position: where it lives, where its stops fire, where it is taken."""
    held = [position for position in stress.account.rows.positions.values() if position.quantity]
    height = LANE_TOP + LANE_HEIGHT * len(held) + 10
    scale = _Scale(most=_most(stress))
    drawn = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="where each position ends">']
    drawn += [_move_label(scale, move, LANE_TOP - 12) for move in _ticks(scale)]
    for count, position in enumerate(held):
        drawn += _lane(stress, position.key.symbol, position_text(position), scale, LANE_TOP + LANE_HEIGHT * count)
    drawn += [_today(scale, LANE_TOP, height - 10), "</svg>"]
    return "\n".join(drawn)


def _most(stress: Stress) -> float:
    return float(stress.up.points[-1].move)


def _scale(stress: Stress, currency: str) -> _Scale:
    amounts = [_amount(point, currency) for point in (*stress.points, *stress.bare_points)]
    low, high = min(0.0, *amounts), max(amounts)
    step = nice_step(high - low)
    bottom, top = math.floor(low / step) * step, (math.floor(high / step) + 1) * step
    return _Scale(most=_most(stress), low=bottom, high=top, step=step)


def nice_step(span: float) -> float:
    """Return a round distance between grid lines (1, 2 or 5 times a power of ten) that gives a handful of them."""
    if span <= 0:
        return 1.0
    rough = span / _MOST_LINES
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))


def _amount(point: Point, currency: str) -> float:
    return float(Decimal(point.equity[currency]).scaleb(-decimals(currency)))


def _grid(scale: _Scale, currency: str) -> Iterable[str]:
    for count in range(round((scale.high - scale.low) / scale.step) + 1):
        amount = scale.low + scale.step * count
        y = scale.y(amount)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        text = _short(amount, scale.step)
        yield f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    yield f'<text class="axis" x="{LEFT}" y="{CHART_TOP - 7}">{currency_name(currency)}</text>'
    for move in _ticks(scale):
        yield _move_label(scale, move, CHART_HEIGHT - 12)


def _ticks(scale: _Scale) -> list[float]:
    return [scale.most * count / _TICKS_A_SIDE for count in range(-_TICKS_A_SIDE, _TICKS_A_SIDE + 1)]


def _move_label(scale: _Scale, move: float, y: float) -> str:
    text = "today" if not move else f"{move * 100:+g} %"
    return f'<text class="axis" x="{scale.x(move):.1f}" y="{y:.1f}" text-anchor="middle">{text}</text>'


def _today(scale: _Scale, top: float, bottom: float) -> str:
    x = scale.x(0)
    return f'<line class="today" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'


def _curve(css: str, points: Sequence[Point], currency: str, scale: _Scale) -> str:
    path = " ".join(f"{scale.x(point.move):.1f},{scale.y(_amount(point, currency)):.1f}" for point in points)
    return f'<polyline class="{css}" points="{path}"/>'


def _marks(stress: Stress, currency: str, scale: _Scale) -> Iterable[str]:
    """A dot on the curve for each event of the currency, at what was left after it; its words on hover."""
    for walk in (stress.down, stress.up):
        for event in walk.events:
            if event.currency != currency:
                continue
            after = [point for point in walk.points if point.move == event.move][-1]
            x, y = scale.x(event.move), scale.y(_amount(after, currency))
            words = escape(f"{move_text(event.move)}: {event_text(stress, event)}")
            yield f'<circle class="{_CSS[event.kind]}" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{words}</title></circle>'


def _lane(stress: Stress, symbol: str, title: str, scale: _Scale, top: float) -> list[str]:
    down = [event for event in stress.down.events if event.symbol == symbol]
    up = [event for event in stress.up.events if event.symbol == symbol]
    start, end = _end(down, -scale.most), _end(up, scale.most)
    middle = top + 36
    first, last = scale.x(-scale.most), scale.x(scale.most)
    drawn = [
        f'<line class="dead" x1="{first:.1f}" x2="{last:.1f}" y1="{middle}" y2="{middle}"/>',
        f'<line class="alive" x1="{scale.x(start):.1f}" x2="{scale.x(end):.1f}" y1="{middle}" y2="{middle}"/>',
        f'<text class="label" x="{LEFT}" y="{top + 12}">{escape(title)}</text>',
    ]
    taken: list[float] = []
    # Where labels would cover each other the end of a position is the one to be read.
    for event in sorted((*down, *up), key=lambda each: (each.kind not in TAKEN, bool(each.left), abs(each.move))):
        drawn += _lane_mark(stress, event, scale, middle, taken)
    return drawn


def _end(events: Sequence[Event], far: float) -> float:
    """Where the position ends: at the event that left nothing of it, else at the end of the picture."""
    return next((float(event.move) for event in events if not event.left), far)


def _lane_mark(stress: Stress, event: Event, scale: _Scale, y: float, taken: list[float]) -> list[str]:
    x, css = scale.x(event.move), _CSS[event.kind]
    words = escape(f"{move_text(event.move)}: {event_text(stress, event)}")
    shape = (
        f'<path class="{css}" d="M{x - 5:.1f} {y - 5:.1f} L{x + 5:.1f} {y + 5:.1f} '
        f'M{x - 5:.1f} {y + 5:.1f} L{x + 5:.1f} {y - 5:.1f}"><title>{words}</title></path>'
        if event.kind in TAKEN
        else f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{words}</title></circle>'
    )
    label = move_text(event.move)
    half = len(label) * _LETTERS / 2
    centre = min(max(x, LEFT + half), WIDTH - RIGHT - half)
    if any(abs(centre - other) < 2 * half + 4 for other in taken):
        return [shape]
    taken.append(centre)
    return [shape, f'<text class="label {css}" x="{centre:.1f}" y="{y - 9:.1f}" text-anchor="middle">{label}</text>']


def _short(amount: float, step: float) -> str:
    """An amount on the axis, with the decimals that its steps need."""
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{amount:,.{digits}f}"
