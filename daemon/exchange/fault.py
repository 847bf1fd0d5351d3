"""`seawall exchange fault`: break something in a running exchange, and mend it.

Talks to the control API of the exchange that `--control` names, or of the only one this user has running.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from daemon.exchange import beacon
from daemon.exit_codes import CommandFailed, ExitCode

_DEADLINE_S = 10.0


def list_faults(control: str | None, *, as_json: bool) -> int:
    """Show what is set and what can be.

    Raises:
        CommandFailed: If no exchange answers.
    """
    shown = _asked("GET", control, "/faults")
    sys.stdout.write(json.dumps(shown) + "\n" if as_json else _in_words(shown))
    return ExitCode.OK


def set_fault(control: str | None, name: str, pairs: Sequence[str]) -> int:
    """Set a fault; `pairs` are its fields and parameters as `key=value`.

    Raises:
        CommandFailed: If a pair is none, no exchange answers, or it refuses the fault.
    """
    fields = dict(_pair(one) for one in pairs)
    done = _asked("POST", control, "/faults", {"name": name, **fields})
    sys.stdout.write(f"fault {done['number']} is set: {name}\n")
    return ExitCode.OK


def clear_faults(control: str | None, name: str | None) -> int:
    """Clear the faults of a name (or the one of a number), or all.

    Raises:
        CommandFailed: If no exchange answers, or there is no such fault.
    """
    which = {} if name is None else {"number" if name.isdigit() else "name": name}
    done = _asked("DELETE", control, "/faults", which)
    sys.stdout.write(f"cleared: {done['cleared']}\n")
    return ExitCode.OK


def _asked(verb: str, control: str | None, path: str, fields: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
    url = _only(beacon.found()) if control is None else control
    try:
        answer = httpx.request(verb, f"{url.rstrip('/')}{path}", json=fields, timeout=_DEADLINE_S, trust_env=False)
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        why = str(error) or type(error).__name__
        raise CommandFailed(f"no exchange answers at {url}: {why}", ExitCode.VENUE_UNREACHABLE) from error
    if answer.is_error:
        raise CommandFailed(str(body["error"]["message"]), ExitCode.BAD_INPUT)
    return body


def _only(urls: Sequence[str]) -> str:
    if len(urls) == 1:
        return urls[0]
    if not urls:
        raise CommandFailed(
            "no exchange is running; start one with `seawall exchange`, or name its control API with --control",
            ExitCode.VENUE_UNREACHABLE,
        )
    raise CommandFailed(f"several exchanges are running; choose one with --control: {' '.join(urls)}", ExitCode.USAGE)


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise CommandFailed(f"write key=value, not {text!r}", ExitCode.USAGE)
    return key, value


def _in_words(shown: Mapping[str, Any]) -> str:
    lines = [_active(one) for one in shown["active"]] or ["no fault is set"]
    for kind in shown["catalogue"]:
        once = "" if kind["count"] is None else f" ({kind['count']} time unless count= says otherwise)"
        lines.append(f"{kind['name']:<22} {kind['place']:<7} {kind['meaning']}{once}")
        lines += [f"{'':<31}{_parameter(one)}" for one in kind["parameters"]]
    return "\n".join(lines) + "\n"


def _active(one: Mapping[str, Any]) -> str:
    fields = {**one["scope"], **one["parameters"]}
    count = "" if one["count"] is None else f" of {one['count']}"
    state = "" if one["is_on"] else ", not on"
    words = " ".join([one["name"], *(f"{key}={value}" for key, value in fields.items())])
    return f"{one['number']:>3}. {words}: bitten {one['hits']}{count}{state}"


def _parameter(one: Mapping[str, Any]) -> str:
    choices = f" ({'|'.join(one['choices'])})" if one["choices"] else ""
    return f"{one['name']}={one['default']}{choices}  {one['meaning']}"
