"""What is written about the calculators is what they answer: docs/calculators.md, and the examples of every help."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.cli import parser
from tests.unit.daemon.calc.calling import call

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "calculators.md").read_text()
NEEDS_MORE = ("--url", "--config", "--file", "rows.jsonl")


def examples_of_the_page() -> Iterator[tuple[str, str]]:
    """Commands of the page with the output that it shows."""
    for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL):
        for part in block.split("$ seawall ")[1:]:
            command, _, output = part.partition("\n")
            yield command, output


@pytest.mark.parametrize(("command", "output"), list(examples_of_the_page()))
def test_the_page_shows_what_is_answered(
    command: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example, to the letter."""
    monkeypatch.chdir(tmp_path)
    found = re.search(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found is not None
    Path("account.json").write_text(found.group(1))
    called = call(command)
    assert (called.code, called.err) == (0, "")
    assert called.out == output


def examples_of_the_help() -> list[str]:
    """Commands at the end of each help of `calc`, those that need nothing else."""
    top = parser()
    calc = _commands(top)["calc"]
    texts = [calc.epilog or "", *(each.epilog or "" for each in _commands(calc).values())]
    lines = [line for text in texts for line in text.replace("\\\n", " ").splitlines() if line.startswith("  seawall ")]
    return [line.removeprefix("  seawall ") for line in lines if not any(word in line for word in NEEDS_MORE)]


def _commands(above: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    action = next(each for each in above._actions if isinstance(each, argparse._SubParsersAction))
    commands: dict[str, argparse.ArgumentParser] = dict(action.choices)
    return commands


@pytest.mark.parametrize("command", examples_of_the_help())
def test_an_example_of_the_help_works(command: str) -> None:
    """Typed as it stands there."""
    called = call(command)
    assert (called.code, called.err) == (0, "")


def test_every_calculator_has_examples_that_are_tried() -> None:
    """None is forgotten."""
    tried = {command.split()[1] for command in examples_of_the_help()}
    assert tried == {"liquidation", "pnl", "target", "size", "funding"}
