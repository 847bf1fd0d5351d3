"""`seawall migrate`: what an older version wrote, once and not twice, and never for the worse."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import fields, replace
from pathlib import Path

import msgspec
import pytest

from config.alerting import Level
from config.load import load_settings
from config.policy import Policy
from daemon.carry_over import KEPT_FIELDS, carried_over
from daemon.cli import main
from daemon.core.memory.alert_book import AlertBook, Fact
from daemon.core.memory.interventions import Latch, LatchKind, Pause, PauseKind
from daemon.core.state import GuardState, decided_by_people_and_rules, initial_state
from daemon.exit_codes import ExitCode
from daemon.migrate import migrated
from daemon.shell.journal_file import segment_path
from daemon.shell.lock import hold_state_folder
from daemon.shell.records import NO_CHAIN, Checkpoint, encode_checkpoint, sealed
from daemon.shell.recover import recover

FIELDS = tuple(each.name for each in fields(GuardState))
PROFILES = sorted((Path(__file__).resolve().parents[3] / "config" / "profiles").glob("*.toml"))
OLD = '# mine\n[venue]\nenvironment = "testnet"\n[control]\n# no bots\nenabled = false  # yet\n[log]\nlevel = "info"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Settings of the first version, with a state folder."""
    file = tmp_path / "seawall.toml"
    file.write_text(OLD)
    file.chmod(0o640)
    (tmp_path / "seawall-state").mkdir(mode=0o700)
    return file


def migrate(path: Path, *words: str, code: int = ExitCode.OK) -> None:
    """Run the command."""
    assert main(["migrate", "--config", str(path), *words]) == code


