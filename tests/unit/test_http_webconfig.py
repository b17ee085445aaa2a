from __future__ import annotations

import base64
from pathlib import Path

import bcrypt
import pytest

from dbwatch.errors import ConfigError, DbwatchError
from dbwatch.http import listen, live_config, webconfig
from dbwatch.http.auth import Gate, cost, credentials
from tests.fix_tls import make_certificates

FILE = Path("/etc/dbwatch/web.yml")
HASH = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4))
CANARY = "canary-7f3a"


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        webconfig.parse(text, FILE)
    return [str(fault) for fault in caught.value.faults]


def test_an_empty_file_asks_for_nothing() -> None:
    assert webconfig.WebConfig() == webconfig.parse("", FILE)


def test_paths_are_relative_to_the_file() -> None:
    config = webconfig.parse("tls_server_config: {cert_file: a.pem, key_file: /keys/b.pem}", FILE)

    assert [Path("/etc/dbwatch/a.pem"), Path("/keys/b.pem")] == config.files()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("rate_limit: {interval: 1s}", "rate_limit"),
        ("tls_server_config: {cert_file: a, key_file: b, curve_preferences: [X25519]}", "curve_preferences"),
        ("tls_server_config: {cert_file: a, key_file: b, client_allowed_sans: [x]}", "client_allowed_sans"),
        ("http_server_config: {http2: true}", "http_server_config.http2"),
        ("http_server_config: {headers: {X-Powered-By: me}}", "X-Powered-By"),
        ("tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequestClientCert}", "client_auth_type"),
        ("tls_server_config: {cert_file: a, key_file: b, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}", "cipher_suites"),
        ("tls_server_config: {cert_file: a}", "tls_server_config"),
        ("tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}", "tls_server"),
        ("no_such_key: 1", "no_such_key"),
        ("basic_auth_users: {ann: plain}", "basic_auth_users.ann"),
        ("a: 1\na: 2", "line 2"),
        ("- a", "not a mapping"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(text: str, key: str) -> None:
    found = faults(text)

    assert 1 == len(found)
    assert key in found[0]


def test_what_is_not_supported_hides_no_other_fault() -> None:
    text = "rate_limit: {interval: 1s}\nno_such_key: 1\ntls_server_config: {cert_file: a, curve_preferences: [X25519]}"
    found = faults(text)

    assert 4 == len(found), found
    for told in ("rate_limit", "curve_preferences", "no_such_key", "exactly one key"):
        assert 1 == sum(told in each for each in found), told


def test_a_file_that_holds_itself_is_no_riddle() -> None:
    assert ["no_such_key"] == [each.split(" ")[1].rstrip(":") for each in faults("no_such_key: &x {rate_limit: *x}")]


def test_no_secret_is_printed() -> None:
    text = f"basic_auth_users: {{ann: {CANARY}}}\ntls_server_config: {{key: {CANARY}, cert: 1}}"

    assert CANARY not in "".join(faults(text))
    assert CANARY not in repr(webconfig.parse(f"tls_server_config: {{key: {CANARY}, cert: x}}", FILE))


def test_an_authority_that_stands_inline_may_have_words_in_any_language_beside_it(tmp_path: Path) -> None:
    """Python's own TypeError would end a daemon whose web configuration is edited."""
    made = make_certificates(tmp_path / "tls")
    authority = f"Autorité de la ville\n{made.ca_file.read_text()}".replace("\n", "\n    ")
    section = f"tls_server_config:\n  cert_file: {made.server_certificate}\n  key_file: {made.server_key}\n"
    section += f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca: |\n    {authority}\n"
    (tmp_path / "web.yml").write_text(section, encoding="utf-8")
    loaded = live_config.load(tmp_path / "web.yml")
    assert loaded.context is not None
    assert 1 == len(loaded.context.get_ca_certs())


@pytest.mark.parametrize("wrong", ["client_ca: é", 'client_ca_file: "a\\0b"'])
def test_an_authority_that_is_none_is_told(tmp_path: Path, wrong: str) -> None:
    made = make_certificates(tmp_path / "tls")
    section = f"cert_file: {made.server_certificate}, key_file: {made.server_key}, {wrong}"
    text = f"tls_server_config: {{client_auth_type: RequireAndVerifyClientCert, {section}}}\n"
    (tmp_path / "web.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"tls_server_config: .* cannot be used: "):
        live_config.load(tmp_path / "web.yml")


def test_headers_are_those_of_the_format() -> None:
    text = "http_server_config: {headers: {Strict-Transport-Security: max-age=1, X-Frame-Options: deny}}"

    assert {"Strict-Transport-Security": "max-age=1", "X-Frame-Options": "deny"} == webconfig.parse(text, FILE).headers


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def test_only_the_right_pair_opens_the_gate() -> None:
    gate = Gate(lambda: {"ann": HASH})
    try:
        tried = ["", "Basic x", basic("ann", "wrong"), basic("bob", "sesame"), basic("ann", ""), basic("ann", "sesame")]
        answers = [await gate.admits(header) for header in tried + tried]
    finally:
        gate.close()

    assert [False, False, False, False, False, True] * 2 == answers


async def test_a_changed_hash_shuts_out_the_old_password() -> None:
    users = {"ann": HASH}
    gate = Gate(lambda: users)
    try:
        before = await gate.admits(basic("ann", "sesame"))
        users["ann"] = bcrypt.hashpw(b"other", bcrypt.gensalt(4))
        after = await gate.admits(basic("ann", "sesame"))
    finally:
        gate.close()

    assert (True, False) == (before, after)


async def test_the_gate_remembers_and_keeps_no_password() -> None:
    gate = Gate(lambda: {"ann": HASH})
    try:
        await gate.admits(basic("ann", "sesame"))
        await gate.admits(basic("ann", CANARY))
        known = [key for answers in gate._memory._answers.values() for key in answers]
    finally:
        gate.close()

    assert 2 == len(known)
    assert not any(CANARY.encode() in key or b"sesame" in key for key in known)


async def test_guessing_does_not_push_out_those_who_may_enter() -> None:
    gate = Gate(lambda: {"ann": HASH})
    try:
        await gate.admits(basic("ann", "sesame"))
        for number in range(140):
            gate._memory.put(str(number).encode(), answer=False)
        known = gate._memory.get(gate._key("ann", HASH, b"sesame"))
    finally:
        gate.close()

    assert known is True


async def test_passwords_longer_than_bcrypt_reads_and_odd_bytes_do_no_harm() -> None:
    gate = Gate(lambda: {"ann": bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))})
    try:
        answers = [await gate.admits(basic("ann", "x" * 100)), await gate.admits(basic("ann", "a\0b"))]
    finally:
        gate.close()

    assert [True, False] == answers


