"""From the journal back to the state, wherever the crash cut it off (P7)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from config.policy import Policy, StopPolicy
from daemon.core.commands import Notify
from daemon.core.errors import InvariantBroken
from daemon.core.events import Started, TimerFired
from daemon.core.memory.interventions import Latch, LatchKind
from daemon.core.state import GuardState
from daemon.core.step import step
from daemon.shell import recover as recover_module
from daemon.shell.journal import OpenCommands
from daemon.shell.journal_file import segment_path, segments_in
from daemon.shell.records import (
    NO_CHAIN,
    Checkpoint,
    encode_checkpoint,
    encode_command,
    encode_event,
    sealed,
)
from daemon.shell.recover import recover
from tests.fakes import SECOND_NS
from tests.lives import Life, a_life

FIRST_SEQ = 41
EARLIER = Path(__file__).parent / "journal-of-an-earlier-build.jsonl"
"""Written by the build before stop rules, latches and day books: a long and a short, each with its stop."""


def as_lines(life: Life) -> tuple[list[bytes], list[tuple[GuardState, tuple[int, ...]]]]:
    """A life as journal lines, and for every line the state and the open commands that must come back from it."""
    start = a_life_start(life)
    raw = msgspec.Raw(msgspec.json.encode(start))
    lines = [encode_checkpoint(FIRST_SEQ, Checkpoint(state=raw, unanswered=(), version="test"))]
    open_commands = OpenCommands()
    expected = [(start, open_commands.ids)]
    for event, state, commands in life.history[1:]:
        lines.append(encode_event(FIRST_SEQ + len(lines), event))
        open_commands.note_event(event)
        for command in commands:
            open_commands.note_command(command)
        expected.append((state, open_commands.ids))
        for command in commands:
            lines.append(encode_command(FIRST_SEQ + len(lines), command))
            expected.append((state, open_commands.ids))
    return lines, expected


def a_life_start(life: Life) -> GuardState:
    """The state after the first event, which is where the journal of these tests begins."""
    return life.history[0][1]


def test_killed_between_any_two_bytes_nothing_is_lost(tmp_path: Path) -> None:
    """P7: the journal is cut at every byte; the state is the one after the last whole event, commands included."""
    lines, expected = as_lines(a_life())
    content = b"".join(lines)
    assert len(lines) > 25
    path = segment_path(tmp_path, FIRST_SEQ)
    ends = [sum(map(len, lines[: number + 1])) for number in range(len(lines))]
    known: dict[int, object] = {}
    for cut in interesting_cuts(ends, len(content)):
        path.write_bytes(content[:cut])
        whole = sum(1 for end in ends if end - 1 <= cut)
        recovered = recover(tmp_path)
        assert recovered.problem is None
        if whole == 0:
            assert recovered.state is None
            continue
        if whole not in known:
            assert (recovered.state, recovered.unanswered) == expected[whole - 1]
            known[whole] = recovered
        assert recovered == known[whole]
        assert recovered.next_seq == FIRST_SEQ + whole
    assert len(known) == len(lines)


def interesting_cuts(ends: list[int], length: int) -> list[int]:
    """Every byte around every line's end, and a byte here and there inside."""
    near = {end + offset for end in ends for offset in (-2, -1, 0, 1, 2, 19)}
    return sorted(cut for cut in near | set(range(0, length, 97)) if 0 <= cut <= length)


def test_recovery_goes_on_from_the_newest_segment(tmp_path: Path) -> None:
    """Two segments: the older is not read, and the numbers go on from the newer."""
    lines, expected = as_lines(a_life())
    segment_path(tmp_path, 1).write_bytes(b"damaged, and nobody looks")
    segment_path(tmp_path, FIRST_SEQ).write_bytes(b"".join(lines))
    recovered = recover(tmp_path)
    assert (recovered.state, recovered.next_seq) == (expected[-1][0], FIRST_SEQ + len(lines))


