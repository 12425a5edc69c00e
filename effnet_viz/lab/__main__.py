"""The commands of the scaling lab: `python -m effnet_viz.lab --help`."""
