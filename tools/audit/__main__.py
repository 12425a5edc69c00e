"""`python -m tools.audit`: pins, licences and known vulnerabilities of what is installed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tools.audit import licences, packages, vulnerabilities

FINDINGS = 1
UNKNOWN = 3
"""Nothing is wrong as far as is known, but the database did not answer (2 is argparse's)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what is wrong. Exits with 0: nothing, 1: something, 3: the database did not answer."""
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description=main.__doc__)
    parser.add_argument(
        "--write", action="store_true", help="first renew the table of docs/licences.md"
    )
    parser.add_argument(
        "--database",
        default=vulnerabilities.DATABASE,
        metavar="URL",
        help="address of a database that speaks OSV's protocol",
    )
    options = parser.parse_args(arguments)
    if options.write:
        licences.write()
    findings = packages.differences() + licences.check()
    unanswered = None
    try:
        findings += vulnerabilities.known(database=options.database)
    except vulnerabilities.DatabaseError as error:
        unanswered = error
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    if unanswered:
        sys.stdout.write(
            f"The database of vulnerabilities gave no answer ({unanswered}), so nothing is known "
            "about weaknesses of the pinned packages: run this again where the internet is "
            "reached.\n"
        )
    if findings:
        return FINDINGS
    if unanswered:
        return UNKNOWN
    sys.stdout.write("No known vulnerability, every licence accepted, everything pinned.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
