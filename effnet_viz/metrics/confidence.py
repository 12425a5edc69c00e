"""Average drop and increase in confidence: whether what a map marks is enough for the network.

Chattopadhay et al. 2018 (Grad-CAM++, arXiv 1710.11063), for one photograph.
"""

from __future__ import annotations

from effnet_viz.arrays import Floats, positive_evidence


def evidence_mask(values: Floats) -> Floats:
    """max(0, map) / max of it, (h, w): 0 to 1; all 0 for a map without positive evidence.

    Divided by its largest value alone: a place without evidence is 0 in every map, where a scaling
    of the range would make the lowest place 0 whatever it holds.
    """
    positive = positive_evidence(values)  # (h, w)
    highest = positive.max()
    scaled: Floats = positive / highest if highest > 0 else positive
    return scaled  # (h, w)


def masked(picture: Floats, mask: Floats) -> Floats:
    """A network's input (3, H, W) times a mask (H, W) of 0 to 1.

    The input is normalised, so 0 is the mean colour of what the network has learnt from, not black.
    """
    return picture * mask[None]  # (3, H, W)


def average_drop(before: float, after: float) -> float:
    """max(0, p - p_masked) / p, 0 to 1, of the class's probability; nan if p is 0.

    Of the photograph, and of the photograph masked by its map. Lower is better: 0 says that what
    the map marks is enough. Baseline: a map that is the same everywhere masks nothing and gets 0,
    the best there is, and a map without positive evidence masks all and gets about 1.
    It does not show that the map marks what the network used: the more a map covers, the better it
    does. Read it beside sparseness.gini. A dimmed photograph is also unlike any that was learnt.
    Over photographs, its mean is the average drop of the paper, there in percent.
    """
    return max(0.0, before - after) / before if before > 0 else float("nan")


def increase_in_confidence(before: float, after: float) -> bool:
    """p_masked > p: whether the network is surer with the rest of the photograph dimmed.

    Higher is better: the rest only distracted. Baseline: a map that is the same everywhere changes
    nothing and gets False.
    Its mean over photographs, 0 to 1, is the paper's number; one photograph is one toss of a coin.
    It does not show by how much, and a network that is sure of its answer can hardly become surer,
    whatever the map.
    """
    return after > before
