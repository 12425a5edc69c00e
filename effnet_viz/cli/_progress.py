"""A progress bar for files that are copied one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from effnet_viz.models.bundles import Progress


@contextmanager
def files_progress() -> Iterator[Progress]:
    """What hears of each file how far it is; a bar on a terminal, nothing elsewhere."""
    copied = ""
    with tqdm(unit="B", unit_scale=True, disable=None) as bar:

        def tell(filename: str, done: int, total: int) -> None:
            nonlocal copied
            if filename != copied:
                copied = filename
                bar.reset(total)
                bar.set_description(filename)
            bar.update(done - bar.n)

        yield tell
