"""The configuration that the demonstration writes, without any server of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbwatch.demo.command import Places, write_config
from dbwatch.demo.ground import Ground
from dbwatch.demo.model import DemoEstate

if TYPE_CHECKING:
    from pathlib import Path


def demo_config(directory: Path, port: int, smtp_port: int) -> Path:
    return write_config(DemoEstate((), {}), Places(directory, Ground(directory, None)), port, smtp_port)
