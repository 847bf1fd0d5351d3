"""Who can reach the control API, as `seawall check` says it before the guard runs."""

from __future__ import annotations

import grp
import os
from pathlib import Path

from config.load import load_settings
from daemon.checks.control import control_api
from daemon.exit_codes import ExitCode

TOKENS = {"SEAWALL_READ_TOKEN": "reads-0123456789abcdef", "SEAWALL_OPERATE_TOKEN": "operates-0123456789abcdef"}


def _listening(folder: Path, control: str, environ: dict[str, str] | None = None) -> list[str]:
    """What is said of the control API of these settings."""
    file = folder / "seawall.toml"
    file.write_text(f'[venue]\nenvironment = "testnet"\n[control]\n{control}')
    return [f"{each.standing.value}: {each.text}" for each in control_api(load_settings(file), environ or {})]


def test_where_bots_call_in_is_said_and_checked(tmp_path: Path) -> None:
    """The folder of the socket, its group, and whether that group gets there."""
    group = grp.getgrgid(os.getgid()).gr_name
    assert _listening(tmp_path, "")[0].startswith("ok: bots of this user call in at")
    assert "is not there" in _listening(tmp_path, 'socket = "run/control.sock"')[0]
    (tmp_path / "run").mkdir(mode=0o700)
    inside = 'socket = "run/control.sock"\n'
    assert "no group called no-such" in _listening(tmp_path, f'{inside}group = "no-such"')[0]
    assert "may not enter" in _listening(tmp_path, f'{inside}group = "{group}"')[0]
    (tmp_path / "run").chmod(0o750)
    assert _listening(tmp_path, f'{inside}group = "{group}"')[0].startswith(f"ok: bots of the group {group}")


def test_what_a_group_may_do_is_said(tmp_path: Path) -> None:
    """P11: a setting that lets others operate cannot be overlooked."""
    group = grp.getgrgid(os.getgid()).gr_name
    (tmp_path / "run").mkdir(mode=0o750)
    inside = f'socket = "run/control.sock"\ngroup = "{group}"\n'
    assert _listening(tmp_path, inside)[0].endswith("they may read and say that they live")
    said = _listening(tmp_path, f'{inside}group_may = "operate"')[0]
    assert said.endswith("they may do everything that the guard's own user may")


def test_a_door_that_is_shut_is_said(tmp_path: Path) -> None:
    """Whoever turned it off finds out here, not when a stop has to be moved."""
    assert _listening(tmp_path, "enabled = false")[0].startswith("advice: off: no command")


def test_tcp_needs_tokens_and_says_which_there_are(tmp_path: Path) -> None:
    """P11: missing, short or equal tokens are found before the start; none of them is in the answer."""
    listen = 'listen = "127.0.0.1:8791"'
    assert "needs a token" in _listening(tmp_path, listen)[1]
    file = tmp_path / "seawall.toml"
    assert control_api(load_settings(file), {})[1].code is ExitCode.CREDENTIALS
    said = _listening(tmp_path, listen, TOKENS)
    assert said[1] == "ok: a token to read and one to operate is kept for callers at 127.0.0.1:8791"
    one = {"SEAWALL_READ_TOKEN": TOKENS["SEAWALL_READ_TOKEN"]}
    assert _listening(tmp_path, listen, one)[1].startswith("ok: a token to read is kept")
    same = dict.fromkeys(TOKENS, "the-same-0123456789")
    assert "are the same" in _listening(tmp_path, listen, same)[1]
    assert not any(token in line for token in (*TOKENS.values(), "the-same") for line in said)


def test_a_listener_that_others_reach_is_advised_against(tmp_path: Path) -> None:
    """It is allowed to whoever asks for it by name, and said each time."""
    said = _listening(tmp_path, 'listen = "0.0.0.0:8791"\nallow_remote = true', TOKENS)
    assert said[2].startswith("advice: other machines reach 0.0.0.0:8791")
