"""Settings files: what is read, and how everything that is wrong is told at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import get_type_hints

import pytest

from config.load import SettingsError, load_settings
from config.model import LogFormat, Settings
from config.policy import Policy, StopStyle, SwitchMode
from config.tables import NAMED_TABLES, PLAIN_TABLES, POLICY_TABLES, TABLES, named_kind
from config.venue import Environment

PROFILES = sorted((Path(__file__).resolve().parents[3] / "config" / "profiles").glob("*.toml"))
_LINE = re.compile(r" \(line \d+(, beside line \d+)?\)$")
TESTNET = '[venue]\nenvironment = "testnet"\n'


def a_file(folder: Path, text: str) -> Path:
    """Write a settings file."""
    path = folder / "seawall.toml"
    path.write_text(text)
    return path


def problems(folder: Path, text: str) -> list[str]:
    """Return what is said about a settings file, without its name and lines."""
    path = a_file(folder, text)
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    assert all(problem.startswith(f"{path}: ") for problem in refused.value.problems)
    return [_LINE.sub("", problem.removeprefix(f"{path}: ")) for problem in refused.value.problems]


def complaints(folder: Path, text: str) -> list[str]:
    """Return what is said about a settings file with the lines, without its name."""
    path = a_file(folder, text)
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    return [each.removeprefix(f"{path}: ") for each in refused.value.problems]


def loaded(folder: Path, text: str) -> Settings:
    """Return the settings of a file."""
    return load_settings(a_file(folder, text))


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    """The shortest settings file names the venue and nothing else."""
    settings = loaded(tmp_path, TESTNET)
    assert settings.policy == Policy()
    assert settings.venue.environment is Environment.TESTNET
    assert settings.state.directory == str(tmp_path / "seawall-state")


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    """A percentage is read as written, not through a binary float."""
    settings = loaded(tmp_path, TESTNET + "[stop]\nbuffer_percent = 2.10000000000000000001\n")
    assert settings.policy.stop.buffer_percent == Decimal("2.10000000000000000001")


def test_values_reach_their_place(tmp_path: Path) -> None:
    """One value of each kind: enum, number, text, flag, path."""
    settings = loaded(
        tmp_path,
        '[venue]\nenvironment = "embedded"\nrest_url = "http://127.0.0.1:1"\n'
        'realtime_url = "ws://127.0.0.1:1/realtime"\n[stop]\nstyle = "close"\n[switch]\nmode = "off"\n'
        '[guard]\nobserve = true\n[alerts]\nwebhook_url = "https://example.org/x"\nwebhook_timeout_s = 2\n'
        '[log]\nformat = "console"\n[credentials]\nkey_file = "k"\nsecret_file = "/s"\n[state]\ndirectory = "/var/x"\n',
    )
    assert settings.policy.observe
    assert settings.policy.stop.style is StopStyle.CLOSE
    assert settings.policy.switch.mode is SwitchMode.OFF
    assert settings.log.format is LogFormat.CONSOLE
    assert settings.alerts.webhook_timeout_s == 2.0
    assert (settings.credentials.key_file, settings.credentials.secret_file) == (str(tmp_path / "k"), "/s")
    assert settings.state.directory == "/var/x"


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """Ten mistakes in nine tables are ten lines, each with its place."""
    told = problems(
        tmp_path,
        '[venu]\n[venue]\nenvironment = "prod"\n[guard]\nobserve = 1\n[stop]\nbuffer_percent = -1\nmax_room_share = 3\n'
        'style = "klose"\n[tiers]\nwatch_percent = 1\n[switch]\ntimeout_s = 5\n[health]\nstale_after_s = nan\n'
        '[log]\nlevel = "loud"\n[alerts]\nwebhook_timeout_s = 0\n',
    )
    places = {problem.split(" ")[0] for problem in told}
    assert places == {
        "venu",
        "venue.environment",
        "guard.observe",
        "stop.buffer_percent",
        "stop.max_room_share",
        "stop.style",
        "tiers.warn_percent",
        "switch.timeout_s",
        "health.stale_after_s",
        "log.level",
        "alerts.webhook_timeout_s",
    }
    assert len(told) == len(places)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[stop]\nbufer_percent = 2\n", "stop.bufer_percent is not known: did you mean buffer_percent?"),
        ("[stopp]\n", "stopp is not known: did you mean stop?"),
        ("[log]\nzzz = 1\n", "log.zzz is not known: known here are format, level"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest_known_one(tmp_path: Path, text: str, hint: str) -> None:
    """A slip of the keyboard is answered with what was probably meant."""
    assert problems(tmp_path, TESTNET + text) == [hint]


@pytest.mark.parametrize(
    "text",
    [
        'api_secret = "hunter2hunter2"\n' + TESTNET,
        TESTNET + '[credentials]\nsecret = "hunter2hunter2"\n',
        TESTNET + '[alerts]\nAPI-KEY = "hunter2hunter2"\n',
        '[venue]\nenvironment = "testnet"\napiSecret = "hunter2hunter2"\n',
    ],
)
def test_credentials_in_a_settings_file_are_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    """P11: a key or secret in the settings file is refused by name, and its value is not repeated."""
    (told,) = problems(tmp_path, text)
    assert "looks like a credential" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://10.0.0.1:80", "is not encrypted"),
        ("ftp://127.0.0.1", "must be a whole address"),
        ("127.0.0.1:80", "must be a whole address"),
        ("http://127.0.0.1:port", "must be a whole address"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(tmp_path: Path, url: str, problem: str) -> None:
    """Keys travel encrypted or not at all beyond this machine."""
    text = f'[venue]\nenvironment = "embedded"\nrest_url = "{url}"\nrealtime_url = "ws://127.0.0.1:1/realtime"\n'
    (told,) = problems(tmp_path, text)
    assert told.startswith(f"venue.rest_url {problem}")


@pytest.mark.parametrize("url", ["ftp://example.org/x", "https://", "https://example.org:port/x", "example.org/x"])
def test_a_webhook_that_cannot_be_meant_is_refused(tmp_path: Path, url: str) -> None:
    """Better told now than when the first alert cannot be delivered."""
    (told,) = problems(tmp_path, TESTNET + f'[alerts]\nwebhook_url = "{url}"\n')
    assert told.startswith("alerts.webhook_url must be a whole address")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[venue\n", "not valid TOML"),
        (b"\xff\xfe", "not UTF-8"),
        (b"venue = 3\n", "is a table"),
        (b"", "is missing"),
        (b"x = " + b"[" * 5_000 + b"]" * 5_000, "too deep"),
        (b"x = " + b"9" * 5_000, "too long"),
        (b'[venue]\nenvironment = "test\0net"\n', "not valid TOML"),
    ],
)
def test_a_file_that_is_no_settings_file_is_one_clear_line(tmp_path: Path, content: bytes, words: str) -> None:
    """Malformed input is named, never a traceback."""
    path = tmp_path / "seawall.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=words):
        load_settings(path)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('[state]\ndirectory = "a\\u0000b"', "state.directory must not hold control characters"),
        ('[credentials]\nkey_file = "a\\nb"', "credentials.key_file must not hold control characters"),
        ("[switch]\ntimeout_s = 1e999999999", "switch.timeout_s is too large a number"),
    ],
)
def test_values_that_no_system_call_takes_are_refused(tmp_path: Path, line: str, problem: str) -> None:
    """A NUL in a path, a number that would take all memory to write out."""
    assert problem in problems(tmp_path, f"{TESTNET}{line}\n")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Some editors begin every UTF-8 file with one."""
    assert loaded(tmp_path, "\ufeff" + TESTNET).venue.environment is Environment.TESTNET


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path was wrong."""
    with pytest.raises(SettingsError, match="No such file"):
        load_settings(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_profiles_load_and_say_what_happens_tomorrow(profile: Path) -> None:
    """A profile that is copied works, and begins with what it means for a position."""
    load_settings(profile)
    assert "What happens to your position tomorrow" in profile.read_text()


def test_the_careful_profile_names_every_setting() -> None:
    """It is the one that teaches every key there is; the others name what differs."""
    text = (PROFILES[0].parent / "careful.toml").read_text()
    for table in TABLES:
        begun = "\n# [" if table in NAMED_TABLES else "\n["
        assert f"{begun}{table}]\n" in text or f"{begun}{table}." in text, table
    for kind in NAMED_TABLES.values():
        assert all(f"\n# {each.name} = " in text for each in fields(kind)), "in words only: nobody has such a bot"
    for place, kind in {**POLICY_TABLES, **PLAIN_TABLES}.items():
        for table, key in _keys(place, kind):
            assert f"{key} = " in _section(text, table), f"{table}.{key}"


def _keys(place: str, kind: type) -> Iterator[tuple[str, str]]:
    """Every key with its table, those of tables in tables too."""
    hints = get_type_hints(kind)
    for each in fields(kind):
        if is_dataclass(hints[each.name]):
            yield from _keys(f"{place}.{each.name}", hints[each.name])
        elif (named := named_kind(hints[each.name])) is not None:
            yield from ((place, f"# {inner.name}") for inner in fields(named))
        else:
            yield place, each.name


def _section(text: str, table: str) -> str:
    """What stands below one table's head."""
    return text.partition(f"\n[{table}]\n")[2].partition("\n[")[0]


