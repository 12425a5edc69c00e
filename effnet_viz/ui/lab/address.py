"""What the address of the page can hold."""

from effnet_viz.ui.lab import (
    bench_controls,
    bench_networks,
    benches,
    folds,
    measures,
    scene_controls,
    study_folds,
)
from effnet_viz.ui.layout.url_parameters import Parameter

ADDRESS: tuple[Parameter, ...] = (
    *benches.PARAMETERS,
    *bench_networks.PARAMETERS,
    *bench_controls.PARAMETERS,
    *scene_controls.PARAMETERS,
    *measures.PARAMETERS,
    *folds.PARAMETERS,
    *study_folds.PARAMETERS,
)
