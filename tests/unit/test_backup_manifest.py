"""The text of manifests and proofs: what is written is read, and whatever was changed is found out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbwatch.core.backups.manifest import dump, parse, proof_dump, proof_parse
from dbwatch.core.backups.model import (
    BackupKind,
    Codec,
    DatabaseFacts,
    Facts,
    FactsMode,
    JobReason,
    Manifest,
    Member,
    MemberRole,
    Proof,
    ProofName,
    ServerIdentity,
    TableFacts,
)
from dbwatch.errors import JobError
from tests.backup_sets import NOON, manifest

if TYPE_CHECKING:
    from collections.abc import Callable

MADE = manifest()
TEXT = dump(MADE)
PROOF = Proof(ProofName.COMPARED, NOON, 12.5, None, "12 tables", ("a table", "another"), (("pg_restore", "18.1"),))
PROOF_TEXT = proof_dump(PROOF, MADE.id)

WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME = st.from_regex(r"[a-z0-9][a-z0-9_]{0,7}", fullmatch=True)
SECONDS = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(0, 2**60)
PAIRS = st.lists(st.tuples(WORD, WORD), max_size=2).map(tuple)
WORDS = st.lists(WORD, max_size=3).map(tuple)
SHA256 = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
MEMBERS = st.lists(
    st.builds(
        Member,
        path=st.lists(NAME, min_size=1, max_size=3).map("/".join),
        size_bytes=COUNT,
        sha256=SHA256,
        role=st.sampled_from(MemberRole),
        codec=st.sampled_from(Codec),
        database=WORD,
        sealed=st.booleans(),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda member: member.path,
).map(tuple)
DATABASES = st.lists(
    st.builds(
        DatabaseFacts,
        name=WORD,
        size_bytes=COUNT,
        encoding=WORD,
        collation=WORD,
        extensions=PAIRS,
        inventory=st.lists(st.tuples(WORD, COUNT), max_size=2).map(tuple),
        inventory_digest=WORD,
    ),
    max_size=2,
).map(tuple)
TABLES = st.lists(
    st.builds(TableFacts, WORD, WORD, WORD, st.none() | COUNT, st.none() | WORD, st.none() | COUNT), max_size=3
).map(tuple)
FACTS = st.builds(Facts, st.sampled_from(FactsMode), st.booleans(), WORD, DATABASES, TABLES, WORDS)
VERSION = st.lists(st.integers(0, 99), max_size=3).map(tuple)
MANIFESTS = st.builds(
    Manifest,
    id=NAME,
    sequence=COUNT,
    kind=st.sampled_from(BackupKind),
    instance=NAME,
    engine=WORD,
    server=st.builds(ServerIdentity, WORD, VERSION, WORD, WORD),
    started_at=SECONDS,
    ended_at=SECONDS,
    seconds=SECONDS,
    members=MEMBERS,
    facts=FACTS,
    coordinates=PAIRS,
    tools=PAIRS,
    commands=WORDS,
    recipients=WORDS,
    warnings=WORDS,
    format=WORD,
)
PROOFS = st.builds(
    Proof,
    name=st.sampled_from(ProofName),
    at=SECONDS,
    seconds=SECONDS,
    reason=st.none() | st.sampled_from(JobReason),
    detail=WORD,
    differences=WORDS,
    tools=PAIRS,
)


def refused(read: Callable[[], object]) -> str:
    with pytest.raises(JobError) as caught:
        read()
    assert caught.value.reason == JobReason.CORRUPT
    assert "\n" not in caught.value.message
    return caught.value.message


def resealed(change: Callable[[dict[str, Any]], None], text: str = TEXT) -> str:
    """A manifest that was changed by somebody who knows how to write the checksum."""
    content = json.loads(text)
    change(content)
    content.pop("checksum")
    rest = json.dumps(content, indent=1, ensure_ascii=False).removeprefix("{\n") + "\n"
    return f'{{\n "checksum": "{hashlib.sha256(rest.encode()).hexdigest()}",\n{rest}'


@settings(max_examples=40, deadline=None)
@given(MANIFESTS)
def test_what_was_written_is_read_and_written_the_same_again(made: Manifest) -> None:
    text = dump(made)

    assert made == parse(text) == parse(text.encode())
    assert text == dump(parse(text))


@settings(max_examples=40, deadline=None)
@given(PROOFS, NAME)
def test_a_proof_is_read_as_it_was_written(proof: Proof, backup: str) -> None:
    assert proof == proof_parse(proof_dump(proof, backup), backup)


def test_it_is_json_that_a_person_can_read() -> None:
    lines = TEXT.splitlines()

    assert json.loads(TEXT)["manifest"]["members"][0]["size_bytes"] == 1000
    assert lines[1].startswith(' "checksum": "')
    assert lines[2] == ' "schema": 1,'
    assert sum('"citizens"' in line and '"marseille"' in line for line in lines) == 1  # a table a line
    assert max(map(len, lines)) < 250


@pytest.mark.parametrize("text", [TEXT, PROOF_TEXT], ids=["manifest", "proof"])
def test_every_character_that_is_changed_lost_or_added_is_found_out(text: str) -> None:
    read: Callable[[str], object] = parse if text is TEXT else partial(proof_parse, backup=MADE.id)
    for place, character in enumerate(text):
        other = "1" if character != "1" else "2"
        for edited in (
            text[:place] + other + text[place + 1 :],
            text[:place] + text[place + 1 :],
            text[:place] + " " + text[place:],
        ):
            if edited != text:
                refused(partial(read, edited))


def test_every_bit_that_flips_is_found_out() -> None:
    raw = bytearray(TEXT.encode())
    for place in range(0, len(raw), 7):
        raw[place] ^= 1 << place % 8
        refused(lambda: parse(bytes(raw)))
        raw[place] ^= 1 << place % 8
    assert parse(bytes(raw)) == MADE


@pytest.mark.parametrize("length", [*range(0, len(TEXT), 97), len(TEXT) - 1])
def test_a_truncated_manifest_is_told_as_such(length: int) -> None:
    message = refused(lambda: parse(TEXT[:length]))

    assert any(word in message for word in ("truncated", "empty", "first lines"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the manifest is empty"),
        (" \n", "the manifest is empty"),
        ("{}", "no manifest"),
        ("[]", "no manifest"),
        ("null", "no manifest"),
        ("[" * 100_000, "no manifest"),
        (b"\xff\xfe", "byte 1 is no UTF-8"),
        (TEXT + TEXT, "checksum"),
        (TEXT + "x", "behind its end"),
        (TEXT.replace("\n", "\r\n"), "first lines were damaged"),
        (TEXT.replace('"schema": 1', '"schema": 2'), "version 2 and this dbwatch reads 1"),
        (TEXT.replace("citizens", "citizen5"), "edited or damaged"),
    ],
)
def test_what_is_no_manifest_is_told_in_one_line(text: str | bytes, told: str) -> None:
    assert told in refused(lambda: parse(text))


def test_a_proof_is_no_manifest_and_a_manifest_no_proof() -> None:
    assert "unknown key" in refused(lambda: parse(PROOF_TEXT)) or "missing" in refused(lambda: parse(PROOF_TEXT))
    refused(lambda: proof_parse(TEXT, MADE.id))


def test_the_proof_of_another_set_is_refused() -> None:
    assert "moved here from another" in refused(lambda: proof_parse(PROOF_TEXT, "another"))


def change(*keys: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def changed(content: dict[str, Any]) -> None:
        place: Any = content
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = to

    return changed


@pytest.mark.parametrize(
    ("keys", "to", "told"),
    [
        (("manifest", "sequence"), "1", "manifest.sequence: must be a whole number"),
        (("manifest", "sequence"), True, "manifest.sequence: must be a whole number"),
        (("manifest", "sequence"), -1, "negative"),
        (("manifest", "seconds"), "1", "manifest.seconds: must be a number"),
        (("manifest", "kind"), "magical", "manifest.kind: must be one of logical"),
        (("manifest", "surprise"), 1, "manifest.surprise: unknown key"),
        (("manifest", "members", 0, "surprise"), 1, "manifest.members.0.surprise: unknown key"),
        (("manifest", "facts", "tables", 0, "rows"), 1.5, "manifest.facts.tables.0.rows: must be a whole number"),
        (("manifest", "members"), [], "no members"),
        (("manifest", "members", 0, "path"), "../../etc/passwd", "leaves the set"),
        (("manifest", "members", 0, "path"), "/etc/passwd", "leaves the set"),
        (("manifest", "members", 0, "path"), "a/./b", "leaves the set"),
        (("manifest", "members", 0, "path"), "a//b", "leaves the set"),
        (("manifest", "members", 0, "path"), "", "leaves the set"),
        (("manifest", "members", 0, "sha256"), "", "no sha256"),
        (("manifest", "members", 0, "size_bytes"), -1, "no size"),
        (("manifest", "id"), "../other", "no name of a directory"),
        (("surprise",), 1, "surprise: unknown key"),
    ],
)
def test_not_even_with_the_right_checksum_is_nonsense_believed(
    keys: tuple[str | int, ...], to: object, told: str
) -> None:
    assert told in refused(lambda: parse(resealed(change(*keys, to=to))))


def test_what_could_not_be_read_back_is_never_written() -> None:
    twice = (MADE.members[0], MADE.members[0])
    outside = (replace(MADE.members[0], path="../x"),)
    for wrong in (
        replace(MADE, members=()),
        replace(MADE, members=twice),
        replace(MADE, members=outside),
        replace(MADE, id=""),
    ):
        with pytest.raises(ValueError, match="must not be written"):
            dump(wrong)
    with pytest.raises(ValueError, match="without a set"):
        proof_dump(PROOF, "")
