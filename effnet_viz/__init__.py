"""effnet-viz: see what an EfficientNet looks at."""

from effnet_viz.analysis import Analysis, analyse
from effnet_viz.model import Model, load

__all__ = ["Analysis", "Model", "analyse", "load"]