def test_the_careful_profile_holds_the_defaults() -> None:
    """What the profile shows is what holds when a line is left out."""
    (careful,) = (path for path in PROFILES if path.stem == "careful")
    assert load_settings(careful).policy == Policy()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[stop]\nbuffer_percent = -1\n", 4),
        ("[stop]\n# percent\n  buffer_percent  = -1\n", 5),
        ("stop.buffer_percent = -1\n", 3),
        ('["stop"]\n"buffer_percent" = -1\n', 4),
        ("[stop]\ntrailing = { mode = 5 }\n", 4),
        ("[stop.trailing]\nmode = 5\n", 4),
        ("[tiers]\nwatch_percent = 101\n", 4),
        ("[stopp]\n", 3),
        ("stop = 5\n", 3),
    ],
)
def test_a_complaint_names_the_line(tmp_path: Path, text: str, line: int) -> None:
    """Wherever the key stands: in its table, dotted, quoted, in a table written in one line, or only the table."""
    before = TESTNET if text.startswith("[") else '\nvenue.environment = "testnet"\n'
    path = a_file(tmp_path, before + text)
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    assert [problem.rpartition(" ")[2] for problem in refused.value.problems] == [f"{line})"]


def test_a_complaint_is_one_plain_line_of_a_length_that_can_be_read(tmp_path: Path) -> None:
    """A key may hold any sign, and be as long as the file."""
    for key in ('"\\u001b[2J\\n"', "x" * 100_000):
        (problem,) = problems(tmp_path, f"{TESTNET}[stop]\n{key} = 1\n")
        assert problem.isprintable()
        assert len(problem) <= 1_000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[stop]\nbuffer_percent = 0.1\n",
            "must be above 0 and below buffer_percent; it is left out, so it is 0.15 (line 3, beside line 4)",
        ),
        (
            "[tiers]\nwatch_percent = 1\n",
            "must be below that of the tier before it; it is left out, so it is 3 (line 3, beside line 4)",
        ),
        (
            "[tiers]\nwatch_percent = 4\nwarn_percent = 4.5\n",
            "tiers.warn_percent must be below that of the tier before it (line 5, beside line 4)",
        ),
    ],
)
def test_two_keys_that_contradict_each_other_are_named_with_both_lines(tmp_path: Path, text: str, told: str) -> None:
    """Also where one of the two is a default that nobody wrote: then its value is told."""
    (said,) = complaints(tmp_path, TESTNET + text)
    assert said.endswith(told), said


