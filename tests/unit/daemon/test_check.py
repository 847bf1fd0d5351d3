"""`seawall check`, finding by finding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.channels import ChannelKind, ChannelSettings, HeartbeatSettings
from config.ladder import LadderPolicy, Step
from config.metrics import TracingSettings
from config.model import AlertSettings, Settings
from config.policy import Policy
from config.venue import Environment, venue_settings
from connectors.errors import Misconfigured, Unavailable
from daemon import check as check_module
from daemon.check import alert_channels, clock_skew, exit_code, stray_variables, traces
from daemon.checks.findings import Finding, Standing, ok, problem
from daemon.checks.key import key_findings
from daemon.checks.wishes import policy_advice
from daemon.exit_codes import ExitCode
from tests.fakes import FakeOrderEntry, FakeVenue

SETTINGS = Settings(venue=venue_settings(Environment.TESTNET))


async def key_rights(settings: Settings, orders: FakeOrderEntry) -> Finding:
    """The first thing that is said of the key."""
    return (await key_findings(settings, orders))[0]


async def test_a_clock_that_is_off_is_a_problem() -> None:
    """Ten seconds: signed requests would be refused."""
    venue = FakeVenue()
    import time

    venue.now_ns = time.time_ns() + 10_000_000_000
    reached, clock = await clock_skew(SETTINGS, FakeOrderEntry(venue))
    assert reached.standing is Standing.OK
    assert clock.standing is Standing.PROBLEM
    assert "NTP" in clock.text


@pytest.mark.parametrize(
    ("failure", "code"),
    [(Misconfigured("Invalid API Key."), ExitCode.CREDENTIALS), (Unavailable("busy"), ExitCode.VENUE_UNREACHABLE)],
)
async def test_a_key_that_cannot_be_asked_about_is_a_problem(failure: Exception, code: ExitCode) -> None:
    """A wrong key and a busy venue are told apart."""
    venue = FakeVenue()
    venue.failures = [failure]
    assert (await key_rights(SETTINGS, FakeOrderEntry(venue))).code is code


async def test_a_good_key_is_said_to_be_one() -> None:
    """May order, may not withdraw."""
    found = await key_rights(SETTINGS, FakeOrderEntry(FakeVenue()))
    assert (found.standing, found.text) == (Standing.OK, "may place orders and may not withdraw")


def test_a_log_alone_is_advised_against() -> None:
    """It works, and wakes nobody."""
    assert [each.standing for each in alert_channels(SETTINGS)] == [Standing.ADVICE]
    woken = replace(SETTINGS, alerts=AlertSettings(webhook_url="https://example.org/x"))
    assert [each.standing for each in alert_channels(woken)] == [Standing.OK]


def test_a_channel_without_an_address_or_its_package_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: found in the daytime: an empty variable, a file that is not there, an extra that was not installed."""
    monkeypatch.delenv("SEAWALL_TEST_NOWHERE", raising=False)
    monkeypatch.setattr("daemon.shell.alerts.opening.PACKAGES", ("json", "a_package_that_nobody_has"))
    channels = {
        "empty": ChannelSettings(url_env="SEAWALL_TEST_NOWHERE"),
        "gone": ChannelSettings(url_file="nowhere/at/all"),
        "chat": ChannelSettings(kind=ChannelKind.APPRISE, url="tgram://token-of-the-bot/chat"),
        "well": ChannelSettings(kind=ChannelKind.ALERTMANAGER, url="http://127.0.0.1:9093"),
    }
    heartbeat = HeartbeatSettings(url_credential="heartbeat-url")
    found = alert_channels(replace(SETTINGS, alerts=AlertSettings(channels=channels, heartbeat=heartbeat)))
    assert [each.standing for each in found] == [*[Standing.PROBLEM] * 3, Standing.OK, Standing.PROBLEM]
    assert all(each.code is ExitCode.BAD_INPUT for each in found if each.standing is Standing.PROBLEM)
    assert "SEAWALL_TEST_NOWHERE is empty" in found[0].text
    assert "pip install 'seawall[alerts]'" in found[2].text
    assert "token" not in str(found)


def test_traces_without_the_extra_are_advised_against(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks for traces: nothing is said; somebody does, and the packages are missing: what to install."""
    asked = replace(SETTINGS, tracing=TracingSettings(endpoint="http://127.0.0.1:4318/v1/traces"))
    assert traces(SETTINGS) == []
    assert [each.standing for each in traces(asked)] == [Standing.OK]
    monkeypatch.setattr(check_module, "missing_extra", lambda: "pip install 'seawall[tracing]'")
    (found,) = traces(asked)
    assert found.standing is Standing.ADVICE
    assert "seawall[tracing]" in found.text


def test_the_first_problem_names_the_exit_code() -> None:
    """Advice and good news do not."""
    findings = [ok("a", ""), problem("b", "", ExitCode.CREDENTIALS), problem("c", "", ExitCode.BAD_INPUT)]
    assert exit_code(findings) is ExitCode.CREDENTIALS
    assert exit_code(findings[:1]) is ExitCode.OK


def test_a_policy_that_undoes_itself_is_advice_and_no_problem() -> None:
    """A trim behind the stop never comes; the guard works all the same."""
    behind = replace(SETTINGS, policy=Policy(ladder=LadderPolicy(emergency=(Step.ALERT, Step.TRIM))))
    (found,) = policy_advice(behind, 0)
    assert (found.name, found.standing) == ("policy", Standing.ADVICE)
    assert "ladder.emergency: trim" in found.text
    assert exit_code([found]) is ExitCode.OK
    assert policy_advice(SETTINGS, 0) == []


def test_a_variable_that_nobody_reads_is_said() -> None:
    """Somebody set a stop's style for the service, and the guard would never hear of it."""
    (found,) = stray_variables({"SEAWALL_STOP__STYLE": "close", "SEAWALL_SET_LOG__LEVEL": "debug", "SEAWALL_KEY": "k"})
    assert found.standing is Standing.ADVICE
    assert "SEAWALL_STOP__STYLE sets nothing: settings are set by SEAWALL_SET_TABLE__KEY" in found.text
