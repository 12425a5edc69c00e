"""The two experiments on a page: asked for, computed, kept for the scene, said in words."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import pytest
from streamlit.testing.v1 import AppTest

from effnet_viz.analysis.words import percent
from effnet_viz.models.model import Model
from effnet_viz.study import experiments
from effnet_viz.study.experiments import BACKGROUNDS, HIDDEN, Backgrounds, Hiding
from effnet_viz.ui import words
from effnet_viz.ui.layout.text import escape_markdown
from tests.ui.opening import texts

KEYS = ("one", "other")


def _page() -> None:
    from dataclasses import replace

    import streamlit as st

    from effnet_viz.scenes.editor import by_chance
    from effnet_viz.ui.lab.experiments import show_experiments

    spec = replace(by_chance(3, "tiger-walking"), hidden=st.session_state.get("hidden", 0.0))
    models = st.session_state["models"]
    show_experiments(spec, models, 0, None, None)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The experiments that were computed, by name."""
    made: list[str] = []

    def counting(name: str) -> None:
        whole = getattr(experiments, name)

        def compute(*arguments: object, **options: object) -> object:
            made.append(name)
            return whole(*arguments, **options)

        monkeypatch.setattr(experiments, name, compute)

    counting("ten_backgrounds")
    counting("hide_slowly")
    return made


def opened(model: Model, fold: str) -> AppTest:
    """A page with two networks and this experiment's fold open."""
    page = AppTest.from_function(_page, default_timeout=120)
    titled = {key: replace(model, card=replace(model.card, title=key)) for key in KEYS}
    page.session_state["models"] = titled
    page.session_state[f"{fold}_fold"] = True
    page.run()
    assert not page.exception
    return page


def run(page: AppTest, name: str) -> None:
    page.button(key=f"run {name}").click().run()
    assert not page.exception


def test_ten_backgrounds_are_shown_in_words_and_kept(lite0: Model, counted: list[str]) -> None:
    page = opened(lite0, "ten_backgrounds")
    assert counted == []
    run(page, "ten_backgrounds")
    [found] = page.session_state["_experiments"].values()
    one: Backgrounds = found["one"]
    said = texts(page)
    assert said.count("<li>") == 1 + BACKGROUNDS
    for look in one.looks:
        assert percent(look.probability) in said
    for change in one.changes:
        assert escape(words.MAP_CHANGE.format(change=f"{change:.2f}")) in said
    assert escape_markdown(one.sentence()) in said
    page.segmented_control(key="backgrounds_of").set_value("other").run()
    assert escape_markdown(found["other"].sentence()) in texts(page)
    assert counted == ["ten_backgrounds"]


def test_hiding_is_drawn_and_said(lite0: Model, counted: list[str]) -> None:
    page = opened(lite0, "hide_slowly")
    run(page, "hide_slowly")
    [found] = page.session_state["_experiments"].values()
    one: Hiding = found["one"]
    said = texts(page)
    assert escape_markdown(one.sentence()) in said
    assert escape_markdown(experiments.held_longest(list(found.values()))) in said
    charts = page.get("plotly_chart")
    assert len(charts) == 2
    assert all(one.sentence() in chart.proto.alt for chart in charts)
    assert len(one.probabilities) == len(HIDDEN)
    assert counted == ["hide_slowly"]


def test_another_scene_is_computed_when_it_is_asked_for(lite0: Model, counted: list[str]) -> None:
    page = opened(lite0, "hide_slowly")
    run(page, "hide_slowly")
    page.session_state["hidden"] = 0.3
    page.run()
    assert len(counted) == 1
    assert page.button(key="run hide_slowly").label == words.RUN_EXPERIMENT.format(count=2)
    page.session_state["hidden"] = 0.0
    page.run()
    assert len(page.get("plotly_chart")) == 2
    assert len(counted) == 1
