"""Annotations: what promtool printed for these numbers, and what is refused."""

from __future__ import annotations

import pytest

from dbwatch.core.promql import templates
from dbwatch.errors import ConfigError

# value -> what promtool 2.42 makes of $value, humanize, humanize1024, humanizeDuration, humanizePercentage
PRINTED = {
    "0": ("0", "0", "0", "0s", "0%"),
    "1": ("1", "1", "1", "1s", "100%"),
    "-1": ("-1", "-1", "-1", "-1s", "-100%"),
    "0.5": ("0.5", "500m", "0.5", "500ms", "50%"),
    "-0.2": ("-0.2", "-200m", "-0.2", "-200ms", "-20%"),
    "0.0001": ("0.0001", "100u", "0.0001", "100us", "0.01%"),
    "0.00001": ("1e-05", "10u", "1e-05", "10us", "0.001%"),
    "1e-30": ("1e-30", "1e-06y", "1e-30", "1e-06ys", "1e-28%"),
    "12.34567": ("12.34567", "12.35", "12.35", "12.35s", "1235%"),
    "999.96": ("999.96", "1000", "1000", "16m 39s", "1e+05%"),
    "1023.99": ("1023.99", "1.024k", "1024", "17m 3s", "1.024e+05%"),
    "3661.5": ("3661.5", "3.662k", "3.576ki", "1h 1m 1s", "3.662e+05%"),
    "86400": ("86400", "86.4k", "84.38ki", "1d 0h 0m 0s", "8.64e+06%"),
    "-90": ("-90", "-90", "-90", "-1m 30s", "-9000%"),
    "123456": ("123456", "123.5k", "120.6ki", "1d 10h 17m 36s", "1.235e+07%"),
    "1234567": ("1.234567e+06", "1.235M", "1.177Mi", "14d 6h 56m 7s", "1.235e+08%"),
    "1700000000.1234": ("1.7000000001234e+09", "1.7G", "1.583Gi", "19675d 22h 13m 20s", "1.7e+11%"),
    "inf": ("+Inf", "+Inf", "+Inf", "+Inf", "+Inf%"),
    "-inf": ("-Inf", "-Inf", "-Inf", "-Inf", "-Inf%"),
    "nan": ("NaN", "NaN", "NaN", "NaN", "NaN%"),
}
FUNCTIONS = ("", " | humanize", " | humanize1024", " | humanizeDuration", " | humanizePercentage")


@pytest.mark.parametrize(("value", "printed"), PRINTED.items())
def test_numbers_are_told_as_prometheus_tells_them(value: str, printed: tuple[str, ...]) -> None:
    told = [templates.parse(f"{{{{ $value{each} }}}}", "here").expand({}, float(value)) for each in FUNCTIONS]

    assert list(printed) == told


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.0, "1970-01-01 00:00:00 +0000 UTC"),
        (1700000000.1234, "2023-11-14 22:13:20.123 +0000 UTC"),
        (999.96, "1970-01-01 00:16:39.96 +0000 UTC"),
        (-0.2, "1969-12-31 23:59:59.8 +0000 UTC"),
        (float("nan"), "NaN"),
        (1e300, "1e+300"),  # Prometheus prints an error here
    ],
)
def test_a_moment_is_told_in_utc(value: float, printed: str) -> None:
    assert printed == templates.humanize_timestamp(value)


def test_labels_and_text_stand_together() -> None:
    template = templates.parse("{{ $labels.db_instance }}: {{$value}} of {{ $labels.none }}%", "here")

    assert "pg1: 3 of %" == template.expand({"db_instance": "pg1"}, 3.0)
    assert {"db_instance", "none"} == template.labels


def test_a_label_is_not_read_as_a_template() -> None:
    assert "{{ $value }}" == templates.parse("{{ $labels.x }}", "here").expand({"x": "{{ $value }}"}, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "{{ .Labels.x }}",
        "{{ $labels }}",
        "{{ $labels.__name__ }}",
        "{{ $externalLabels.x }}",
        '{{ $value | printf "%.1f" }}',
        "{{ $value | nosuch }}",
        "{{ $value | humanize | humanize }}",
        "{{ humanize $value }}",
        "{{ $labels.x | toUpper }}",
        "{{- $value }}",
        "{{ if $value }}x{{ end }}",
        "{{ query `up` }}",
        "{{ $value",
        "$value }}",
        "{{}}",
    ],
)
def test_what_is_outside_of_the_subset_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        templates.parse(text, "memory.yml: Full: summary")

    assert str(refused.value).startswith("memory.yml: Full: summary: ")
    assert "\n" not in str(refused.value)
