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
