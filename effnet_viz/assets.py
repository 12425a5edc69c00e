"""Where shipped data lies: beside the package in a checkout, inside it in a wheel (setup.py)."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_SHIPPED = _PACKAGE / "shipped"
_ROOT = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent

APP = _ROOT / "app.py"
"""The main page; `pages/` and `.streamlit/config.toml` lie beside it, where Streamlit looks."""
ICON = _ROOT / "assets" / "icon.png"
SAMPLES = _ROOT / "assets" / "samples"
"""The sample photographs and their table."""
LAB = _ROOT / "assets" / "lab"
"""Drawings, trained weights and results of the scaling lab."""
IMAGENET_CLASSES = _ROOT / "assets" / "imagenet-classes.txt"
"""Labels of ImageNet's 1000 classes in the order of the logits, one a line."""
SCENES = _ROOT / "assets" / "scenes"
"""Pictures of a few scenes of those objects, and their table; the pictures are under the GPL."""
OBJECTS = _ROOT / "assets" / "objects"
"""Photographed objects with exact masks, their table, and their licence: the GPL."""
OBJECTS_STUDY = _ROOT / "assets" / "objects-study"
"""What networks were measured to look at on scenes of these objects, and its summary."""