def test_settings_of_the_first_version_keep_their_door_open(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Commands went past `control.enabled = false` then, and do not now; comments and mode stay, a copy is kept."""
    migrate(path)
    assert load_settings(path).control.enabled
    assert "# no bots\nenabled = true  # yet\n" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    kept = path.with_name("seawall.toml.before-1")
    assert kept.read_text() == OLD
    assert kept.stat().st_mode & 0o777 == 0o640
    assert "control.enabled (line 6)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read (No such file or directory): --config names the settings file to bring to this version"),
        (b"# \xff\n", "is not UTF-8 text: save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_words(
    tmp_path: Path, content: bytes | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped path, or a file of another encoding: one line that says what to do, no number and no byte offset."""
    path = tmp_path / "typo.toml"
    if content is not None:
        path.write_bytes(content)
    migrate(path, code=ExitCode.BAD_INPUT)
    assert capsys.readouterr().err == f"seawall: {path}: {words}\n"


def test_root_leaves_everything_to_whom_it_belonged(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P7: root migrates a service's account; the guard's own user has to read settings, lock and journal afterwards."""
    given: dict[str, tuple[int, int]] = {}
    a_journal(path.parent, locked_out(), positions=[])
    real = Path.stat

    def of_the_service(self: Path, **options: bool) -> os.stat_result:
        found = real(self, **options)
        if self not in owned:
            return found
        return os.stat_result((*found[:4], 997, 996, *found[6:]))

    state = path.parent / "seawall-state"
    owned = [path, state, state / "journal"]
    real_rename = Path.rename

    def rename(self: Path, target: Path) -> Path:
        owned.remove(self)  # what is made in its place is root's
        return real_rename(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(Path, "stat", of_the_service)
    monkeypatch.setattr(os, "chown", lambda made, user, group: given.update({Path(made).name: (user, group)}))
    migrate(path)
    (new,) = (state / "journal").iterdir()
    trial = f".seawall.toml.new-{os.getpid()}"
    assert set(given) == {"seawall.toml.before-1", trial, "lock", "journal", new.name}
    assert set(given.values()) == {(997, 996)}
    assert real(new).st_mode & 0o777 == 0o600


def test_who_cannot_keep_the_owner_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings that only their writer could read afterwards would keep the guard from starting."""

    def refuse(_made: Path, _user: int, _group: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    real = Path.stat
    monkeypatch.setattr(
        Path,
        "stat",
        lambda self, **options: (
            os.stat_result((*(found := real(self, **options))[:4], 997, 996, *found[6:]))
            if self == path
            else real(self, **options)
        ),
    )
    monkeypatch.setattr(os, "chown", refuse)
    migrate(path, code=ExitCode.BAD_INPUT)
    assert "run this as root" in capsys.readouterr().err
    assert path.read_text() == OLD
    assert [each.name for each in path.parent.iterdir() if each.is_file()] == ["seawall.toml"]


def test_the_second_time_there_is_nothing_to_do(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And who closes the door on purpose afterwards is not overruled."""
    migrate(path)
    once = path.read_text()
    _ = capsys.readouterr()
    migrate(path)
    assert capsys.readouterr().out == "nothing to do\n"
    assert path.read_text() == once
    closed = once.replace("enabled = true", "enabled = false")
    assert migrated(closed) == (closed, ())


def test_a_dry_run_changes_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even a copy is made."""
    before = {each: each.read_bytes() for each in path.parent.rglob("*") if each.is_file()}
    migrate(path, "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["dry_run"] is True
    assert len(told["changes"]) == 1
    assert {each: each.read_bytes() for each in path.parent.rglob("*") if each.is_file()} == before


@pytest.mark.parametrize("profile", PROFILES, ids=lambda each: each.stem)
def test_profiles_of_this_version_are_left_alone(profile: Path) -> None:
    """They say which version they are of."""
    assert migrated(profile.read_text()) == (profile.read_text(), ())
    assert "# seawall-settings-version: 2\n" in profile.read_text()


def test_the_mark_stands_behind_the_line_for_editors() -> None:
    """Which has to be the first."""
    text, _ = migrated("#:schema ./x.json\n[control]\nenabled = false\n")
    assert text.startswith("#:schema ./x.json\n# seawall-settings-version: 2\n")


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not there, or is no text."""
    migrate(tmp_path / "nowhere.toml", code=ExitCode.BAD_INPUT)
    assert "nowhere.toml" in capsys.readouterr().err
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    migrate(tmp_path / "x.toml", code=ExitCode.BAD_INPUT)
    assert "x.toml" in capsys.readouterr().err


def test_a_running_daemon_keeps_its_state(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody changes a journal that is being written."""
    with hold_state_folder(path.parent / "seawall-state"):
        migrate(path, code=ExitCode.IN_USE)
    assert "stop it first" in capsys.readouterr().err


def test_the_old_socket_goes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead socket would only puzzle people."""
    folder = path.parent / "seawall-state"
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as old:
        old.bind("status.sock")
    migrate(path)
    assert not (folder / "status.sock").exists()


# ---------------------------------------------------------------------- a journal that is not understood


def a_journal(folder: Path, state: GuardState, **changes: object) -> Path:
    """A journal of one checkpoint, some of its fields as another version wrote them."""
    document = {**msgspec.to_builtins(state), **changes}
    checkpoint = Checkpoint(state=msgspec.Raw(msgspec.json.encode(document)), unanswered=(), version="0.0.1")
    line, _ = sealed(encode_checkpoint(1, checkpoint), NO_CHAIN.encode(), is_first=True)
    journal = folder / "seawall-state" / "journal"
    journal.mkdir(mode=0o700)
    segment_path(journal, 1).write_bytes(line)
    return journal


def locked_out() -> GuardState:
    """A guard that is latched."""
    latch = Latch(name="daily_loss", kind=LatchKind.FREEZE, since_ns=5, text="lost enough for today")
    return replace(initial_state(7, Policy()), now_ns=10, next_command_id=42, latches={"daily_loss": latch})


def test_a_journal_that_is_understood_is_left_alone(path: Path) -> None:
    """Recovery reads it."""
    assert carried_over(a_journal(path.parent, locked_out()), Policy()) is None


def test_a_lock_out_outlives_a_journal_of_another_version(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P7: positions and orders are the venue's to tell; that trading is locked is not."""
    journal = a_journal(path.parent, locked_out(), positions={"XBTUSD": {"shape": "of another version"}})
    assert recover(journal, Policy()).state is None
    migrate(path)
    found = recover(journal, Policy())
    assert found.state is not None
    assert found.problem is None
    assert found.state.latches == locked_out().latches
    assert (found.state.account, found.state.next_command_id) == (7, 42)
    assert found.state.positions == {}
    assert segment_path(journal.with_name("journal.before-1"), 1).exists()
    _ = capsys.readouterr()
    migrate(path)
    assert capsys.readouterr().out == "nothing to do\n"


def test_everything_that_people_and_rules_decided_is_carried_over(path: Path) -> None:
    """P7: a pause, an acknowledgement and a silence too: whatever a damaged journal keeps, an old one keeps."""
    kept = decided_by_people_and_rules(full := GuardState(**{name: object() for name in FIELDS}))
    same = {name for name in FIELDS if getattr(kept, name) is getattr(full, name)}
    assert same == {"account", "policy", *KEPT_FIELDS}
    pause = Pause(kind=PauseKind.PAUSE, who="anna", since_ns=5, until_ns=500, told_ns=5)
    fact = Fact(
        group="distance", topic="tier", state="warn", symbol="XBTUSD", level=Level.WARN, text="near", since_ns=3
    )
    book = AlertBook(facts={"one": replace(fact, acknowledged_rank=2)})
    before = replace(locked_out(), pause=pause, people=book)
    journal = a_journal(path.parent, before, positions=[])
    migrate(path)
    found = recover(journal, Policy()).state
    assert found is not None
    assert (found.pause, found.people) == (pause, book)


def test_what_is_not_understood_of_it_is_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """P12: the day's books are of another shape: everything else is carried over."""
    journal = a_journal(path.parent, locked_out(), positions=[], day_books={"XBt": 5})
    migrate(path, "--dry-run")
    assert capsys.readouterr().out.endswith("left out: day_books\n")
    migrate(path)
    found = recover(journal, Policy()).state
    assert found is not None
    assert found.latches == locked_out().latches
