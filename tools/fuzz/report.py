"""What became of the files, as a small Markdown table."""

from __future__ import annotations

from collections.abc import Sequence

from tools.fuzz.corpus import SHARES, Corpus
from tools.fuzz.runner import FAULTS, REFUSED, SHOWN, Outcome

MOST_NAMED = 20
HEAD = ("kind", "files", "shown", "refused", "slowest (s)", "growth (MB)")


def faults(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.verdict in FAULTS]


def markdown(outcomes: Sequence[Outcome], corpus: Corpus) -> str:
    """One row a kind with the slowest file of each, and every fault with the number of its file."""
    of_kinds: dict[str, list[Outcome]] = {kind: [] for kind in SHARES}
    for outcome in outcomes:
        of_kinds[corpus.label(outcome.number).kind].append(outcome)
    rows = [_row(kind, corpus, found) for kind, found in of_kinds.items() if found]
    lines = [HEAD, ["---"] * len(HEAD), *rows, _row("all", corpus, outcomes)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    found = faults(outcomes)
    if not found:
        return f"{table}\n\nNo crash, hang, foreign exception or traceback (seed {corpus.seed}).\n"
    named = [
        f"- file {outcome.number} ({': '.join(filter(None, corpus.label(outcome.number)))}): "
        f"{outcome.verdict}, {outcome.message}"
        for outcome in found[:MOST_NAMED]
    ]
    if len(found) > MOST_NAMED:
        named.append(f"- and {len(found) - MOST_NAMED} more")
    title = f"{len(found)} faults among the files of seed {corpus.seed}:"
    return "\n".join([table, "", title, "", *named]) + "\n"


def _row(kind: str, corpus: Corpus, outcomes: Sequence[Outcome]) -> list[str]:
    verdicts = [outcome.verdict for outcome in outcomes]
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    growth = max(outcome.growth for outcome in outcomes)
    return [
        kind,
        f"{len(outcomes):,}",
        f"{verdicts.count(SHOWN):,}",
        f"{verdicts.count(REFUSED):,}",
        f"{slowest.seconds:.2f} {corpus.label(slowest.number).subject}".strip(),
        f"{growth / 1e6:.0f}",
    ]
