"""From what the command line says to plans: policy, lanes, sizes, and the settings of a grid.

Every mistake is one line that names what is wrong and what is right.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import product
from pathlib import Path
from typing import Any, Final

import config
from config.load import SettingsError, load_policy
from config.policy import Policy
from connectors.simulated.tape.candles import CandleFileError, read_time
from connectors.vocabulary import Side
from daemon.backtest.asked import BacktestOptions
from daemon.backtest.cadence import EXACT, FAST
from daemon.backtest.plan import HOUR_MS, MINUTE_MS, SAT, Lane, Plan
from daemon.backtest.venue import LOT, SYMBOL
from daemon.exit_codes import CommandFailed, ExitCode

DEFAULT_PROFILE: Final = "careful"
MOST_LEVERAGE: Final = Decimal(100)
MOST_LANES: Final = 40
MOST_CELLS: Final = 100
_NOT_POLICY: Final = frozenset({"venue", "credentials", "alerts", "state", "log"})
_SIDES: Final = {"long": (Side.LONG,), "short": (Side.SHORT,), "both": (Side.LONG, Side.SHORT)}
_MARGINS: Final = {"isolated": (False,), "cross": (True,), "both": (False, True)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One combination of a grid's settings; without changes it is the policy as it stands."""

    changes: tuple[tuple[str, str], ...]
    plan: Plan

    @property
    def name(self) -> str:
        """What people call it."""
        return ", ".join(f"{key}={value}" for key, value in self.changes) or "as configured"


def policy_file(options: BacktestOptions) -> Path:
    """Return the file that the policy is read from."""
    if options.config is not None:
        return options.config
    return Path(next(iter(config.__path__))) / "profiles" / f"{options.profile or DEFAULT_PROFILE}.toml"


def policy_of(options: BacktestOptions, changes: Mapping[str, str]) -> Policy:
    """Return the policy with changed settings.

    Raises:
        CommandFailed: With every problem, one a line.
    """
    for key in changes:
        if key.partition(".")[0] in _NOT_POLICY:
            raise _bad(f"{key} is no setting of a policy; of a settings file only the policy counts here")
    try:
        # Nobody calls in a backtest, and bots that are not there must not fall silent.
        return replace(load_policy(policy_file(options), changes), bots={})
    except SettingsError as error:
        raise CommandFailed("\n".join(error.problems), ExitCode.BAD_INPUT) from error


def plan_of(options: BacktestOptions, *, start_ms: int, end_ms: int) -> Plan:
    """Return the plan that the options ask for.

    Raises:
        CommandFailed: If something cannot be meant.
    """
    lanes = _lanes(options) if options.positions is None else own_lanes(options.positions, start_ms, end_ms)
    if len(lanes) > MOST_LANES:
        raise _bad(f"{len(lanes)} kinds of position are too many at once; {MOST_LANES} is the most")
    return Plan(
        lanes=lanes,
        policy=policy_of(options, dict(_pair(text) for text in options.changes)),
        seed=options.seed,
        equity_sat=int(_number("--equity", options.equity, least="0.001", most="1000") * SAT),
        margin_share=_number("--size", options.size, least="0.1", most="95") / 100,
        warm_up_ms=options.warm_up_minutes * MINUTE_MS,
        hold_ms=int(_number("--hold-hours", options.hold_hours, least="0.1", most="100000") * HOUR_MS),
        again_after_ms=int(_number("--again-hours", options.again_hours, least="0", most="100000") * HOUR_MS),
        latency_ms=options.latency_ms,
        lift_after_ms=int(_number("--lift-hours", options.lift_hours, least="0", most="100000") * HOUR_MS),
        cadence=EXACT if options.pace == "exact" else FAST,
    )


def _lanes(options: BacktestOptions) -> tuple[Lane, ...]:
    leverages = [
        _number("--leverage", text, least="1", most=str(MOST_LEVERAGE)) for text in options.leverage.split(",")
    ]
    return tuple(
        Lane(side=side, leverage=leverage, is_cross=is_cross)
        for leverage, is_cross, side in product(leverages, _MARGINS[options.margin], _SIDES[options.side])
    )


# ---------------------------------------------------------------- positions of one's own


def own_lanes(path: Path, start_ms: int, end_ms: int) -> tuple[Lane, ...]:
    """Read positions from a file: a list of tables called `positions`.

    Raises:
        CommandFailed: If the file or a position cannot be used.
    """
    found = _read(path)
    rows = found.get("positions") if isinstance(found, dict) else found
    if not isinstance(rows, list) or not rows:
        raise _bad(f"{path}: holds no positions: write [[positions]] with side, leverage and at")
    return tuple(
        _own_lane(f"{path}: position {number}", row, start_ms, end_ms) for number, row in enumerate(rows, start=1)
    )


