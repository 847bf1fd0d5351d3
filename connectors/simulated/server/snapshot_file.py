"""A snapshot on disk: one line that says what it belongs to, one line of state.

Why: a state fits only an exchange of the same seed, accounts, tape and switches; a file that does
not fit is refused with one line before anything is changed. A file is whole or not there: it is
written beside its place, synced, and renamed.

Units: sizes in bytes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

VERSION = 2
PRIVATE_FILE = 0o600


class StateError(Exception):
    """What is on disk cannot be used; the text says why and what to do."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a snapshot, and of a journal.

    Attributes:
        version: Of the format.
        settings: What has to be the same each time, by name.
        number: Of this snapshot, or of the one that the journal goes on from.
    """

    version: int
    settings: dict[str, str]
    number: int = 0


def read_header(path: Path, line: bytes, settings: Mapping[str, str]) -> Header:
    """Return the header that a first line is.

    Raises:
        StateError: If it is none, of another version, or written under other settings.
    """
    try:
        header = msgspec.json.decode(line, type=Header)
    except msgspec.DecodeError as error:
        raise StateError(f"{path}: not written by an exchange") from error
    if header.version != VERSION:
        raise StateError(f"{path}: written by another version; move the folder away to start anew")
    for name, value in settings.items():
        written = header.settings.get(name)
        if written != value:
            raise StateError(f"{path}: written with {name} {written}, not {value}; use the same or another folder")
    return header


def read_snapshot(path: Path, settings: Mapping[str, str]) -> tuple[Header, bytes]:
    """Return header and state of a snapshot.

    Args:
        path: The file.
        settings: What has to be the same as when it was written; empty to read any.

    Raises:
        StateError: If it cannot be read, is damaged, or does not fit.
    """
    try:
        first, end, rest = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise StateError(f"{path}: cannot be read: {error.strerror}") from error
    header = read_header(path, first, settings)
    if not end or not rest.endswith(b"\n"):
        raise StateError(f"{path}: not a whole snapshot")
    return header, rest[:-1]


def file_of(header: Header, document: bytes) -> bytes:
    """Return a snapshot as it is on disk."""
    return b"".join((msgspec.json.encode(header), b"\n", document, b"\n"))


def write_beside(path: Path, header: Header, document: bytes) -> Path:
    """Write a snapshot to a file beside its place and sync it; return that file, to be renamed by `put_in_place`.

    Raises:
        OSError: If the disk refuses; nothing is left behind then.
    """
    beside = path.with_name(f"{path.name}.new")
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
        with open(file, "wb") as out:  # noqa: PTH123 - of a descriptor, for the file's mode
            out.write(file_of(header, document))
            out.flush()
            os.fsync(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return beside


def put_in_place(beside: Path, path: Path) -> None:
    """Give a file that was written beside its place its name, for good.

    Raises:
        OSError: If the disk refuses; the old file may or may not be there then.
    """
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
