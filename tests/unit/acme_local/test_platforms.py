"""The platform step: what is waited for, and how an unchanged chart is recognised."""

from pathlib import Path

import pytest

from acme_local import platforms


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chart = tmp_path / "chart"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("name: acme-operator")
    (tmp_path / "values.yaml").write_text("{}")
    monkeypatch.setattr(platforms, "_REPOSITORY", tmp_path)
    monkeypatch.setattr(platforms, "CHART", chart)
    monkeypatch.setattr(platforms, "VALUES", tmp_path / "values.yaml")
    return tmp_path


def test_the_sample_of_this_repository_is_waited_for_by_name() -> None:
    assert {"acmedatastore/shop-db", "acmeservice/product"} <= set(platforms.sample_objects()["shop"])


def test_topics_and_plain_kubernetes_objects_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.yaml").write_text(
        "kind: Namespace\nmetadata: {name: n}\n---\nkind: AcmeTopic\nmetadata: {name: t, namespace: n}\n---\n"
    )
    monkeypatch.setattr(platforms, "SAMPLES", tmp_path)

    assert platforms.sample_objects() == {}


def test_chart_and_values_decide_whether_the_release_is_current(checkout: Path) -> None:
    seen = [platforms.chart_digest(), platforms.chart_digest()]
    (checkout / "chart" / "Chart.yaml").write_text("name: changed")
    seen.append(platforms.chart_digest())
    (checkout / "values.yaml").write_text("{platform: {}}")
    seen.append(platforms.chart_digest())

    assert seen[0] == seen[1]
    assert len(set(seen)) == 3
