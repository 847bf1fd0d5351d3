"""The documents name modules, tests, settings and states that exist."""

from __future__ import annotations

import ast
import re
import shlex
from argparse import ArgumentParser
from contextlib import nullcontext
from functools import cache
from pathlib import Path

import pytest

from daemon.cli import parser
from daemon.core.account_rules import RULES
from daemon.core.degraded import Degraded
from daemon.core.reasons import Reason
from daemon.exit_codes import ExitCode

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
DEPLOY = REPOSITORY / "deploy"
PROMISES = tuple(f"P{number}" for number in range(1, 13))
DOCUMENTS = tuple(
    sorted(
        path
        for folder in (REPOSITORY, DOCS, DOCS / "decisions", DEPLOY, DEPLOY / "systemd")
        for path in folder.glob("*.md")
    )
)
DECISION_HEADINGS = ("Status", "Context", "Decision", "Consequences", "What would change our mind")
CERTAINTIES = ("certain", "seen", "unsure")


def read(path: Path) -> str:
    """The text of a document."""
    return path.read_text(encoding="utf-8")


@cache
def the_parser() -> ArgumentParser:
    """The command line, made once: documents hold hundreds of commands."""
    return parser()


@cache
def names_in(module: str) -> frozenset[str]:
    """The names of the tests in a test module."""
    tree = ast.parse(read(REPOSITORY / module))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test"))


def is_test(reference: str) -> bool:
    """Whether `path` or `path::test_name` names something that exists."""
    module, _, test = reference.partition("::")
    return (REPOSITORY / module).exists() and (not test or test in names_in(module))


def references(markdown: str) -> list[str]:
    """Every test that a text names."""
    return re.findall(r"`(tests/[\w/.]+\.py(?:::\w+)?)`", markdown)


def fact_rows() -> list[list[str]]:
    """The rows of the venue's facts, cell by cell: number, claim, certainty, source, date, test."""
    lines = [line for line in read(DOCS / "venue-facts.md").splitlines() if re.match(r"\| V\d+ \|", line)]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_documents_name_files_that_exist(document: Path) -> None:
    """A file or test that a document names in code quotes is there."""
    markdown = read(document)
    missing = [reference for reference in references(markdown) if not is_test(reference)]
    paths = re.findall(r"`((?:daemon|connectors|config|docs|deploy)/[\w/.-]+)`", markdown)
    missing += [path for path in paths if not (REPOSITORY / path).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(document: Path) -> None:
    """A relative link in a document leads to a file of the repository."""
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", read(document))
    assert not [target for target in targets if not (document.parent / target).exists()]


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_is_stated_and_tested(promise: str) -> None:
    """Each promise has its section with modules and tests, and a docstring among the tests that names it."""
    sections = re.split(r"\n(?=## )", read(DOCS / "promises.md"))
    stated = [section for section in sections if section.startswith(f"## {promise}. ")]
    assert len(stated) == 1
    assert "**Held by:** `" in stated[0]
    assert references(stated[0])
    naming = re.compile(rf"\b{promise}\b")
    here = Path(__file__)
    assert [path for path in (REPOSITORY / "tests").rglob("test_*.py") if path != here and naming.search(read(path))]


def test_every_venue_fact_has_source_date_and_test() -> None:
    """A claim about the venue says how sure it is, where it was read and when, and which test leans on it."""
    rows = fact_rows()
    assert [row[0] for row in rows] == [f"V{number}" for number in range(1, len(rows) + 1)]
    for number, _, certainty, source, read_on, test in rows:
        assert certainty in CERTAINTIES, number
        assert source, number
        assert re.fullmatch(r"20\d\d(?:-[01]\d(?:-[0-3]\d)?)?", read_on), number
        assert references(test), number


def test_decisions_have_one_form() -> None:
    """Each decision record has the five headings, in order, and a number of its own."""
    records = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        assert tuple(re.findall(r"^## (.+)$", read(record), flags=re.MULTILINE)) == DECISION_HEADINGS, record.name


def test_runbook_explains_every_account_rule_and_no_other() -> None:
    """Each account rule has one heading, in the order of the rules, and says what it means and what people can do."""
    part = read(DEPLOY / "runbook.md").split("\n## Account rules\n")[1].split("\n## ", maxsplit=1)[0]
    sections = re.split(r"^#### ", part, flags=re.MULTILINE)[1:]
    assert [section.split("\n", maxsplit=1)[0] for section in sections] == [rule.name for rule in RULES]
    for section in sections:
        assert all(word in section for word in ("**Means.**", "**You** ")), section.splitlines()[0]


@pytest.mark.parametrize(("part", "names"), [(0, Reason), (1, Degraded)], ids=["reasons", "degraded states"])
def test_runbook_explains_every_name_and_no_other(part: int, names: type[Reason | Degraded]) -> None:
    """Each reason and each degraded state has one heading, in the order of the code, and its three paragraphs (P12)."""
    sections = re.split(r"^### ", read(DEPLOY / "runbook.md").split("## Degraded states")[part], flags=re.MULTILINE)
    assert [section.split("\n", maxsplit=1)[0] for section in sections[1:]] == [member.value for member in names]
    for section in sections[1:]:
        assert all(word in section for word in ("**Means.**", "**The guard** ", "**You** ")), section.splitlines()[0]


def test_readme_lists_the_exit_codes() -> None:
    """The table of exit codes in the README is that of the code."""
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", read(REPOSITORY / "README.md"), flags=re.MULTILINE)
    assert rows == [(str(code.value), code.meaning) for code in ExitCode]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_commands_in_documents_are_understood(document: Path) -> None:
    """Every `seawall ...` line that a document shows is accepted; a word alone names a command that exists."""
    shown = re.findall(r"(?:^ {4}(?:[.]venv/bin/)?|`)seawall ([a-z][^`#\n]*)", read(document), flags=re.MULTILINE)
    for words in map(shlex.split, shown):
        with pytest.raises(SystemExit) if len(words) == 1 else nullcontext() as left:
            assert the_parser().parse_args(words if len(words) > 1 else [*words, "--help"]).command
        assert left is None or left.value.code == 0, words
