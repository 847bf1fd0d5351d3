"""The demo from first process to exit code.

    exchange (child) ──> two accounts, one with the daemon (child) ──> tape plays ──> record ──> verdict ──> report

Both children are real processes on loopback and are started again when they die; this process is the bot of both
accounts, the receiver of alerts, and the witness. `stage.py` sets up, `play.py` plays and watches, `verdict.py` judges,
`summary.py` and `report.py` tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from daemon.demo.bot import BotRefused
from daemon.demo.children import ChildFailed
from daemon.demo.options import DemoOptions
from daemon.demo.play import play
from daemon.demo.programme import Programme, programme_of
from daemon.demo.record import Result
from daemon.demo.report import report_html
from daemon.demo.screen import Screen, choose_screen
from daemon.demo.stage import set_up
from daemon.demo.summary import as_object, table
from daemon.demo.verdict import judge
from daemon.exit_codes import CommandFailed, ExitCode

REPORT_NAME = "seawall-demo.html"


def run_demo(options: DemoOptions) -> int:
    """Run one demo and print what came of it; return the exit code.

    Raises:
        CommandFailed: If it could not be run: bad input, a folder that cannot be written, a child that will not start.
    """
    programme = programme_of(options)
    report = _report_path(options)
    with _folder(options.keep) as folder:
        screen = choose_screen(sys.stderr if options.as_json else sys.stdout, plain=options.plain)
        try:
            result = asyncio.run(_interruptible(options, programme, folder, screen))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        except ChildFailed as failure:
            raise CommandFailed(str(failure), failure.code) from failure
        except BotRefused as refusal:
            raise CommandFailed(str(refusal), ExitCode.BROKEN) from refusal
        except BrokenPipeError:
            raise  # whoever read our output went away; `main` knows
        except OSError as error:  # a full disk, above all
            raise CommandFailed(
                f"the demo cannot write: {error.strerror}; its folder is {folder}", ExitCode.BAD_INPUT
            ) from error
    _write(report, report_html(result))
    if options.as_json:
        sys.stdout.write(msgspec.json.encode(as_object(result, str(report))).decode() + "\n")
    else:
        sys.stdout.write("\n".join([*table(result), f"report: {report}"]) + "\n")
    return result.verdict.value


async def _interruptible(options: DemoOptions, programme: Programme, folder: Path, screen: Screen) -> Result:
    """Run the demo; SIGTERM ends it like SIGINT, with both children stopped."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        async with AsyncExitStack() as stack:
            screen.say(
                f"starting the exchange and the guard; {programme.title} will play for about {programme.real_s:.0f} s"
            )
            stage = await set_up(options, folder, stack)
            await stage.wait_guarding()
            record = await play(stage, programme, screen)
    except* (ChildFailed, BotRefused, OSError) as failures:
        raise _first(failures) from None
    return judge(record)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _report_path(options: DemoOptions) -> Path:
    """Find out before anything is started whether the report can be written."""
    report = (options.report or (options.keep or Path.cwd()) / REPORT_NAME).absolute()
    if options.keep is None or options.keep.absolute() not in report.parents:
        _require_writable(report)
    return report


def _require_writable(report: Path) -> None:
    try:
        is_new = not report.exists()
        with report.open("ab"):
            pass
        if is_new:
            report.unlink()
    except OSError as error:
        raise _unwritable(report, error) from error


def _write(report: Path, page: str) -> None:
    try:
        report.write_text(page, encoding="utf-8")
    except OSError as error:
        raise _unwritable(report, error) from error


def _unwritable(report: Path, error: OSError) -> CommandFailed:
    return CommandFailed(
        f"the report cannot be written to {report}: {error.strerror}; name another file with --report",
        ExitCode.BAD_INPUT,
    )


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder of this run: the one to keep, which must be new or empty, or a temporary one."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="seawall-demo-") as folder:
            yield Path(folder)
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        is_empty = not any(keep.iterdir())
    except OSError as error:
        raise CommandFailed(f"--keep {keep}: {error.strerror}", ExitCode.BAD_INPUT) from error
    if not is_empty:
        raise CommandFailed(f"--keep {keep}: the folder is not empty; name a new one", ExitCode.BAD_INPUT)
    yield keep.absolute()
