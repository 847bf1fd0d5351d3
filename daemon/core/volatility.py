"""How much a mark price has moved of late: an exponentially weighted variance per second, robust to one bad print.

Why: room in percent says little without it. The estimate is a sum of squared log returns over a sum of the seconds they
took, both losing half their weight per half-life; so neither irregular samples nor the habit of being told a mark
*because* it moved bends it. What is done about prints, gaps, frozen marks and clocks is in
`docs/decisions/0018-distance-in-three-units.md`.

Everything is Decimal at twelve digits: the same marks give the same estimate on every machine. Figures that leave are
rounded up to three digits.

Units: moves are log returns (0.01 is about 1 %), times nanoseconds or seconds (`_s`); what leaves is in percent of the
mark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, ROUND_UP, Context, Decimal, DivisionByZero, InvalidOperation, localcontext
from typing import Final

from config.policy import VolatilityPolicy

LEAST_NS: Final = 9 * 10**9
"""Samples are at least this far apart: shorter moves are mostly rounding and the noise of single index sources.
A little less than the ten seconds after which a quiet mark is told again, or jitter would drop every other one."""
LONGEST_S: Final = Decimal(60)
"""A move that took longer counts as this much evidence."""
LONELY_NS: Final = 5 * 60 * 10**9
"""Of prints that nothing confirmed, only one in this time is left out."""
FEW: Final = 10
"""Up to this many samples an outlier is told by a fixed share, since the estimate itself is worth little."""
EARLY_OUTLIER: Final = Decimal("0.003")
LEAST_OUTLIER: Final = Decimal("0.0005")
"""Moves below this are never held back."""
LARGEST_MOVE: Final = Decimal(10)
"""Log return at which nonsense is cut off: a factor of twenty-two thousand."""
_NS: Final = Decimal(10**9)
_HOUR_S: Final = Decimal(3600)
_PERCENT: Final = Decimal(100)
_LN_2: Final = Decimal("0.693147180560")
_CONTEXT: Final = Context(prec=12, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero])
_ROUNDED_UP: Final = Context(prec=3, rounding=ROUND_UP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Volatility:
    """What the marks of one symbol have told so far."""

    price: Decimal
    """The sample that the next move is measured from."""
    at_ns: int
    """When that was; an unchanged mark does not move it."""
    samples: int = 0
    """Moves counted."""
    squares: Decimal = Decimal(0)
    """Weighted sum of squared moves."""
    seconds: Decimal = Decimal(0)
    """Weighted sum of the time they took."""
    largest: Decimal = Decimal(0)
    """The largest jump, losing half of itself per half-life: an outlier that stayed where it went, in full; of any
    other move what it was per second, as chance moves go (by the root of the time)."""
    held_price: Decimal | None = None
    """An outlier that waits for the next sample."""
    held_ns: int = 0
    dropped_ns: int = 0
    """When an outlier that nothing confirmed was last left out."""

    hourly_percent: Decimal | None = None
    """One standard deviation per hour in percent of the mark, rounded up; None before the first move. Kept here because
    it is read at every mark."""

    @property
    def largest_percent(self) -> Decimal | None:
        """The largest recent jump in percent of the mark, rounded up; None before the first move."""
        return _ROUNDED_UP.multiply(self.largest, _PERCENT) if self.samples else None


def after_mark(known: Volatility | None, price: Decimal, at_ns: int, policy: VolatilityPolicy) -> Volatility:
    """Take a mark into the estimate.

    Args:
        known: The estimate so far; None for the first mark of a symbol.
        price: The mark. Finite and above zero.
        at_ns: When it was taken in.
        policy: Half-life and what counts as an outlier.

    Returns:
        The estimate, the same object where the mark is no sample.

    Example:
        >>> first = after_mark(None, Decimal(100), 0, VolatilityPolicy())
        >>> after_mark(first, Decimal("100.1"), 10**10, VolatilityPolicy()).hourly_percent
        Decimal('1.90')
    """
    if known is None:
        return Volatility(price=price, at_ns=at_ns)
    if at_ns - max(known.at_ns, known.held_ns) < LEAST_NS:
        return known
    with localcontext(_CONTEXT):
        return _sampled(known, price, at_ns, policy)


def _sampled(known: Volatility, price: Decimal, at_ns: int, policy: VolatilityPolicy) -> Volatility:
    if known.held_price is not None:
        known = _settled(known, known.held_price, price, at_ns, policy)
    if not _move(known.price, price):
        return known
    if _is_outlier(known, price, at_ns, policy):
        return replace(known, held_price=price, held_ns=at_ns)
    return _counted(known, price, at_ns, policy)


def _settled(known: Volatility, held: Decimal, price: Decimal, at_ns: int, policy: VolatilityPolicy) -> Volatility:
    """Decide on the outlier held back, by the sample after it: the market went there, or it was one bad print."""
    free = replace(known, held_price=None, held_ns=0)
    there = replace(free, price=held, at_ns=known.held_ns)
    out, since = _move(known.price, held), _move(known.price, price)
    if out * since > 0 and abs(since) >= abs(out) / 2:
        # With nothing counted yet, two that agree against the first of all say that the first was the bad one.
        is_first_bad = not known.samples and not _is_outlier(there, price, at_ns, policy)
        return there if is_first_bad else _confirmed(free, held, known.held_ns, policy, abs(since - out))
    if known.dropped_ns and known.held_ns - known.dropped_ns < LONELY_NS:
        return _counted(free, held, known.held_ns, policy)
    return replace(free, dropped_ns=known.held_ns)


def _confirmed(known: Volatility, held: Decimal, held_ns: int, policy: VolatilityPolicy, rest: Decimal) -> Volatility:
    """Count an outlier. Where the market stayed it was a jump; where it goes on as fast, a trend, however steep."""
    counted, out = _counted(known, held, held_ns, policy), abs(_move(known.price, held))
    is_jump = known.samples >= FEW and rest <= out / 2
    return replace(counted, largest=max(counted.largest, out)) if is_jump else counted


def _is_outlier(known: Volatility, price: Decimal, at_ns: int, policy: VolatilityPolicy) -> bool:
    least = EARLY_OUTLIER if known.samples < FEW else LEAST_OUTLIER
    size = abs(_move(known.price, price))
    if size <= least:
        return False
    if not known.samples:
        return True
    deviation = (known.squares / known.seconds * _elapsed_s(known, at_ns)).sqrt()
    return size > deviation * policy.outlier_multiple


def _counted(known: Volatility, price: Decimal, at_ns: int, policy: VolatilityPolicy) -> Volatility:
    elapsed_s = _elapsed_s(known, at_ns)
    evidence_s = min(elapsed_s, LONGEST_S)
    share = evidence_s / elapsed_s
    half_life_s = policy.half_life_minutes * 60
    kept = (-_LN_2 * min(elapsed_s, half_life_s) / half_life_s).exp()
    move = abs(_move(known.price, price))
    squares, seconds = known.squares * kept + move * move * share, known.seconds * kept + evidence_s
    return replace(
        known,
        price=price,
        at_ns=at_ns,
        samples=known.samples + 1,
        squares=squares,
        seconds=seconds,
        largest=max(known.largest * kept, move / elapsed_s.sqrt()),
        hourly_percent=_ROUNDED_UP.plus((squares / seconds * _HOUR_S).sqrt() * _PERCENT),
    )


def _elapsed_s(known: Volatility, at_ns: int) -> Decimal:
    return (at_ns - known.at_ns) / _NS


def _move(before: Decimal, after: Decimal) -> Decimal:
    """The log return, cut off where it can only be nonsense."""
    return max(-LARGEST_MOVE, min(LARGEST_MOVE, (after / before).ln()))
