"""The single checks: the machine, wishes that cannot come true, the key, and the rehearsal."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config.control import ControlSettings
from config.impossible import ContractFacts, below_a_tick, impossible
from config.ladder import LadderPolicy, Step
from config.load import load_settings
from config.metrics import MetricsSettings
from config.model import Settings, StateSettings
from config.policy import FixedPolicy, HealthPolicy, Policy, StopPolicy, SwitchMode, SwitchPolicy
from config.venue import Environment, venue_settings
from connectors.errors import Misconfigured
from connectors.ports import KeyRights
from daemon.backtest.rehearsal import rehearse
from daemon.checks.findings import Standing
from daemon.checks.key import allow_list, contracts, key_findings
from daemon.checks.machine import disk_speed, free_ports, free_space, settings_file, state_folder
from daemon.checks.wishes import policy_problems, rehearsal
from daemon.shell.lock import hold_state_folder
from tests.builders import a_position, an_instrument
from tests.fakes import FakeOrderEntry, FakeVenue

PROFILES = sorted((Path(__file__).resolve().parents[4] / "config" / "profiles").glob("*.toml"))
D = Decimal
SETTINGS = Settings(venue=venue_settings(Environment.TESTNET))


def with_policy(**parts: Any) -> Settings:
    """Settings with another policy."""
    return replace(SETTINGS, policy=Policy(**parts))


# ---------------------------------------------------------------------- wishes


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_every_profile_can_work(profile: Path) -> None:
    """No wish of a profile is impossible, and each covers a position in the rehearsal."""
    settings = load_settings(profile)
    assert list(policy_problems(settings)) == []
    assert rehearsal(settings).standing is Standing.OK


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy(switch=SwitchPolicy(timeout_s=D(14))), "shorter than two feeds"),
        (
            Policy(switch=SwitchPolicy(timeout_s=D(30)), health=HealthPolicy(stale_after_s=D(30))),
            "before a silent stream counts as stale",
        ),
        (Policy(stop=StopPolicy(buffer_percent=D(3), floor_percent=D("2.5"))), "leaves positions above 20x"),
        (
            Policy(ladder=LadderPolicy(watch=(Step.FLATTEN,), critical=(Step.TRIM,))),
            "ladder.watch flattens, so ladder.critical (trim) finds no position",
        ),
        (Policy(health=HealthPolicy(stale_after_s=D(5))), "every quiet minute would count as blind; write 12"),
        (Policy(health=HealthPolicy(max_clock_skew_s=D(10))), "every request would be refused"),
        (Policy(health=HealthPolicy(reconcile_every_s=D("0.1"))), "more often than the request budget"),
        (Policy(health=HealthPolicy(max_loop_lag_s=D("1e9"))), "would not notice in time: write 30 or less"),
        (Policy(stop=StopPolicy(confirm_within_s=D(3600))), "would not notice in time: write 30 or less"),
    ],
)
def test_what_cannot_work_is_named_with_its_keys(policy: Policy, words: str) -> None:
    """Each value is allowed by itself; together there would be no protection."""
    found = impossible(policy, SETTINGS.venue)
    assert any(words in each for each in found)
    assert all("." in each.split(" ")[0] for each in found)


def test_what_is_written_instead_works() -> None:
    """The time-out that the complaint about two feeds names is long enough."""
    (told, *_) = impossible(Policy(switch=SwitchPolicy(timeout_s=D(14))), SETTINGS.venue)
    wanted = D(told.rpartition("write ")[2].removesuffix(" or more"))
    assert not impossible(Policy(switch=SwitchPolicy(timeout_s=wanted)), SETTINGS.venue)


def test_a_switch_that_is_off_needs_no_time() -> None:
    """Nothing counts down."""
    assert not impossible(Policy(switch=SwitchPolicy(mode=SwitchMode.OFF, timeout_s=D(10))), SETTINGS.venue)


def test_the_same_flatten_at_a_graver_tier_is_no_mistake() -> None:
    """Again, if the first one failed."""
    assert not impossible(
        Policy(ladder=LadderPolicy(critical=(Step.FLATTEN,), emergency=(Step.FLATTEN,))), SETTINGS.venue
    )


def test_a_stop_nearer_than_a_tick_is_impossible() -> None:
    """The exchange has no price there; the complaint says how much is needed."""
    coarse = ContractFacts(symbol="COARSE", tick_size=D(1), price=D(20))
    told = below_a_tick(Policy(), coarse)
    assert [each.split(" ")[0] for each in told] == ["stop.buffer_percent", "stop.floor_percent"]
    assert "write 5 or more" in told[0]
    assert below_a_tick(Policy(), replace(coarse, tick_size=D("0.01"))) == ()


def test_a_policy_that_guards_nothing_fails_its_rehearsal() -> None:
    """A floor beyond every liquidation: the real core places nothing that lasts, and the check says so."""
    settings = with_policy(stop=StopPolicy(buffer_percent=D(90), floor_percent=D(80)))
    found = rehearsal(settings)
    assert found.standing is Standing.PROBLEM
    assert "no stop came to rest" in found.text


def test_the_rehearsal_is_played_with_real_orders() -> None:
    """Built by the connector, taken by the exchange's own door."""
    found = rehearse(Policy())
    assert found.problem == ""
    assert "took 2 orders" in found.words


