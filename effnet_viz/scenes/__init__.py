"""Photographed objects on backgrounds: scenes whose objects are known to the pixel."""

from effnet_viz.scenes.backgrounds import Background
from effnet_viz.scenes.editor import Scene, make
from effnet_viz.scenes.objects import PhotoObject, UnknownObjectError, objects

__all__ = ["Background", "PhotoObject", "Scene", "UnknownObjectError", "make", "objects"]
