"""Where a journal is, and its lines one at a time.

A journal may be that of a daemon that runs: it is only ever read, the newest segment may grow meanwhile and the oldest
may go. Memory is that of the longest line, whatever the length of the journal.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from daemon.exit_codes import CommandFailed, ExitCode
from daemon.inputs import read_settings
from daemon.shell.journal_file import first_seq_of, segments_in
from daemon.shell.records import Kind, Record, SegmentReader

FOLDER: Final = "journal"
"""Below the state folder."""
LONGEST_LINE: Final = 64 * 1024 * 1024
"""Twice what the daemon would ever hold back: a longer line is no record, and is read in pieces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One file of a journal."""

    first_seq: int | None
    """As its name says; None if it is named otherwise."""
    path: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


def journal_of(options: argparse.Namespace) -> list[Segment]:
    """Return the segments that the command line names, oldest first.

    Raises:
        CommandFailed: If there is no journal.
    """
    if options.config is not None:
        return find(Path(read_settings(options.config).state.directory))
    return find(options.journal)


def folder_of(options: argparse.Namespace) -> Path:
    """Return the folder of the journal that the command line names.

    Raises:
        CommandFailed: If there is no journal, or a single file is named.
    """
    segments = journal_of(options)
    if options.config is None and options.journal.is_file():
        raise CommandFailed(f"{options.journal} is one file; name the folder that it is in", ExitCode.BAD_INPUT)
    return segments[0].path.parent


def find(path: Path) -> list[Segment]:
    """Return the segments of a journal's folder, of a state folder, or the one file that is named, oldest first.

    Raises:
        CommandFailed: If there is none.
    """
    try:
        if path.is_file():
            return [Segment(first_seq=first_seq_of(path), path=path)]
        if not path.is_dir():
            raise CommandFailed(f"{path}: there is no such file or folder", ExitCode.BAD_INPUT)
        named = segments_in(path) or segments_in(path / FOLDER)
    except OSError as error:
        raise CommandFailed(f"{path}: cannot be read ({error.strerror})", ExitCode.BAD_INPUT) from error
    if not named:
        raise CommandFailed(f"{path}: no journal is here (no file called journal-*.jsonl)", ExitCode.BAD_INPUT)
    return [Segment(first_seq=first_seq, path=segment) for first_seq, segment in named]


def reader_of(segment: Segment) -> SegmentReader:
    """Return what reads a segment, record by record."""
    return SegmentReader(lines_of(segment.path), origin=segment.name)


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file without their ends; none if the file was removed meanwhile.

    Raises:
        CommandFailed: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE):
                yield line.removesuffix(b"\n")
    except FileNotFoundError:
        return  # the daemon, or a prune, took the oldest away
    except OSError as error:
        raise CommandFailed(f"{path}: cannot be read ({error.strerror})", ExitCode.BAD_INPUT) from error


class _At(msgspec.Struct):
    at_ns: int = 0
    now_ns: int = 0


class _Held(msgspec.Struct):
    state: _At


def at_ns_of(record: Record) -> int:
    """When an event happened, or up to when a checkpoint's state goes; 0 for a command: it goes with its event."""
    try:
        match record.kind:
            case Kind.EVENT:
                return msgspec.json.decode(record.body, type=_At).at_ns
            case Kind.CHECKPOINT:
                return msgspec.json.decode(record.body, type=_Held).state.now_ns
            case Kind.COMMAND:
                return 0
    except msgspec.MsgspecError:
        return 0
