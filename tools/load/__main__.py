"""`python -m tools.load`: put load on a server of its own and report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.load import expectations, report
from tools.load.scenarios import SCENARIOS, Outcome, Plan, carry_out

MOST_SESSIONS = 200
MOST_MINUTES = 60.0


def main() -> int:
    """Run every scenario with every number of sessions; 1 when a requirement does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tools.load", description=main.__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 30, 60])
    parser.add_argument("--scenario", choices=SCENARIOS, nargs="+", default=list(SCENARIOS))
    parser.add_argument("--minutes", type=float, default=1.0, help="of every run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--reload-every", type=int, default=4, help="rounds between reloads of the page, 0: never"
    )
    parser.add_argument("--patience", type=float, default=120.0, help="seconds for one action")
    parser.add_argument("--report", type=Path, help="Markdown file to write")
    arguments = parser.parse_args()
    if not all(1 <= sessions <= MOST_SESSIONS for sessions in arguments.sessions):
        parser.error(f"--sessions must be from 1 to {MOST_SESSIONS}.")
    if not 0 <= arguments.minutes <= MOST_MINUTES:
        parser.error(f"--minutes must be from 0 to {MOST_MINUTES:g}.")

    uploads = max(arguments.sessions) if "photographs" in arguments.scenario else 0
    _say(f"Computing what {uploads} photographs must show …")
    book = expectations.write_book(uploads, arguments.seed)
    outcomes: list[Outcome] = []
    for scenario in arguments.scenario:
        for sessions in arguments.sessions:
            _say(f"{sessions} sessions, {scenario}, {arguments.minutes:g} minutes …")
            plan = Plan(
                scenario,
                sessions,
                60 * arguments.minutes,
                seed=arguments.seed,
                reload_every=arguments.reload_every,
                patience=arguments.patience,
            )
            outcomes.append(carry_out(plan, book))
            text = report.markdown(outcomes)
            if arguments.report:  # after every run: a long test that is stopped leaves its results
                arguments.report.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 1 if report.failures(outcomes) else 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
