"""JSON Schema of the files as they are written, for editors: it completes keys and marks mistakes while typing."""

from __future__ import annotations

from typing import Any

from dbwatch.settings.models import Settings
from dbwatch.settings.prepare import SECTIONS, SINGULAR

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ENGINE_MODELS = ("PostgresInstance", "MysqlInstance")


def file_schema() -> Schema:
    """Instances without `name` and with their required keys possibly in `defaults`: a file may be one of several."""
    schema = Settings.model_json_schema()
    definitions = schema["$defs"]
    for name in ENGINE_MODELS:
        _as_written(definitions[name])
    definitions["Credentials"]["required"] = []  # the user too may come from `defaults`
    definitions["Defaults"] = _defaults(definitions)
    instances = schema["properties"]["instances"]
    named = instances.pop("patternProperties")  # it would know no `defaults`, and let every other name pass
    instances |= {"propertyNames": {"pattern": next(iter(named))}, "additionalProperties": _instance()}
    schema["properties"]["defaults"] = {"$ref": "#/$defs/Defaults"}
    for section in schema["properties"].values():
        _may_be_empty(section)
    _one_or_many(schema["properties"]["collectors_dir"])
    return {"$schema": DRAFT, **schema, "title": "dbwatch configuration"}


def _as_written(model: Schema) -> None:
    """The key is the name, and what is required may come from `defaults`."""
    model["properties"].pop("name")
    model["required"] = []
    for key in SECTIONS & set(model["properties"]):
        _may_be_empty(model["properties"][key])


def _instance() -> Schema:
    """By engine where it is written here; by either where `defaults` says it."""
    postgres, mysql = ({"$ref": f"#/$defs/{name}"} for name in ENGINE_MODELS)
    is_postgres = {"properties": {"engine": {"const": "postgres"}}, "required": ["engine"]}
    return {
        "type": ["object", "null"],
        "if": is_postgres,
        "then": postgres,
        "else": {"if": {"type": "object", "required": ["engine"]}, "then": mysql, "else": _either(postgres, mysql)},
    }


def _either(*schemas: Schema) -> Schema:
    return {"anyOf": [*schemas, {"type": "null"}]}


def _defaults(definitions: Schema) -> Schema:
    """Every key of either engine, none required."""
    properties: Schema = {}
    for name in ENGINE_MODELS:
        for key, value in definitions[name]["properties"].items():
            if key not in SINGULAR:
                properties.setdefault(key, []).append(_without_default(value))
    return {
        "type": "object",
        "title": "Defaults",
        "description": "What every instance has unless it says otherwise itself.",
        "additionalProperties": False,
        "properties": {
            key: values[0] if all(value == values[0] for value in values) else {"anyOf": values}
            for key, values in properties.items()
        },
    }


def _without_default(value: Any) -> Any:
    """The same without the default of each engine: unset is what `defaults` leaves to them."""
    match value:
        case dict():
            return {key: _without_default(child) for key, child in value.items() if key != "default"}
        case list():
            return [_without_default(child) for child in value]
        case _:
            return value


def _may_be_empty(section: Schema) -> None:
    """`labels:` with every line below commented out is written as null."""
    if "$ref" in section:
        section["anyOf"] = [{"$ref": section.pop("$ref")}, {"type": "null"}]
    elif section.get("type") == "object":
        section["type"] = ["object", "null"]


def _one_or_many(section: Schema) -> None:
    keep = {key: section.pop(key) for key in ("items", "type")}
    section["anyOf"] = [keep, keep["items"], {"type": "null"}]
