"""The log of every PostgreSQL: before version 17 its file is found by name and time, for nobody may ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.conftest import postgres_binaries
from tests.log_following import COLLECTED, story_of_a_rotation

if TYPE_CHECKING:
    from tests.fix_postgres import Clusters

pytestmark = pytest.mark.engine
NAMES = "log_filename = 'pg_100%%-%H%M%S.log'"


FORMS = [(13, "stderr"), (14, "stderr, csvlog"), (15, "jsonlog, stderr"), (16, "stderr"), (17, "stderr, csvlog")]


@pytest.mark.parametrize(("major", "form"), FORMS)
async def test_messages_are_counted_exactly_through_a_rotation(clusters: Clusters, major: int, form: str) -> None:
    lines = (*COLLECTED, NAMES, f"log_destination = '{form}'")
    with postgres_binaries(major) as binaries, clusters.new(binaries, *lines) as server:
        await story_of_a_rotation(server)
