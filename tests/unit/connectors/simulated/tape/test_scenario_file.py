"""Scenario files: what they become, and everything that is wrong with a bad one at once."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from connectors.simulated.engine.inputs import ClearFault, PlaceOrder, SetFault, SetPosition
from connectors.simulated.tape.reading import read_candles
from connectors.simulated.tape.scenario_fields import Sort
from connectors.simulated.tape.scenario_file import ScenarioFileError, ScenarioTape, examples, scenario_tape

HEAD = 'title = "T"\nstart = 2026-07-01T00:00:00Z\n'
PRICE = '[price]\npoints = [["0m", 60000], ["10m", 57000]]\n'
START_MS = 1_782_864_000_000


def read(folder: Path, text: str, *, seed: int = 1, speed: str | None = None) -> ScenarioTape:
    """Read a scenario from text."""
    path = folder / "day.toml"
    path.write_text(text)
    return scenario_tape(path, seed=seed, speed=speed)


def problems(folder: Path, text: str) -> list[str]:
    """Everything that is wrong with a text, without the file's name."""
    with pytest.raises(ScenarioFileError) as refused:
        read(folder, text)
    assert all(one.startswith("day.toml: ") for one in refused.value.problems)
    return [one.removeprefix("day.toml: ") for one in refused.value.problems]


def test_a_page_becomes_a_tape_and_a_script(tmp_path: Path) -> None:
    """Prices from the points, inputs in order of time, numbered from 1."""
    text = f"""{HEAD}{PRICE}
[[account]]
name = "a"
[[account.position]]
symbol = "XBTUSD"
quantity = 100
[[order]]
at = "5m"
account = "a"
symbol = "XBTUSD"
quantity = -100
[[fault]]
name = "overload"
at = 2026-07-01T00:02:00Z
until = "4m"
"""
    tape = read(tmp_path, text)
    assert [(one.number, one.at_ms - START_MS, type(one.input)) for one in tape.script] == [
        (1, 0, SetPosition),
        (2, 120_000, SetFault),
        (3, 240_000, ClearFault),
        (4, 300_000, PlaceOrder),
    ]
    assert tape.script[1].input == SetFault(name="overload", seed=1, label="fault[1]")
    steps = list(tape.steps())
    assert (steps[0].prices[0].last, steps[-1].prices[0].last) == (60_000, 57_000)
    assert (steps[-1].tape_ms - START_MS) == 600_000


def test_a_tape_goes_on_from_any_step(tmp_path: Path) -> None:
    """As a restart needs it, paths of other contracts included."""
    tape = read(tmp_path, f'{HEAD}{PRICE}\n[[path]]\nsymbol = "ETHUSD"\npoints = [["0m", 3000], ["10m", 1500]]\n')
    steps = list(tape.steps())
    assert list(tape.steps(17)) == steps[17:]
    last = {one.symbol: one.last for one in steps[-1].prices}
    assert (last["XBTUSD"], last["ETHUSD"]) == (57_000, 1_500)


def test_every_example_can_be_read() -> None:
    """Each has a title of its own."""
    assert len(set(examples().values())) == len(examples()) == 6


def test_a_speed_on_the_command_line_wins(tmp_path: Path) -> None:
    """The file's own is only a default."""
    assert read(tmp_path, HEAD + PRICE, speed="fit:9").tape.real_total_ms == 9_000


def test_a_seed_decides_what_the_file_leaves_open(tmp_path: Path) -> None:
    """The same seed strays the same way."""
    closes = [[step.prices[0].last for step in read(tmp_path, HEAD + PRICE, seed=seed).steps()] for seed in (1, 1, 2)]
    assert closes[0] == closes[1] != closes[2]


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Each problem with its key and what to write instead."""
    text = """titel = "T"
