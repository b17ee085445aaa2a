"""What to try first when a server does not answer, in words. Pure."""

from __future__ import annotations

from dbwatch.errors import EngineError, Reason


def of(error: EngineError) -> str:
    """`once`, and when the daemon tries again where that is not soon."""
    return " ".join(filter(None, [once(error), PAUSES.get(error.reason, "")]))


def once(error: EngineError) -> str:
    """The statement that mends it, where the error knows one, else the first thing to look at."""
    return error.remedy or ADVICE.get(error.reason, "")


def of_collector(error: EngineError) -> str:
    """The same for one collector of a server that can be reached."""
    return error.remedy or COLLECTOR_ADVICE.get(error.reason, "")


COLLECTOR_ADVICE = {
    Reason.TIMEOUT: "The query took longer than the collector may: look for a lock or for load; "
    "`collectors: NAME: timeout` in the configuration raises the limit.",
    Reason.LOCK: "It waited for a lock and gave way. It is asked again; see `dbwatch ask INSTANCE locks`.",
    Reason.MISSING: "Something that it reads is not there on this server. It is asked again in 15 minutes.",
    Reason.SYNTAX: "The server does not understand the query: is its variant for this version? Again in 15 minutes.",
    Reason.SHAPE: "The answer is not what its head describes: see the columns, labels and numbers there.",
    Reason.PERMISSION: "Our account may not read it: `dbwatch doctor` names what is missing.",
}

ADVICE = {
    Reason.REFUSED: "Nothing listens there: is the server running, are host and port right, which address does it "
    "listen on?",
    Reason.TIMEOUT: "No answer in time: a firewall that drops packets, or a server that is overloaded or hung.",
    Reason.AUTH: "The server refused our account: check user, password file and, on PostgreSQL, pg_hba.conf. "
    "On MariaDB an anonymous ''@localhost comes before 'NAME'@'%'.",
    Reason.TLS: "No trusted TLS connection: check tls.mode, tls.ca_file and the name in the server's certificate.",
    Reason.MISSING: "We log in to a database that is not there: check `database`, `postgres` where it is not given.",
    Reason.DNS: "The host name does not resolve: check `host` and the resolver of this machine.",
    Reason.LOST: "Something listens there and hung up during the login: are `engine` and `port` right? Where they are, "
    "the server was just stopping: read its log.",
    Reason.STARTING: "The server is starting, recovering or stopping: wait, then read its log.",
    Reason.TOO_MANY_CONNECTIONS: "No connection is free: see max_connections, and the connection limit of our account.",
}

PAUSES = {
    Reason.AUTH: "No new try for 10 minutes, so that the account is not locked, unless the password file changes; "
    "`dbwatch reload` tries at once.",
}
