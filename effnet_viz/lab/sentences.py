"""Sentences made from the lab's numbers, whichever way they fall."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from effnet_viz.analysis.words import (
    NO_BREAK,
    capitalised,
    change,
    decimal,
    listed,
    number_word,
)
from effnet_viz.lab.results import (
    COMPOUND,
    DETAILS,
    RELEVANCE,
    SAME_GRID,
    Agreement,
    CurvePoint,
    Results,
)
from effnet_viz.lab.scalings import GRAD_CAM_STAGE
from effnet_viz.models import published

CLAIM = "tends to focus on more relevant regions with more object details"
"""What Tan & Le 2019 (arXiv 1905.11946) say of the compound network, beside Figure 7."""

LEVEL = 0.02
"""Gains in accuracy below this are called level: about the standard error of one point of a
learning curve, which is the accuracy on training.CURVE_SCENES scenes."""


def headline(results: Results) -> list[str]:
    """The main results in a few sentences (Markdown), each made from the numbers."""
    uniform = results.references["uniform"].everywhere[DETAILS].mean
    return [
        _claim(results),
        f"**Relevant regions.** {_standings(results, RELEVANCE)} This is the share of a CAM's "
        f"positive evidence that lies on the object; {percent(1, 0)} is what the object's own "
        "outline reaches on the network's grid.",
        _against_references(results),
        f"**Object details.** {_standings(results, DETAILS)} This is the share of the object where "
        f"the CAM has at least {percent(results.fixed_threshold, 0)} of its maximum. It is easy "
        f"alone: a uniform map has {percent(uniform, 0)}.",
    ]


def _claim(results: Results) -> str:
    relevance, details = (
        [difference for difference in results.against_others(COMPOUND, measure) if difference.clear]
        for measure in (RELEVANCE, DETAILS)
    )
    others = len(results.networks) - 1
    more = [sum(pair.value > 0 for pair in pairs) for pairs in (relevance, details)]
    less = [sum(pair.value < 0 for pair in pairs) for pairs in (relevance, details)]
    if more == [others, others]:
        verdict = "On these scenes our numbers agree with it."
    elif any(more) and any(less):
        verdict = "On these scenes our numbers agree with it in part and contradict it in part."
    elif any(more):
        verdict = "On these scenes our numbers agree with it only in part."
    elif any(less):
        verdict = "On these scenes our numbers do not show that; some point the other way."
    else:
        verdict = "On these scenes our numbers do not show that."
    on_object, covered = (
        _ahead_and_behind(*counts, others) for counts in zip(more, less, strict=True)
    )
    return (
        f"The paper says of the compound network that it “{CLAIM}”, and gives no number. "
        f"**{verdict}** In evidence on the object it is {on_object}; in how much of the object it "
        f"covers, {covered}."
    )


def _ahead_and_behind(more: int, less: int, others: int) -> str:
    """Where a network stands among the others, as far as that is clear."""
    found = [
        f"clearly {where} {_some(count, others)}"
        for where, count in (("ahead of", more), ("behind", less))
        if count
    ]
    return " and ".join(found) or "neither clearly ahead of nor clearly behind any other"


def accuracy(results: Results) -> str:
    """Which networks answer right more often, in a sentence."""
    differences = results.differences["answers", "top1_unseen"]
    ranked = sorted(results.networks, key=lambda key: -results.networks[key].top1_unseen.mean)
    best = ranked[0]
    clear = [pair for pair in differences if pair.clear]
    others = [pair.seen_from(best) for pair in differences if best in (pair.one, pair.other)]
    beaten = [_called(results, pair.one) for pair in others if pair.low > 0]
    return (
        f"{capitalised(_called(results, best))} answers right most often on the unseen vendor's "
        f"drawings ({percent(results.networks[best].top1_unseen.mean)}), "
        + (f"clearly more often than {listed(beaten)}" if beaten else "but not clearly")
        + f". Of the {len(differences)} pairs of networks, {len(clear)} differ clearly. "
        + _by_vendor(results)
    )


def _by_vendor(results: Results) -> str:
    """How much it matters which vendor is left out, where there are several."""
    networks = results.networks.values()
    by_vendor = [
        mean(network.top1_unseen.runs[number] for network in networks)
        for number in range(len(results.runs))
    ]
    if len(by_vendor) == 1:
        return ""
    by_network = [network.top1_unseen.mean for network in networks]
    vendors_differ = max(by_vendor) - min(by_vendor)
    word = "more" if vendors_differ > max(by_network) - min(by_network) else "less"
    reached = [
        f"{percent(top1)} on {run.held_out_vendor}'s"
        for top1, run in zip(by_vendor, results.runs, strict=True)
    ]
    return (
        f"Whose drawings are left out matters {word} than the network: all networks together reach "
        f"{listed(reached)}."
    )


def _standings(results: Results, measure: str) -> str:
    """The highest network, and the compound one where it is not the highest."""
    ranked = results.ranked(measure)
    best = ranked[0]
    text = (
        f"The highest mean is {_of(results, best)}: "
        f"{percent(results.cam(best, measure).mean)}. That is {_compared(results, best, measure)}."
    )
    if best == COMPOUND:
        return text
    return (
        f"{text} The compound network is number {number_word(ranked.index(COMPOUND) + 1)} with "
        f"{percent(results.cam(COMPOUND, measure).mean)}: "
        f"{_compared(results, COMPOUND, measure)}."
    )


def _compared(results: Results, key: str, measure: str) -> str:
    """Against which others a network is clearly higher, clearly lower, or neither."""
    pairs = results.against_others(key, measure)
    groups = {
        "clearly more than": [pair.one for pair in pairs if pair.low > 0],
        "clearly less than": [pair.one for pair in pairs if pair.high < 0],
        "no clear difference from": [pair.one for pair in pairs if not pair.clear],
    }
    return "; ".join(
        f"{words} any other"
        if len(others) == len(pairs)
        else f"{words} {listed([_called(results, other) for other in others])}"
        for words, others in groups.items()
        if others
    )


def _against_references(results: Results) -> str:
    keys, grid = list(results.networks), results.common_grid
    beaten: dict[tuple[str, ...], list[str]] = {}
    for name, title in (("uniform", "a uniform map"), ("centre_gaussian", "a centre Gaussian")):
        reached = results.references[name].everywhere[SAME_GRID].mean
        above = tuple(key for key in keys if results.cam(key, SAME_GRID).mean > reached)
        beaten.setdefault(above, []).append(f"{title} ({percent(reached)})")
    sentences = []
    for above, maps in beaten.items():
        if len(above) == len(keys):
            who = f"All {number_word(len(keys))} networks have"
        elif above:
            names = listed([_called(results, key) for key in above])
            who = f"Only {names} {'has' if len(above) == 1 else 'have'}"
        else:
            who = "No network has"
        sentences.append(f"{who} a higher mean than {listed(maps)}.")
    return (
        f"**Maps that look at nothing.** {' '.join(sentences)} Here all maps are averaged to "
        f"{grid} × {grid} cells."
    )


def convergence(results: Results) -> str:
    """Whether training had come to an end: the gain on the unseen vendor in the last quarter."""
    gains = {key: _late_gain(curve) for key, curve in results.curves.items()}
    least, most = min(gains, key=gains.__getitem__), max(gains, key=gains.__getitem__)
    rising = [_called(results, key) for key, gain in gains.items() if gain >= LEVEL]
    level = f"{100 * LEVEL:.0f} points"
    if len(rising) == len(gains):
        verdict = (
            f"None had levelled off: each gained {level} or more, so longer training could change "
            "the order."
        )
    elif rising:
        verdict = (
            f"Not all had levelled off: {listed(rising)} gained {level} or more, so longer "
            "training could change the order."
        )
    else:
        verdict = (
            f"None gained {level} or more. The learning rate falls to zero at the end, which "
            "flattens every curve: a longer training could still go further."
        )
    return (
        "In the last quarter of training, accuracy on the unseen vendor changed by "
        f"{_points(gains[least])} ({results.networks[least].name}) to {_points(gains[most])} "
        f"({results.networks[most].name}) points. {verdict}"
    )


def _late_gain(curve: Sequence[CurvePoint]) -> float:
    last = curve[-1]
    before = min(curve, key=lambda point: abs(point.views - 0.75 * last.views))
    return last.unseen - before.unseen


def most_and_least_alike(results: Results) -> str:
    """The extremes of agreement in a sentence."""
    pairs = results.agreement

    def both(pair: Agreement) -> str:
        return listed([_called(results, pair.one), _called(results, pair.other)])

    most, least = (choose(pairs, key=lambda pair: pair.same_answer.mean) for choose in (max, min))
    alike, unlike = (
        choose(pairs, key=lambda pair: pair.cam_correlation.mean) for choose in (max, min)
    )
    return (
        f"{capitalised(both(most))} answer alike most often ({percent(most.same_answer.mean, 0)} "
        f"of the scenes), {both(least)} least often ({percent(least.same_answer.mean, 0)}). The "
        f"maps of {both(alike)} are most alike (correlation "
        f"{decimal(alike.cam_correlation.mean)}), those of {both(unlike)} least "
        f"({decimal(unlike.cam_correlation.mean)})."
    )


def limits(results: Results) -> str:
    """What the lab shows and what it cannot, in one paragraph."""
    networks = results.networks.values()
    sizes = [network.parameters for network in networks]
    grids = listed([f"{network.grid} × {network.grid} ({network.name})" for network in networks])
    right = sum(run.scenes_all_correct for run in results.runs)
    b0 = published.FAMILY[0].figure
    return (
        f"The lab shows where {number_word(len(sizes))} networks with the same recipe find their "
        "evidence, on scenes whose masks are exact, with drawings of a vendor that they never saw. "
        "It cannot show that the same holds elsewhere. The scenes are toys: a drawing among "
        "others on clutter, its centre never close to the edge; no photographs, not ImageNet. The "
        "networks have "
        f"{min(sizes) / 1e6:.2f} to {max(sizes) / 1e6:.2f} million parameters; the paper's "
        f"smallest has {b0.parameters / 1e6:.1f}. All rests on {runs_in_words(results)} of each "
        "network: the intervals say how much a result depends on the classes, not what training "
        "again would change. The recipe was tuned on the baseline, which may favour it; all got "
        f"the same {results.views:,} views, not the same time. Maps are measured only on the "
        f"{right:,} of {len(results.runs) * results.scenes:,} scenes that all networks classify "
        "correctly: the easier ones. And the maps are not equally coarse. Their grids have "
        f"{grids} cells, so a network that sees more pixels also draws a finer map; stage "
        f"{GRAD_CAM_STAGE} has the same grids as the last. Comparing with what the outline itself "
        "reaches on the network's grid evens that out for the share of evidence; pointing game, "
        "overlap and coverage use each map as it is."
    )


def held_out_vendors(results: Results) -> str:
    """One of every run, listed."""
    return listed([run.held_out_vendor for run in results.runs])


def runs_in_words(results: Results) -> str:
    """How many runs there are."""
    return f"{number_word(len(results.runs))} run{'s' if len(results.runs) > 1 else ''}"


def percent(share: float, digits: int = 1) -> str:
    """A share of 1 in percent, as the sentences write it."""
    return f"{100 * share:.{digits}f}{NO_BREAK}%"


def _points(share: float) -> str:
    return change(100 * share, 1)


def _called(results: Results, key: str) -> str:
    """A network within a sentence."""
    name = results.networks[key].name.replace(" ", NO_BREAK)
    return {"baseline": "the baseline", COMPOUND: "the compound network"}.get(key, name)


def _of(results: Results, key: str) -> str:
    called = _called(results, key)
    return f"{called}'s" if called.startswith("the") else f"that of {called}"


def _some(count: int, of: int) -> str:
    """How many of the other networks; one at least."""
    if count == of:
        return f"all {number_word(of)} others"
    return f"{number_word(count)} of the {number_word(of)} others"
