"""`dbwatch check` and a daemon that speaks TLS: the configuration says so, and a certificate is verified."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import yaml

from dbwatch.cli import checking
from dbwatch.errors import ControlError
from tests.fix_http import filled_store, running
from tests.fix_tls import Certificates, make_certificates

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_http import Running

pytestmark = pytest.mark.system


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "pki")


def web_config(directory: Path, certificate: Path, certificates: Certificates) -> Path:
    file = directory / "web.yml"
    file.write_text(yaml.safe_dump({
        "tls_server_config": {"cert_file": str(certificate), "key_file": str(certificates.server_key)}
    }))  # fmt: skip
    return file


def configured(directory: Path, server: Running, **http: str) -> Path:
    file = directory / "dbwatch.yml"
    file.write_text(yaml.safe_dump({"http": {"listen_addresses": [server.address], **http}}))
    return file


async def asked(config: Path, *, ca_file: Path | None = None, url: str = "") -> str:
    """The page, or why there is none."""
    request = checking.Request(instance="rdv", config=config, is_config_given=True, ca_file=ca_file, url=url)
    try:
        return await asyncio.to_thread(checking.page, request)
    except ControlError as error:
        return str(error)


async def test_a_daemon_with_tls_is_asked_over_tls(tmp_path: Path, certificates: Certificates) -> None:
    web = web_config(tmp_path, certificates.server_certificate, certificates)
    async with running(filled_store(), web_config_file=web) as server:
        config = configured(tmp_path, server, web_config_file=str(web))
        known = await asked(config, ca_file=certificates.ca_file)
        stranger = await asked(config, ca_file=certificates.other_ca_file)

    assert 'dbwatch_sessions_max{db_instance="rdv"' in known
    why = f"no answer from https://{server.address}: unable to get local issuer certificate -> --ca-file FILE"
    assert stranger.startswith(why)


async def test_a_certificate_for_another_name_is_refused_with_what_to_do(
    tmp_path: Path, certificates: Certificates
) -> None:
    web = web_config(tmp_path, certificates.wrong_name_certificate, certificates)
    async with running(filled_store(), web_config_file=web) as server:
        told = await asked(configured(tmp_path, server, web_config_file=str(web)), ca_file=certificates.ca_file)

    assert "certificate is not valid for '127.0.0.1' -> " in told
    assert "--url https://NAME:PORT with a name that stands in it" in told


async def test_where_the_two_sides_disagree_about_tls_the_other_one_is_named(
    tmp_path: Path, certificates: Certificates
) -> None:
    """The web configuration may be closed to the account of the check, and is then not known to hold TLS."""
    web = web_config(tmp_path, certificates.server_certificate, certificates)
    async with running(filled_store(), web_config_file=web) as server:
        plain = await asked(configured(tmp_path, server))
    async with running(filled_store()) as server:
        ciphered = await asked(tmp_path, url=f"https://{server.address}")

    assert "-> it may speak TLS: --url https://NAME:PORT" in plain
    assert "-> does it speak TLS? if not: --url http://..." in ciphered