# ---------------------------------------------------------------------- the key


async def test_what_the_key_lacks_is_named() -> None:
    """One that may only cancel: its owner sees which right to add."""
    rights = KeyRights(can_order=False, can_withdraw=False, is_readable=True, account=7, permissions=("orderCancel",))
    (found,) = await key_findings(SETTINGS, FakeOrderEntry(FakeVenue(rights=rights)))
    assert found.standing is Standing.PROBLEM
    assert 'it lacks "order"; it has "orderCancel"' in found.text


async def test_a_key_that_may_withdraw_is_refused() -> None:
    """P11: whatever else it may."""
    rights = KeyRights(can_order=True, can_withdraw=True, is_readable=True, account=7)
    (found,) = await key_findings(SETTINGS, FakeOrderEntry(FakeVenue(rights=rights)))
    assert found.standing is Standing.PROBLEM
    assert "may withdraw" in found.text


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("This IP address is not allowed to use this key.", "on the key's allow-list?"),
        ("Signature not valid.", "is the secret the one that was made with this key?"),
        ("Invalid API Key.", "Testnet and production have keys of their own"),
        ("This key is disabled.", "enable it on the exchange's page"),
    ],
)
async def test_a_refused_key_is_told_with_what_to_look_at(reason: str, remedy: str) -> None:
    """The exchange says what is wrong in its own words; where to look is ours to say."""
    orders = FakeOrderEntry(FakeVenue())
    orders.key_rights = _failing(Misconfigured(reason))  # type: ignore[method-assign]
    (found,) = await key_findings(SETTINGS, orders)
    assert found.standing is Standing.PROBLEM
    assert reason.rstrip(".") in found.text
    assert remedy in found.text


def _failing(error: Exception) -> Any:
    async def answer() -> Any:
        raise error

    return answer


def test_a_key_for_everywhere_is_advised_against() -> None:
    """An allow-list is worth more than any secret file."""
    rights = KeyRights(can_order=True, can_withdraw=False, is_readable=True)
    (open_to_all,) = allow_list(rights)
    assert open_to_all.standing is Standing.ADVICE
    (limited,) = allow_list(replace(rights, networks=("203.0.113.7/32",)))
    assert limited.standing is Standing.OK
    assert "203.0.113.7/32" in limited.text
    assert list(allow_list(replace(rights, is_readable=False))) == []


async def test_open_positions_are_held_against_their_ticks() -> None:
    """A contract with coarse ticks, and a distance that is less than one of them."""
    orders = FakeOrderEntry(FakeVenue())
    position = a_position(100, mark_price=D(10))
    orders.picture = _answering(SimpleNamespace(positions=(position,)))  # type: ignore[method-assign]
    orders.instruments = _answering((an_instrument(tick_size=D(1)),))  # type: ignore[method-assign]
    found = await contracts(SETTINGS, orders)
    assert {each.standing for each in found} == {Standing.PROBLEM}


