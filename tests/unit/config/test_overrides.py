"""Settings from environment variables: which place a name means, how a value is read, how it is complained of."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from config.catalogue import keys
from config.load import SettingsError, load, load_settings
from config.model import LogFormat
from config.overrides import overrides_in, strays_in, value_of

FILE = (
    '[venue]\nenvironment = "testnet"\n\n[stop]\nbuffer_percent = 3\n\n'
    '[bots.Quoter-1]\nheartbeat = "call"\n[control]\nenabled = true\n'
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A settings file with one value of its own."""
    file = tmp_path / "seawall.toml"
    file.write_text(FILE)
    return file


def problems(path: Path, environ: dict[str, str]) -> tuple[str, ...]:
    """What is said about a file and an environment."""
    with pytest.raises(SettingsError) as refused:
        load_settings(path, environ)
    return refused.value.problems


def test_a_variable_counts_instead_of_the_line(path: Path) -> None:
    """One value of each kind, words with and without quotes."""
    found = load(
        path,
        {
            "SEAWALL_SET_STOP__BUFFER_PERCENT": "4.50",
            "SEAWALL_SET_STOP__TRAILING__MODE": "shadow",
            "SEAWALL_SET_LOG__FORMAT": '"json"',
            "SEAWALL_SET_LADDER__WARN": '["alert", "freeze"]',
            "SEAWALL_SET_STOP__FIXED__LONG": "{ XBTUSD = 60000 }",
            "SEAWALL_SETTINGS": "of something else",
            "PATH": "/bin",
        },
    )
    policy = found.settings.policy
    assert policy.stop.buffer_percent == Decimal("4.50")
    assert policy.stop.trailing.mode.value == "shadow"
    assert found.settings.log.format is LogFormat.JSON
    assert [step.value for step in policy.ladder.warn] == ["alert", "freeze"]
    assert policy.stop.fixed.long == {"XBTUSD": Decimal(60000)}
    assert found.variables["stop.buffer_percent"] == "SEAWALL_SET_STOP__BUFFER_PERCENT"


def test_without_an_environment_nothing_is_overridden(path: Path) -> None:
    """Who reads a file alone gets the file alone; an empty variable is none."""
    assert load_settings(path).policy.stop.buffer_percent == 3
    assert load_settings(path, {"SEAWALL_SET_STOP__BUFFER_PERCENT": ""}).policy.stop.buffer_percent == 3


def test_a_name_that_the_operator_gave_is_found_in_its_spelling(path: Path) -> None:
    """Environment variables know no dashes and are mostly written large."""
    settings = load_settings(path, {"SEAWALL_SET_BOTS__QUOTER_1__SILENT_AFTER_S": "45"})
    assert settings.policy.bots["Quoter-1"].silent_after_s == 45


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("SEAWALL_SET_STOP__BUFFER_PERCENT", "-1", "stop.buffer_percent must be above 0 and below 100"),
        ("SEAWALL_SET_STOP__BUFFER_PERCENT", "two", "stop.buffer_percent must be a number without quotes"),
        ("SEAWALL_SET_STOP__BUFER_PERCENT", "2", "stop.bufer_percent is not known: did you mean buffer_percent?"),
        ("SEAWALL_SET_STOPP__STYLE", "close", "stopp is not known: did you mean stop?"),
        ("SEAWALL_SET_STOP", "close", "stop is a table: write [stop] and its keys below it"),
        ("SEAWALL_SET_LOG__LEVEL", "loud", "log.level must be one of"),
        ("SEAWALL_SET_STOP__TRAILING", "{ mode = 5 }", "stop.trailing.mode must be one of"),
    ],
)
def test_a_complaint_names_the_variable(path: Path, variable: str, value: str, problem: str) -> None:
    """The same complaints as a file's, and where to mend them."""
    (told,) = problems(path, {variable: value})
    assert told.startswith(f"{variable}: {problem}")


