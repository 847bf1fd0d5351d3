"""How far all marks may move together before a cross account fails as a whole.

Why: the venue shows a liquidation price per position, each with the other marks held still. Cross positions of one
settlement currency share one balance and are liquidated together, so when correlated marks move as one, the account can
be gone before any single price shown is reached. A cross stop has to be nearer than that. When all marks move as one, a
long of one underlying hedges a short of another; so each underlying with several positions is also moved alone.

How: moving every mark by the factor y turns the account's spare money into `alpha / y + beta * y + constant` (inverse
contracts are worth less as y grows, the others more); times y a quadratic, searched in whole steps of 1e-12.
The cautious side: half a minor unit of rounding per lot counts as lost; so does what one tick of the position costs
whose tick costs most, since the account also fails when one mark comes to a price that was rounded against its holder;
so does half a tick of every position that moves, since the venue rounds each mark by itself, never coarser than that;
and of the two neighbouring steps at the crossing the one nearer to the present is returned. So the account never fails
before the move returned. Where the exact place is wanted, `exact_failure` looks for it from here.

Units: money in minor units of the settlement currency; moves as signed fractions of the mark.
Source: support article 19343437697309 (cross margining), www.bitmex.com/app/liquidation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from connectors.vocabulary import ContractKind, Instrument, Margin, Position, Side
from daemon.core.margin.contracts import (
    is_price,
    is_usable,
    moved_price,
    tick_toward_mark,
    unrealised_pnl_sat,
    value_sign,
)
from daemon.core.margin.own_liquidation import (
    ONE_WAY,
    Engine,
    NotComputable,
    engine_of,
    maintenance_sat,
    profit_base_sat,
)

STEP_DIGITS: Final = 12
STEPS: Final = 10**STEP_DIGITS
"""Steps in a factor of 1."""
LOWEST: Final = 1
HIGHEST: Final = 10_000 * STEPS
"""Rises beyond ten thousandfold are not looked at."""
_PACES: Final = 16
"""Halvings of the way to a failure, for the first pace back from it."""
_STRETCHES: Final = 128
"""Parts of the way to a failure near which ticks cost many times what they cost here."""
TICK_MARGIN: Final = 50
"""A fiftieth more than a tick costs is kept off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureMove:
    """The common moves at which the account fails."""

    down: Decimal | None = None
    """Zero or below; None when no fall is enough."""
    up: Decimal | None = None
    """Zero or above; None when no rise is enough."""
    reason: NotComputable | None = None
    """Set when it could not be computed: then two Nones mean nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureMoves:
    """The moves at which the account fails: of all marks, and of each underlying alone."""

    whole: FailureMove
    groups: dict[str, FailureMove]
    """By index (`reference_symbol`), where it has several cross positions and others move apart from it. One position
    alone is what a liquidation price is about."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Share:
    """What one position adds to the curve: while its mark moves, and while it is held still."""

    alpha: int = 0
    beta: int = 0
    moving: int = 0
    still: int = 0
    tick_alpha: int = 0
    """What one tick costs an inverse position, times the square of the factor; twelve more digits."""
    tick_beta: int = 0
    """What one tick costs a position of another kind."""
    lots: int = 0

    def tick_at(self, y: int) -> int:
        """Return what one tick costs once all marks are at the factor `y`."""
        return (self.tick_alpha * STEPS * STEPS // (y * y) + self.tick_beta) // STEPS + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Curve:
    """Spare money times y, as a quadratic in whole steps: above zero while the account lives."""

    alpha: int
    beta: int
    constant: int

    def at(self, y: int) -> int:
        return self.beta * y * y + self.constant * y * STEPS + self.alpha * STEPS * STEPS

    def turning_point(self) -> int | None:
        """Return the step of the lowest spare money times y, if the curve opens upward."""
        return -self.constant * STEPS // (2 * self.beta) if self.beta > 0 else None


def account_failure_move(
    positions: Iterable[Position],
    instruments: Mapping[str, Instrument],
    margin: Margin,
    marks: Mapping[str, Decimal],
    *,
    moving: Collection[str] | None = None,
) -> FailureMove:
    """Return the smallest fall and the smallest rise of all marks together at which the account fails.

    The account fails when its wallet balance and the profit of its cross positions no longer exceed the sum of their
    maintenance margins. Margin assigned to isolated positions is not counted as theirs. Margin of open orders is, since
    the venue cancels orders first.

    Args:
        positions: The account's positions; flat ones and those of other currencies are left out.
        instruments: Contracts by symbol.
        margin: The row of the settlement currency.
        marks: The present mark prices by symbol.
        moving: Symbols whose marks move; None means all. Give those that share a `reference_symbol` to see one
            underlying move alone.

    Returns:
        Never raises: what cannot be computed says why. Both zero when the account already fails at these marks.
    """
    held = [p for p in positions if p.quantity and p.currency == margin.currency and p.key.account == margin.account]
    reason = _first_obstacle(held, instruments, margin, marks)
    if reason is not None:
        return FailureMove(reason=reason)
    shares = _shares(held, instruments, marks)
    at_rest = _at_rest(margin, shares)
    return _failure(at_rest, shares, shares if moving is None else [s for s in shares if s in moving])


def account_failure_moves(
    positions: Iterable[Position],
    instruments: Mapping[str, Instrument],
    margin: Margin,
    marks: Mapping[str, Decimal],
) -> FailureMoves:
    """Return the failing moves of all marks together, and of each underlying alone; arguments as above."""
    held = [p for p in positions if p.quantity and p.currency == margin.currency and p.key.account == margin.account]
    reason = _first_obstacle(held, instruments, margin, marks)
    if reason is not None:
        return FailureMoves(whole=FailureMove(reason=reason), groups={})
    shares = _shares(held, instruments, marks)
    at_rest = _at_rest(margin, shares)
    groups: dict[str, list[str]] = {}
    crosses = [p.key.symbol for p in held if p.is_cross]
    for symbol in crosses:
        groups.setdefault(instruments[symbol].reference_symbol, []).append(symbol)
    apart = {name: own for name, own in groups.items() if name and 1 < len(own) < len(crosses)}
    return FailureMoves(
        whole=_failure(at_rest, shares, shares),
        groups={name: _failure(at_rest, shares, own) for name, own in apart.items()},
    )


def common_move_price(
    position: Position, instrument: Instrument, mark: Decimal, failure: FailureMove
) -> Decimal | None:
    """Return the mark price of a position when the account fails by the move that hurts it, rounded toward the mark.

    A stop of the position must trigger nearer than this. None when flat, or when no such move lies in the contract's
    range; a reason in `failure` gives None as well, so look at it first.
    """
    side = position.side
    move = failure.down if side is Side.LONG else failure.up
    if side is None or move is None:
        return None
    price = tick_toward_mark(moved_price(mark, move), instrument.tick_size, side)
    return price if instrument.tick_size < price < instrument.max_price else None


def _first_obstacle(
    held: list[Position], instruments: Mapping[str, Instrument], margin: Margin, marks: Mapping[str, Decimal]
) -> NotComputable | None:
    if margin.is_multi_asset:
        return NotComputable.MULTI_ASSET
    found = (_obstacle(p, instruments.get(p.key.symbol), marks.get(p.key.symbol)) for p in held)
    return next((reason for reason in found if reason is not None), None)


def _obstacle(position: Position, instrument: Instrument | None, mark: Decimal | None) -> NotComputable | None:
    if position.key.strategy != ONE_WAY:
        return NotComputable.HEDGE_MODE
    if not position.is_cross:
        return None if position.margin_sat > 0 else NotComputable.MISSING_FIELDS
    if engine_of(position) is Engine.LEGACY_CROSS:
        return NotComputable.LEGACY_ENGINE
    if instrument is None or not is_usable(instrument):
        return NotComputable.UNUSABLE_CONTRACT
    if not is_price(mark):
        return NotComputable.NO_MARK
    return None if profit_base_sat(position, instrument) else NotComputable.MISSING_FIELDS


def _shares(
    held: list[Position], instruments: Mapping[str, Instrument], marks: Mapping[str, Decimal]
) -> dict[str, _Share]:
    """Work out once what each position adds. An isolated one only takes its margin off the wallet."""
    return {
        p.key.symbol: _share(p, instruments[p.key.symbol], marks[p.key.symbol])
        if p.is_cross
        else _Share(moving=-p.margin_sat, still=-p.margin_sat)
        for p in held
    }


def _share(position: Position, instrument: Instrument, mark: Decimal) -> _Share:
    """Amounts carry twelve more digits where they move, so that dropping the rest costs less than one unit."""
    base = value_sign(instrument.kind, position.quantity) * profit_base_sat(position, instrument)
    maintenance = maintenance_sat(position, instrument)
    worth = _exact_value(position, instrument, mark)
    inverse = instrument.kind is ContractKind.INVERSE
    numerator, denominator = (instrument.tick_size / mark).as_integer_ratio()
    tick = abs(worth) * numerator // denominator
    return _Share(
        alpha=worth if inverse else 0,
        beta=0 if inverse else worth,
        moving=-maintenance - base - _rounding_slack(position, instrument),
        still=-maintenance + unrealised_pnl_sat(instrument, position.quantity, mark, base),
        tick_alpha=tick if inverse else 0,
        tick_beta=0 if inverse else tick,
        lots=abs(position.quantity) // instrument.lot_size + 1,
    )


def _at_rest(margin: Margin, shares: Mapping[str, _Share]) -> int:
    """Return what the account can spare while all marks stay where they are."""
    return margin.wallet_balance_sat - 1 + sum(share.still for share in shares.values())


def _failure(at_rest: int, shares: Mapping[str, _Share], moving: Collection[str]) -> FailureMove:
    """Let some marks move and search both ways for where nothing can be spared any more."""
    moved = [shares[symbol] for symbol in moving]
    curve = _Curve(
        alpha=sum(share.alpha for share in moved),
        beta=sum(share.beta for share in moved),
        constant=(at_rest + sum(share.moving - share.still for share in moved)) * STEPS,
    )
    if curve.at(STEPS) <= 0:
        return FailureMove(down=Decimal(0), up=Decimal(0))
    return FailureMove(
        down=_first_crossing(curve, shares, moving, LOWEST), up=_first_crossing(curve, shares, moving, HIGHEST)
    )


def _first_crossing(curve: _Curve, shares: Mapping[str, _Share], moving: Collection[str], far: int) -> Decimal | None:
    """Return the move at which the account may fail first: where the sum does, less one tick of the dearest position.

    The tick is worked out where the sum fails, a little dearer than it is, since it changes on the way back.
    """
    found = _crossing(curve, far)
    if found is None:
        return None
    y = max(LOWEST, STEPS + int(found.scaleb(STEP_DIGITS)))
    if _less_a_tick(curve, shares, moving, STEPS).at(STEPS) <= 0:
        return Decimal(0)
    earlier = _less_a_tick(curve, shares, moving, y)
    if earlier.at(STEPS) <= 0:
        return _first_in_stretches(curve, shares, moving, y)
    return _move_at(_last_alive(earlier, _alive_before(earlier, y), y))


def _first_in_stretches(curve: _Curve, shares: Mapping[str, _Share], moving: Collection[str], y: int) -> Decimal:
    """Return the first failing move where ticks cost far more there than here: each stretch by its own dearest tick."""
    near = STEPS
    for part in range(1, _STRETCHES + 1):
        far = STEPS + (y - STEPS) * part // _STRETCHES
        stretch = _less_a_tick(curve, shares, moving, min(near, far))
        if stretch.at(near) <= 0:
            return _move_at(near)
        turning = stretch.turning_point()
        if turning is not None and min(near, far) < turning < max(near, far) and stretch.at(turning) <= 0:
            far = turning
        if stretch.at(far) <= 0:
            return _move_at(_last_alive(stretch, near, far))
        near = far
    return _move_at(near)


def _less_a_tick(curve: _Curve, shares: Mapping[str, _Share], moving: Collection[str], y: int) -> _Curve:
    """Take off what the rounding of one price and of all moving marks costs at the factor `y`, and a little more."""
    ticks = {name: share.tick_at(y if name in moving else STEPS) for name, share in shares.items() if share.lots}
    price = max((tick + shares[name].lots for name, tick in ticks.items()), default=0)
    marks = sum(tick for name, tick in ticks.items() if name in moving) // 2
    slack = price + marks
    return replace(curve, constant=curve.constant - (slack + slack // TICK_MARGIN + 1) * STEPS)


def _alive_before(curve: _Curve, dead: int) -> int:
    """Return a live step on the way back from a dead one to the present: it is near, so paces begin small."""
    way = dead - STEPS
    for shift in range(_PACES, 0, -1):
        y = dead - (way >> shift)
        if curve.at(y) > 0:
            return y
    return STEPS


def _exact_value(position: Position, instrument: Instrument, mark: Decimal) -> int:
    """Return the signed worth at the mark with twelve more digits, rounded down."""
    numerator, denominator = mark.as_integer_ratio()
    if instrument.kind is ContractKind.INVERSE:
        numerator, denominator = denominator, numerator
    amount = abs(position.quantity * instrument.multiplier)
    return value_sign(instrument.kind, position.quantity) * amount * numerator * STEPS // denominator


def _rounding_slack(position: Position, instrument: Instrument) -> int:
    """Return what rounding the worth of each lot may hide: half a unit per lot, and one for a broken lot."""
    return abs(position.quantity) // (2 * instrument.lot_size) + 2


def _crossing(curve: _Curve, far: int) -> Decimal | None:
    """Return the move toward `far` after which the account still lives and one step more kills it."""
    dead = _dead_step(curve, far)
    if dead is None:
        return None
    return _move_at(_last_alive(curve, STEPS, dead))


def _move_at(y: int) -> Decimal:
    return Decimal(y - STEPS).scaleb(-STEP_DIGITS)


def _dead_step(curve: _Curve, far: int) -> int | None:
    """Return some step between now and `far` at which the account is dead, with one crossing on the way to it.

    A quadratic that is above zero now and not at `far` crosses once in between. Above zero at both ends it dips below
    only around its turning point.
    """
    if curve.at(far) <= 0:
        return far
    turning = curve.turning_point()
    if turning is None or not min(STEPS, far) < turning < max(STEPS, far):
        return None
    return turning if curve.at(turning) <= 0 else None


def _last_alive(curve: _Curve, alive: int, dead: int) -> int:
    """Bisect between a live and a dead step; return the live neighbour of the crossing."""
    while abs(dead - alive) > 1:
        middle = (alive + dead) // 2
        if curve.at(middle) > 0:
            alive = middle
        else:
            dead = middle
    return alive
