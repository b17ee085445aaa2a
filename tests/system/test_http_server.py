"""The HTTP side as curl, promtool and impolite clients see it."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import bcrypt
import pytest
from aiohttp import web

from dbwatch.core.model import Block, Identity
from dbwatch.errors import ConfigError, ControlError, DbwatchError, Fault, RefusedError, UsageError
from dbwatch.http import control_client
from dbwatch.http.sending import Sender
from tests.fix_http import curl, doors, filled_store, put, run, running
from tests.fix_process import program
from tests.fix_tls import make_certificates
from tests.patience import Patience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dbwatch.store import Store

pytestmark = pytest.mark.system

OPENMETRICS = ("-H", "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")


def large_store(tables: int = 10_000) -> Store:
    store = filled_store()
    identity = Identity("large", "postgres")
    names = (("app",) * tables, ("public",) * tables, tuple(f"table_{n}" for n in range(tables)))
    for number, family in enumerate(
        ("dbwatch_table_rows", "dbwatch_pg_table_dead_rows", "dbwatch_pg_table_modified_rows")
    ):
        block = Block(family, ("database", "schema", "table"), names, tuple(float(n) for n in range(tables)))
        put(store, identity, f"c{number}", block)
    return store


async def test_promtool_accepts_the_page_without_a_warning() -> None:
    async with running(filled_store()) as server:
        await server.curl("/")
        page = await server.curl("/metrics")
        code, out, error = await run([str(program("promtool", want="prometheus")), "check", "metrics"], page.body)

    assert "text/plain; version=0.0.4; charset=utf-8" == page.headers["content-type"]
    assert (0, b"", b"") == (code, out, error)


async def test_curl_reads_the_compressed_page_and_it_is_one_member() -> None:
    async with running(filled_store()) as server:
        raw = await server.curl("/metrics", "-H", "Accept-Encoding: gzip", *OPENMETRICS)
        read = await server.curl("/metrics", "--compressed", *OPENMETRICS)

    assert "gzip" == raw.headers["content-encoding"]
    assert "application/openmetrics-text; version=1.0.0; charset=utf-8" == raw.headers["content-type"]
    assert gzip.decompress(raw.body).endswith(b"# EOF\n")
    assert read.body.endswith(b"# EOF\n")
    assert b"dbwatch_sessions_max" in read.body


async def test_a_change_reaches_the_compressed_page_within_two_seconds() -> None:
    store = filled_store()
    async with running(store) as server:
        await server.curl("/metrics", "--compressed")
        identity = store.states()[0].identity
        put(store, identity, "new", Block("dbwatch_tables", ("database",), (("app",),), (41.0,)))
        patience = Patience(3.5)  # two, and what a busy machine adds; without a change it would be five
        while b"dbwatch_tables{" not in (await server.curl("/metrics", "--compressed")).body:
            assert not patience.is_over
            await asyncio.sleep(0.05)


async def test_a_filter_works_compressed_and_a_misspelt_one_fails() -> None:
    async with running(filled_store()) as server:
        one = await server.curl("/metrics?db_instance=rdv&collector=sessions", "--compressed")
        wrong = await server.curl("/metrics?db_instance=nobody")

    assert 'db_instance="rdv"' in one.text
    assert "citoyens" not in one.text
    assert (404, "no instance 'nobody' is configured\n") == (wrong.status, wrong.text)


async def test_head_has_the_length_and_no_body() -> None:
    async with running(filled_store()) as server:
        head = await server.curl("/metrics", "--head", "-H", "Accept-Encoding: gzip")

    assert 200 == head.status
    assert int(head.headers["content-length"]) > 100
    assert b"" == head.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_pages_are_only_read(method: str) -> None:
    async with running(filled_store()) as server:
        answers = [await server.curl(path, "-X", method) for path in ("/", "/metrics", "/api/v1/instances")]

    assert [405] * 3 == [answer.status for answer in answers]
    assert "GET,HEAD" == answers[0].headers["allow"]


async def test_every_answer_carries_the_security_headers() -> None:
    async with running(filled_store()) as server:
        answers = [await server.curl(path) for path in ("/", "/metrics", "/nope", "/static/style.css", "/instances/x")]

    assert [200, 200, 404, 200, 404] == [answer.status for answer in answers]
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "dbwatch" == answer.headers["server"]
    assert 1 == answers[2].text.count("\n")


async def test_no_answer_tells_versions_not_even_to_what_is_no_http() -> None:
    async with running(filled_store()) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.address.rpartition(":")[2]))
        writer.write(b"\x16\x03\x01 no HTTP\r\n\r\n")
        answer = (await reader.read()).decode("latin-1")
        writer.close()
        assert "400" in answer.splitlines()[0]
        assert "aiohttp" not in answer


async def test_the_page_and_the_json_show_every_instance() -> None:
    async with running(filled_store()) as server:
        page = await server.curl("/")
        one = await server.curl("/instances/rdv?refresh=0")
        said = json.loads((await server.curl("/api/v1/instances")).body)
        single = json.loads((await server.curl("/api/v1/instances/rdv")).body)

    assert "2 of 2 up" in page.text
    assert "http-equiv" not in one.text
    assert ["citoyens", "rdv"] == [each["db_instance"] for each in said["instances"]]
    assert 12.0 == single["figures"]["sessions"]["value"]


async def test_discovery_gives_the_address_the_client_used() -> None:
    async with running(filled_store()) as server:
        targets = json.loads((await server.curl("/sd/prometheus", "-H", "Host: dbwatch.test:1")).body)
        strange = await server.curl("/sd/prometheus", "-H", "Host: a/b")

    assert ["dbwatch.test:1"] == targets[0]["targets"]
    assert 400 == strange.status


async def test_health_and_readiness_say_why_not() -> None:
    reasons = {"ready": "starting: 2 instances not polled yet", "healthy": ""}
    given = doors(ready=lambda: reasons["ready"], healthy=lambda: reasons["healthy"])
    async with running(filled_store(), given) as server:
        early = await server.curl("/-/ready")
        reasons.update(ready="", healthy="poller-rdv makes no progress")
        late, ill = await server.curl("/-/ready"), await server.curl("/-/healthy")

    assert (503, "starting: 2 instances not polled yet\n") == (early.status, early.text)
    assert (200, 503) == (late.status, ill.status)


async def test_reload_needs_its_flag_and_tells_every_fault() -> None:
    async def broken() -> None:
        raise ConfigError([Fault("a.yml: x", "wrong"), Fault("b.yml: y", "missing")])

    async with running(filled_store(), doors(reload=broken)) as server:
        refused = await server.curl("/-/reload", "-X", "POST")
    async with running(filled_store(), doors(reload=broken), enable_lifecycle=True) as server:
        faulty = await server.curl("/-/reload", "-X", "PUT")
        foreign = await server.curl("/-/reload", "-X", "POST", "-H", "Origin: http://elsewhere.test")
        read = await server.curl("/-/reload")

    assert 403 == refused.status
    assert "enable_lifecycle" in refused.text
    assert 500 == faulty.status
    assert "a.yml: x: wrong\nb.yml: y: missing" in faulty.text
    assert (403, 405) == (foreign.status, read.status)


async def test_a_port_in_use_is_one_clear_line() -> None:
    async with running(filled_store()) as server:
        with pytest.raises(DbwatchError, match=f"cannot listen on {server.address}: the port is in use"):
            async with running(filled_store(), listen_addresses=(server.address,)):
                pass


async def test_it_listens_everywhere_it_is_told_to(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    async with running(filled_store(), listen_addresses=("127.0.0.1:0", ":0", f"unix:{path}")) as server:
        answers = [await server.curl("/-/healthy"), await curl("--unix-socket", str(path), "http://x/-/healthy")]

    assert [200, 200] == [answer.status for answer in answers]
    assert not path.exists()


async def test_it_stops_at_once_though_clients_hang_on() -> None:
    async with asyncio.timeout(20):
        context = running(large_store())
        server = await context.__aenter__()
        host, port = server.address.split(":")
        idle_reader, idle = await asyncio.open_connection(host, port)
        idle.write(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        await idle_reader.readuntil(b"healthy\n")
        slow = socket.create_connection((host, int(port)))
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        silent = socket.create_connection((host, int(port)))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await context.__aexit__(None, None, None)
        stopped = time.monotonic() - began
        idle.close()
        slow.close()
        silent.close()

    assert stopped < 5.0  # they would hang on for half a minute


async def test_what_is_asked_is_counted_by_handler() -> None:
    async with running(filled_store()) as server:
        await server.curl("/nope/whatever")
        await server.curl("/instances/rdv")
        text = (await server.curl("/metrics")).text

    assert 'dbwatch_http_requests_total{code="404",handler="other"} 1.0' in text
    assert 'dbwatch_http_requests_total{code="200",handler="detail"} 1.0' in text
    assert "whatever" not in text


async def test_a_refresh_of_thousands_of_digits_is_a_page_like_any_other() -> None:
    async with running(filled_store()) as server:
        answers = [await server.curl(f"/?refresh={asked}") for asked in ("9" * 5000, "00", "7200", "%C2%B2")]

    assert [200] * 4 == [answer.status for answer in answers]


async def test_users_of_the_web_configuration_are_asked_for_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    file.write_text(f"basic_auth_users: {{ann: {bcrypt.hashpw(b'sesame', bcrypt.gensalt(8)).decode()}}}")
    async with running(filled_store(), web_config_file=file) as server:
        paths = ("/", "/metrics", "/-/healthy", "/static/style.css", "/nope")
        strangers = [(await server.curl(path)).status for path in paths]
        known = [(await server.curl(path, "-u", "ann:sesame")).status for path in paths]
        asked = await server.curl("/", "-u", "ann:wrong")

    assert [401] * 5 == strangers
    assert [200, 200, 200, 200, 404] == known
    assert asked.headers["www-authenticate"].startswith("Basic ")


async def test_a_new_certificate_is_served_without_a_restart_and_a_broken_one_is_not(tmp_path: Path) -> None:
    first, second = make_certificates(tmp_path / "first"), make_certificates(tmp_path / "second")
    certificate, key, file = tmp_path / "c.pem", tmp_path / "k.pem", tmp_path / "web.yml"
    certificate.write_bytes(first.server_certificate.read_bytes())
    key.write_bytes(first.server_key.read_bytes())
    file.write_text("tls_server_config: {cert_file: c.pem, key_file: k.pem}")

    async def trusted_by(server_url: str) -> list[bool]:
        program("curl")
        found = []
        for authority in (first.ca_file, second.ca_file):
            code, _, _ = await run(["curl", "-s", "--cacert", str(authority), f"{server_url}/-/healthy"])
            found.append(code == 0)
        return found

    async with running(filled_store(), web_config_file=file) as server:
        before = await trusted_by(server.url)
        certificate.write_text("no certificate")
        await asyncio.sleep(0.2)
        broken = await trusted_by(server.url)
        certificate.write_bytes(second.server_certificate.read_bytes())
        key.write_bytes(second.server_key.read_bytes())
        for _ in range(200):
            if (after := await trusted_by(server.url)) == [False, True]:
                break
            await asyncio.sleep(0.05)

    assert ([True, False], [True, False], [False, True]) == (before, broken, after)


async def test_a_client_without_a_certificate_is_turned_away_where_one_is_required(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "pki")
    file = tmp_path / "web.yml"
    file.write_text(
        f"tls_server_config: {{cert_file: {certificates.server_certificate}, key_file: {certificates.server_key}, "
        f"client_ca_file: {certificates.ca_file}, client_auth_type: RequireAndVerifyClientCert}}"
    )
    own = ["--cert", str(certificates.server_certificate), "--key", str(certificates.server_key)]
    async with running(filled_store(), web_config_file=file) as server:
        base = ["curl", "-s", "--cacert", str(certificates.ca_file), f"{server.url}/-/healthy"]
        refused, _, _ = await run(base)
        admitted, out, _ = await run([*base, *own])

    assert refused != 0
    assert (0, b"dbwatch is healthy\n") == (admitted, out)


async def test_commands_come_in_by_the_control_socket_only(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"

    async def echo(arguments: dict[str, object]) -> object:
        return {"heard": arguments}

    async def refuse(_arguments: dict[str, object]) -> object:
        raise UsageError("no instance 'x'")

    given = doors(commands={"echo": echo, "refuse": refuse})
    async with running(filled_store(), given, control_socket=path) as server:
        mode = path.stat().st_mode & 0o777
        heard = await control_client.call(path, "echo", {"a": 1})
        with pytest.raises(RefusedError, match="no instance 'x'"):  # a UsageError for the command line
            await control_client.call(path, "refuse")
        with pytest.raises(ControlError, match="knows no command 'fly', only: echo, refuse"):
            await control_client.call(path, "fly")
        with pytest.raises(DbwatchError, match="another dbwatch answers there"):
            async with running(filled_store(), given, control_socket=path):
                pass
        over_tcp = await server.curl("/v1/echo", "-d", "{}")
    with pytest.raises(ControlError, match="is the daemon running"):
        await control_client.call(path, "echo")

    assert 0o660 == mode
    assert {"heard": {"a": 1}} == heard
    assert 404 == over_tcp.status
    assert not path.exists()


async def test_a_socket_file_of_a_dead_daemon_is_replaced_and_another_file_is_not(tmp_path: Path) -> None:
    stale, other = tmp_path / "stale.sock", tmp_path / "file"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    other.write_text("precious")
    async with running(filled_store(), control_socket=stale):
        assert stale.is_socket()
    with pytest.raises(DbwatchError, match="no socket"):
        async with running(filled_store(), control_socket=other):
            pass
    with pytest.raises(DbwatchError, match="does not exist"):
        async with running(filled_store(), control_socket=tmp_path / "none" / "x.sock"):
            pass

    assert "precious" == other.read_text()


@asynccontextmanager
async def sending(sender: Sender, body: bytes) -> AsyncIterator[int]:
    """One page of that body."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await sender.send(request, {}, [body])

    application = web.Application()
    application.add_routes([web.get("/", answer)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_client_that_does_not_read_is_cut_off_and_leaves_its_place() -> None:
    async with sending(Sender(at_once=1, seconds=3.0), bytes(50_000_000)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.1)
        too_many = await curl(f"http://127.0.0.1:{port}/")
        for _ in range(200):
            if (afterwards := await curl("--head", f"http://127.0.0.1:{port}/")).status != 503:
                break
            await asyncio.sleep(0.1)
        got = len(await reader.read())
        writer.close()

    assert got < 50_000_000
    assert (503, "too many scrapes at once\n") == (too_many.status, too_many.text)
    assert (200, "50000000") == (afterwards.status, afterwards.headers["content-length"])
