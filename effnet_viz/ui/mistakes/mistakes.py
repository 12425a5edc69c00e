"""All that the page shows of one network."""

from __future__ import annotations

import html

import streamlit as st

from effnet_viz.analysis import mistakes_verdict as verdict
from effnet_viz.analysis.mistakes import MOST, Study
from effnet_viz.images.photograph import ImageError
from effnet_viz.models.model import Model
from effnet_viz.models.validation import (
    ValidationError,
    ValidationPicture,
    learning_curves,
    validation_pictures,
)
from effnet_viz.models.variants import ModelRef
from effnet_viz.ui import results, words
from effnet_viz.ui.inputs.model_picker import load_or_explain
from effnet_viz.ui.layout.problems import error_boundary
from effnet_viz.ui.layout.section import section
from effnet_viz.ui.layout.waiting import now_and_then, waiting
from effnet_viz.ui.mistakes.classes import show_classes
from effnet_viz.ui.mistakes.folds import show_folds
from effnet_viz.ui.mistakes.picture import show_picture
from effnet_viz.ui.mistakes.wall import choose_picture


def show_mistakes(key: str | None) -> None:
    """What the network goes by, class by class, then every picture with its maps."""
    if key is None:
        with st.container(key="no_networks"):
            st.html(f"<h2>{words.NO_OWN_NETWORKS}</h2>")
            st.markdown(words.MAKE_A_NETWORK)
        return
    chosen = ModelRef(key)
    model = load_or_explain(chosen)
    if model is None:
        return
    try:
        pictures = validation_pictures(chosen.entry)
        study = _study(model, pictures)
    except (ValidationError, ImageError) as error:
        st.error(str(error), icon=":material/error:")
        return
    with st.container(key="found"):
        _show_headline(study)
        show_classes(study)
    show_folds(study, learning_curves(chosen.entry))
    with st.container(key="one_by_one"):
        section(words.PICTURES, words.PICTURES_LINE)
        with st.container(key="wall_and_maps"):
            beside, maps = st.container(key="wall"), st.container(key="both_maps", gap=None)
        with beside:
            look = choose_picture(study)
        with maps:
            show_picture(study, look)


def _study(model: Model, pictures: tuple[ValidationPicture, ...]) -> Study:
    """Looked at now, unless somebody has asked for it before; a bar says how far that is."""
    place = st.empty()
    text = words.LOOKING.format(count=min(len(pictures), MOST))

    def tell(done: float) -> None:
        place.progress(min(done, 1.0), text)

    with error_boundary(model.card.title), waiting(None):
        study = results.mistakes_of(model, pictures, now_and_then(tell))
    place.empty()
    return study


def _show_headline(study: Study) -> None:
    said = [verdict.summary(study)]
    if study.there > len(study.looks) + len(study.unreadable):
        said.append(words.DRAWN.format(count=len(study.looks), there=study.there))
    if not study.surroundings:
        said.append(words.NO_MASKS)
    st.html(
        f'<h2 class="headline">{html.escape(verdict.headline(study))}</h2>'
        f"<p>{html.escape(' '.join(said))}</p>"
    )
    if study.unreadable:
        name, reason = study.unreadable[0]
        st.warning(
            words.UNREADABLE.format(count=len(study.unreadable), name=name, reason=reason),
            icon=":material/image_not_supported:",
        )
