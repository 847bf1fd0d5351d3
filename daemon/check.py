"""`seawall check`: can this guard work? Says of each thing "ok" or what is wrong and what to do. Sends no order.

The checks run in the order in which they can be understood: settings, policy (with a rehearsal on an exchange inside
this process), the machine, channels, credentials, then the venue with that key.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from config.addresses_from import AddressError, load_address
from config.channels import ChannelKind, ChannelSettings
from config.credentials import Credentials
from config.load import SettingsError, load_settings
from config.model import Settings
from config.overrides import PREFIX, strays_in
from config.secrets_from import CredentialsError, load_credentials
from connectors.errors import VenueError
from connectors.ports import OrderEntry
from daemon.app import BitmexPorts
from daemon.checks.control import control_api
from daemon.checks.findings import Finding, Standing, advice, ok, problem
from daemon.checks.key import contracts, key_findings
from daemon.checks.machine import machine
from daemon.checks.restart import pauses_on_this_machine, switch_timeout
from daemon.checks.wishes import wishes
from daemon.exit_codes import ExitCode
from daemon.reach import Streams, stream_problems
from daemon.shell.alerts.opening import channels_of, missing_packages
from daemon.shell.clock import SystemClock
from daemon.shell.health import SkewGauge
from daemon.shell.tracing.opening import missing_extra


async def check(path: Path) -> list[Finding]:
    """Return the findings for one settings file, as far as they can be made."""
    try:
        settings = load_settings(path, os.environ)
    except SettingsError as error:
        return [problem("settings", each, ExitCode.BAD_INPUT) for each in error.problems]
    findings = [
        ok("settings", f"{path} is understood"),
        *stray_variables(os.environ),
        *wishes(settings, SystemClock().wall_ns()),
        switch_timeout(settings, pauses_on_this_machine(path.stem)),
        *machine(settings, path),
        *alert_channels(settings),
        *traces(settings),
        *control_api(settings),
    ]
    try:
        credentials = load_credentials(settings.credentials)
    except CredentialsError as error:
        return [*findings, problem("credentials", str(error), ExitCode.CREDENTIALS)]
    findings.append(ok("credentials", f"key {credentials.key_id} and its secret were found"))
    return [*findings, *await ask_venue(settings, credentials)]


def stray_variables(environ: Mapping[str, str]) -> list[Finding]:
    """A variable that somebody takes for a setting, and that nobody reads."""
    return [
        advice("settings", f"the variable {name} sets nothing: settings are set by {PREFIX}TABLE__KEY")
        for name in strays_in(environ)
    ]


async def ask_venue(settings: Settings, credentials: Credentials) -> list[Finding]:
    """Return what the venue has to say: reachability, clock, rights of the key, streams."""
    ports = BitmexPorts(settings, credentials, SystemClock())
    orders = ports.order_entry()
    try:
        findings = await clock_skew(settings, orders)
        if not findings[0].code:
            findings += await key_findings(settings, orders)
        if not any(each.code for each in findings):
            findings += [*await contracts(settings, orders), await both_streams(settings, ports)]
        return findings
    finally:
        await orders.close()


async def clock_skew(settings: Settings, orders: OrderEntry) -> list[Finding]:
    """Reach the venue and compare clocks."""
    url = settings.venue.rest_url
    try:
        skew_ns = await SkewGauge(orders=orders, clock=SystemClock()).measure()
    except VenueError as error:
        text = f"{url} cannot be reached: {error.reason}: is the address right, and is the exchange up?"
        return [problem("venue", text, ExitCode.VENUE_UNREACHABLE)]
    skew_s, limit_s = skew_ns / 1e9, float(settings.policy.health.max_clock_skew_s)
    reached = ok("venue", f"{url} answers")
    if abs(skew_s) > limit_s:
        text = f"this machine's clock is {skew_s:+.2f} s off the exchange's (limit {limit_s:g} s): let NTP set it"
        return [reached, problem("clock", text, ExitCode.BAD_INPUT)]
    return [reached, ok("clock", f"within {abs(skew_s):.2f} s of the exchange's (limit {limit_s:g} s)")]


async def both_streams(settings: Settings, streams: Streams) -> Finding:
    """Open the streams of prices and of the account."""
    problems = await stream_problems(streams)
    if not problems:
        return ok("streams", f"{settings.venue.realtime_url} shows prices and the account")
    words = "; ".join(f"{feed.value}: {why}" for feed, why in problems.items())
    text = f"{settings.venue.realtime_url} does not serve both streams ({words}): is the address right?"
    return problem("streams", text, ExitCode.VENUE_UNREACHABLE)


def alert_channels(settings: Settings) -> list[Finding]:
    """Alerts that only a log gets wake nobody; those of a channel without an address wake nobody either."""
    channels = channels_of(settings.alerts)
    if not channels:
        text = "go to the log only: add [alerts.channels.NAME] if people are to be woken"
        return [advice("alerts", text)]
    findings = [_alert_channel(name, each) for name, each in channels.items()]
    if settings.alerts.heartbeat.is_on:
        try:
            _ = load_address(settings.alerts.heartbeat)
        except AddressError as error:
            findings.append(problem("heartbeat", str(error), ExitCode.BAD_INPUT))
        else:
            findings.append(ok("heartbeat", "a service outside is pinged while the guard sees and acts"))
    return findings


def traces(settings: Settings) -> list[Finding]:
    """Whether traces can be made, where the settings ask for them."""
    if settings.tracing.endpoint is None:
        return []
    missing = missing_extra()
    if missing is not None:
        return [advice("tracing", f"{missing}; the guard works without traces")]
    return [ok("tracing", f"each request is traced to {settings.tracing.endpoint}")]


def _alert_channel(name: str, channel: ChannelSettings) -> Finding:
    try:
        _ = load_address(channel)
    except AddressError as error:
        return problem("alerts", f"channel {name}: {error}", ExitCode.BAD_INPUT)
    missing = missing_packages() if channel.kind is ChannelKind.APPRISE else None
    if missing is not None:
        return problem("alerts", f"channel {name}: {missing}", ExitCode.BAD_INPUT)
    return ok("alerts", f"go to the channel {name} ({channel.kind.value}); `seawall alert test {name}` tries it")


def exit_code(findings: list[Finding]) -> ExitCode:
    """Return the code of the first problem."""
    return next((each.code for each in findings if each.standing is Standing.PROBLEM), ExitCode.OK)


def write_findings(findings: list[Finding], *, as_json: bool) -> None:
    """Write the answer to standard output."""
    if as_json:
        rows = [{"name": each.name, "standing": each.standing.value, "text": each.text} for each in findings]
        answer = {"ok": exit_code(findings) is ExitCode.OK, "exit_code": int(exit_code(findings)), "findings": rows}
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
        return
    width = max(len(each.name) for each in findings)
    for each in findings:
        sys.stdout.write(f"{each.standing.value:<8} {each.name:<{width}}  {each.text}\n")
