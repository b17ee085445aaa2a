"""A set's manifest and its proofs as text: strict, stable, and such that every changed byte is found out.

Both are JSON that begins with a checksum (sha256 of all that follows its line) and the version of the form. A proof
names the set that it is for. The checksum guards against accidents and careless hands; who rewrites it too is found
out by the index, which remembers the file's own.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NoReturn, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from dbwatch.core import wording
from dbwatch.core.backups.model import JobReason, Manifest, Proof
from dbwatch.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCHEMA = 1
WIDTH = 100
LINE = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False)
SHA256 = re.compile(r"[0-9a-f]{64}")
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # a file's name
# Whatever a later version writes, it begins like this: so an older one can say that it is too old.
HEAD = re.compile(r'\{\n "checksum": "([0-9a-f]{64})",\n(?= "schema": ([0-9]{1,6}),\n)')
END = "\n}\n"
STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
WRONG = {"unexpected_keyword_argument": "unknown key", "json_invalid": "is no JSON"}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """What stands in manifest.json."""

    checksum: str
    schema: int
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class ProofFile:
    """What stands in a file of proofs/."""

    checksum: str
    schema: int
    backup: str
    proof: Proof


def dump(manifest: Manifest) -> str:
    """The file's text. Raise ValueError for a manifest that `parse` would refuse: whoever made it has a bug."""
    _refuse(next(_mistakes(manifest), ""))
    return _written(_plain(_manifests(), ManifestFile("", SCHEMA, manifest)))


def parse(text: str | bytes) -> Manifest:
    """Raise JobError(CORRUPT) that says in one line what is wrong with it."""
    manifest = _read("manifest", text, _manifests()).manifest
    if mistake := next(_mistakes(manifest), ""):
        _corrupt(f"the manifest cannot be true: {mistake}")
    return manifest


def proof_dump(proof: Proof, backup: str) -> str:
    """The text of a proof of the set with that id."""
    _refuse("" if IDENTIFIER.fullmatch(backup) else "a proof without a set")
    return _written(_plain(_proofs(), ProofFile("", SCHEMA, backup, proof)))


def proof_parse(text: str | bytes, backup: str) -> Proof:
    """Raise JobError(CORRUPT) for what is no proof, or the proof of another set."""
    file = _read("proof", text, _proofs())
    if file.backup != backup:
        _corrupt(f"the proof is not of the set {backup}: it was moved here from another")
    return file.proof


# In a tuple, because pydantic lets a container alone give its strictness to plain dataclasses, however deep.
@cache
def _manifests() -> TypeAdapter[tuple[ManifestFile]]:
    return TypeAdapter(tuple[ManifestFile], config=STRICT)


@cache
def _proofs() -> TypeAdapter[tuple[ProofFile]]:
    return TypeAdapter(tuple[ProofFile], config=STRICT)


def _plain(adapter: TypeAdapter[tuple[T]], file: T) -> dict[str, object]:
    """Without the checksum. The large part goes last."""
    plain: dict[str, object] = adapter.dump_python((file,), mode="json")[0]
    return {key: plain[key] for key in plain if key != "checksum"}


def _written(content: dict[str, object]) -> str:
    rest = "".join(f" {LINE.encode(key)}: {_pretty(value, 1)},\n" for key, value in content.items())
    rest = rest.removesuffix(",\n") + END
    return f'{{\n "checksum": "{_sha256(rest)}",\n{rest}'


def _read(what: str, text: str | bytes, adapter: TypeAdapter[tuple[T]]) -> T:
    """The file, proven to be as it was written before anything in it is believed."""
    text = _decoded(what, text)
    head = HEAD.match(text)
    if head is None:
        _corrupt(f"the {what} is empty" if not text.strip() else f"this is no {what}, or its first lines were damaged")
    if int(head[2]) != SCHEMA:
        _corrupt(f"the {what} is of version {int(head[2])} and this dbwatch reads {SCHEMA}: use the one that wrote it")
    if not text.endswith(END):
        _corrupt(f"the {what} is truncated, or something was written behind its end")
    if head[1] != _sha256(text[head.end() :]):
        _corrupt(f"the {what} was edited or damaged: its checksum is not that of its content")
    return _value(what, text, adapter)


def _decoded(what: str, text: str | bytes) -> str:
    try:
        return text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        _corrupt(f"the {what} is damaged: byte {error.start + 1} is no UTF-8")


def _value(what: str, text: str, adapter: TypeAdapter[tuple[T]]) -> T:
    try:
        return adapter.validate_json(f"[{text}]")[0]
    except ValidationError as error:
        mistake = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, mistake["loc"][1:])) or "its text"
        _corrupt(f"the {what} cannot be read: {place}: {WRONG.get(mistake['type']) or wording.words(mistake)[0]}")


def _mistakes(manifest: Manifest) -> Iterator[str]:
    """What no set can be, whatever its checksum says: above all, nothing may lie outside of it."""
    if not IDENTIFIER.fullmatch(manifest.id):
        yield "its id is no name of a directory"
    if manifest.sequence < 0:
        yield "its number is negative"
    if not manifest.members:
        yield "it has no members"
    paths = [member.path for member in manifest.members]
    if len(set(paths)) < len(paths):
        yield "two members have the same path"
    for number, member in enumerate(manifest.members):
        if not _stays_inside(member.path):
            yield f"the path of member {number} leaves the set"
        if member.size_bytes < 0 or not SHA256.fullmatch(member.sha256):
            yield f"member {number} has no size or no sha256"


def _stays_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and path == "/".join(parts) and "\0" not in path and not {"..", "/", "//", "."} & set(parts)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _pretty(value: object, depth: int = 0) -> str:
    """A key a line and a table a line, for grep and diff."""
    if isinstance(value, dict):
        return _lines("{}", [f"{LINE.encode(key)}: {_pretty(value[key], depth + 1)}" for key in sorted(value)], depth)
    if isinstance(value, list):
        items = [LINE.encode(each) for each in value]
        is_short = sum(map(len, items)) < WIDTH
        return f"[{', '.join(items)}]" if is_short else _lines("[]", items, depth)
    return LINE.encode(value)


def _lines(brackets: str, items: Sequence[str], depth: int) -> str:
    margin = "\n" + " " * (depth + 1)
    return f"{brackets[0]}{margin}{f',{margin}'.join(items)}\n{' ' * depth}{brackets[1]}"


def _refuse(mistake: str) -> None:
    if mistake:
        raise ValueError(f"such a set must not be written: {mistake}")


def _corrupt(line: str) -> NoReturn:
    raise JobError(JobReason.CORRUPT, line)
