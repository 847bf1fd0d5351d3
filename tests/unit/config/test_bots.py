"""Bots in a settings file: what cannot be meant is refused by its key, all of it at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from config.bots import MOST_BOTS, BotPolicy, Heartbeat, OnSilence
from config.checks import PolicyError
from config.load import SettingsError, load_policy, load_settings
from config.model import Settings
from config.policy import Policy

LISTENING = "[control]\nenabled = true\n"
DEAF = "[control]\nenabled = false\n"


def load(folder: Path, text: str, *, listening: bool = True) -> Settings:
    """The settings of these lines."""
    file = folder / "seawall.toml"
    file.write_text('[venue]\nenvironment = "testnet"\n' + (LISTENING if listening else DEAF) + text)
    return load_settings(file)


def test_a_bot_and_where_it_calls(tmp_path: Path) -> None:
    """Every key of one, and the socket in the state folder."""
    settings = load(
        tmp_path,
        '[bots.quoter]\nid_prefix = "qt-"\nheartbeat = "either"\nsilent_after_s = 12.5\n'
        'on_silence = "cancel_and_flatten"\nsymbols = ["XBTUSD"]\nmust_be_alive = true\n',
    )
    assert settings.policy.bots == {
        "quoter": BotPolicy(
            id_prefix="qt-",
            heartbeat=Heartbeat.EITHER,
            silent_after_s=Decimal("12.5"),
            on_silence=OnSilence.CANCEL_AND_FLATTEN,
            symbols=("XBTUSD",),
            must_be_alive=True,
        )
    }
    assert settings.control_socket == str(tmp_path / "seawall-state" / "control.sock")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[bots.a]\nsilent_after_s = 4\n", "bots.a.silent_after_s must be from 5"),
        ('[bots.a]\nid_prefix = "sw-7"\n', "bots.a.id_prefix must not begin with"),
        ('[bots.a]\nid_prefix = "s"\n', "bots.a.id_prefix must not begin with"),
        ('[bots.a]\nid_prefix = "with blank"\n', "bots.a.id_prefix must be plain"),
        (f'[bots.a]\nid_prefix = "{"x" * 25}"\n', "bots.a.id_prefix must have at most 24"),
        ('[bots.a]\nheartbeat = "orders"\n', "bots.a.heartbeat needs an id_prefix"),
        ('[bots.a]\nheartbeat = "shouting"\n', "bots.a.heartbeat must be one of"),
        ("[bots.a]\nsilent_afer_s = 30\n", "bots.a.silent_afer_s is not known: did you mean silent_after_s?"),
        ("[bots.a]\n[bots.b]\n", "bots.b has no id_prefix and neither has bots.a"),
        ('[bots.a]\nid_prefix = "m"\n[bots.b]\nid_prefix = "mm"\n', "one begins the other"),
        ('[bots."a b"]\n', "bots cannot have one called 'a b'"),
        ('[bots."a.b"]\n', "bots cannot have one called 'a.b'"),
        ("[bots]\na = 3\n", "bots.a is a table"),
        ("bots = 3\n", "bots is a table"),
        ('[bots.a]\napi_key = "x"\n', "looks like a credential"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_key(tmp_path: Path, text: str, named: str) -> None:
    """One line that names the bot, the key and what would be right."""
    listening = not text.startswith("bots =")
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, text, listening=listening) if listening else _load_first(tmp_path, text)
    assert any(named in line for line in refused.value.problems), refused.value.problems


def _load_first(folder: Path, text: str) -> Settings:
    file = folder / "seawall.toml"
    file.write_text(text + '[venue]\nenvironment = "testnet"\n')
    return load_settings(file)


def test_every_problem_of_every_bot_is_named_at_once(tmp_path: Path) -> None:
    """An operator who mends one line must not be told of the next."""
    text = "[bots.a]\nsilent_after_s = 1\nmust_be_alive = 3\n[bots.b]\non_silence = 1\nheartbeat = 'orders'\n"
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, text)
    assert len(refused.value.problems) == 5


@pytest.mark.parametrize("heartbeat", ["call", "either"])
def test_a_bot_that_calls_needs_somebody_who_listens(tmp_path: Path, heartbeat: str) -> None:
    """With the control API off its calls would reach nobody, and it would be silent for ever."""
    text = f'[bots.a]\nid_prefix = "a-"\nheartbeat = "{heartbeat}"\n'
    with pytest.raises(SettingsError, match="nobody listens for calls"):
        load(tmp_path, text, listening=False)
    assert load(tmp_path, text.replace(heartbeat, "orders"), listening=False).policy.bots


def test_a_group_needs_a_place_that_it_can_reach(tmp_path: Path) -> None:
    """The state folder is its owner's alone."""
    with pytest.raises(SettingsError, match=r"control\.group needs control\.socket"):
        load(tmp_path, 'group = "traders"\n')
    settings = load(tmp_path, 'group = "traders"\nsocket = "run/control.sock"\n')
    assert settings.control_socket == str(tmp_path / "run" / "control.sock")


def test_too_many_bots_and_a_policy_made_by_hand() -> None:
    """The core never meets bots that it could not tell apart, whoever made the policy."""
    many = {f"b{number}": BotPolicy(id_prefix=f"{number:02}-") for number in range(MOST_BOTS + 1)}
    with pytest.raises(PolicyError, match="are at most"):
        Policy(bots=many)
    with pytest.raises(PolicyError, match=r"bots\.b has no id_prefix"):
        Policy(bots={"a": BotPolicy(), "b": BotPolicy()})


def test_no_bot_is_expected_where_none_is_named() -> None:
    """Settings of before go on as they were."""
    assert load_policy(None).bots == {}
