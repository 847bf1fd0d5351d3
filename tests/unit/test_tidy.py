"""House rules that a linter does not know, checked over every file of the repository."""

from __future__ import annotations

import ast
import gc
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from daemon.core.reasons import Reason

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = ("daemon", "connectors", "config")
LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
LONGEST_POLL_S = 0.05
LEFT_BEHIND = re.compile(r"/(?:[.](?!ci/)|__pycache__|build/|dist/|runs?/|[^/]*[.]egg-info)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository that is not ignored; where git cannot say, all but what tools leave behind."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split("\0")
        found = [REPOSITORY / file for file in listed if file]
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in REPOSITORY.rglob("*") if not LEFT_BEHIND.search(f"/{name(path)}")]
    return tuple(sorted(path for path in found if path.is_file()))


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """Every Python file, by its path in the repository, parsed.

    Millions of nodes that are kept: looking among them for garbage again and again would take three times as long as
    the parsing, and go on for the rest of the run.
    """
    gc.disable()
    try:
        return tuple((name(path), ast.parse(text(path))) for path in files() if path.suffix == ".py")
    finally:
        gc.freeze()
        gc.enable()


@cache
def text(path: Path) -> str:
    """The file as text; bytes that are not text are replaced."""
    return path.read_text(encoding="utf-8", errors="replace")


def name(path: Path) -> str:
    """The path as it is written in the repository."""
    return path.relative_to(REPOSITORY).as_posix()


def is_shipped(module_name: str) -> bool:
    """Whether a module belongs to the installed packages."""
    return module_name.split("/", maxsplit=1)[0] in SHIPPED


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function of a module, methods and nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def cases() -> Iterator[tuple[str, Function]]:
    """Every test function with the module it stands in."""
    for module_name, tree in modules():
        if module_name.startswith("tests/"):
            for function in functions(tree):
                if function.name.startswith("test_"):
                    yield module_name, function


def places(pattern: str, *, but: str = "a^") -> list[str]:
    """Return file and line of every match of `pattern`, leaving out the files whose name matches `but`."""
    sought = re.compile(pattern)
    return [
        f"{name(path)}:{number}: {line.strip()[:90]}"
        for path in files()
        if not re.search(but, name(path))
        for number, line in enumerate(text(path).splitlines(), 1)
        if sought.search(line)
    ]


def test_every_test_states_its_scenario() -> None:
    """A test without a docstring leaves its reader guessing."""
    assert not [f"{where}::{test.name}" for where, test in cases() if not ast.get_docstring(test)]


def test_every_shipped_module_says_what_it_is_for() -> None:
    """Every module and package of the product opens with a docstring."""
    assert not [where for where, tree in modules() if is_shipped(where) and not ast.get_docstring(tree)]


def test_modules_stay_short() -> None:
    """A module beyond the limit has a second topic."""
    assert not [name(path) for path in files() if path.suffix == ".py" and text(path).count("\n") > LONGEST_MODULE]


def test_functions_stay_short() -> None:
    """A function that needs scrolling is cut."""
    assert not [
        f"{where}:{function.lineno} {function.name}"
        for where, tree in modules()
        for function in functions(tree)
        if (function.end_lineno or function.lineno) - function.lineno >= LONGEST_FUNCTION
    ]


def test_tests_wait_for_conditions_not_for_time() -> None:
    """A test never sleeps; only a loop that polls for a condition may pause, and briefly."""
    sleeps = [
        f"{where}:{call.lineno} {ast.unparse(call)}"
        for where, tree in modules()
        if where.startswith("tests/")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"time.sleep", "asyncio.sleep", "sleep"}
        if not _is_brief(call)
    ]
    assert not sleeps


def _is_brief(call: ast.Call) -> bool:
    pause = call.args[0] if call.args else None
    if not isinstance(pause, ast.Constant):
        return isinstance(pause, ast.Name) and pause.id.isupper()
    return isinstance(pause.value, int | float) and pause.value < LONGEST_POLL_S


NAMES_OF_LIBRARIES = frozenset({"process_redirect"})
"""Methods that override a library's own: `websockets.connect.process_redirect`."""


def test_names_say_what_things_are() -> None:
    """Words that could name anything name nothing; the product has none of them."""
    empty = re.compile(r"(?:^|_)(?:manager|helpers?|utils?)(?:$|_)|^_*(?:handle|process)_")
    named = [
        (where, node.name)
        for where, tree in modules()
        if is_shipped(where)
        for node in ast.walk(tree)
        if isinstance(node, Function | ast.ClassDef) and node.name not in NAMES_OF_LIBRARIES
    ]
    spelt = [(where, written, re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", written).lower()) for where, written in named]
    assert not [f"{where} {written}" for where, written, words in spelt if empty.search(words)]
    assert not [where for where, _ in modules() if is_shipped(where) and empty.search(Path(where).stem)]


def test_nothing_is_left_for_later() -> None:
    """Markers of unfinished work do not reach the repository."""
    assert not places(r"\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b")


def test_no_path_of_one_machine() -> None:
    """The repository works wherever it lies."""
    assert not places(r"(?<![\w.}~/])/(?:ho[m]e|ro[o]t|wo[r]k|Us[e]rs)/\w")


def test_no_package_index_is_named() -> None:
    """Where packages come from is the business of the machine."""
    assert not places(r"\bpypi[.]org|python[h]osted|(?:index[-]url|find[-]links|trusted[-]host)\b", but=r"^Makefile$")


def test_documents_lean_on_public_sources_only() -> None:
    """The repository stands alone: what it cites is public or in docs/."""
    assert not places(r"\b(?:guard[.]md|margin[-]math|bitmex[-]protocol|style[.]md|performance[.]md)")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_are_pinned_by_hash(lock: str) -> None:
    """Every package of a lock has one version and at least one hash, and nothing is fetched by address."""
    entries = re.split(r"\n(?=\S)", (REPOSITORY / lock).read_text(encoding="utf-8"))
    packages = [entry for entry in entries if not entry.startswith(("#", "\n")) and entry.strip()]
    assert packages
    assert not [entry.split()[0] for entry in packages if not re.match(r"[a-z0-9-]+==\S+", entry)]
    assert not [entry.split()[0] for entry in packages if "--hash=sha256:" not in entry]
    assert not re.search(r"://|^-", "\n".join(packages), flags=re.MULTILINE)


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.value)
def test_every_reason_is_explained_and_tested(reason: Reason) -> None:
    """Each reason has a heading in the runbook and a test that names it."""
    runbook = text(REPOSITORY / "deploy" / "runbook.md")
    assert f"\n### {reason.value}\n" in runbook
    naming = re.compile(rf"\bReason\.{reason.name}\b|[\"']{reason.value}[\"']")
    assert [path for path in files() if name(path).startswith("tests/") and naming.search(text(path))]
