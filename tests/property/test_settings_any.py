"""Settings files that are almost right, and files that are nothing: settings, or one clear error, and never more."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from hypothesis import example, given
from hypothesis import strategies as st

from config.load import SettingsError, load_settings
from config.model import Settings
from config.tables import NAMED_TABLES, PLAIN_TABLES, POLICY_TABLES, TABLES

_PLACED = re.compile(r": (?P<place>[^ ]+) .*\(line (?P<line>\d+)\)$")
_UNPLACED = ("is not valid TOML", "is not UTF-8", "holds a value too long", "venue.environment is missing")


def _keys_of(kind: Any, prefix: str) -> dict[str, list[str]]:
    """The keys of a part and of the parts in it, by table."""
    hints = get_type_hints(kind)
    keys = {prefix: [field.name for field in fields(kind)]}
    for name in keys[prefix]:
        if isinstance(hints[name], type) and is_dataclass(hints[name]):
            keys |= _keys_of(hints[name], f"{prefix}.{name}")
    return keys


KEYS: dict[str, list[str]] = {
    "venue": ["environment", "rest_url", "realtime_url"],
    "guard": ["observe", "accept_unreadable_rights"],
}
for _name, _kind in {**POLICY_TABLES, **PLAIN_TABLES}.items():
    KEYS |= _keys_of(_kind, _name)
for _name, _kind in NAMED_TABLES.items():
    KEYS |= _keys_of(_kind, f"{_name}.quoter")

VALUES = [
    *(
        "0",
        "1",
        "-1",
        "2.5",
        "100",
        "1e400",
        "-1e999999999",
        "1e-999999999",
        "nan",
        "-inf",
        "9" * 5000,
        "0x" + "f" * 300,
    ),
    *('""', '"on"', '"off"', '"testnet"', '"XBTUSD"', '"a\\u0000b"', '"\\u202e"', '"http://[::1"', '"x://y:99999999"'),
    *("true", "false", "1979-05-27T07:32:00Z", "07:32:00", "[]", "[[]]", "[1, 'a']", "{}", "{ a = 1 }", '"""\n\n"""'),
    *('["freeze", "trim"]', "[" * 90 + "]" * 90, "[" * 3000, "{ a = " * 900, '"' + "x" * 5000 + '"', "'", "="),
    '{ "long" = { XBTUSD = 5 } }',
]
names = st.sampled_from(["unknown", "api_secret", '"quoted key"', '"\\u001b"', '""', "a.b.c", "ключ", "x" * 300])
tables = st.sampled_from([*KEYS, *TABLES, "stopp", '"sto\\u0070"', "bots.two", "bots.a.b", "secret"])


@st.composite
def tables_written(draw: st.DrawFn) -> str:
    """One table, almost right."""
    table = draw(tables)
    known = KEYS.get(table, ["mode"])
    keys = draw(st.lists(st.one_of(st.sampled_from(known), st.sampled_from(known), names), max_size=4))
    brackets = draw(st.sampled_from([("[", "]"), ("[", "]"), ("[", "]"), ("[[", "]]"), ("[", "")]))
    lines = [f"{key} = {draw(st.sampled_from(VALUES))}" for key in keys]
    return "\n".join([f"{brackets[0]}{table}{brackets[1]}", *lines])


documents = st.lists(tables_written(), max_size=4).map("\n".join)
heads = st.sampled_from(['[venue]\nenvironment = "testnet"\n', '\ufeff[venue]\r\nenvironment = "embedded"\r\n', ""])


def _read(content: bytes) -> tuple[str, ...]:
    """Load a file of these bytes; return what is said against it, without its name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seawall.toml"
        path.write_bytes(content)
        try:
            assert isinstance(load_settings(path), Settings)
        except SettingsError as error:
            told = error.problems or ("an error without a word",)
        else:
            told = ()
    assert all(problem.startswith(f"{path}: ") for problem in told)
    return tuple(problem.removeprefix(str(path)) for problem in told)


def _check(content: bytes) -> None:
    lines = content.decode("utf-8", "replace").split("\n")
    for problem in _read(content):
        assert problem.isprintable()
        assert len(problem) <= 1_000
        placed = _PLACED.search(problem)
        if placed is None:
            assert any(words in problem for words in _UNPLACED) or _is_unplaceable(problem, content), problem
        else:
            assert 1 <= int(placed["line"]) <= len(lines)


def _is_unplaceable(problem: str, content: bytes) -> bool:
    """A key that TOML spells in another way than it reads, or whose complaint was cut, has no line to be found by."""
    return b"\\u" in content or b"\xd0" in content or b"[[" in content or problem.endswith("...")


@given(head=heads, document=documents)
@example(head="", document="[stop]\nbuffer_percent = " + "9" * 5000)
@example(head="", document="[stop]\nbuffer_percent = " + "[" * 3000)
@example(head='[venue]\nenvironment = "testnet"\n', document='[bots."\\u0000"]\nid_prefix = "a"')
@example(head='[venue]\nenvironment = "testnet"\n', document="[stop]\nbuffer_percent = 1\nbuffer_percent = 2")
@example(head='[venue]\nenvironment = "testnet"\n', document="[stop]\n[stop]")
def test_a_file_that_is_almost_right_is_settings_or_one_clear_error(head: str, document: str) -> None:
    """Wrong types, huge numbers, odd names, tables twice: each complaint names file, line and key, and fits a line."""
    _check((head + document).encode("utf-8", "surrogatepass"))


@given(content=st.binary(max_size=300))
@example(content=b"\xff\xfe[\x00v\x00")
@example(content=b"\x00")
@example(content=b"a" * 100_000)
@example(content=b"\r" * 1000)
def test_any_bytes_are_settings_or_one_clear_error(content: bytes) -> None:
    """A picture, a program, a file of another encoding: never a traceback."""
    assert _read(content)


def test_every_table_is_played() -> None:
    """A new table of the settings is played too: its keys are read from its type."""
    played: Mapping[str, list[str]] = KEYS
    assert {name.split(".")[0] for name in played} == set(TABLES)
