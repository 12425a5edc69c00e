"""`python -m tools.hostile`: one hostile visitor on a server of its own; what others notice."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

from tools.hostile import bombs, clicks, hoard, soak
from tools.load import server
from tools.requirement import Requirement, table

SCENARIOS = ("clicks", "bombs", "hoard", "soak")


def main() -> int:
    """Measure each scenario; 1 when a requirement does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tools.hostile", description=main.__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--minutes", type=int, default=10, help="of soak (default: %(default)s)")
    arguments = parser.parse_args()
    measures: dict[str, Callable[[server.Server], Coroutine[None, None, list[Requirement]]]] = {
        "clicks": clicks.measure,
        "bombs": bombs.measure,
        "hoard": hoard.measure,
        "soak": partial(soak.measure, minutes=arguments.minutes),
    }
    chosen = arguments.scenarios or list(measures)
    if unknown := set(chosen) - set(measures):
        parser.error(f"There is no {', '.join(unknown)}. Choose of {', '.join(measures)}.")
    found: list[Requirement] = []
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder, server.running(Path(folder)) as running:
            found += asyncio.run(measures[name](running))
            if running.tracebacks():
                sys.stderr.write(running.log.read_text(encoding="utf-8", errors="replace"))
                raise RuntimeError(f"{name}: exceptions in the server's log, above.")
        sys.stdout.write(table(found))
        sys.stdout.flush()
    return 0 if all(requirement.holds for requirement in found) else 1


if __name__ == "__main__":
    sys.exit(main())
