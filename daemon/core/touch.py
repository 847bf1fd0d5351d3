"""The probability that the mark touches a price within a stated time, and the distance at which it is a stated one.

Model: the logarithm of the mark is a Brownian motion without drift. By the reflection principle it comes down by `d`,
or goes up by `d`, at some moment within T with probability `2 * Phi(-d / (sigma * sqrt(T)))`. That is `brownian`.

It assumes that sigma is known and stays as it is, that there are no jumps, and no drift (an hour's funding and trend
are small beside an hour's volatility). Sigma is neither known nor constant: on the minute candles of nine crash
periods, 2018 to 2025, the mark came three estimated volatilities far within the hour in 1.5 to 4.2 % of all minutes,
where `brownian` says 0.27 %. So what the guard tells and judges by is `touch_probability`: the same Brownian motion,
but with a variance that is only known to be the estimate over a third of a chi-squared draw with three degrees of
freedom. Averaged over the draws the normal distribution becomes Student's with three degrees, which has the fat tails
of the candles: 5.8 % at three volatilities. Up to four it was above what was seen in each of the nine; at eight it says
0.4 %, and up to 1.1 % was seen. It is an estimate made with care, not a bound that nothing breaks, and percent bounds
stay beside it.

Floats are fenced in here: both functions are off by less than 1e-9 of their value, and what leaves is rounded up to
Decimal digits, so that a processor's last bit does not show.

Units: percent of the mark, volatility as one standard deviation per hour in percent of the mark, time in hours.
Source: reflection principle, e.g. Karatzas and Shreve, Brownian Motion and Stochastic Calculus, section 2.6.
"""

from __future__ import annotations

import math
from decimal import ROUND_UP, Context, Decimal
from functools import lru_cache
from typing import Final

from connectors.vocabulary import Side

HORIZON_H: Final = Decimal(1)
"""The time that tiers, alerts and status speak of."""
LEAST: Final = Decimal("0.0001")
"""Probabilities are rounded up to this: one of zero is never told."""
_ONE: Final = Decimal(1)
_ROUNDED_UP: Final = Context(prec=4, rounding=ROUND_UP)
_HALVINGS: Final = 80
_FARTHEST: Final = 1e6
"""Multiples beyond which no distance is looked for; a probability of 1e-17."""


def touch_probability(
    side: Side, room_percent: Decimal, hourly_percent: Decimal, hours: Decimal = HORIZON_H
) -> Decimal:
    """The cautious probability that the mark covers the room before liquidation within some hours.

    Args:
        side: Of the position: a long's room ends below the mark, a short's above.
        room_percent: Room in percent of the mark; zero or below is already touched.
        hourly_percent: One standard deviation per hour, as the estimate says. Above zero.
        hours: The time. Above zero.

    Returns:
        From 0.0001 to 1, rounded up to four digits behind the point.

    Raises:
        ValueError: If volatility or time is not above zero.

    Example:
        >>> touch_probability(Side.SHORT, Decimal(3), Decimal(1))
        Decimal('0.0598')
    """
    if room_percent <= 0:
        return _ONE
    found = student(_log_distance(side, room_percent) / _deviation(hourly_percent, hours))
    return max(LEAST, min(_ONE, Decimal(found).quantize(LEAST, rounding=ROUND_UP)))


def percent_at(side: Side, probability: Decimal, hourly_percent: Decimal, hours: Decimal = HORIZON_H) -> Decimal:
    """The room in percent of the mark at which `touch_probability` is `probability`, rounded up to four digits.

    Args:
        side: Of the position.
        probability: Above 0 and below 1.
        hourly_percent: One standard deviation per hour. Above zero.
        hours: The time. Above zero.

    Returns:
        Above zero; below 100 for a long, whose mark cannot fall farther.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> percent_at(Side.SHORT, Decimal("0.01"), Decimal(1))
        Decimal('6.015')
    """
    distance = multiples_at(probability) * _deviation(hourly_percent, hours)
    return _ROUNDED_UP.create_decimal(_share(side, distance) * 100)


def brownian(multiples: float) -> float:
    """The probability of touching a distance of so many standard deviations, were volatility known and constant."""
    return 1.0 if multiples <= 0 else math.erfc(multiples / math.sqrt(2))


def student(multiples: float) -> float:
    """The same with the volatility uncertain: both tails of Student's distribution with three degrees of freedom."""
    if multiples <= 0:
        return 1.0
    scaled = math.sqrt(3) / multiples
    # The textbook form takes two nearly equal numbers from each other far out; the arc of the inverse does not.
    if scaled < 0.01:
        return 4 / (3 * math.pi) * scaled**3 * (1 - 6 / 5 * scaled**2 + 9 / 7 * scaled**4)
    return 2 / math.pi * (math.atan(scaled) - scaled / (1 + scaled**2))


@lru_cache(maxsize=64)
def multiples_at(probability: Decimal) -> float:
    """The standard deviations at which `student` is `probability`, by bisection, on the far side of the root.

    Raises:
        ValueError: If the probability is not between 0 and 1.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must be between 0 and 1, was {probability}")
    wanted, near, far = float(probability), 0.0, _FARTHEST
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        if student(middle) > wanted:
            near = middle
        else:
            far = middle
    return far


def _log_distance(side: Side, room_percent: Decimal) -> float:
    """The room as a distance of the logarithm; without end where a long's mark would have to fall below zero."""
    ratio = 1 - side.sign * float(room_percent) / 100
    return abs(math.log(ratio)) if ratio > 0 else math.inf


def _share(side: Side, distance: float) -> float:
    """The share of the mark that a distance of the logarithm is; cut off at a thousandfold."""
    return side.sign * -math.expm1(-side.sign * min(distance, math.log(1000)))


def _deviation(hourly_percent: Decimal, hours: Decimal) -> float:
    if hourly_percent <= 0 or hours <= 0:
        raise ValueError(f"volatility and time must be above zero, were {hourly_percent} and {hours}")
    return float(hourly_percent) / 100 * math.sqrt(float(hours))
