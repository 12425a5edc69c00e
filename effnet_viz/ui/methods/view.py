"""What the parts of the page share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from effnet_viz.analysis.analysis import Analysis
from effnet_viz.attribution.methods import METHODS, Method
from effnet_viz.models.model import Model
from effnet_viz.records import Prediction
from effnet_viz.ui.inputs.method_picker import is_quick
from effnet_viz.ui.inputs.target_and_stage import known
from effnet_viz.ui.layout import url_state
from effnet_viz.ui.panes import Canvas
from effnet_viz.ui.upload import Upload


@dataclass(frozen=True, eq=False)
class MethodsView:
    """One image, one network, one class, and what is asked for."""

    image: Upload
    analysis: Analysis
    stage: int
    """Of the methods that look at one."""
    other: Prediction
    """The class that the class is told from."""
    wanted: Sequence[str]
    """Keys of slow methods that somebody has asked for."""
    canvas: Canvas

    @property
    def model(self) -> Model:
        return self.analysis.model

    def stage_of(self, method: Method) -> int:
        """Where the method looks."""
        return method.stage_of(self.stage, self.model.last_stage)


def offered() -> list[Method]:
    """All methods, those first that are there at once."""
    return sorted(METHODS.values(), key=lambda method: not is_quick(method))


def wanted() -> list[str]:
    """What somebody has asked for."""
    url_state.read_url_list("run")
    asked: list[str] = st.session_state.setdefault("run", [])
    url_state.write_url("run", asked or None)
    return asked


def want(key: str) -> None:
    asked: list[str] = st.session_state["run"]
    if key not in asked:
        st.session_state["run"] = [*asked, key]


def want_no_more(key: str) -> None:
    st.session_state["run"] = [one for one in st.session_state["run"] if one != key]


def chosen_other(analysis: Analysis) -> Prediction:
    """The class that the class is told from: the most probable other one, if none is chosen."""
    url_state.read_url("other")
    label: str | None = st.session_state.get("other")
    st.session_state["other"] = label
    url_state.write_url("other", label)
    label = known(label, analysis.model.classes)
    if label is not None and label != analysis.target.label:
        return analysis.other_than(analysis.target, label)
    return analysis.other_than(analysis.target)


def shown_methods(view: MethodsView) -> tuple[Method, ...]:
    """Those whose maps are there: the quick ones, and the slow ones that somebody asked for."""
    return tuple(one for one in offered() if is_quick(one) or one.key in view.wanted)
