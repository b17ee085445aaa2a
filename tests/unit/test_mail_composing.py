"""A letter becomes a mail that a person is glad to get, and that no label can bend."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbwatch.core.alerting.model import AlertState, Change, Item, LetterKind, pairs
from dbwatch.errors import ConfigError
from dbwatch.mailer import speech
from dbwatch.mailer.composing import WIDTH, Composer
from dbwatch.settings.alerting import Alerting, Mail
from tests.alerting_words import NOW, alert, letter

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

    from dbwatch.core.alerting.model import Letter

ADDRESSES = {"from": "dbwatch <dbwatch@marseille.example>", "to": "astreinte@marseille.example"}
MAIL = Mail.model_validate({**ADDRESSES, "reply_to": "dba@marseille.example"})
LEGACY = Mail.model_validate({**ADDRESSES, "subject_style": "legacy"})
ALERTING = Alerting(page_url="https://dbwatch.marseille.example")
COMPOSER = Composer(MAIL, ALERTING, "sup1.marseille.example", ZoneInfo("Europe/Paris"))
EMPTY = {LetterKind.TEST, LetterKind.FAILURE}


def mail(one: Letter, composer: Composer = COMPOSER) -> EmailMessage:
    return message_from_bytes(composer.compose(one).message, policy=policy.default)


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()).replace("\r\n", "\n") if body else ""


def of_kind(kind: LetterKind, language: str) -> Letter:
    items = () if kind in EMPTY else letter().items
    return replace(letter(), kind=kind, language=language, items=items)


def test_a_mail_is_composed_the_same_to_the_last_byte() -> None:
    assert COMPOSER.compose(letter()).message == COMPOSER.compose(letter()).message


def test_the_head_says_what_it_is_to_people_filters_and_robots() -> None:
    message = mail(letter())

    assert "[dbwatch] CRITIQUE pg-etatcivil : l'instance ne répond plus (prod)" == _plain(message["Subject"])
    expected = {
        "From": "dbwatch <dbwatch@marseille.example>",
        "To": "astreinte@marseille.example",
        "Reply-To": "dba@marseille.example",
        "Message-ID": "<thread-1.0@sup1.marseille.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Precedence": None,
        "List-Id": "<dbwatch.marseille.example>",
        "X-Dbwatch-Alert": "InstanceDown",
        "X-Dbwatch-Severity": "critical",
        "X-Dbwatch-Instance": "pg-etatcivil",
        "X-Dbwatch-State": "firing",
        "X-Dbwatch-Fingerprint": alert().fingerprint,
        "Importance": "high",
        "Date": "Mon, 21 Sep 2026 14:13:25 +0000",
        "In-Reply-To": None,
    }
    assert expected == {name: message[name] for name in expected}


def test_an_answer_belongs_to_the_first_letter_of_its_thread() -> None:
    message = mail(letter(alert(AlertState.RESOLVED), sequence=3, change=Change.RESOLVED))

    assert ("<thread-1.0@sup1.marseille.example>",) * 2 == (message["In-Reply-To"], message["References"])
    assert "<thread-1.3@sup1.marseille.example>" == message["Message-ID"]
    assert "[dbwatch] RÉSOLU pg-etatcivil : l'instance ne répond plus (6 min 12 s)" == _plain(message["Subject"])
    assert None is message["Importance"]


@pytest.mark.parametrize(
    ("change", "state", "expected"),
    [
        (Change.FIRING, AlertState.FIRING, "** PROBLEM Service Alert: pg-etatcivil/InstanceDown is CRITICAL **"),
        (Change.RESOLVED, AlertState.RESOLVED, "** RECOVERY Service Alert: pg-etatcivil/InstanceDown is OK **"),
    ],
)
def test_filters_of_the_old_supervision_go_on_working(change: Change, state: AlertState, expected: str) -> None:
    composer = Composer(LEGACY, ALERTING, "sup1")

    assert expected == mail(letter(alert(state), change=change), composer)["Subject"]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", list(LetterKind))
def test_every_kind_is_complete_as_text_and_as_html_without_anything_from_afar(kind: LetterKind, language: str) -> None:
    message = mail(of_kind(kind, language))
    text, html = part(message, "plain"), part(message, "html")

    assert "multipart/alternative" == message.get_content_type()
    assert [] == [line for line in text.splitlines() if len(line) > WIDTH]
    assert [] == re.findall(r"<(?:script|img|link|iframe|style)|url\(|src=|@import", html)
    assert {"https://dbwatch.marseille.example"} >= {
        "/".join(each.split("/")[:3]) for each in re.findall(r'href="([^"]*)', html)
    }
    assert "{" not in text
    assert "Undefined" not in html


def test_what_helps_at_night_is_in_both_parts() -> None:
    pictured = replace(alert(), picture="/var/lib/dbwatch/pictures/1.json")
    message = mail(letter(pictured))

    for text in (part(message, "plain"), part(message, "html")):
        flat = " ".join(_plain(text).split())
        for expected in (
            "dernière raison : refused", "dbwatch check pg-etatcivil", "Lire le journal du serveur",
            f"dbwatch alerts ack {alert().fingerprint[:8]}", "https://dbwatch.marseille.example/runbooks/InstanceDown",
            "/var/lib/dbwatch/pictures/1.json", "2 min 5 s", "lundi 21 septembre 2026 à 16:11 CEST",
        ):  # fmt: skip
            assert expected in flat.replace("&#39;", "'")


def test_an_acknowledged_alert_says_so_and_does_not_ask_again() -> None:
    held = replace(letter(), items=(Item(alert(), Change.STILL, is_acknowledged=True),))
    text = part(mail(held), "plain")

    assert "pris en charge" in text
    assert "alerts ack" not in text


def test_what_is_no_longer_measured_is_not_called_resolved() -> None:
    message = mail(letter(alert(AlertState.RESOLVED), change=Change.UNMEASURED))

    assert "PLUS MESURÉ" in message["Subject"]
    assert "non parce que tout va bien" in " ".join(part(message, "plain").split())


def test_a_storm_of_two_hundred_is_one_readable_mail() -> None:
    many = [alert(db_instance=f"pg{number:03}") for number in range(200)]
    message = mail(replace(letter(*many), kind=LetterKind.DIGEST))

    assert "200 alertes en cours, dont 200 critiques" in _plain(message["Subject"])
    assert 200 == part(message, "plain").count("CRITIQUE  ")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300), st.text(max_size=40))
def test_no_label_begins_a_header_or_breaks_the_html(text: str, name: str) -> None:
    evil = f"x\r\nBcc: thief@example.org\r\n\r\n<script>{text}"
    hostile = alert(db_instance=evil, alertname=f"a\n{name}", annotations=[("summary_fr", evil), ("summary", evil)])
    raw = COMPOSER.compose(letter(hostile)).message
    message = message_from_bytes(raw, policy=policy.default)

    assert None is message["Bcc"]
    assert len(message["Subject"]) <= 180
    assert message["Subject"].isprintable() or "\u00a0" in message["Subject"] or "\u202f" in message["Subject"]
    assert "<script" not in part(message, "html")
    assert [] == [line for line in raw.split(b"\r\n") if len(line) > 998]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["été", "a", "pg-état", "l\u2019instance", "(prod)", ":", "\u2014", "12"]), max_size=30)
)
def test_a_subject_arrives_as_it_was_written(words: list[str]) -> None:
    summary = " ".join(["pg1", *words])
    english = replace(letter(alert(annotations=[("summary", summary)])), language="en")

    shown = f"[dbwatch] CRITICAL {summary} (prod)"
    expected = shown if len(shown) <= 180 else f"{shown[:179].rstrip()}…"
    assert expected == mail(english)["Subject"]


def test_names_of_the_calendar_and_durations_follow_the_language() -> None:
    zone = ZoneInfo("Europe/Paris")

    assert "mardi 1er septembre 2026" == speech.day(1_788_220_800, "fr", zone)
    assert "Monday 21 September 2026, 16:13 CEST" == speech.moment(NOW, "en", zone)
    shown = [_plain(speech.duration(seconds, "fr")) for seconds in (0, 59, 60, 252, 3600, 3660, 200_000)]
    assert ["0 s", "59 s", "1 min", "4 min 12 s", "1 h", "1 h 1 min", "2 j 7 h"] == shown


def test_french_punctuation_keeps_to_its_word_and_code_is_left_alone() -> None:
    expected = "Attention\u00a0: ça bloque\u202f! `a : b ; c` http://x"

    assert expected == speech.typeset("Attention : ça bloque ! `a : b ; c` http://x", "fr")


def test_an_operators_template_comes_first_and_a_broken_one_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "test.txt").write_text("bonjour {{ host }}")
    own = Alerting(templates_dir=tmp_path)
    assert "bonjour sup1\n" == part(mail(of_kind(LetterKind.TEST, "fr"), Composer(MAIL, own, "sup1")), "plain")

    (tmp_path / "fr" / "test.txt").write_text("{{ unknown }}")
    with pytest.raises(ConfigError, match=r"fr/test: 'unknown' is undefined"):
        Composer(MAIL, own, "sup1")
    (tmp_path / "fr" / "test.txt").write_text("{% if %}")
    with pytest.raises(ConfigError, match=r"test.txt:1: template: "):
        Composer(MAIL, own, "sup1")


def test_what_a_template_cannot_say_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    odd = "{% if first.name == 'Odd' %}{{ 1 // 0 }}{% endif %}"
    (tmp_path / "fr" / "alert.txt").write_text(odd)
    composer = Composer(MAIL, Alerting(templates_dir=tmp_path), "sup1")
    message = mail(letter(alert(alertname="Odd")), composer)

    assert "firing: " in part(message, "plain")
    assert message["Subject"].startswith("** PROBLEM")
    assert message["Message-ID"] == mail(letter(alert(alertname="Odd")))["Message-ID"].replace(
        "sup1.marseille.example", "sup1"
    )


def test_only_what_wakes_nobody_is_bulk() -> None:
    kinds = [LetterKind.ALERT, LetterKind.ESCALATION, LetterKind.FAILURE, LetterKind.DAILY, LetterKind.TEST]
    warning = letter(alert(severity="warning"))

    assert [None, None, None, "bulk", "bulk"] == [mail(of_kind(each, "fr"))["Precedence"] for each in kinds]
    assert "bulk" == mail(warning)["Precedence"]


@pytest.mark.parametrize(
    ("language", "place", "answer"),
    [
        ("fr", "moteur postgres, env prod, service etat-civil, équipe dba", "Sans réponse  db7:5432, refused"),
        ("en", "engine postgres, env prod, service etat-civil, team dba", "No answer     db7:5432, refused"),
    ],
)
def test_a_card_names_its_place_and_why_it_was_not_reached(language: str, place: str, answer: str) -> None:
    facts = (("unreachable pg-etatcivil", "db7:5432, refused"),)
    message = mail(replace(letter(), language=language, facts=facts))
    over = mail(replace(letter(change=Change.RESOLVED), language=language, facts=facts))

    assert place in part(message, "plain")
    assert answer in part(message, "plain")
    assert "db7:5432, refused" in part(message, "html")
    assert "db7" not in part(over, "plain")


def test_facts_of_a_failure_are_shown() -> None:
    facts = pairs({"unit": "dbwatch.service", "result": "oom-kill", "exit_code": "137"})
    message = mail(replace(of_kind(LetterKind.FAILURE, "fr"), facts=facts))

    assert "oom-kill" in part(message, "plain")
    assert "dbwatch.service s\u2019est arrêté sur sup1.marseille.example" in message["Subject"]


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")
