"""One price chart as inline SVG: the mark price, the liquidation price, the stop, and what happened when.

Why inline: the report opens from a file, without a network and for years. Colours come from the page's CSS classes, so
light and dark follow the reader's system.

Pure. Coordinates are pixels of a fixed view box; the page scales it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from daemon.demo.record import PricePoint
from daemon.demo.words import clock_time, price_text

WIDTH = 920
HEIGHT = 300
LEFT, RIGHT, TOP, BOTTOM = 76, 16, 18, 30
MOST_POINTS = 900


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """A horizontal line over a stretch of the tape."""

    css: str
    label: str
    price: float
    from_ms: int
    to_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Something that happened at a time and a price."""

    css: str
    label: str
    tape_ms: int
    price: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scale:
    start_ms: int
    end_ms: int
    low: float
    high: float

    def x(self, tape_ms: int) -> float:
        span = max(1, self.end_ms - self.start_ms)
        return LEFT + (WIDTH - LEFT - RIGHT) * (tape_ms - self.start_ms) / span

    def y(self, price: float) -> float:
        span = (self.high - self.low) or 1.0
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - price) / span


def thin_out(points: Sequence[PricePoint], most: int = MOST_POINTS) -> list[tuple[int, float]]:
    """Return at most about `most` (tape_ms, mark) pairs that keep every stretch's first, lowest and highest mark."""
    if len(points) <= most:
        return [(point.tape_ms, point.mark) for point in points]
    stride = -(-len(points) * 3 // most)
    kept: list[tuple[int, float]] = []
    for start in range(0, len(points), stride):
        stretch = points[start : start + stride]
        chosen = {id(p): p for p in (stretch[0], min(stretch, key=_mark), max(stretch, key=_mark))}
        kept.extend((p.tape_ms, p.mark) for p in sorted(chosen.values(), key=lambda p: p.tape_ms))
    return [*kept, (points[-1].tape_ms, points[-1].mark)]


def price_chart(title: str, points: Sequence[PricePoint], levels: Sequence[Level], moments: Sequence[Moment]) -> str:
    """Return the SVG element of one chart; `points` must not be empty."""
    scale = _scale(points, levels)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(scale),
        *(_level(level, scale) for level in levels),
        _line(thin_out(points), scale),
        *_moments(moments, scale),
        "</svg>",
    ]
    return "\n".join(parts)


def _mark(point: PricePoint) -> float:
    return point.mark


def _scale(points: Sequence[PricePoint], levels: Sequence[Level]) -> _Scale:
    marks = [point.mark for point in points]
    prices = [min(marks), max(marks), *(level.price for level in levels)]
    margin = (max(prices) - min(prices)) * 0.04
    return _Scale(
        start_ms=points[0].tape_ms,
        end_ms=points[-1].tape_ms,
        low=min(prices) - margin,
        high=max(prices) + margin,
    )


def _grid(scale: _Scale) -> list[str]:
    rows = []
    for step in range(5):
        price = scale.low + (scale.high - scale.low) * step / 4
        y = scale.y(price)
        rows.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        rows.append(f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{price_text(price)}</text>')
    for step in range(5):
        tape_ms = scale.start_ms + (scale.end_ms - scale.start_ms) * step // 4
        anchor = {0: "start", 4: "end"}.get(step, "middle")
        rows.append(
            f'<text class="axis" x="{scale.x(tape_ms):.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">'
            f"{clock_time(tape_ms)}</text>"
        )
    return rows


def _line(pairs: Sequence[tuple[int, float]], scale: _Scale) -> str:
    path = " ".join(f"{scale.x(tape_ms):.1f},{scale.y(mark):.1f}" for tape_ms, mark in pairs)
    return f'<polyline class="mark" points="{path}"/>'


def _level(level: Level, scale: _Scale) -> str:
    x1, x2, y = scale.x(level.from_ms), scale.x(level.to_ms), scale.y(level.price)
    return (
        f'<line class="{level.css}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="label {level.css}" x="{x1 + 6:.1f}" y="{y - 5:.1f}">{escape(level.label)}</text>'
    )


def _moments(moments: Sequence[Moment], scale: _Scale) -> list[str]:
    drawn = []
    for moment in moments:
        x, y = scale.x(moment.tape_ms), scale.y(moment.price)
        drawn.append(
            f'<circle class="{moment.css}" cx="{x:.1f}" cy="{y:.1f}" r="5">'
            f"<title>{escape(moment.label)} · {clock_time(moment.tape_ms)}</title></circle>"
        )
    return drawn
