"""A real Postfix with a configuration, a queue and a mailbox of its own: nothing of the machine's is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fix_process import MISSING, eventually, free_port, program
from tests.fix_tls import make_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

DOMAIN = "marseille.example"
KNOWN = f"astreinte@{DOMAIN}"
MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = {home}/log
maillog_file_prefixes = {home}
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = inline:{{ {{{known}=astreinte/}} }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
alias_maps =
alias_database =
"""
MASTER = """
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
showq unix n - n - - showq
"""


class Postfix:
    """One that speaks on `port`, insists on STARTTLS, and delivers to one mailbox."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, free_port()
        certificates = make_certificates(home / "tls")
        self.ca_file = certificates.ca_file
        shutil.chown(certificates.server_key, "root")
        for name, owner in (("etc", "root"), ("queue", "root"), ("data", "postfix"), ("mail", "nobody")):
            (home / name).mkdir(mode=0o755)
            shutil.chown(home / name, owner)
        paths = {"certificate": certificates.server_certificate, "key": certificates.server_key}
        main = MAIN.format(home=home, domain=DOMAIN, known=KNOWN, **paths)
        (home / "etc/main.cf").write_text(main)
        (home / "etc/master.cf").write_text(MASTER.format(port=self.port))

    def control(self, word: str) -> None:
        """`postfix start`, `postfix stop`."""
        command = [str(program("postfix")), "-c", str(self.home / "etc"), word]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise AssertionError(f"postfix {word}: {done.stderr}{self.log()}")

    def log(self) -> str:
        path = self.home / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def mails(self, number: int) -> list[EmailMessage]:
        """So many that were delivered; wait for them."""
        new = self.home / "mail/astreinte/new"
        files = eventually(lambda: found if len(found := sorted(new.glob("*"))) >= number else [], timeout_seconds=30)
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


@contextmanager
def postfix() -> Iterator[Postfix]:
    """Started; stopped and removed at the end. Its master insists on being root."""
    if os.getuid() != 0:
        MISSING.add("root's rights, which Postfix needs")
        pytest.skip("for want of root's rights")
    program("postfix")
    home = Path(tempfile.mkdtemp(prefix="dbwatch-postfix-"))
    home.chmod(0o755)
    try:
        server = Postfix(home)
        server.control("start")
        try:
            yield server
        finally:
            server.control("stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