def test_a_key_nobody_wrote_hides_no_other_mistake(tmp_path: Path) -> None:
    """The complaint is about a default; the share further down is still looked at."""
    told = complaints(tmp_path, TESTNET + "[tiers]\nwatch_percent = 1\nhysteresis_share = 20\n")
    assert [each.split(" ")[0] for each in told] == ["tiers.warn_percent", "tiers.hysteresis_share"]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", ["venue.rest_url", "venue.realtime_url"]),
        ('rest_url = "http://127.0.0.1:1"\n', ["venue.realtime_url"]),
        ('rest_url = 5\nrealtime_url = "ws://127.0.0.1:1"\n', ["venue.rest_url"]),
        ('rest_url = "127.0.0.1:1"\nrealtime_url = "http://127.0.0.1:1"\n', ["venue.rest_url", "venue.realtime_url"]),
    ],
)
def test_each_address_of_the_embedded_exchange_is_asked_for_by_its_name(
    tmp_path: Path, text: str, places: list[str]
) -> None:
    """Missing, of the wrong kind, not whole: one line for each, and none twice."""
    told = complaints(tmp_path, f'[venue]\nenvironment = "embedded"\n{text}')
    assert [each.split(" ")[0] for each in told] == places


def test_an_address_beside_a_venue_that_has_one_is_to_be_left_out(tmp_path: Path) -> None:
    """Somebody wrote the real address down although it is known."""
    (told,) = complaints(tmp_path, TESTNET + 'rest_url = "https://testnet.bitmex.com"\n')
    assert 'venue.rest_url belongs to the embedded exchange: leave it out for "testnet"' in told
    assert told.endswith("(line 3)")


