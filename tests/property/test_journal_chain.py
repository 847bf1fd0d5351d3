"""Whatever is done to a journal's files, verify says so, or says that the end is torn (P7, P9)."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.journal.segments import find
from daemon.journal.verify import Findings, verify
from tests.unit.daemon.journal.written import write_journal

Files = dict[str, list[bytes]]
"""Lines by file name."""


@cache
def the_files() -> tuple[tuple[str, bytes], ...]:
    """The files of a journal, oldest first."""
    with tempfile.TemporaryDirectory() as folder:
        return tuple((path.name, path.read_bytes()) for path in write_journal(Path(folder), rotate_every=6))


def as_lines() -> Files:
    """The same, cut into lines."""
    return {name: content.splitlines(keepends=True) for name, content in the_files()}


def checked(contents: dict[str, bytes]) -> Findings:
    """What verify finds in files like these."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            (Path(folder) / name).write_bytes(content)
        return verify(find(Path(folder)))


def joined(files: Files) -> dict[str, bytes]:
    """Lines as files."""
    return {name: b"".join(lines) for name, lines in files.items()}


def place(data: st.DataObject) -> tuple[int, str]:
    """A file, by its place and name."""
    names = [name for name, _ in the_files()]
    number = data.draw(st.integers(min_value=0, max_value=len(names) - 1))
    return number, names[number]


def newest() -> str:
    """The name of the newest file: only its end may be torn."""
    return the_files()[-1][0]


def test_what_nobody_touched_is_whole() -> None:
    """The yardstick of the others."""
    assert checked(dict(the_files())) == verify_nothing_wrong()


def verify_nothing_wrong() -> Findings:
    """The findings of a whole journal."""
    found = checked(dict(the_files()))
    assert not found.damage
    assert not found.notes
    assert len(the_files()) > 3
    return found


@settings(max_examples=150)
@given(st.data())
def test_a_changed_byte_is_named_or_the_end_is_torn(data: st.DataObject) -> None:
    """Any byte of any file: a checksum, a number, a chain, a line end, a body."""
    _, name = place(data)
    contents = {each: bytearray(content) for each, content in the_files()}
    at = data.draw(st.integers(min_value=0, max_value=len(contents[name]) - 1))
    contents[name][at] ^= data.draw(st.integers(min_value=1, max_value=255))
    found = checked({each: bytes(content) for each, content in contents.items()})
    if name == newest() and not found.damage:
        assert any("unfinished" in note for note in found.notes)
    elif not found.damage:  # the last line end of an older file says nothing
        assert at == len(contents[name]) - 1
    else:
        assert name in found.damage[0] or name < found.damage[0].split(":")[0]


@settings(max_examples=80)
@given(st.data())
def test_a_dropped_line_is_named_or_is_the_very_end(data: st.DataObject) -> None:
    """Any record of any file but the newest of all, after which nothing tells."""
    _, name = place(data)
    files = as_lines()
    at = data.draw(st.integers(min_value=0, max_value=len(files[name]) - 1))
    is_very_end = name == newest() and at == len(files[name]) - 1
    del files[name][at]
    assert bool(checked(joined(files)).damage) != is_very_end


@settings(max_examples=80)
@given(st.data())
def test_swapped_or_repeated_lines_are_named(data: st.DataObject) -> None:
    """Two records of a file change places, or one stands twice."""
    _, name = place(data)
    files = as_lines()
    lines = files[name]
    one = data.draw(st.integers(min_value=0, max_value=len(lines) - 1))
    if len(lines) > 1 and data.draw(st.booleans()):
        other = data.draw(st.integers(min_value=0, max_value=len(lines) - 1).filter(lambda number: number != one))
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines.insert(data.draw(st.integers(min_value=0, max_value=len(lines))), lines[one])
    assert checked(joined(files)).damage


@settings(max_examples=80)
@given(st.data())
def test_a_record_in_another_file_is_named(data: st.DataObject) -> None:
    """A record is moved from one file to any place of another."""
    _, name = place(data)
    _, target = place(data)
    files = as_lines()
    moved = files[name].pop(data.draw(st.integers(min_value=0, max_value=len(files[name]) - 1)))
    if name != target:
        files[target].insert(data.draw(st.integers(min_value=0, max_value=len(files[target]))), moved)
        assert checked(joined(files)).damage


@settings(max_examples=80)
@given(st.data())
def test_a_cut_at_any_byte_is_a_torn_tail_of_the_newest_and_damage_elsewhere(data: st.DataObject) -> None:
    """Killed while it wrote; or an older file was shortened, which the next one shows."""
    _, name = place(data)
    contents = dict(the_files())
    cut = data.draw(st.integers(min_value=1, max_value=len(contents[name]) - 2))
    contents[name] = contents[name][:cut]
    found = checked(contents)
    assert bool(found.damage) == (name != newest())


@settings(max_examples=40)
@given(st.data())
def test_a_removed_file_is_named_or_an_end(data: st.DataObject) -> None:
    """Any file but the oldest, which may have been pruned, and the newest, after which nothing tells."""
    number, name = place(data)
    contents = dict(the_files())
    del contents[name]
    is_end = number in {0, len(the_files()) - 1}
    assert bool(checked(contents).damage) != is_end
