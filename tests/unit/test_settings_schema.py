"""The JSON Schema for editors, and the commands."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from dbwatch.cli.config_commands import app
from dbwatch.core.durations import seconds
from dbwatch.files import config_root
from dbwatch.settings.fields import MONTH_SECONDS
from dbwatch.settings.schema import file_schema

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = config_root()


def test_an_instance_has_no_name_and_may_take_its_keys_from_the_defaults() -> None:
    for name in ("PostgresInstance", "MysqlInstance"):
        definition = file_schema()["$defs"][name]
        assert "name" not in definition["properties"]
        assert [] == definition["required"]


def test_defaults_take_the_keys_of_both_engines_but_not_the_host() -> None:
    keys = set(file_schema()["$defs"]["Defaults"]["properties"])
    assert {"database", "socket", "monitor", "tls", "labels", "engine"} <= keys
    assert not {"host", "name"} & keys


def test_a_duration_is_text_or_a_number() -> None:
    interval = file_schema()["$defs"]["PostgresInstance"]["properties"]["fast_interval"]
    assert {"string", "number"} == {choice["type"] for choice in interval["anyOf"]}


@pytest.mark.parametrize("written", ["10s", "500ms", "1h30m", "1h 30m", "1.5 h", "10 seconds", "", "s", "10", "-1s"])
def test_a_duration_is_to_the_schema_what_it_is_to_the_loader(written: str) -> None:
    text, number = file_schema()["$defs"]["PostgresInstance"]["properties"]["fast_interval"]["anyOf"]
    assert {"exclusiveMinimum": 0, "maximum": MONTH_SECONDS, "type": "number"} == number
    try:
        seconds(written)
    except ValueError:
        assert re.search(text["pattern"], written) is None
    else:
        assert re.search(text["pattern"], written)


def test_a_name_is_to_the_schema_what_it_is_to_the_loader() -> None:
    instances = file_schema()["properties"]["instances"]
    pattern = instances["propertyNames"]["pattern"]
    assert "patternProperties" not in instances  # it would look at names that are right, without `defaults`
    assert [True, False] == [bool(re.search(pattern, name)) for name in ("pg-1", "a b")]


def test_every_section_is_closed_but_labels() -> None:
    schemas = [each for each in (file_schema(), *file_schema()["$defs"].values()) if each["type"] == "object"]
    assert ["Labels"] == [schema["title"] for schema in schemas if schema["additionalProperties"] is not False]


def test_the_schema_command_prints_json() -> None:
    result = CliRunner().invoke(app, ["schema"])
    assert file_schema() == json.loads(result.output)


def test_the_check_command_takes_its_path_from_argument_option_or_environment(tmp_path: Path) -> None:
    good, bad = str(EXAMPLE), str(tmp_path / "none.yml")
    run = CliRunner().invoke
    assert 0 == run(app, ["check", good]).exit_code
    assert 0 == run(app, ["check", "-c", good]).exit_code
    assert 0 == run(app, ["check"], env={"DBWATCH_CONFIG": good}).exit_code
    assert 0 == run(app, ["check", good], env={"DBWATCH_CONFIG": bad}).exit_code
    result = run(app, ["check", bad])
    assert (1, 1) == (result.exit_code, result.output.count("\n"))


@pytest.mark.parametrize("command", ["check", "schema"])
def test_each_command_has_help(command: str) -> None:
    assert 0 == CliRunner().invoke(app, [command, "--help"]).exit_code
