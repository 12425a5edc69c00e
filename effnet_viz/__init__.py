"""effnet-viz: see what an EfficientNet looks at."""

from effnet_viz.analysis import Analysis, analyse
from effnet_viz.comparison import Comparison, compare
from effnet_viz.model import Model, build, load

__all__ = ["Analysis", "Comparison", "Model", "analyse", "build", "compare", "load"]
