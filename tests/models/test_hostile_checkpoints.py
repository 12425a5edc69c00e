"""Checkpoints that are damaged, foreign or hostile: each is refused with a sentence of its own."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from effnet_viz.models import checkpoints, pickles
from effnet_viz.models.weights import WeightsError
from tests.models.hostile_files import (
    HEAD,
    HOSTILE,
    STEM,
    VARIANCE,
    WRITERS,
    Call,
    State,
    deflated_bomb,
    good,
    legacy,
    lying_storage,
    many_entries,
    path_of,
    put,
)
from tests.models.weight_files import NARROW, entry_with, named, narrow_state, place, saved

pytestmark = pytest.mark.usefixtures("own_folder", "checkpoint_folder")


@pytest.fixture
def checkpoint_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFNET_VIZ_CHECKPOINTS", str(tmp_path))


# What is accepted


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_a_checkpoint_of_floating_point_numbers_is_loaded(form: str, dtype: torch.dtype) -> None:
    state = {name: its.to(dtype) for name, its in narrow_state().items()}
    put(form, WRITERS[form](state))
    found, file = checkpoints.load_state_dict(NARROW)
    assert file.path.name.startswith(NARROW.weights.filename.partition(".safetensors")[0])
    assert list(found) == list(narrow_state())
    assert all(torch.equal(found[name], its) for name, its in state.items())


def test_views_parameters_and_attributes_are_no_obstacle() -> None:
    """What a module's own state dict may hold: attributes with versions, and shared storages."""
    shared = torch.cat([narrow_state()[HEAD].flatten(), torch.zeros(7)])
    module_state = torch.nn.Linear(1, 1).state_dict()  # an OrderedDict with attributes
    module_state.clear()
    module_state.update(narrow_state())
    module_state[HEAD] = shared[:-7].reshape(1000, -1)
    module_state[STEM] = torch.nn.Parameter(narrow_state()[STEM])
    for form in ("pth", "pth before 1.6"):
        put(form, WRITERS[form](module_state))
        found, _ = checkpoints.load_state_dict(NARROW)
        assert all(torch.equal(found[name], its) for name, its in narrow_state().items())


# Values, types, names and shapes


def changed(name: str, value: float, where: int | slice = 0) -> Callable[[State], State]:
    def change(state: State) -> State:
        tensor = state[name].clone()
        tensor[where] = value
        return {**state, name: tensor}

    return change


def cast(name: str, dtype: torch.dtype) -> Callable[[State], State]:
    return lambda state: {**state, name: state[name].to(dtype)}


def without(*names: str) -> Callable[[State], State]:
    return lambda state: {name: its for name, its in state.items() if name not in names}


def renamed(state: State) -> State:
    """As nn.DataParallel names them."""
    return {f"module.{name}": its for name, its in state.items()}


NOT_FINITE = rf"not finite \(NaN or infinite\) in `{STEM}`\. Its training diverged"

WRONG_STATES: dict[str, tuple[Callable[[State], State], str]] = {
    "NaN": (changed(STEM, float("nan")), NOT_FINITE),
    "infinity": (changed(STEM, float("inf")), NOT_FINITE),
    "minus infinity": (changed(STEM, float("-inf")), NOT_FINITE),
    "one class NaN": (changed(HEAD, float("nan"), 7), f"not finite .* in `{HEAD}`"),
    "times 1e30": (
        lambda state: {name: its * 1e30 for name, its in state.items()},
        f"in `{STEM}`, far more than any trained network",
    ),
    "infinite in float32": (
        lambda state: {**state, STEM: torch.full_like(state[STEM], 1e200, dtype=torch.float64)},
        rf"holds 1\.0e\+200 in `{STEM}`",
    ),
    "negative variance": (
        changed(VARIANCE, -0.5),
        f"holds -0.5 in `{VARIANCE}`, and a variance is never negative",
    ),
    "int8": (cast(HEAD, torch.int8), f"holds `{HEAD}` as int8, and weights are floating-point"),
    "int64": (cast(HEAD, torch.int64), f"holds `{HEAD}` as int64"),
    "complex64": (cast(HEAD, torch.complex64), f"holds `{HEAD}` as complex64"),
    "a tensor is missing": (without(HEAD), f"holds no weights of .*: `{HEAD}` is missing"),
    "many are missing": (
        lambda state: {STEM: state[STEM]},
        r"is missing; .* is missing; .* is missing; and \d+ more differences",
    ),
    "one too many": (
        lambda state: {**state, "ema <b>`x`": torch.ones(1)},
        r"`ema\?\?b\?\?x\?` does not belong to it",
    ),
    "other names": (renamed, "is missing; .* more differences.*the library's own names"),
    "another shape": (
        lambda state: {**state, HEAD: torch.zeros(10, 320)},
        rf"`{HEAD}` has the shape 10×320 instead of 1000×",
    ),
    "no dimension": (
        lambda state: {**state, HEAD: torch.tensor(1.0)},
        f"`{HEAD}` has the shape of one number instead of",
    ),
}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("wrong", WRONG_STATES)
def test_a_state_that_cannot_be_computed_with_is_refused(wrong: str, form: str) -> None:
    change, sentence = WRONG_STATES[wrong]
    put(form, WRITERS[form](change(narrow_state())))
    with pytest.raises(WeightsError, match=sentence):
        checkpoints.load_state_dict(NARROW)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(kind: str) -> None:
    hostile = HOSTILE[kind]
    put(hostile.form, hostile.content())
    with pytest.raises(WeightsError, match=hostile.sentence) as caught:
        checkpoints.load_state_dict(NARROW)
    assert str(caught.value).startswith(f"`{path_of('.').stem}")
    assert str(caught.value).endswith(".")
    assert not hasattr(pickles._parameter, "evil")


