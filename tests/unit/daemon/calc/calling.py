"""Runs a `seawall` command in this process and returns what came of it."""

from __future__ import annotations

import io
import json
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from daemon.cli import main


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """Exit code and output of one command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The output of `--json`, numbers exact."""
        read: dict[str, Any] = json.loads(self.out, parse_float=Decimal)
        return read


def call(line: str) -> Called:
    """Run `seawall` with the arguments of a command line."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(shlex.split(line))
        except SystemExit as done:
            code = int(str(done.code))
    return Called(code=code, out=out.getvalue(), err=err.getvalue())


def answer(line: str) -> dict[str, Any]:
    """Run a command with `--json` that has to succeed."""
    called = call(f"{line} --json")
    assert called.code == 0, called.err
    return called.json


def refused(line: str) -> str:
    """Run a command that has to fail in one line; return the line."""
    called = call(line)
    assert called.code != 0
    assert called.out == ""
    assert called.err.count("\n") == 1
    return called.err
