"""How the measures of maps are called and explained. A table is data."""

from __future__ import annotations

from dataclasses import dataclass

from effnet_viz.lab.results import Difference, OverRuns, Results


@dataclass(frozen=True)
class Measure:
    """How a measure of maps is called and explained."""

    key: str
    title: str
    meaning: str
    """One or two sentences; {grid} and {threshold} are filled in."""
    higher_is_better: bool
    comparable: bool
    """Whether the reference maps have the same scale: their own grid is the finest there is."""


MEASURES = {
    measure.title: measure
    for measure in (
        Measure(
            "energy_of_ceiling",
            "Evidence on object: own grid, of the ceiling",
            "The share of the positive evidence that lies on the object, compared with what the "
            "object's own outline reaches on the grid of that network: that is 100 %. The fairest "
            "of these measures, and the one of the chart above.",
            True,
            False,
        ),
        Measure(
            "pooled_energy_of_ceiling",
            "Evidence on object: same grid, of the ceiling",
            "The share of the positive evidence that lies on the object. All maps are first "
            "averaged to {grid} × {grid} cells, then compared with what the object's own outline "
            "reaches on the network's grid when averaged likewise: that is 100 %. It flatters "
            "networks whose cells do not tile that grid: averaging blurs the outline more than "
            "the map. A map of a single cell well inside the object can pass 100 %.",
            True,
            True,
        ),
        Measure(
            "pooled_energy",
            "Evidence on object: same grid",
            "The share of the positive evidence that lies on the object, with all maps first "
            "averaged to {grid} × {grid} cells, so that no network wins by a finer grid.",
            True,
            True,
        ),
        Measure(
            "energy",
            "Evidence on object: own grid",
            "The share of the positive evidence that lies on the object, each map as it is. Finer "
            "maps can follow an outline better, so this favours networks with more cells.",
            True,
            True,
        ),
        Measure(
            "pointing_game",
            "Pointing game",
            "The share of scenes in which the brightest point of the map lies on the object.",
            True,
            True,
        ),
        Measure(
            "iou_best_threshold",
            "Overlap, best threshold",
            "The map is cut at a threshold, and what remains is compared with the object: what "
            "both share, divided by what either covers (intersection over union). The threshold is "
            "the one that suits each network best on these very scenes, so it flatters a little.",
            True,
            True,
        ),
        Measure(
            "iou_fixed_threshold",
            "Overlap, fixed threshold",
            "The same overlap with one threshold for all: {threshold} of the map's maximum.",
            True,
            True,
        ),
        Measure(
            "coverage",
            "Share of the object covered",
            "How much of the object has at least {threshold} of the map's maximum: the paper's "
            "“object details”. A map that is bright everywhere covers everything, so read it "
            "together with the overlap.",
            True,
            True,
        ),
        Measure(
            "distractor_energy",
            "Evidence on distractors",
            "The share of the positive evidence that lies on the other drawings in the scene.",
            False,
            True,
        ),
    )
}

REFERENCES = {
    "uniform": "uniform map",
    "centre_dot": "centre dot",
    "centre_gaussian": "centre Gaussian",
    "mask": "the mask itself",
}
"""Maps that no network made, by name in the results."""


def reference_values(results: Results, measure: Measure) -> dict[str, OverRuns]:
    """The measure of the maps that no network made, by title."""
    return {
        title: results.references[name].everywhere[measure.key]
        for name, title in REFERENCES.items()
    }


def labelled_pairs(results: Results, kind: str, measure: Measure) -> list[tuple[str, Difference]]:
    """Differences of pairs of networks, each with what is subtracted from what."""
    return [
        (f"{results.networks[pair.other].name} − {results.networks[pair.one].name}", pair)
        for pair in results.differences[kind, measure.key]
    ]
