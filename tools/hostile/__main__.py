"""`python -m tools.hostile`: one hostile visitor on a server of its own; what others notice."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tools.hostile import clicks
from tools.hostile.watch import Requirement, table
from tools.load import server

SCENARIOS = {"clicks": clicks.measure}


def main() -> int:
    """Measure each scenario; 1 when a requirement does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tools.hostile", description=main.__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    chosen = parser.parse_args().scenarios or list(SCENARIOS)
    if unknown := set(chosen) - set(SCENARIOS):
        parser.error(f"There is no {', '.join(unknown)}. Choose of {', '.join(SCENARIOS)}.")
    found: list[Requirement] = []
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder, server.running(Path(folder)) as running:
            found += asyncio.run(SCENARIOS[name](running))
            if running.tracebacks():
                sys.stderr.write(running.log.read_text(encoding="utf-8", errors="replace"))
                raise RuntimeError(f"{name}: exceptions in the server's log, above.")
    sys.stdout.write(table(found))
    return 0 if all(requirement.holds for requirement in found) else 1


if __name__ == "__main__":
    sys.exit(main())
