"""What to try first when a server does not answer, in words. Pure."""

from __future__ import annotations

from dbwatch.errors import EngineError, Reason


def of(error: EngineError) -> str:
    """The statement that mends it, where the error knows one, else the first thing to look at."""
    return error.remedy or ADVICE.get(error.reason, "")


ADVICE = {
    Reason.REFUSED: "Nothing listens there: is the server running, are host and port right, which address does it "
    "listen on?",
    Reason.TIMEOUT: "No answer in time: a firewall that drops packets, or a server that is overloaded or hung.",
    Reason.AUTH: "The server refused our account: check user, password file and, on PostgreSQL, pg_hba.conf. "
    "No new try for 10 minutes, so that the account is not locked; `dbwatch reload` tries at once.",
    Reason.TLS: "No trusted TLS connection: check tls.mode, tls.ca_file and the name in the server's certificate.",
    Reason.DNS: "The host name does not resolve: check `host` and the resolver of this machine.",
    Reason.STARTING: "The server is starting, recovering or stopping: wait, then read its log.",
    Reason.TOO_MANY_CONNECTIONS: "No connection is free: see max_connections, and the connection limit of our account.",
}
