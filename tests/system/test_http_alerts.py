"""Alerts and runbooks as curl sees them."""

from __future__ import annotations

import json
import time

import pytest

from dbwatch import files
from tests.fix_alerts import a_full_board
from tests.fix_http import doors, filled_store, running

pytestmark = pytest.mark.system


async def test_alerts_are_served_as_a_page_and_as_json() -> None:
    async with running(filled_store(), doors(alerts=lambda: a_full_board(time.time()))) as server:
        above = await server.curl("/")
        page = await server.curl("/alerts?lang=fr")
        instance = await server.curl("/instances/rdv")
        answer = await server.curl("/api/v1/alerts?state=firing&instance=citoyens")
        metrics = await server.curl("/metrics")

    assert [200, 200, 200, 200] == [each.status for each in (above, page, instance, answer)]
    assert "the server does not answer" in above.text
    assert "Les usagers ne peuvent plus prendre rendez-vous." in page.text
    assert "7 sessions wait for a lock" in instance.text
    assert "application/json; charset=utf-8" == answer.headers["content-type"]
    assert ["InstanceDown", "ReplicationLagHigh"] == [each["name"] for each in json.loads(answer.text)["alerts"]]
    assert 'handler="api_alerts"' in metrics.text


async def test_what_is_asked_for_wrongly_is_told_in_a_line() -> None:
    async with running(filled_store(), doors(alerts=lambda: a_full_board(time.time()))) as server:
        state = await server.curl("/api/v1/alerts?state=resolved")
        instance = await server.curl("/api/v1/alerts?instance=nowhere")
        runbook = await server.curl("/runbooks/NoSuchAlert")
        path = await server.curl("/runbooks/..%2f..%2fREADME")

    assert (400, "state can only be `firing` or `pending`\n") == (state.status, state.text)
    assert (404, "no instance 'nowhere' is configured\n") == (instance.status, instance.text)
    assert (404, "no runbook 'NoSuchAlert' came with dbwatch\n") == (runbook.status, runbook.text)
    assert 404 == path.status


async def test_every_runbook_that_ships_is_served() -> None:
    names = sorted(path.stem for path in files.runbooks_root().glob("*.md"))
    async with running(filled_store()) as server:
        answers = [await server.curl(f"/runbooks/{name}") for name in names]

    assert {200} >= {answer.status for answer in answers}
    assert all(f"<h1>{name}</h1>" in answer.text for name, answer in zip(names, answers, strict=True))


async def test_a_server_without_alerting_says_so() -> None:
    async with running(filled_store()) as server:
        page = await server.curl("/alerts")
        answer = json.loads((await server.curl("/api/v1/alerts")).text)

    assert "Rules are not evaluated by this process" in page.text
    assert (False, []) == (answer["started"], answer["alerts"])