async def test_a_symbol_that_is_not_listed_is_named() -> None:
    """Small letters in a fixed stop: it would be a stop for nothing. What is listed is right."""
    policy = Policy(stop=StopPolicy(fixed=FixedPolicy(long={"xbtusd": D(50_000), "XBTUSD": D(50_000)})))
    orders = FakeOrderEntry(FakeVenue())
    orders.instruments = _answering((an_instrument("XBTUSD"),))  # type: ignore[method-assign]
    said = await contracts(replace(SETTINGS, policy=policy), orders)
    (found,) = [each for each in said if each.name == "contracts"]
    assert found.standing is Standing.ADVICE
    assert found.text == "stop.fixed.long names xbtusd, which the exchange does not list: did you mean XBTUSD?"


def _answering(value: Any) -> Any:
    async def answer() -> Any:
        return value

    return answer


# ---------------------------------------------------------------------- the machine


def test_settings_that_everybody_may_change_are_a_problem(tmp_path: Path) -> None:
    """Whoever changes them turns the guard off."""
    path = tmp_path / "seawall.toml"
    path.write_text("")
    path.chmod(0o644)
    assert settings_file(path).standing is Standing.OK
    path.chmod(0o666)
    assert settings_file(path).standing is Standing.PROBLEM
    path.chmod(0o644)
    tmp_path.chmod(0o777)
    assert settings_file(path).standing is Standing.PROBLEM


@pytest.mark.parametrize(
    ("mode", "standing"),
    [(0o700, Standing.OK), (0o750, Standing.OK), (0o755, Standing.ADVICE), (0o777, Standing.PROBLEM)],
)
def test_a_state_folder_is_private(tmp_path: Path, mode: int, standing: Standing) -> None:
    """The group may look in where the operator let it; nobody else may, and nobody may change it."""
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(mode)
    assert state_folder(folder).standing is standing


def test_a_state_folder_that_is_none(tmp_path: Path) -> None:
    """A file stands in its place; one that is not there yet will be made."""
    (tmp_path / "file").write_text("")
    assert state_folder(tmp_path / "file").standing is Standing.PROBLEM
    assert state_folder(tmp_path / "not" / "yet").standing is Standing.OK
    assert state_folder(tmp_path / "file" / "below").standing is Standing.PROBLEM


@pytest.mark.parametrize(
    ("free_mb", "standing"), [(50, Standing.PROBLEM), (500, Standing.ADVICE), (5_000, Standing.OK)]
)
def test_room_for_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, standing: Standing
) -> None:
    """A full disk in the middle of the night is found at noon."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free_mb * 1024 * 1024))
    settings = replace(SETTINGS, state=StateSettings(directory=str(tmp_path), journal_mb=1024))
    assert free_space(settings, tmp_path).standing is standing


@pytest.mark.parametrize(("took_s", "standing"), [(0.2, Standing.ADVICE), (2.0, Standing.PROBLEM)])
def test_a_slow_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, took_s: float, standing: Standing
) -> None:
    """How long an operator will wait for an acknowledgement."""
    monkeypatch.setattr("daemon.checks.machine.sync_s", lambda _folder: took_s)
    assert disk_speed(tmp_path).standing is standing


def test_a_disk_that_takes_nothing_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read-only, or full."""

    def refuse(**_options: Any) -> Any:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert disk_speed(tmp_path).standing is Standing.PROBLEM


def test_trying_the_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """The check writes no file of its own."""
    assert disk_speed(tmp_path).standing in {Standing.OK, Standing.ADVICE}
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_found(tmp_path: Path) -> None:
    """Unless the guard itself holds it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        settings = replace(
            SETTINGS, control=ControlSettings(listen=address), state=StateSettings(directory=str(tmp_path / "state"))
        )
        (found,) = free_ports(settings)
        assert found.standing is Standing.PROBLEM
        with hold_state_folder(tmp_path / "state"):
            (found,) = free_ports(settings)
            assert found.standing is Standing.OK
    (found,) = free_ports(settings)
    assert found.standing is Standing.OK
    assert list(free_ports(SETTINGS)) == []


def test_one_port_for_two_listeners_is_found() -> None:
    """Each alone could have it; the guard would fail at the second one."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{other.getsockname()[1]}"
    settings = replace(SETTINGS, control=ControlSettings(listen=address), metrics=MetricsSettings(listen=address))
    first, second = free_ports(settings)
    assert first.standing is Standing.OK
    assert second.standing is Standing.PROBLEM
    assert second.text == f"metrics.listen and control.listen are both {address}: give each a port of its own"
