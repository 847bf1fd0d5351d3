"""The reference of the scenario language and the catalogue of faults in `docs/scenarios.md` are those of the code.

Run as a module (`python -m tests.unit.test_scenario_reference`), this writes them anew.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.simulated.engine.faults.catalogue import CATALOGUE
from connectors.simulated.engine.faults.kinds import FaultKind, Place
from connectors.simulated.tape.scenario_fields import TABLES, TOP, Field, Need, TableSpec
from connectors.simulated.tape.scenario_file import EXAMPLES, scenario_tape

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"
_PLACES = {
    Place.REST: "Requests and answers. Can be limited to `account`, `verb`, `path`, `operation`.",
    Place.KEYS: "Signed requests and sign-ins. The same limits.",
    Place.STREAM: "Frames and sockets. Can be limited to `account`, `table`, `symbol`.",
    Place.ENGINE: "Orders, timers, rows. Can be limited to `account`, `symbol`.",
    Place.TAPE: "Prices and liquidity. Can be limited to `symbol`.",
}


def fields_reference() -> str:
    """The tables of a scenario file with their keys."""
    return "\n\n".join(_table(spec) for spec in (TOP, *TABLES.values()))


def faults_reference() -> str:
    """The catalogue of faults by where they bite."""
    return "\n\n".join(f"### {place.value}\n\n{_PLACES[place]}\n\n{_faults(place)}" for place in Place)


def _table(spec: TableSpec) -> str:
    name = f"[[{spec.name}]]" if spec.is_list else f"[{spec.name}]"
    head = f"### `{name}`" if spec.name else "### Head"
    rows = "\n".join(f"| `{one.name}` | {one.sort.value} | {_default(one)} | {one.meaning} |" for one in spec.fields)
    return f"{head}\n\n{spec.meaning}\n\n| key | value | default | meaning |\n|---|---|---|---|\n{rows}"


def _default(one: Field) -> str:
    if isinstance(one.default, Need):
        return one.default.value
    return "true" if one.default is True else "false" if one.default is False else f"`{one.default}`"


def _faults(place: Place) -> str:
    rows = "\n".join(
        f"| `{one.name}` | {one.meaning} | {_parameters(one)} |" for one in CATALOGUE.values() if one.place is place
    )
    return f"| fault | meaning | parameters |\n|---|---|---|\n{rows}"


def _parameters(kind: FaultKind) -> str:
    told = [
        f"`{one.name}` = {_value(one.default)}{f' ({chr(47).join(one.choices)})' if one.choices else ''}: {one.meaning}"
        for one in kind.parameters
    ]
    if kind.count is not None:
        told.append(f"bites {kind.count} time unless `count` says otherwise")
    if kind.is_act:
        told.append("happens at once")
    if kind.is_for_all:
        told.append("for all")
    return "; ".join(told)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value) or "empty"


def between(markdown: str, name: str) -> str:
    """What stands between the marks of a generated part."""
    found = re.search(rf"<!-- begin {name} -->\n(.*?)\n<!-- end {name} -->", markdown, flags=re.DOTALL)
    assert found, name
    return found[1]


@pytest.mark.parametrize(("name", "made"), [("fields", fields_reference()), ("faults", faults_reference())])
def test_the_reference_is_that_of_the_code(name: str, made: str) -> None:
    """What the page says is what the reader takes; run this module to write it anew."""
    assert between(DOCUMENT.read_text(), name) == made


def test_every_example_is_on_the_page() -> None:
    """A shipped scenario that nobody hears of is of no use."""
    page = DOCUMENT.read_text()
    assert not [path.stem for path in EXAMPLES.glob("*.toml") if f"`{path.stem}`" not in page]


def test_the_examples_of_the_page_can_be_read(tmp_path: Path) -> None:
    """Each TOML block is a whole scenario file."""
    blocks = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(), flags=re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.toml"
        path.write_text(block)
        assert scenario_tape(path, seed=1).title


if __name__ == "__main__":
    page = DOCUMENT.read_text()
    for part, text in (("fields", fields_reference()), ("faults", faults_reference())):
        head, _, rest = page.partition(f"<!-- begin {part} -->\n")
        page = f"{head}<!-- begin {part} -->\n{text}\n{rest[rest.index(f'<!-- end {part} -->') :]}"
    DOCUMENT.write_text(page)
