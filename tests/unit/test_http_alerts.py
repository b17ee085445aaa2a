from __future__ import annotations

import dataclasses
import json
import math
import time

import pytest

from dbwatch.core.alerting.model import Acknowledgement, AlertState, Severity, Silence
from dbwatch.core.alerting.view import (
    NOT_STARTED,
    AlertBoard,
    AlertEvent,
    BoardAlert,
    MailStatus,
    Mute,
    ReplicaStatus,
    RulesStatus,
)
from dbwatch.core.model import Identity
from dbwatch.http.alert_list import prose, runbook_link, without_name
from dbwatch.http.alerts_api import Wanted, alerts_json
from dbwatch.http.alerts_page import alerts_page
from dbwatch.http.detail import detail
from dbwatch.http.frame import Frame
from dbwatch.http.overview import overview
from dbwatch.http.runbook_page import is_name, rendered, runbook_page
from dbwatch.http.view import InstanceView, instance_view
from tests.fix_alerts import a_full_board, an_alert
from tests.fix_http import healthy_state, status

NOW = time.time()
FRAME = Frame(NOW, "/metrics", "/", 10, has_alerts=True)
FULL = a_full_board(NOW)
RULES = RulesStatus(61, NOW - 4, 0.012, 15.0)
CALM = AlertBoard(is_started=True, rules=RULES, mail=MailStatus("direct"))
EVIL = '<script>alert("1")</script>\'&'


def instance(name: str = "citoyens") -> InstanceView:
    return instance_view(healthy_state(Identity(name, "postgres"), status("sessions")), [], NOW)


def with_one(each: BoardAlert) -> AlertBoard:
    return dataclasses.replace(CALM, alerts=(each,))


def page(board: AlertBoard, language: str = "en") -> str:
    return alerts_page(board, dataclasses.replace(FRAME, path="/alerts", language=language))


def in_order(html: str, *texts: str) -> bool:
    places = [html.index(text) for text in texts]
    return places == sorted(places)


def test_active_alerts_stand_above_the_instances_the_worst_first() -> None:
    html = overview([instance()], FRAME, FULL)

    assert in_order(html, "InstanceDown", "ReplicationLagHigh", "SessionsBlocked", "ConnectionsNearLimit", "up</span>")
    assert "<title>3 firing, 1 of 1 up · dbwatch</title>" in html


def test_severity_is_a_sign_and_a_word() -> None:
    html = overview([], FRAME, FULL)

    assert '<span class="state">✖ critical</span>' in html
    assert '<span class="state">▲ warning</span>' in html


def test_the_instance_is_not_named_twice() -> None:
    assert '<a href="/instances/citoyens">citoyens</a> <span>the server does not answer</span>' in page(FULL)
    assert "7 sessions attendent un verrou</span>" in page(FULL, "fr")


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("rdv: it waits", "it waits"),
        ("rdv\N{NO-BREAK SPACE}: il attend", "il attend"),
        ("rdv2: it waits", "rdv2: it waits"),
        ("the server of rdv waits", "the server of rdv waits"),
        ("", ""),
    ],
)
def test_only_the_name_itself_is_left_out_of_a_summary(summary: str, expected: str) -> None:
    assert expected == without_name(summary, "rdv")
    assert summary == without_name(summary, "")


def test_who_has_it_in_hand_is_told_in_place_of_the_command_to_take_it() -> None:
    blocked = next(each for each in FULL.alerts if each.acknowledgement is not None)
    html = page(with_one(blocked))

    assert "✔ acknowledged by anne" in html
    assert "I look at it" in html
    assert "dbwatch alerts ack" not in html
    assert f"dbwatch alerts ack {blocked.alert.fingerprint[:8]}</code>" in page(with_one(BoardAlert(blocked.alert)))


@pytest.mark.parametrize(
    ("mute", "expected"),
    [
        (Mute("inhibited", "InstanceDown of citoyens"), "follows from another alert: InstanceDown of citoyens"),
        (Mute("maintenance"), "nobody is told: in maintenance"),
        (Mute("quiet_hours", until=NOW + 3600), "> for 1 h more</time>"),
        (Mute("some_new_reason"), "nobody is told: some new reason"),
    ],
)
def test_why_nobody_is_told_is_said(mute: Mute, expected: str) -> None:
    assert expected in page(with_one(BoardAlert(an_alert("SessionsBlocked", "rdv", NOW - 60), mute=mute)))


def test_what_is_pending_is_a_quiet_line() -> None:
    html = overview([], FRAME, FULL)

    assert "1 pending: true, but not for long enough" in html
    assert '<article class="card alert warning" id="' + FULL.alerts[0].alert.fingerprint not in html


def test_the_picture_and_the_runbook_are_cited() -> None:
    html = page(FULL)

    assert "/var/lib/dbwatch/pictures/" in html
    assert '<a href="/runbooks/InstanceDown">runbook</a>' in html


