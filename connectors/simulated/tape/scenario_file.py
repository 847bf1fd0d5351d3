"""Scenario files: one small TOML file is one bad day.

Why: an outage, a wick or a wind-down should take a page to write down and one command to have again. The
language is in `scenario_fields`; reference with examples: `docs/scenarios.md`. A scenario becomes a tape like
any other, and a script of inputs with tape times, so nothing behind it knows of scenarios.

Raises `ScenarioFileError` with all problems, one a line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.tape.candles import MINUTE_MS, CandleFileError
from connectors.simulated.tape.noise import derive
from connectors.simulated.tape.pacing import Pace, parse_pace
from connectors.simulated.tape.reading import read_candles
from connectors.simulated.tape.scenario_fields import TABLES
from connectors.simulated.tape.scenario_reading import Reading, Values, top
from connectors.simulated.tape.scenario_script import Timed, Writer, numbered
from connectors.simulated.tape.scenarios import Scenario
from connectors.simulated.tape.scripted_path import Line, ScriptedPath, on_line
from connectors.simulated.tape.tape import Reel, Step, Tape

EXAMPLES = Path(__file__).parent / "examples"
SUFFIX = ".toml"
_MOST_BYTES = 1_000_000
_MOST_BARS = 60 * 24 * 366
_PATH_SEED = 7
_Halts = tuple[tuple[str, int, int], ...]  # where each stands in the file, first moment, first moment after it


class ScenarioFileError(Exception):
    """A scenario file cannot be used; each line of the text is one problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, kw_only=True)
class ScenarioTape:
    """The tape of a scenario, and what happens on it.

    Attributes:
        title: One line for people.
        digest: Tells one content of the file from another.
        tape: XBTUSD's way and all that follows it.
        paths: Ways of their own, by contract.
        script: What happens, in order of time.
        balances: Opening balances of each account; None for the usual ones.
    """

    title: str
    digest: str
    tape: Tape
    paths: Mapping[str, Line]
    script: tuple[Timed, ...]
    balances: tuple[Mapping[str, int] | None, ...]

    def steps(self, start: int = 0) -> Iterator[Step]:
        """Yield the steps from `start` on, exactly as if all before had been yielded too."""
        for step in self.tape.steps(start):
            if self.paths:
                prices = tuple(self._on_path(one, step.tape_ms) for one in step.prices)
                yield replace(step, prices=prices)
            else:
                yield step

    def _on_path(self, prices: SymbolPrices, tape_ms: int) -> SymbolPrices:
        line = self.paths.get(prices.symbol)
        return prices if line is None else on_line(prices, line, tape_ms)


def scenario_tape(source: str | Path, *, seed: int, speed: str | None = None) -> ScenarioTape:
    """Return the tape of a scenario file, or of a shipped example by its name.

    Args:
        source: Path of the file, or the name of an example.
        seed: Seed of all that the file leaves open.
        speed: `--speed`; None for the file's own.

    Raises:
        ScenarioFileError: With everything that is wrong with it.
    """
    path = path_of(source)
    text, raw = _parsed(path)
    reading = Reading(name=path.name)
    tape = _Compiling(reading, raw, path.parent, seed=seed, speed=speed).tape(blake2b(text, digest_size=8).hexdigest())
    if reading.problems or tape is None:
        raise ScenarioFileError(reading.problems)
    return tape


def examples() -> dict[str, str]:
    """Return the names of the shipped examples with their titles."""
    return {path.stem: str(_parsed(path)[1].get("title", "")) for path in sorted(EXAMPLES.glob(f"*{SUFFIX}"))}


def path_of(source: str | Path) -> Path:
    """Return the file that a path, or the name of an example, means.

    Raises:
        ScenarioFileError: If there is neither.
    """
    named = EXAMPLES / f"{source}{SUFFIX}"
    if isinstance(source, str) and "/" not in source and named.is_file():
        return named
    path = Path(source)
    if not path.is_file():
        names = ", ".join([*(one.value for one in Scenario), *sorted(one.stem for one in EXAMPLES.glob(f"*{SUFFIX}"))])
        raise ScenarioFileError([f"no scenario {str(source)!r}; give a file, or one of {names}"])
    return path


