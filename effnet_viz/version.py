"""The version of effnet-viz, recorded with every result."""

VERSION = "0.1.0"
