"""Starts the app as users do and photographs every page, on every screen and in both themes."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.visitor import ARGUMENTS, PATIENCE, ROOT, serving
from tools.screenshots import sheet
from tools.screenshots.views import SCHEMES, SCREENS, VIEWS, take


def photograph(
    browser: Browser, address: str, folder: Path, *, only: Collection[str], full: bool
) -> None:
    """All views, or only these, as files in the folder; says on stderr what could not be taken."""
    for name, screen in SCREENS.items():
        views = [view for view in VIEWS if name in view.screens and view.name in only]
        for scheme in SCHEMES if views else ():
            context = browser.new_context(
                base_url=address,
                viewport={"width": screen.width, "height": screen.height},
                color_scheme=scheme,  # type: ignore[arg-type]
                is_mobile=screen.touch,
                has_touch=screen.touch,
                device_scale_factor=2 if screen.touch else 1,
            )
            context.set_default_timeout(PATIENCE)
            for view in views:
                page = context.new_page()
                problem = take(page, view, name, scheme, folder, full=full)
                if problem:
                    sys.stderr.write(f"{view.name} at {name}, {scheme}: {problem}\n")
                page.close()
            context.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tools.screenshots", description=__doc__)
    parser.add_argument(
        "folders", nargs="*", type=Path, help="where they go; with --sheet: before and after"
    )
    parser.add_argument("--full", action="store_true", help="also whole pages")
    names = [view.name for view in VIEWS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="VIEW")
    parser.add_argument(
        "--root", type=Path, default=ROOT, help="a checkout whose app is started (this one)"
    )
    parser.add_argument(
        "--sheet",
        type=Path,
        metavar="FILE",
        help="compose two folders into one WebP; starts no app",
    )
    arguments = parser.parse_args()
    if len(arguments.folders) != 2 if arguments.sheet else len(arguments.folders) > 1:
        parser.error("one folder for screenshots, two for a sheet")
    return arguments


def main() -> None:
    """Does what the command line says."""
    arguments = _arguments()
    if arguments.sheet:
        sheet.save(sheet.compose(*arguments.folders), arguments.sheet)
        return
    folder = next(iter(arguments.folders), None) or Path(tempfile.mkdtemp(prefix="screenshots-"))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as weights, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        program = ["-m", "effnet_viz.cli", "serve"]
        with serving(Path(weights), program, root=arguments.root) as address:
            photograph(browser, address, folder, only=arguments.only, full=arguments.full)
        browser.close()
    sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    main()
