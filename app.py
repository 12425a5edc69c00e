"""The main page: explain one image."""

from effnet_viz.ui.explain.address import ADDRESS
from effnet_viz.ui.explain.explanation import show_explanation
from effnet_viz.ui.inputs.image_picker import chosen_image, photographs
from effnet_viz.ui.inputs.model_picker import choose_model
from effnet_viz.ui.layout import navigation

with navigation.page("Explain an image", ADDRESS, photographs=photographs) as strip:
    with strip:
        chosen = choose_model()
    show_explanation(chosen, chosen_image())
