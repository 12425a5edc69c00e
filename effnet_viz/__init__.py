"""effnet-viz: see what a convolutional network looks at."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effnet_viz import scenes
    from effnet_viz.analysis.analysis import Analysis, NoClassActivationMapError, analyse
    from effnet_viz.analysis.comparison import Comparison, compare, explain_each
    from effnet_viz.analysis.evaluation import Evaluation, evaluate
    from effnet_viz.analysis.localized import Localization, localization
    from effnet_viz.attribution.attribution import Attribution
    from effnet_viz.engines.adapters import UnsupportedModuleError
    from effnet_viz.engines.engine import EngineError
    from effnet_viz.images.photograph import ImageError
    from effnet_viz.models.classes import UnknownClassError
    from effnet_viz.models.model import Model, build, list_models, load
    from effnet_viz.models.modules import from_module
    from effnet_viz.models.variants import VariantError
    from effnet_viz.models.weights import WeightsError
    from effnet_viz.models.zoo import UnknownModelError

__version__ = "0.2.0"

_HOMES = {
    "analysis.analysis": ("Analysis", "NoClassActivationMapError", "analyse"),
    "analysis.comparison": ("Comparison", "compare", "explain_each"),
    "analysis.evaluation": ("Evaluation", "evaluate"),
    "analysis.localized": ("Localization", "localization"),
    "attribution.attribution": ("Attribution",),
    "engines.adapters": ("UnsupportedModuleError",),
    "engines.engine": ("EngineError",),
    "images.photograph": ("ImageError",),
    "models.classes": ("UnknownClassError",),
    "models.model": ("Model", "build", "list_models", "load"),
    "models.modules": ("from_module",),
    "models.variants": ("VariantError",),
    "models.weights": ("WeightsError",),
    "models.zoo": ("UnknownModelError",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Analysis",
    "Attribution",
    "Comparison",
    "EngineError",
    "Evaluation",
    "ImageError",
    "Localization",
    "Model",
    "NoClassActivationMapError",
    "UnknownClassError",
    "UnknownModelError",
    "UnsupportedModuleError",
    "VariantError",
    "WeightsError",
    "analyse",
    "build",
    "compare",
    "evaluate",
    "explain_each",
    "from_module",
    "list_models",
    "load",
    "localization",
    "scenes",
]


def __getattr__(name: str) -> object:
    """What is asked for is imported then: the server sets torch's threads before torch is there."""
    if name == "scenes":
        return import_module(f"{__name__}.scenes")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
