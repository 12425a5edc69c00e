"""What stands folded below the classes: what is taken for what, the training, how it is found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from effnet_viz.analysis.mistakes import Study
from effnet_viz.models.validation import Epoch
from effnet_viz.ui import words
from effnet_viz.ui.layout import charts
from effnet_viz.ui.layout.fold import fold
from effnet_viz.ui.layout.tables import show_table
from effnet_viz.ui.layout.url_parameters import Flag

PARAMETERS = (Flag("confusion"), Flag("training"), Flag("method_found"))


def show_folds(study: Study, epochs: Sequence[Epoch]) -> None:
    """Confusions, learning curves, how it is found: computed when they are opened."""
    with st.container(key="mistakes_folds", horizontal=True):
        fold(words.CONFUSION, "confusion", partial(_confusion, study))
        fold(words.TRAINING, "training", partial(_training, epochs))
        fold(words.HOW_FOUND, "method_found", _how)


def _confusion(study: Study) -> None:
    labels, matrix = study.confusion()
    rows = [
        [label, *(str(count) if count else "–" for count in row)]
        for label, row in zip(labels, matrix.tolist(), strict=True)
    ]
    show_table([words.CONFUSION_ROW, *labels], rows, label=words.CONFUSION)


def _training(epochs: Sequence[Epoch]) -> None:
    if epochs:
        _draw_curves(epochs)
    else:
        st.caption(words.NO_CURVES)


def _draw_curves(epochs: Sequence[Epoch]) -> None:
    numbers = list(range(1, len(epochs) + 1))
    names = {
        words.ON_TRAINING: [epoch.training_loss for epoch in epochs],
        words.ON_VALIDATION: [epoch.validation_loss for epoch in epochs],
    }
    figure = go.Figure(
        [
            go.Scatter(x=numbers, y=losses, name=name, mode="lines+markers")
            for name, losses in names.items()
        ],
        charts.layout(
            280, {"title": {"text": words.EPOCH}}, {"title": {"text": words.LOSS}}, top=36
        ),
    )
    best = next((number for number, epoch in enumerate(epochs, 1) if epoch.best), len(epochs))
    figure.add_vline(best, line={"dash": "dot", "width": 1})
    kept = epochs[best - 1]
    said = words.CURVES_SAID.format(
        count=len(epochs),
        best=best,
        phase=words.PHASES.get(kept.phase, kept.phase),
        share=f"{kept.validation_accuracy:.0%}".replace("%", "\N{NO-BREAK SPACE}%"),
    )
    charts.show_chart(figure, key="mistakes curves", alt=said)
    st.caption(said)


def _how() -> None:
    st.markdown(words.FOUND_HELP)
