"""The TLS context that a web configuration asks for."""

from __future__ import annotations

import ssl
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dbwatch.errors import ConfigError, Fault
from dbwatch.http.webconfig import CIPHERS
from dbwatch.settings.files import why

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbwatch.http.webconfig import Tls

VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
MEND = "are the files there, readable for the account of dbwatch, and a certificate with the key that belongs to it?"
EXCHANGED = "no PEM of a certificate, or of a key, where one is expected: are the two exchanged?"
CLIENT_AUTH = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


def context(tls: Tls, source: Path) -> ssl.SSLContext:
    """Reads the files that the web configuration in `source` names. Raise ConfigError where they cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = VERSIONS[tls.min_version]
    made.maximum_version = VERSIONS[tls.max_version]
    if tls.prefer_server_cipher_suites:
        made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    made.set_alpn_protocols(["http/1.1"])
    ciphers = [CIPHERS[name] for name in tls.cipher_suites if name in CIPHERS]
    if ciphers:
        made.set_ciphers(":".join(ciphers))
    _load(made, tls, source)
    return made


def _load(made: ssl.SSLContext, tls: Tls, source: Path) -> None:
    try:
        with _files(tls) as (certificate, key):
            # Without a password callback an encrypted key would be asked for on the terminal.
            made.load_cert_chain(certificate, key, password=lambda: "")
        if tls.client_ca_file or tls.client_ca:
            # Beside the certificates there may be words, in any language; Python takes ASCII alone.
            text = tls.client_ca.encode("ascii", "replace").decode()
            made.load_verify_locations(cafile=tls.client_ca_file, cadata=text or None)
            made.verify_mode = CLIENT_AUTH[tls.client_auth_type]
    except (OSError, ValueError) as error:  # ssl.SSLError is one
        named = ", ".join(str(path) for path in (tls.cert_file, tls.key_file, tls.client_ca_file) if path)
        what = (error.reason or EXCHANGED) if isinstance(error, ssl.SSLError) else why(error)
        where = f"{source}: tls_server_config: {named or 'inline'}"
        raise ConfigError([Fault(where, f"cannot be used: {what}", MEND)]) from None


@contextmanager
def _files(tls: Tls) -> Iterator[tuple[Path, Path]]:
    """OpenSSL reads files: what stands inline is lent to it in a directory that only we may read."""
    with tempfile.TemporaryDirectory(prefix="dbwatch-tls-") as directory:
        certificate = tls.cert_file or Path(directory, "certificate.pem")
        key = tls.key_file or Path(directory, "key.pem")
        if tls.cert_file is None:
            certificate.write_text(tls.cert)
        if tls.key_file is None:
            key.write_text(tls.key.get_secret_value())
        yield certificate, key