def test_only_web_addresses_become_links() -> None:
    def link(url: str) -> str:
        return runbook_link(an_alert("X", "rdv", NOW, texts={"runbook_url": url}))

    assert "https://wiki.example/x.md" == link("https://wiki.example/x.md")
    assert "/runbooks/X" == link("docs/runbooks/X.md")
    assert "/runbooks/javascript%3Aalert%281%29" == link("javascript:alert(1)")
    assert "" == link("")


def test_the_french_texts_are_marked_as_french() -> None:
    html = page(FULL, "fr")

    assert "Les usagers ne peuvent plus prendre rendez-vous." in html
    assert '<dl class="meaning" lang="fr">' in html
    assert "Citizens cannot book appointments." not in html
    assert 'href="/alerts"' in html  # back to English


def test_the_language_survives_a_link_and_the_choice_not_to_refresh() -> None:
    still = dataclasses.replace(FRAME, path="/alerts", language="fr", refresh_seconds=0)

    assert "/alerts?refresh=0" == still.here(language="en")
    assert "/alerts?lang=fr" == still.here(refresh=True)
    assert "/instances/rdv?lang=fr" == still.to("/instances/rdv")
    assert "/alerts?refresh=0&lang=fr" == dataclasses.replace(still, refresh_seconds=10).here(refresh=False)


def test_no_alert_is_said_in_words_with_the_rules_that_looked() -> None:
    for html in (overview([instance()], FRAME, CALM), page(CALM), detail(instance(), FRAME, CALM)):
        assert "✔ no alert" in html
        assert "61 rules, evaluated" in html


@pytest.mark.parametrize("rules", [RulesStatus(), RulesStatus(61)])
def test_silence_is_no_calm_where_nothing_was_evaluated(rules: RulesStatus) -> None:
    html = page(dataclasses.replace(CALM, rules=rules))

    assert "✔ no alert" not in html
    assert "no alert is known" in html


def test_nothing_is_said_where_alerting_has_not_started() -> None:
    frame = dataclasses.replace(FRAME, has_alerts=False)
    for html in (overview([instance()], frame, NOT_STARTED), detail(instance(), frame, NOT_STARTED)):
        assert "alert" not in html.lower()

    assert "Rules are not evaluated by this process" in page(NOT_STARTED)


def test_an_instance_shows_its_own_alerts_in_full() -> None:
    html = detail(instance("rdv"), FRAME, FULL)

    assert "SessionsBlocked" in html
    assert "What to do" in html
    assert "InstanceDown" not in html


def test_the_last_day_is_told_newest_first() -> None:
    html = page(FULL)
    history = html[html.index("The last 24 hours") :]

    assert in_order(history, "✖ fired", "✔ acknowledged", "✔ resolved")
    assert "TooLongAgo" not in history


def test_silences_say_how_to_end_them() -> None:
    html = page(FULL)

    assert "db_instance=archives" in html
    assert "dbwatch alerts unsilence 3" in html


@pytest.mark.parametrize(
    ("board", "expected"),
    [
        (dataclasses.replace(CALM, rules=dataclasses.replace(RULES, evaluated_at=NOW - 300)), "were last evaluated"),
        (dataclasses.replace(CALM, rules=dataclasses.replace(RULES, reload_error="x.yml: line 3")), "x.yml: line 3"),
        (
            dataclasses.replace(CALM, rules=dataclasses.replace(RULES, left_out=(("Mine", "x is no metric"),))),
            "Rule Mine cannot run here",
        ),
        (dataclasses.replace(CALM, rules=dataclasses.replace(RULES, failing=(("A", "many"),))), "Rule A cannot be"),
        (dataclasses.replace(CALM, mail=MailStatus("direct", dead=1)), "1 letter refused for good"),
        (dataclasses.replace(CALM, mail=MailStatus("direct", queued=3, last_error="refused")), "3 letters waiting"),
        (dataclasses.replace(CALM, mail=MailStatus("direct", is_persisted=False)), "outbox cannot be written"),
        (
            dataclasses.replace(CALM, mail=MailStatus("both", replicas=(ReplicaStatus("http://a", None, "refused"),))),
            "Alertmanager http://a",
        ),
    ],
)  # fmt: skip
def test_what_keeps_an_alert_from_its_reader_is_told_on_both_pages(board: AlertBoard, expected: str) -> None:
    assert expected in overview([], FRAME, board)
    assert expected in page(board)


def test_a_storm_does_not_bury_the_instances() -> None:
    many = tuple(BoardAlert(an_alert("InstanceDown", f"db{number}", NOW - number)) for number in range(200))
    html = overview([], FRAME, dataclasses.replace(CALM, alerts=many))

    assert 12 == html.count("<article")
    assert "and 188 more firing" in html