def _read(path: Path) -> Any:  # noqa: ANN401 - whatever a file holds
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, parse_float=Decimal) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise _bad(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise _bad(f"{path}: cannot be understood: {error}") from error


_KEYS: Final = frozenset({"symbol", "side", "leverage", "margin", "contracts", "at", "until"})


def _own_lane(where: str, row: object, start_ms: int, end_ms: int) -> Lane:
    if not isinstance(row, dict):
        raise _bad(f"{where}: is no table")
    unknown = sorted(str(key) for key in row.keys() - _KEYS)
    if unknown:
        raise _bad(f"{where}: {unknown[0]} is not known: known here are {', '.join(sorted(_KEYS))}")
    side, margin, symbol = row.get("side"), row.get("margin", "isolated"), row.get("symbol", SYMBOL)
    if side not in ("long", "short"):
        raise _bad(f'{where}: side must be "long" or "short"')
    if margin not in ("isolated", "cross"):
        raise _bad(f'{where}: margin must be "isolated" or "cross"')
    if symbol != SYMBOL:
        raise _bad(f"{where}: symbol {symbol} is not played; the candles are played as {SYMBOL}")
    contracts = row.get("contracts")
    if contracts is not None and (isinstance(contracts, bool) or not isinstance(contracts, int) or contracts < 1):
        raise _bad(f"{where}: contracts must be a whole number above 0")
    if contracts is not None and contracts % LOT:
        raise _bad(f"{where}: contracts must be a multiple of {LOT}, the contract's lot")
    at_ms = start_ms + 5 * MINUTE_MS if row.get("at") is None else _time(where, "at", row["at"])
    if not start_ms <= at_ms < end_ms:
        raise _bad(f"{where}: at lies outside of what is played")
    until_ms = None if row.get("until") is None else _time(where, "until", row["until"])
    if until_ms is not None and until_ms <= at_ms:
        raise _bad(f"{where}: until must come after at")
    return Lane(
        side=Side.LONG if side == "long" else Side.SHORT,
        leverage=_number(f"{where}: leverage", str(row.get("leverage", 10)), least="1", most=str(MOST_LEVERAGE)),
        is_cross=margin == "cross",
        contracts=contracts,
        at_ms=at_ms,
        until_ms=until_ms,
    )


def _time(where: str, name: str, value: object) -> int:
    try:
        return read_time(str(value), option=f"{where}: {name}")
    except CandleFileError as error:
        raise _bad(str(error)) from error


# ---------------------------------------------------------------- grid


def cells_of(options: BacktestOptions, plan: Plan) -> list[Cell]:
    """Return one cell for each combination that `--grid` names.

    Raises:
        CommandFailed: If a key or a value cannot be used, or there are too many combinations.
    """
    axes = [_axis(text) for text in (options.grid or "").split(";") if text.strip()]
    if not axes:
        raise _bad('--grid names no settings; write for example "stop.buffer_percent=1,2,3"')
    names = [key for key, _ in axes]
    if len(set(names)) != len(names):
        raise _bad("--grid names a setting twice")
    combinations = list(product(*([(key, value) for value in values] for key, values in axes)))
    if len(combinations) > MOST_CELLS:
        raise _bad(f"--grid makes {len(combinations)} combinations; {MOST_CELLS} is the most")
    return [_cell(options, plan, combination) for combination in combinations]


def _cell(options: BacktestOptions, plan: Plan, combination: Iterable[tuple[str, str]]) -> Cell:
    own = tuple(combination)
    changes = dict(_pair(text) for text in options.changes) | dict(own)
    return Cell(changes=own, plan=replace(plan, policy=policy_of(options, changes)))


def _axis(text: str) -> tuple[str, list[str]]:
    """Read "key=1,2,3"; a value in brackets or quotes keeps its commas."""
    key, value = _pair(text)
    try:
        listed = tomllib.loads(f"value = [{value}]", parse_float=Decimal)["value"]
    except tomllib.TOMLDecodeError:
        return key, [part.strip() for part in value.split(",")]
    return key, [one if isinstance(one, str) else _as_toml(one) for one in listed]


def _as_toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_as_toml(one) for one in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key.strip() or not value.strip():
        raise _bad(f"{text.strip()!r} is no setting; write for example stop.buffer_percent=3")
    return key.strip(), value.strip()


def _number(name: str, text: str, *, least: str, most: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not Decimal(least) <= value <= Decimal(most):
        raise _bad(f"{name} must be a number from {least} to {most}, not {text.strip()!r}")
    return value


def _bad(words: str) -> CommandFailed:
    return CommandFailed(words, ExitCode.BAD_INPUT)