def test_a_torn_checkpoint_falls_back_to_the_segment_before(tmp_path: Path) -> None:
    """P7: killed while a new segment was begun: its first line is torn, the one before is whole."""
    lines, expected = as_lines(a_life())
    segment_path(tmp_path, FIRST_SEQ).write_bytes(b"".join(lines))
    segment_path(tmp_path, FIRST_SEQ + len(lines)).write_bytes(lines[0][:50])
    recovered = recover(tmp_path)
    assert (recovered.state, recovered.problem) == (expected[-1][0], None)
    assert recovered.next_seq == FIRST_SEQ + len(lines)


def test_damage_is_named_and_what_stands_before_it_is_used(tmp_path: Path) -> None:
    """P7, P12: a damaged record in the middle: file and line are named, ratchets and latches from before it hold."""
    lines, expected = as_lines(a_life())
    lines[5] = lines[5][:30] + b"~" + lines[5][31:]
    segment_path(tmp_path, FIRST_SEQ).write_bytes(b"".join(lines))
    recovered = recover(tmp_path)
    assert (recovered.state, recovered.unanswered) == expected[4]
    assert recovered.problem is not None
    assert "line 6" in recovered.problem
    assert segment_path(tmp_path, FIRST_SEQ).name in recovered.problem
    assert recovered.next_seq > FIRST_SEQ + len(lines)


def test_a_damaged_checkpoint_falls_back_to_the_segment_before(tmp_path: Path) -> None:
    """P7, P12: the newest checkpoint cannot be read, records follow it: the segment before leads to the same state."""
    lines, expected = as_lines(a_life())
    segment_path(tmp_path, FIRST_SEQ).write_bytes(b"".join(lines))
    newest = FIRST_SEQ + len(lines)
    segment_path(tmp_path, newest).write_bytes(b"~" + lines[0] + encode_event(newest + 1, a_life().history[1][0]))
    recovered = recover(tmp_path)
    assert recovered.state == expected[-1][0]
    assert segment_path(tmp_path, newest).name in str(recovered.problem)
    assert recovered.next_seq > newest + 1


def test_the_chain_goes_on_from_the_newest_whole_record(tmp_path: Path) -> None:
    """P9: a restart hangs its first record on the last one that is whole, and on none in a journal without a chain."""
    lines, _ = as_lines(a_life())
    segment_path(tmp_path, FIRST_SEQ).write_bytes(b"".join(lines))
    assert recover(tmp_path).chain == ""
    chain, written = NO_CHAIN.encode(), []
    for number, line in enumerate(lines):
        whole, chain = sealed(line, chain, is_first=number == 0)
        written.append(whole)
    segment_path(tmp_path, FIRST_SEQ).write_bytes(b"".join(written) + b"torn")
    recovered = recover(tmp_path)
    assert (recovered.chain, recovered.problem) == (chain.decode(), None)


def test_an_event_that_breaks_the_core_does_not_keep_the_guard_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: what ended the last process would end the next one too; the guard starts from the venue instead."""
    lines, _ = as_lines(a_life())
    segment_path(tmp_path, FIRST_SEQ).write_bytes(b"".join(lines))

    def broken(*_: object) -> object:
        raise InvariantBroken("two and two are five")

    monkeypatch.setattr(recover_module, "step", broken)
    recovered = recover(tmp_path)
    assert recovered.state is None
    assert "two and two are five" in str(recovered.problem)


def test_a_bug_does_not_end_a_lock_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P7: an event breaks the core of a guard that ran for long: latches, books and requests stay, the view goes."""
    life = a_life()
    latch = Latch(name="daily_loss", kind=LatchKind.FREEZE, text="too much", since_ns=1)
    start = replace(a_life_start(life), latches={"daily_loss": latch})
    poison = TimerFired(at_ns=start.started_ns + 61 * SECOND_NS)
    lines = [
        encode_checkpoint(
            FIRST_SEQ, Checkpoint(state=msgspec.Raw(msgspec.json.encode(start)), unanswered=(), version="x")
        ),
        encode_event(FIRST_SEQ + 1, poison),
    ]
    segment_path(tmp_path, FIRST_SEQ).write_bytes(b"".join(lines))

    def broken(*_: object) -> object:
        raise InvariantBroken("two and two are five")

    monkeypatch.setattr(recover_module, "step", broken)
    recovered = recover(tmp_path)
    assert recovered.state is not None
    assert recovered.state.latches == {"daily_loss": latch}
    assert recovered.state.positions == {}
    assert "two and two are five" in str(recovered.problem)
    assert recovered.next_seq > FIRST_SEQ + 2
    started = step(recovered.state, Started(at_ns=poison.at_ns + 1, account=start.account))
    assert started.state.latches == {"daily_loss": latch}


