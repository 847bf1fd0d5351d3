"""`seawall explain`: on one screen, what was known, which rule spoke, what was sent, what the exchange proved and when.

An order is followed by both its ids. What was known is rebuilt the way a restart does it: from the checkpoint of the
segment, event by event up to the one that led to the decision.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import assert_never

import msgspec

from daemon.core.commands import RaiseAlert, VenueCommand
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.journal.known import Known, known_at_record, known_at_time
from daemon.journal.question import AboutName, AboutSymbol, AboutTime, newest_ns, oldest_ns, question_of
from daemon.journal.screen import decision_lines, entry_lines, known_lines
from daemon.journal.segments import Segment, at_ns_of, journal_of
from daemon.journal.subjects import last_decision_about, record_of
from daemon.journal.times import moment
from daemon.journal.trail import Decision, Entry, Trail, names_of
from daemon.journal.words import command_words, printable
from daemon.shell.status import describe_state


def command(options: argparse.Namespace) -> int:
    """Answer one question about a journal."""
    if not options.what.strip():
        raise CommandFailed("say what to explain: an id, a time, or a symbol", ExitCode.USAGE)
    segments = journal_of(options)
    question = question_of(options.what, segments)
    match question:
        case AboutTime(at_ns=at_ns):
            answer = _about_time(segments, at_ns)
        case AboutSymbol(symbol=symbol):
            answer = _about_symbol(segments, symbol)
        case AboutName(name=name):
            answer = _about_name(segments, name)
        case _:
            assert_never(question)
    document, lines = answer
    text = msgspec.json.encode(document).decode() if options.as_json else "\n".join(map(printable, lines))
    sys.stdout.write(text + "\n")
    return ExitCode.OK


_LONGEST_NUMBER = 18
"""Digits of a record's number."""

Answer = tuple[dict[str, object], list[str]]
"""For machines and for people."""


def _about_time(segments: Sequence[Segment], at_ns: int) -> Answer:
    known = known_at_time(segments, at_ns)
    if not known.at_ns and not known.problem:
        reach = f"it reaches from {moment(oldest_ns(segments))} to {moment(newest_ns(segments))}"
        raise CommandFailed(f"the journal knows nothing of {moment(at_ns)}: {reach} (UTC)", ExitCode.BAD_INPUT)
    lines = [f"{moment(at_ns)}: known then (up to record {known.seq}, {moment(known.at_ns)})", *known_lines(known)]
    lines += ["before", *entry_lines(list(known.before), at_ns)] if known.before else []
    lines += ["after", *entry_lines(known.after, at_ns)] if known.after else ["after: nothing of note within the hour"]
    document = {"at": moment(at_ns), **_known(known), "before": _rows(known.before), "after": _rows(known.after)}
    return document, lines


def _about_symbol(segments: Sequence[Segment], symbol: str) -> Answer:
    decision = last_decision_about(segments, symbol)
    if decision is None:
        raise CommandFailed(f"nothing about {symbol} was decided in this journal", ExitCode.BAD_INPUT)
    return _about_decision(segments, decision)


def _about_name(segments: Sequence[Segment], name: str) -> Answer:
    trail = _trail(segments, name)
    if trail.decision is not None:
        return _explained(trail.decision, trail)
    if trail.entries:
        return _foreign(name, trail)
    if name.isascii() and name.isdigit() and len(name) <= _LONGEST_NUMBER:
        found = record_of(segments, int(name))
        if isinstance(found, Decision):
            return _about_decision(segments, found)
        if found is not None:
            return _about_time(segments, at_ns_of(found))
    raise CommandFailed(f"{name}: no order, alert or symbol of that name is in this journal", ExitCode.BAD_INPUT)


def _trail(segments: Sequence[Segment], *names: str) -> Trail:
    """Follow an order. What was said of it before its other name was learned is found the second time."""
    trail = Trail(*names)
    trail.follow(segments)
    if trail.ids == set(names):
        return trail
    again = Trail(*trail.ids)
    again.follow(segments)
    return again


def _about_decision(segments: Sequence[Segment], decision: Decision) -> Answer:
    name = next(names_of(decision.command), "")
    return _explained(decision, _trail(segments, name) if name else None)


def _explained(decision: Decision, trail: Trail | None) -> Answer:
    known = known_at_record(decision.segment, decision.cause.seq)
    entries = [] if trail is None or isinstance(decision.command, RaiseAlert) else trail.entries
    names = [] if trail is None else sorted(trail.ids)
    title = " = ".join(names) or command_words(decision.command)
    lines = [f"{title}, decided {moment(decision.at_ns)}", "why", *decision_lines(decision, known)]
    lines += ["known then", *known_lines(known, decision.symbol)]
    lines += ["sent, and what the exchange proved", *entry_lines(entries, decision.at_ns)] if entries else []
    is_open = isinstance(decision.command, VenueCommand) and all(each.is_ours for each in entries)
    lines += ["  nothing came back: whether it was carried out is not known from this journal"] if is_open else []
    document = {
        "names": names,
        "decided": moment(decision.at_ns),
        "command": type(decision.command).__name__,
        "body": msgspec.to_builtins(decision.command),
        "text": decision.command.text if isinstance(decision.command, RaiseAlert) else command_words(decision.command),
        "cause": {"record": decision.cause.seq, "event": decision.cause.name},
        **_known(known),
        "trail": _rows(entries),
    }
    return document, lines


def _foreign(name: str, trail: Trail) -> Answer:
    """An order that the guard never decided anything about."""
    first = trail.entries[0]
    lines = [f"{name}: not of the guard, which decided nothing about it; first seen {moment(first.at_ns)}"]
    return {"names": sorted(trail.ids), "trail": _rows(trail.entries)}, [
        *lines,
        *entry_lines(trail.entries, first.at_ns),
    ]


def _known(known: Known) -> dict[str, object]:
    state = None if known.state is None else describe_state(known.state, now_ns=known.at_ns)
    return {"known_at": moment(known.at_ns), "known": state, "problem": known.problem or None}


def _rows(entries: Iterable[Entry]) -> list[dict[str, object]]:
    return [{"record": each.seq, "at": moment(each.at_ns), "by": each.by, "text": each.words} for each in entries]
