"""effnet-viz: see what an EfficientNet looks at."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effnet_viz.analysis.analysis import Analysis, analyse
    from effnet_viz.analysis.comparison import Comparison, compare
    from effnet_viz.models.model import Model, build, load

__all__ = ["Analysis", "Comparison", "Model", "analyse", "build", "compare", "load"]

__version__ = "0.2.0"

_HOMES = {
    **dict.fromkeys(("Analysis", "analyse"), "analysis.analysis"),
    **dict.fromkeys(("Comparison", "compare"), "analysis.comparison"),
    **dict.fromkeys(("Model", "build", "load"), "models.model"),
}


def __getattr__(name: str) -> object:
    """What is asked for is imported then: the server sets torch's threads before torch is there."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
