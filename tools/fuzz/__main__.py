"""`python -m tools.fuzz`: decode thousands of hostile files and report."""

from __future__ import annotations

import argparse
import sys

from tqdm import tqdm

from effnet_viz.images.guarded import decode_guarded
from tools.fuzz import report
from tools.fuzz.corpus import Corpus
from tools.fuzz.runner import run

PATIENCE = 60.0
"""Seconds; the decoder allows itself 6 of processor time."""


def main() -> int:
    """Decode the files of a seed; 1 on a crash, hang, foreign exception or traceback."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=main.__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.files < 1 or arguments.workers < 1 or arguments.seed < 0:
        parser.error("--files and --workers must be at least 1, --seed at least 0.")
    corpus = Corpus(arguments.seed)
    numbers, workers = range(arguments.files), arguments.workers
    found = run(corpus, decode_guarded, numbers, workers=workers, patience=PATIENCE)
    outcomes = list(tqdm(found, total=arguments.files, unit=" files", smoothing=0))
    sys.stdout.write(report.markdown(outcomes, corpus))
    return 1 if report.faults(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