def test_a_complaint_about_several_keys_names_line_and_variable(path: Path) -> None:
    """The bound that the variable gives makes no sense beside another key."""
    path.write_text(FILE + "[tiers]\nwarn_percent = 2\n")
    (told,) = problems(path, {"SEAWALL_SET_TIERS__WATCH_PERCENT": "1"})
    assert told.startswith(f"{path}: tiers.warn_percent must be below that of the tier before it")
    assert told.endswith("(line 12, with SEAWALL_SET_TIERS__WATCH_PERCENT)")


def test_problems_of_file_and_environment_are_told_together(path: Path) -> None:
    """Whoever mends one of them sees all."""
    path.write_text(FILE + "[log]\nlevel = 5\n")
    told = problems(path, {"SEAWALL_SET_STOP__STYLE": "klose", "SEAWALL_SET_GUARD__OBSERVE": "perhaps"})
    assert len(told) == 3
    assert sum(each.startswith("SEAWALL_SET_") for each in told) == 2


def test_a_credential_in_an_override_is_refused_and_not_shown(path: Path) -> None:
    """P11: as in the file; there are other variables for key and secret."""
    (told,) = problems(path, {"SEAWALL_SET_CREDENTIALS__SECRET": "hunter2hunter2"})
    assert told.startswith("SEAWALL_SET_CREDENTIALS__SECRET: credentials.secret looks like a credential")
    assert "hunter2" not in told


def test_a_value_cannot_bring_other_values_along() -> None:
    """A line end inside a variable does not begin a second key."""
    assert value_of("3\nother = 4") == "3\nother = 4"
    assert value_of("[" * 5_000) == "[" * 5_000


def test_a_table_comes_before_its_keys() -> None:
    """Whichever order the environment has."""
    environ = {"SEAWALL_SET_A__B__C": "1", "SEAWALL_SET_A__B": "{ d = 2 }"}
    assert [each.dotted for each in overrides_in(environ, {})] == ["a.b", "a.b.c"]


@pytest.mark.parametrize("table", ["STOP__FIXED__LONG", "STOP__FIXED__SHORT", "ACCOUNT__LEVERAGE_CAP__BY_SYMBOL"])
def test_a_symbol_in_a_variable_stays_as_it_is_written(table: str) -> None:
    """The exchange knows no xbtusd; everything around it may be written either way."""
    (found,) = overrides_in({f"SEAWALL_SET_{table}__XBTUSD": "5"}, {})
    assert found.place == (*table.lower().split("__"), "XBTUSD")


def test_every_table_of_symbols_is_known_as_one() -> None:
    """A setting that is added and holds figures by symbol is among those whose keys keep their letters."""
    tables = [key.place for key in keys() if "dict[" in str(key.hint)]
    assert len(tables) == 3
    for place in tables:
        (found,) = overrides_in({f"SEAWALL_SET_{place.upper().replace('.', '__')}__XBTUSD": "5"}, {})
        assert found.place[-1] == "XBTUSD"


def test_two_variables_for_one_place_are_a_mistake(path: Path) -> None:
    """Capital and small letters are the same, so it would be a guess which of them counts."""
    (told,) = problems(path, {"SEAWALL_SET_STOP__STYLE": "close", "SEAWALL_SET_stop__style": "reduce_only"})
    assert "stop.style is set by more than one variable: keep one of them" in told
    assert "SEAWALL_SET_STOP__STYLE and SEAWALL_SET_stop__style" in told


def test_one_underscore_for_two_is_answered_with_what_was_meant(path: Path) -> None:
    """The commonest slip in a container's environment."""
    (told,) = problems(path, {"SEAWALL_SET_STOP_BUFFER_PERCENT": "5"})
    assert told.endswith(": between [stop] and buffer_percent a variable has two underscores, a file a header")


def test_a_variable_that_only_looks_like_a_setting_is_found() -> None:
    """Without the word SET nobody reads it; keys, tokens and addresses of channels are something else."""
    names = ("SEAWALL_STOP__STYLE", "SEAWALL_SET_STOP__STYLE", "SEAWALL_KEY", "SEAWALL_PHONE_URL", "PATH", "OTHER__X")
    assert strays_in(dict.fromkeys(names, "1")) == ("SEAWALL_STOP__STYLE",)
