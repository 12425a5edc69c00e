"""What was measured in the lab: sentences, accuracy and cost, agreement, learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import streamlit as st

from effnet_viz.lab import results as lab
from effnet_viz.lab import sentences
from effnet_viz.lab.results import RESULTS, OverRuns, Results, ResultsError
from effnet_viz.models import published
from effnet_viz.models.published import ScaledBaseline
from effnet_viz.ui import words
from effnet_viz.ui.lab.charts import draw_accuracy, draw_curves
from effnet_viz.ui.layout.charts import PALE, show_chart, show_heatmap
from effnet_viz.ui.layout.help import how_to_read
from effnet_viz.ui.layout.mistakes import with_number
from effnet_viz.ui.layout.section import section


def load_results(path: Path = RESULTS) -> Results | None:
    """The results; None, and a message on the page, if there are none."""
    try:
        return _loaded(path, path.stat().st_mtime_ns if path.exists() else 0)
    except ResultsError as error:
        st.info(with_number(error), icon=":material/science:")
        return None


@cache
def _loaded(path: Path, _: int) -> Results:
    """Read once for all visitors, and again when the file has changed."""
    return lab.load(path)


def show_in_sentences(results: Results) -> None:
    """What came out, in sentences."""
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences.headline(results)))
    factors = "; ".join(
        f"*{network.name}*: {_factors(network)}"
        for network in results.networks.values()
        if _factors(network)
    )
    st.caption(
        f"Scaled networks: {factors}. “Clearly” means that the "
        f"{sentences.percent(0.95, 0)} interval of the difference leaves 0 out. The intervals are "
        f"over classes, within the {sentences.runs_in_words(results)}: they do not say what "
        "training again would change."
    )


def show_accuracy(results: Results) -> None:
    """Top-1 of every run; beside it ours and the paper's Table 7."""
    networks = results.networks
    show_chart(
        draw_accuracy(results),
        key="lab accuracy",
        alt="Top-1 accuracy on seen vendors and on the unseen vendor, means over runs. "
        + " ".join(
            f"{network.name}: {sentences.percent(network.top1_seen.mean)} and "
            f"{sentences.percent(network.top1_unseen.mean)}."
            for network in networks.values()
        ),
    )
    paper = {key: _of_table_7(results, key) for key in networks}
    baseline, paper_baseline = next(iter(networks.values())), next(iter(paper.values()))
    st.table(
        {
            "network": [f"**{_unbroken(network.name)}**" for network in networks.values()],
            "multiply-adds: ours": [
                f"× {network.multiply_adds / baseline.multiply_adds:.1f}"
                for network in networks.values()
            ],
            "paper": [
                f"× {row.multiply_adds / paper_baseline.multiply_adds:.1f}"
                for row in paper.values()
            ],
            "parameters": [
                _unbroken(f"{network.parameters / 1e6:.2f} M") for network in networks.values()
            ],
            "time per image": [
                _unbroken(f"{network.milliseconds:.1f} ms") for network in networks.values()
            ],
            "top-1, unseen vendor: ours": [
                _with_spread(network.top1_unseen) for network in networks.values()
            ],
            "top-1, ImageNet: paper": [_unbroken(f"{row.top1:.1f} %") for row in paper.values()],
        },
        border="horizontal",
        width="content",
        hide_index=True,
        alt="Cost and accuracy of our five networks beside the paper's Table 7.",
    )
    st.markdown(sentences.accuracy(results))
    spread = (
        f"± is the standard deviation of {sentences.runs_in_words(results)}. "
        if baseline.top1_unseen.spread is not None
        else ""
    )
    st.caption(
        "Ours are **not ImageNet** networks: they tell drawings apart, on "
        f"{results.scenes:,} scenes per run, so compare the order of the rows, never the two "
        f"accuracies. Never seen: {sentences.held_out_vendors(results)}, one a run. "
        f"{spread}Ours × 1 is {baseline.multiply_adds / 1e6:.1f} M multiply-adds, the paper's "
        f"{paper_baseline.multiply_adds / 1e9:.1f} B. Parameters and time are "
        f"ours; time with PyTorch on {results.machine}. Paper: {published.PAPER}, Table 7."
    )
    how_to_read(words.READING_ACCURACY)


def show_agreement(results: Results) -> None:
    """How alike networks answer and look, in pairs."""
    section(words.DO_THEY_AGREE)
    answers, maps = st.columns(2, gap="medium")
    with answers:
        st.markdown(words.SAME_ANSWER)
        same = {(p.one, p.other): p.same_answer.mean for p in results.agreement}
        _show_pairs(results, "Same answer", same, (0, 1), ".0%")
    with maps:
        st.markdown(words.ALIKE_MAPS)
        alike = {(p.one, p.other): p.cam_correlation.mean for p in results.agreement}
        _show_pairs(results, "Correlation of CAMs", alike, (-1, 1), ".2f")
    st.markdown(sentences.most_and_least_alike(results))
    how_to_read(words.READING_AGREEMENT)


def _show_pairs(
    results: Results,
    what: str,
    values: Mapping[tuple[str, str], float],
    ends: tuple[float, float],
    number: str,
) -> None:
    """Every pair once: a triangle."""
    keys = list(results.networks)
    names = [network.name for network in results.networks.values()]
    show_heatmap(
        [[values.get((one, other)) for one in keys[:-1]] for other in keys[1:]],
        names[1:],
        names[:-1],
        what=what,
        ends=ends,
        number=number,
        look=PALE,
        height=14 + 46 * len(keys),
    )


def show_learning_curves(results: Results) -> None:
    """Accuracy during training."""
    last = {key: curve[-1] for key, curve in results.curves.items()}
    show_chart(
        draw_curves(results),
        key="lab curves",
        alt="Top-1 accuracy during training, mean over runs. At the end, on seen vendors and on "
        "the unseen vendor: "
        + "; ".join(
            f"{results.networks[key].name} {sentences.percent(point.seen)} and "
            f"{sentences.percent(point.unseen)}"
            for key, point in last.items()
        )
        + ".",
    )
    st.markdown(sentences.convergence(results))
    how_to_read(words.READING_CURVES)


def show_limits(results: Results) -> None:
    """What the lab shows and what it cannot."""
    st.markdown(sentences.limits(results))


def offer_results(results: Results) -> None:
    """Everything that was measured, as the file it comes from."""
    st.download_button(
        words.ALL_NUMBERS,
        results.text,
        "results.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def _factors(network: lab.MeasuredNetwork) -> str:
    """What was multiplied; nothing for the baseline."""
    scaling = network.scaling
    factors = {
        "layers": scaling.depth,
        "channels": scaling.width,
        "pixels along a side": scaling.resolution_factor,
    }
    return ", ".join(
        f"{factor:g} times the {what}" for what, factor in factors.items() if factor != 1
    )


def _of_table_7(results: Results, key: str) -> ScaledBaseline:
    """The paper's network with the same multipliers."""
    scaling = results.networks[key].scaling
    factors = (scaling.depth, scaling.width, scaling.resolution_factor)
    return next(
        row for row in published.TABLE_7 if (row.depth, row.width, row.resolution) == factors
    )


def _with_spread(values: OverRuns) -> str:
    spread = "" if values.spread is None else f" ± {100 * values.spread:.1f}"
    return _unbroken(f"{100 * values.mean:.1f}{spread} %")


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")
