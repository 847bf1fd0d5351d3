"""Unix sockets: private from the first moment, at any length of path, and never taken from somebody who is there."""

from __future__ import annotations

import grp
import os
import socket
from pathlib import Path

import pytest

from daemon.shell.local_socket import SocketTaken, address_of, bound_socket, clear_stale, remove_own


@pytest.mark.parametrize("name", ["s.sock", "x" * 180 + "/s.sock"])
def test_it_is_its_owners_alone_however_long_its_path(tmp_path: Path, name: str) -> None:
    """Mode 0600 whatever the umask; it can be connected to."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    with bound_socket(path) as listener:
        assert path.stat().st_mode & 0o777 == 0o600
        listener.listen()
        with address_of(path) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
            asker.connect(address)


def test_a_name_that_no_address_can_hold_is_said_to_be(tmp_path: Path) -> None:
    """The folder can be reached by its descriptor, the name itself cannot be cut."""
    with pytest.raises(OSError, match="at most 80 bytes"), bound_socket(tmp_path / ("x" * 180)):
        pass


def test_a_group_may_use_it_as_well(tmp_path: Path) -> None:
    """Mode 0660, and the group's."""
    group = grp.getgrgid(os.getgid()).gr_name
    path = tmp_path / "s.sock"
    with bound_socket(path, group=group):
        assert path.stat().st_mode & 0o777 == 0o660
        assert path.stat().st_gid == os.getgid()


def test_a_group_that_has_it_already_costs_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox that forbids chown (systemd's ~@privileged does) keeps nobody from the group of the service itself."""
    monkeypatch.setattr(os, "chown", lambda *_: pytest.fail("chown was called"))
    group = grp.getgrgid(tmp_path.stat().st_gid).gr_name
    with bound_socket(tmp_path / "s.sock", group=group):
        assert (tmp_path / "s.sock").stat().st_mode & 0o777 == 0o660


def test_a_group_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A slip in the settings is no riddle."""
    with (
        pytest.raises(OSError, match="no group called no-such-group"),
        bound_socket(tmp_path / "s.sock", group="no-such-group"),
    ):
        pass


def test_what_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    """Nobody listens there any more."""
    path = tmp_path / "s.sock"
    with bound_socket(path) as listener:
        listener.listen()
    assert path.exists()
    clear_stale(path)
    assert not path.exists()
    clear_stale(path)


def test_a_socket_that_is_answered_is_left_to_whoever_answers(tmp_path: Path) -> None:
    """Two guards that were given the same address: the second must not push the first aside."""
    path = tmp_path / "s.sock"
    with bound_socket(path) as listener:
        listener.listen()
        with pytest.raises(SocketTaken, match="another process listens there"):
            clear_stale(path)
        assert path.exists()


def test_what_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    """A slip in the settings must not cost somebody a file."""
    path = tmp_path / "notes.txt"
    path.write_text("dear diary")
    with pytest.raises(SocketTaken, match="something else"):
        clear_stale(path)
    assert path.read_text() == "dear diary"


def test_only_our_own_is_removed_at_the_end(tmp_path: Path) -> None:
    """A successor may have put its own there in the meantime."""
    path = tmp_path / "s.sock"
    with bound_socket(path):
        inode = path.lstat().st_ino
        path.rename(tmp_path / "old.sock")
        path.write_text("the successor's")
        remove_own(path, inode)
        assert path.exists()
    remove_own(tmp_path / "gone.sock", inode)