def _parsed(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ScenarioFileError([f"{path.name}: larger than {_MOST_BYTES} bytes; a scenario is a page"])
        return text, tomllib.loads(text.decode(), parse_float=Decimal)
    except OSError as error:
        raise ScenarioFileError([f"{path.name}: cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScenarioFileError([f"{path.name}: not TOML: {error}"]) from error


class _Compiling:
    """One file on its way to a tape."""

    def __init__(self, reading: Reading, raw: dict[str, Any], folder: Path, *, seed: int, speed: str | None) -> None:
        self._reading = reading
        self._raw = raw
        self._folder = folder
        self._seed = seed
        self._speed = speed

    def tape(self, digest: str) -> ScenarioTape | None:
        """Return the tape; None, with the problems noted, if there is none."""
        reading = self._reading
        head = top(reading, self._raw)
        pace = self._pace(head)
        reel = self._reel(head)
        paths = self._paths()
        writer = Writer(reading, self._raw, seed=self._seed)
        entries = writer.entries()
        if reading.problems or reel is None or pace is None:
            return None
        return ScenarioTape(
            title=head["title"],
            digest=digest,
            tape=Tape(reel=reel, seed=self._seed, pace=pace),
            paths=paths,
            script=numbered(entries),
            balances=tuple(writer.balances),
        )

    def _pace(self, head: Values) -> Pace | None:
        text = self._speed or head["speed"]
        try:
            return None if text is None else parse_pace(text)
        except ValueError as error:
            self._reading.complain("--speed" if self._speed else "speed", str(error))
            return None

    def _reel(self, head: Values) -> Reel | None:
        [(where, raw)] = self._reading.tables(self._raw, "price") or [("price", {})]
        values = self._reading.table(raw, TABLES["price"], where)
        halts = self._halts()
        points, candles, end_ms = values["points"], values["candles"], head["end"]
        if (points is None) is (candles is None):
            if not self._reading.problems:
                self._reading.complain(where, "give points, or candles, and not both")
            return None
        end_ms = points[-1][0] if end_ms is None and points else end_ms
        if end_ms is None or end_ms <= self._reading.start_ms:
            self._reading.complain("end", "must be after start" if end_ms else "is needed with candles")
            return None
        if end_ms - self._reading.start_ms > _MOST_BARS * MINUTE_MS:
            self._reading.complain("end", "is more than a year after start")
            return None
        self._reading.end_ms = end_ms
        for at, start_ms, _ in halts:
            self._reading.complain_of_time(f"{at}.from", start_ms)
        if candles is not None:
            return self._recorded(where, candles, end_ms, halts)
        noise = float(values["noise"] or 0)
        if not 0 <= noise < 1:
            self._reading.complain(f"{where}.noise", "must be from 0 to below 1")
        return self._drawn(head, Line(points), end_ms, halts, noise)

    def _drawn(self, head: Values, line: Line, end_ms: int, halts: _Halts, noise: float) -> Reel:
        start_ms = self._reading.start_ms
        spans = tuple((start, end) for _, start, end in halts)
        path = ScriptedPath(
            line=line, start_ms=start_ms, end_ms=end_ms, noise=noise, halts=spans, seed=derive(self._seed, _PATH_SEED)
        )
        return Reel(
            title=head["title"] or "",
            interval_ms=MINUTE_MS,
            start_ms=start_ms,
            first_price=Decimal(line.leaving(start_ms)).quantize(Decimal("0.1")),
            bars=path.bars,
            count=path.count,
        )

    def _recorded(self, where: str, name: str, end_ms: int, halts: _Halts) -> Reel | None:
        for at, _, _ in halts:
            self._reading.complain(at, "goes with points; with candles set the fault trading-halt")
        try:
            return Reel.of(read_candles(self._folder / name).between(self._reading.start_ms, end_ms))
        except CandleFileError as error:
            self._reading.complain(f"{where}.candles", str(error))
            return None

    def _halts(self) -> _Halts:
        found = []
        for where, raw in self._reading.tables(self._raw, "halt"):
            values = self._reading.table(raw, TABLES["halt"], where)
            start, end = values["from"], values["until"]
            if start is not None and end is not None:
                if end <= start:
                    self._reading.complain(f"{where}.until", "must be after from")
                found.append((where, start, end))
        return tuple(found)

    def _paths(self) -> dict[str, Line]:
        found = {}
        for where, raw in self._reading.tables(self._raw, "path"):
            values = self._reading.table(raw, TABLES["path"], where)
            if values["symbol"] == "XBTUSD":
                self._reading.complain(f"{where}.symbol", "XBTUSD's way is [price]")
            elif values["symbol"] and values["points"]:
                found[values["symbol"]] = Line(values["points"])
        return found