def test_no_journal_is_no_problem(tmp_path: Path) -> None:
    """The first start, with or without a folder; other files in it are not ours."""
    assert recover(tmp_path / "nowhere").problem is None
    (tmp_path / "journal-x.jsonl").write_text("not ours")
    assert segments_in(tmp_path) == []
    assert recover(tmp_path).state is None


def test_alerts_of_the_last_life_come_along(tmp_path: Path) -> None:
    """P10: an alert that was decided and never got into the outbox file is not lost with the process."""
    life = a_life()
    lines, _ = as_lines(life)
    segment_path(tmp_path, FIRST_SEQ).write_bytes(b"".join(lines))
    raised = [
        (event.at_ns, command)
        for event, _, commands in life.history[1:]
        for command in commands
        if isinstance(command, Notify)
    ]
    assert raised
    assert list(recover(tmp_path).alerts) == raised


def test_a_folder_that_cannot_be_listed_is_a_problem_not_an_end(tmp_path: Path) -> None:
    """A file stands where the journal's folder should be: said, and the guard starts from the venue."""
    (tmp_path / "journal").write_text("in the way")
    recovered = recover(tmp_path / "journal")
    assert recovered.state is None
    assert recovered.problem is not None


def test_a_journal_of_the_build_before_the_rules_is_used(tmp_path: Path) -> None:
    """P7: state, policy and events lack what came since; ratchets and cover are there all the same."""
    segment_path(tmp_path, 57).write_bytes(EARLIER.read_bytes())
    recovered = recover(tmp_path)
    assert recovered.problem is None
    assert recovered.state is not None
    positions = recovered.state.positions
    assert {symbol: str(each.ratchet) for symbol, each in positions.items()} == {"XBTUSD": "55867.6", "ETHUSD": "6099"}
    assert all(each.covered_ns for each in positions.values())


@pytest.mark.parametrize(
    ("written", "was"),
    [
        (b'"buffer_percent":', b'"buffer_was":'),
        (b'"style":"reduce_only"', b'"style":"as_it_was_called"'),
        (b'"buffer_percent":"2"', b'"buffer_percent":"200"'),
        (b'"tiers":{', b'"levels":{'),
    ],
    ids=["renamed field", "renamed value", "stricter check", "renamed table"],
)
def test_a_policy_that_is_no_policy_any_more_costs_neither_latch_nor_ratchet(
    tmp_path: Path, written: bytes, was: bytes
) -> None:
    """P3, P7: today's policy stands in for it, positions count as known from the start, latches hold."""
    life = a_life()
    latch = Latch(name="daily_loss", kind=LatchKind.FREEZE, text="too much", since_ns=1)
    start = replace(a_life_start(life), latches={"daily_loss": latch})
    document = msgspec.json.encode(start).replace(written, was, 1)
    assert was in document
    checkpoint = Checkpoint(state=msgspec.Raw(document), unanswered=(), version="earlier")
    segment_path(tmp_path, FIRST_SEQ).write_bytes(encode_checkpoint(FIRST_SEQ, checkpoint))
    recovered = recover(tmp_path, Policy(stop=StopPolicy(buffer_percent=Decimal(3))))
    assert recovered.problem is None
    assert recovered.state is not None
    assert recovered.state.latches == {"daily_loss": latch}
    assert recovered.next_seq == FIRST_SEQ + 1