def test_credentials_may_hold_colons_and_accents() -> None:
    assert ("ann", "é:b".encode()) == credentials(basic("ann", "é:b"))
    assert credentials("Bearer abc") is None


def test_a_stranger_is_checked_at_the_cost_of_a_user() -> None:
    assert 4 == cost(HASH)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:10432", listen.Address("127.0.0.1", 10432)),
        ("[::1]:80", listen.Address("::1", 80)),
        (":9", listen.Address("", 9)),
        ("unix:/run/x", listen.Address(path=Path("/run/x"))),
    ],
)
def test_an_address_is_read_and_written_alike(text: str, expected: listen.Address) -> None:
    assert expected == listen.parse(text)
    assert text == str(expected)


@pytest.mark.parametrize("text", ["", "10432", "::1:80", "a:b", "a:70000", "http://a:1", "unix:"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no address"):
        listen.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("basic_auth_user: {}", "basic_auth_user: unknown key"),
        ("tls_server_config: {cert_file: [a]}", "tls_server_config.cert_file: must be a path"),
        ("http_server_config: {headers: {X-XSS-Protection: 1}}", "headers.X-XSS-Protection: must be text"),
        ("http_server_config: 1", "http_server_config: must be a section"),
    ],
)
def test_a_mistake_is_told_in_our_words(text: str, expected: str) -> None:
    (fault,) = faults(text)
    assert expected in fault


def test_a_directory_in_the_sockets_place_is_not_to_be_removed(tmp_path: Path) -> None:
    with pytest.raises(DbwatchError, match="it is a directory -> give the path of a file in it"):
        listen.bind_unix(tmp_path)
