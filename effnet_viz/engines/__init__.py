"""A tensor to activations and gradients: networks as stages, and what runs them."""

import sys

# OpenVINO tells Google Analytics of every import and conversion, unasked, and leaves an identifier
# in the home folder. Without this package, which is hidden from it here, it does neither.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