def test_code_in_a_pickle_does_not_run(closed_url: str, tmp_path: Path) -> None:
    marker = tmp_path / "the code has run"
    for write in (saved, legacy):
        content = write({STEM: Call(os.mkdir, str(marker))})
        weight = named(closed_url, content)
        place(weight, content)
        with pytest.raises(WeightsError, match=rf"asks for `{os.name}\.mkdir`.* Delete it"):
            checkpoints.load_state_dict(entry_with(weight))
        assert not marker.exists()
        torch.load(io.BytesIO(content), weights_only=False)  # it would have run
        assert marker.exists()
        marker.rmdir()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_regular_file_is_refused_in_a_sentence() -> None:
    path = path_of(".safetensors")
    os.mkfifo(path)
    with pytest.raises(WeightsError, match=r"is a named pipe, not a regular file\. Put the check"):
        checkpoints.load_state_dict(NARROW)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(WeightsError, match=r"is a device, not a regular file\. Put the check"):
        checkpoints.load_state_dict(NARROW)


# Memory and time


def test_an_error_that_is_kept_does_not_keep_the_file() -> None:
    put("safetensors", save(changed(HEAD, float("nan"))(narrow_state())))
    checkpoints.expected_state(NARROW)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match="not finite") as caught:
            checkpoints.load_state_dict(NARROW)
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.__traceback__ is not None
    size = len(good("safetensors"))
    assert peak > size
    assert kept < size / 2


BOMBS = """
import resource, sys
from pathlib import Path
from effnet_viz.models import checkpoints
from effnet_viz.models.weights import WeightsError
from tests.models.weight_files import NARROW

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

for path in map(Path, sys.argv[1:]):
    before = peak()
    there = path.parent / f"{NARROW.weights.stem}{path.suffix}"
    path.rename(there)
    try:
        checkpoints.load_state_dict(NARROW)
        said = "loaded"
    except WeightsError as error:
        said = str(error)
    there.unlink()
    print(path.name, peak() - before, said, sep="|")
"""
"""Prints by how many MB the peak of memory rises with every file, and what is said of it."""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory has other units elsewhere")
def test_no_bomb_takes_memory(tmp_path: Path) -> None:
    bombs = {
        "good.pth": (good("pth"), "loaded"),
        "deflated.pth": (deflated_bomb(), "is compressed"),
        "lying.pth": (lying_storage(), "is incomplete"),
        "asking.pth": (
            HOSTILE["memory for the asking"].content(),
            "asks for `__builtin__.bytearray`",
        ),
        "memo.pth": (HOSTILE["a memo of 64 GB"].content(), "but nothing"),
        "entries.safetensors": (many_entries(1_300_000), "is too large to be this network's"),
        "zeros.safetensors": (b"", "is too large to be this network's"),
    }
    for name, (content, _) in bombs.items():
        (tmp_path / name).write_bytes(content)
    os.truncate(tmp_path / "zeros.safetensors", 10**12)
    run = subprocess.run(
        [sys.executable, "-c", BOMBS, *(tmp_path / name for name in bombs)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split("|") for line in run.stdout.splitlines()]
    assert [name for name, _, _ in lines] == list(bombs)
    for name, megabytes, said in lines:
        assert bombs[name][1] in said
        # The good one brings what every load needs; no other may need more than its own bytes.
        assert int(megabytes) < 16 or name == "good.pth", (name, megabytes)


def test_a_file_that_is_rewritten_while_it_is_read_kills_nobody() -> None:
    """A mapped file would: reading beyond its new end is a SIGBUS."""
    path = path_of(".safetensors")
    biases = [torch.full((1000,), value) for value in (1.0, 2.0)]
    contents = [save({**narrow_state(), "classifier.1.bias": bias}) for bias in biases]
    path.write_bytes(contents[0])
    enough = threading.Event()

    def rewrite() -> None:
        while not enough.wait(0.002):
            path.write_bytes(contents[0][:1000])
            for content in contents:
                path.write_bytes(content)

    writer = threading.Thread(target=rewrite)
    writer.start()
    refusals = []
    try:
        for _ in range(100):
            try:
                state, _ = checkpoints.load_state_dict(NARROW)
            except WeightsError as error:
                refusals.append(str(error))
            else:
                assert set(state["classifier.1.bias"].tolist()) <= {1.0, 2.0}
    finally:
        enough.set()
        writer.join()
    assert all("is incomplete" in r or "changed while" in r or "is empty" in r for r in refusals)
    state, _ = checkpoints.load_state_dict(NARROW)
    os.truncate(path, 0)  # what is loaded does not lean on the file
    assert state["classifier.1.bias"].tolist() == [2.0] * 1000
    assert all(torch.equal(state[name], its) for name, its in load(contents[1]).items())