def test_what_a_server_or_a_person_wrote_cannot_become_markup() -> None:
    alert = an_alert(
        "X", EVIL, NOW, texts=dict.fromkeys(("summary", "action", "impact", "description"), EVIL), table=EVIL
    )
    board = AlertBoard(
        is_started=True,
        alerts=(BoardAlert(alert, Acknowledgement("x", NOW, EVIL, EVIL), Mute(EVIL, EVIL)),),
        events=(AlertEvent(NOW, EVIL, EVIL, Severity.INFO, EVIL, EVIL, EVIL),),
        silences=(Silence(1, ((EVIL, EVIL),), NOW, NOW + 9, EVIL, EVIL),),
        mail=MailStatus(EVIL, last_error=EVIL, replicas=(ReplicaStatus(EVIL, last_error=EVIL),)),
        rules=RulesStatus(1, NOW, failing=((EVIL, EVIL),), left_out=((EVIL, EVIL),), reload_error=EVIL),
    )
    for html in (page(board), overview([], FRAME, board)):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_breaks_neither_page_nor_json(value: float) -> None:
    board = with_one(BoardAlert(an_alert("X", "rdv", NOW, value=value)))
    text = json.dumps(alerts_json(board, Wanted(), NOW), allow_nan=False)

    assert '"value": null' in text
    assert "value " in page(board)


def test_json_says_what_the_page_says() -> None:
    said = json.loads(json.dumps(alerts_json(FULL, Wanted(), NOW)))
    first, lag, blocked, pending = said["alerts"]

    assert (True, {"firing": 3, "pending": 1}) == (said["started"], said["counts"])
    assert ("InstanceDown", "critical", "firing", "citoyens") == tuple(
        first[key] for key in ("name", "severity", "state", "instance")
    )
    assert "/runbooks/InstanceDown" == first["runbook"]
    assert "Les usagers ne peuvent plus prendre rendez-vous." == first["annotations"]["impact_fr"]
    assert "inhibited" == lag["muted"]["reason"]
    assert "anne" == blocked["acknowledged"]["who"]
    assert (None, "pending") == (pending["fired_at"], pending["state"])
    assert ["InstanceDown", "SessionsBlocked"] == [each["name"] for each in said["history"][:2]]
    assert ("direct", 2) == (said["mail"]["notify"], said["mail"]["queued"])


def test_json_can_be_narrowed_to_a_state_and_an_instance() -> None:
    def names(**asked: str) -> list[str]:
        found = json.loads(json.dumps(alerts_json(FULL, Wanted.of(asked), NOW)))
        return [each["name"] for each in found["alerts"]]

    assert ["ConnectionsNearLimit"] == names(state="pending")
    assert ["SessionsBlocked", "ConnectionsNearLimit"] == names(instance="rdv")
    assert ["SessionsBlocked"] == names(instance="rdv", state="firing")
    assert "state can only be" in Wanted("resolved").fault
    assert Wanted(instance="nowhere").is_unknown(FULL, ["rdv"])
    assert not Wanted(instance="citoyens").is_unknown(FULL, ["rdv"])  # removed, but its alert is still there


def test_a_pending_critical_comes_after_a_firing_warning() -> None:
    pending = BoardAlert(an_alert("A", "x", NOW, state=AlertState.PENDING))
    firing = BoardAlert(an_alert("B", "x", NOW, severity=Severity.INFO))

    assert ["B", "A"] == [each.alert.name for each in dataclasses.replace(CALM, alerts=(pending, firing)).of("x")]


def test_what_stands_between_backticks_is_code() -> None:
    assert ["Run ", "<code>a &lt; b</code>", " now"] == prose("Run `a < b` now")


def test_numbered_steps_have_a_line_each() -> None:
    assert ["1. Look.\n2. Use PostgreSQL 15.\n3. Rest."] == prose("1. Look. 2. Use PostgreSQL 15. 3. Rest.")
    assert ["Before version 9. 2. is not a step"] == prose("Before version 9. 2. is not a step")


def test_a_runbook_keeps_its_html_as_text_and_its_links_inside() -> None:
    html = rendered(
        "# X\n\n<script>alert(1)</script> [near](./Other.md#why) [far](../secret.md) [web](https://a.example/) "
        "[bad](javascript:alert(1)) ![image](https://a.example/x.png)\n\n| a |\n|---|\n| b |\n"
    )

    assert "<script" not in html
    assert '<a href="/runbooks/Other#why">near</a>' in html
    assert "secret.md" not in html
    assert " far " in html
    assert '<a href="https://a.example/">web</a>' in html
    assert 'href="javascript' not in html
    assert "<img" not in html
    assert "<td>b</td>" in html


def test_the_page_of_a_runbook_stands_still_and_says_its_language() -> None:
    html = runbook_page("X", "# X\n", dataclasses.replace(FRAME, is_live=False))

    assert "http-equiv" not in html
    assert 'lang="fr"' in html


@pytest.mark.parametrize("name", ["../secret", "a/b", "", "a.md", "x" * 101, "a\n"])
def test_a_runbook_cannot_be_a_path(name: str) -> None:
    assert not is_name(name)
    assert is_name("InstanceDown")
