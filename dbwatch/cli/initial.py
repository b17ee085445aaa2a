"""`dbwatch init`: the example configuration into a directory of the operator's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.errors import UsageError
from dbwatch.files import alerting_root, config_root, prometheus_root

if TYPE_CHECKING:
    from pathlib import Path

TESTS = "tests"  # promtool's, which nobody needs who does not change a rule
MODE = 0o640  # a password may be written into it


def write(directory: Path, source: Path | None = None, *, with_prometheus: bool = False) -> list[str]:
    """Copy every file, and say what to do next. Raise UsageError where one stands already: nothing is written then.

    `with_prometheus`: also the rules, and the examples for Prometheus and Alertmanager that load them.
    """
    targets = _targets(source or config_root(), directory)
    if with_prometheus:
        targets |= _targets(alerting_root(), directory / "alerting")
        targets |= _targets(prometheus_root(), directory / "prometheus")
    taken = [str(target) for target in targets.values() if target.exists()]
    if taken:
        raise UsageError(f"{taken[0]} stands already: nothing was written")
    try:
        for path, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=MODE)
            target.write_bytes(path.read_bytes())
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{directory} is not a directory: name one, or one that is not there yet") from None
    except OSError as error:
        raise UsageError(f"{directory}: {error.strerror}") from None
    return [*(f"wrote {target}" for target in targets.values()), *_next_steps(directory)]


def _targets(source: Path, directory: Path) -> dict[Path, Path]:
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    kept = [path for path in files if not path.name.startswith(".") and path.parts[0] != TESTS]
    return {source / path: directory / path for path in kept}


def _next_steps(directory: Path) -> list[str]:
    return [
        "",
        "Next:",
        f"  1. name your servers in {directory}",
        f"  2. dbwatch config check --config {directory}",
        f"  3. dbwatch doctor --config {directory}     what is missing, and the GRANT for it",
        f"  4. dbwatch run --config {directory}        then open http://127.0.0.1:10432",
        "",
        "For a trial as a normal user, first give state_directory and control_socket in dbwatch.yml paths that you may",
        "write to, such as `state_directory: state` and `control_socket: control.sock`: beside that file.",
    ]