def test_a_slip_in_the_one_key_that_has_to_be_there_is_told_once(tmp_path: Path) -> None:
    """Not that it is unknown and, a line further, that it is missing."""
    (told,) = complaints(tmp_path, '[venue]\nenviroment = "testnet"\n')
    assert "did you mean environment?" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[state]\ndirectory = ""\n', "state.directory is empty"),
        ('[state]\ndirectory = "~/seawall"\n', "state.directory begins with a shell's sign"),
        ('[control]\nsocket = "$HOME/control.sock"\n', "control.socket begins with a shell's sign"),
        ('[credentials]\nkey_file = ""\nsecret_file = "s"\n', "credentials.key_file is empty"),
        ('[alerts.channels.a]\nurl_file = "~/url"\n', "alerts.channels.a.url_file begins with a shell's sign"),
    ],
)
def test_a_path_that_no_file_has_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """No folder called "~" comes into being, and the folder of the settings does not become the state's."""
    (said,) = complaints(tmp_path, TESTNET + text)
    assert told in said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('key_file = "k"\n', "credentials.secret_file is missing beside key_file"),
        ('secret_command = ["s"]\n', "credentials.key_command is missing beside secret_command"),
        (
            'key_file = "k"\nsecret_file = "s"\nkey_command = ["k"]\nsecret_command = ["s"]\n',
            "credentials.key_command and key_file are two ways to the same thing: keep one of them (line 6)",
        ),
    ],
)
def test_key_and_secret_are_named_as_a_pair_and_in_one_way(tmp_path: Path, text: str, told: str) -> None:
    """Told together with the other mistakes of the file, not only when the key is looked for."""
    (said,) = complaints(tmp_path, f"{TESTNET}[credentials]\n{text}")
    assert told in said


def test_an_environment_may_complete_a_pair(tmp_path: Path) -> None:
    """The file names the key, a drop-in of the service the secret."""
    path = tmp_path / "seawall.toml"
    path.write_text(TESTNET + '[credentials]\nkey_file = "k"\n')
    settings = load_settings(path, {"SEAWALL_SET_CREDENTIALS__SECRET_FILE": "s"})
    assert settings.credentials.secret_file == str(tmp_path / "s")
