"""Whether the daemon could use the directories that it writes to, as far as this account can see."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dbwatch.settings.files import is_directory

if TYPE_CHECKING:
    from pathlib import Path

    from dbwatch.errors import Fault
    from dbwatch.settings.models import Settings
    from dbwatch.settings.tree import Placing

STATE_MEND = "create it for the account of dbwatch (systemd: StateDirectory=dbwatch), or choose another path"
SOCKET_MEND = "create it (systemd: RuntimeDirectory=dbwatch), or choose another path"
OTHER_PATH = "choose another path"


class Places:
    """What stands in the way is a fault; what is missing, or closed to whoever asks, may be right for the daemon."""

    def __init__(self, settings: Settings, at: Placing) -> None:
        self._at = at
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self._state(settings.state_directory)
        self._socket(settings.control_socket)

    def _state(self, directory: Path) -> None:
        path = ("state_directory",)
        nearest = existing(directory)
        if not is_directory(nearest):
            self.faults.append(self._at(path, f"{nearest} is not a directory", OTHER_PATH))
        elif not os.access(nearest, os.W_OK | os.X_OK):
            what = "this account cannot write to" if nearest == directory else "does not exist, nor can be made by"
            told = f"{what} {directory}" if nearest == directory else f"{directory} {what} this account"
            self.warnings.append(self._at(path, told, STATE_MEND))

    def _socket(self, socket: Path) -> None:
        path, directory = ("control_socket",), socket.parent
        nearest = existing(directory)
        if is_directory(socket):
            self.faults.append(self._at(path, f"{socket} is a directory", "give the path of a file in it"))
        elif not is_directory(nearest):
            self.faults.append(self._at(path, f"{nearest} is not a directory", OTHER_PATH))
        elif nearest != directory and os.access(nearest, os.X_OK):
            self.warnings.append(self._at(path, f"the directory {directory} does not exist", SOCKET_MEND))
        elif not os.access(directory, os.W_OK | os.X_OK):
            self.warnings.append(self._at(path, f"this account cannot write to {directory}", SOCKET_MEND))


def existing(path: Path) -> Path:
    """The path, or the nearest one above it that is there."""
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