start = "yesterday"
speed = 7
[price]
points = [["0m", 60000], ["10m"]]
[[account]]
name = "a"
balances = { XBt = "one" }
[[account]]
name = "a"
[[fault]]
name = "overlaod"
[[fault]]
name = "request-late"
sm = 5
[[fault]]
name = "overload"
at = "10m"
until = "5m"
account = "b"
[[order]]
at = "soon"
symbol = "XBTUSD"
quantity = 1.5
[halt]
from = "1m"
"""
    assert problems(tmp_path, text) == [
        "title: is missing; it is a text",
        "start: must be a date and time such as 2020-03-12T10:00:00Z, not 'yesterday'",
        "speed: must be a text, not 7",
        "titel: no such key; did you mean title?",
        f"price.points: must be {Sort.POINTS.value}, not [['0m', 60000], ['10m']]",
        "halt: write it as [[halt]]",
        "account[1].balances: must be a table of whole minor units such as { XBt = 100000000 }, not {'XBt': 'one'}",
        "account[2].name: there are two accounts 'a'",
        "fault[1]: no fault 'overlaod'; `seawall exchange fault list` shows all",
        "fault[2]: fault request-late has no parameter 'sm'; it takes ms",
        "fault[3].account: no account 'b'; there are a",
        "fault[3].until: must be after at",
        "order[1].at: must be a time since the start such as \"1h30m\", or a date and time, not 'soon'",
        "order[1].account: is missing; it is a text",
        "order[1].quantity: must be a whole number, not '1.5'",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title = ", "not TOML: Invalid value (at end of document)"),
        (HEAD, "price: give points, or candles, and not both"),
        (HEAD + '[price]\ncandles = "none.csv"\n', "end: is needed with candles"),
        (HEAD + 'end = "1h"\n[price]\ncandles = "none.csv"\n', "price.candles: "),
        (HEAD + '[price]\npoints = [["0m", 1]]\n', "end: must be after start"),
        (HEAD + '[price]\npoints = [["0m", 1], ["900d", 1]]\n', "end: is more than a year after start"),
        (HEAD + '[price]\npoints = [["5m", 1], ["0m", 1]]\n', "price.points: points must stand in order of time"),
        (HEAD + '[price]\npoints = [["0m", 0], ["1m", 1]]\n', "price.points: must be a list of [moment, price]"),
        (HEAD + 'speed = "fast"\n' + PRICE, "speed: "),
        (HEAD + PRICE + "noise = 2\n", "price.noise: must be from 0 to below 1"),
        (HEAD + PRICE + '[[halt]]\nfrom = "5m"\nuntil = "4m"\n', "halt[1].until: must be after from"),
        (
            HEAD + PRICE + '[[path]]\nsymbol = "XBTUSD"\npoints = [["0m", 1]]\n',
            "path[1].symbol: XBTUSD's way is [price]",
        ),
        (HEAD + PRICE + '[[announcements]]\ntitle = "x"\n', "announcements: no such key; did you mean announcement?"),
    ],
)
def test_a_problem_names_its_key(tmp_path: Path, text: str, problem: str) -> None:
    """One line, with what to do."""
    assert any(one.startswith(problem) for one in problems(tmp_path, text)), problems(tmp_path, text)


def test_a_name_that_is_none_lists_the_names() -> None:
    """Built-in ones and shipped ones."""
    with pytest.raises(ScenarioFileError, match=r"no scenario 'may-2012'; give a file, or one of calm, .*, may-2021"):
        scenario_tape("may-2012", seed=1)


def test_a_file_beyond_measure_is_refused(tmp_path: Path) -> None:
    """A scenario is a page."""
    assert problems(tmp_path, "#" * 1_000_001)[0].startswith("larger than")


@pytest.mark.parametrize(
    ("name", "file", "worst", "typical"),
    [
        # In the outage single prints of a few contracts leapt by a fifth from minute to minute.
        ("march-2020", "bitmex-xbtusd-1m-2020-03.csv.gz", Decimal("0.13"), Decimal("0.012")),
        ("may-2021", "bitmex-xbtusd-1m-2021-05.csv.gz", Decimal("0.035"), Decimal("0.008")),
        ("halt-2020", "bitmex-xbtusd-1m-2020-05.csv.gz", Decimal("0.008"), Decimal("0.002")),
    ],
)
def test_famous_days_are_as_they_were(real_data: Path, name: str, file: str, worst: Decimal, typical: Decimal) -> None:
    """Minute closes stay within a bound of the public candles, and on average much closer."""
    reel = scenario_tape(name, seed=1).tape.reel
    end_ms = reel.start_ms + (reel.count or 0) * reel.interval_ms
    real = read_candles(real_data / "candles" / file).between(reel.start_ms, end_ms).candles
    off = [abs(ours.close / theirs.close - 1) for ours, theirs in zip(reel.bars(), real, strict=True)]
    assert max(off) <= worst
    assert sum(off) / len(off) <= typical


def test_the_low_of_may_is_touched() -> None:
    """28,160 at 13:10."""
    bars = list(islice(scenario_tape("may-2021", seed=3).tape.reel.bars(), 400))
    assert min(bar.low for bar in bars) == 28_160


def test_what_could_never_happen_is_refused(tmp_path: Path) -> None:
    """Moments before the start and after the end, and halts beside candles, which bring their own."""
    text = f"""{HEAD}{PRICE}
[[halt]]
from = "20m"
until = "30m"
[[fault]]
name = "overload"
at = 2025-07-01T00:00:00Z
[[fault]]
name = "overload"
at = "2m"
until = "1h"
[[announcement]]
at = "11m"
title = "Too late"
"""
    never = "is after the end, so it would never happen"
    assert problems(tmp_path, text) == [
        f"halt[1].from: {never}",
        "fault[1].at: is before start",
        f"announcement[1].at: {never}",
    ]


def test_keys_that_cannot_be_are_refused(tmp_path: Path) -> None:
    """Before the exchange runs, as all that is wrong with a file; a missing secret once."""
    key = '[[account.key]]\nkey = "k"\n'
    text = f"""{HEAD}{PRICE}
[[account]]
name = "a"
{key}secret = "s"
permissions = ["fly"]
{key}secret = "s"
cidrs = ["300.0.0.0/8"]
{key}secret = ""
{key}
"""
    assert problems(tmp_path, text) == [
        "account[1].key[1]: no permission 'fly'; there are order, orderCancel, withdraw",
        "account[1].key[2]: '300.0.0.0/8' is no network; write for example 10.0.0.0/8",
        "account[1].key[3]: a key needs an id and a secret",
        "account[1].key[4].secret: is missing; it is a text",
    ]


def test_halts_go_with_points(tmp_path: Path) -> None:
    """Beside candles a halt would be passed over in silence, so it is refused."""
    day = "open_time,open,high,low,close\n" + "".join(
        f"2026-07-01T00:{minute:02}:00Z,60000,60000,60000,60000\n" for minute in range(10)
    )
    (tmp_path / "day.csv").write_text(day)
    candles = '[price]\ncandles = "day.csv"\n[[halt]]\nfrom = "2m"\nuntil = "4m"\n'
    wanted = "halt[1]: goes with points; with candles set the fault trading-halt"
    assert problems(tmp_path, f'{HEAD}end = "10m"\n{candles}') == [wanted]
