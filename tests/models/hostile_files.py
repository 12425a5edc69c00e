"""Weight files that nobody should have to meet, and what has to be said of each."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from effnet_viz.models import weights
from tests.models.weight_files import CONTENT, narrow_state, saved

State = dict[str, Tensor]

STEM, VARIANCE, HEAD = "features.0.0.weight", "features.0.1.running_var", "classifier.1.weight"
"""Names of three tensors of narrow_state."""


def path_of(ending: str) -> Path:
    return weights.checkpoint_folder() / f"efficientnet_b0-w0.25-d0.25{ending}"


def legacy(value: object) -> bytes:
    """As PyTorch before 1.6 wrote it."""
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


WRITERS: dict[str, Callable[[State], bytes]] = {
    "safetensors": save, "pth": saved, "pth before 1.6": legacy,
}  # fmt: skip


@cache
def good(form: str) -> bytes:
    return WRITERS[form](narrow_state())


def put(form: str, content: bytes) -> None:
    path_of(f".{form.split()[0]}").write_bytes(content)


def with_header(content: bytes, change: Callable[[str], str]) -> bytes:
    (length,) = struct.unpack_from("<Q", content)
    header = change(content[8 : 8 + length].decode()).encode()
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


def many_entries(count: int) -> bytes:
    entry = b'"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    header = b"{" + b",".join([entry % number for number in range(count)]) + b"}"
    return struct.pack("<Q", len(header)) + header


def rezipped(
    compression: int = zipfile.ZIP_STORED,
    change: Callable[[str, bytes], bytes | None] = lambda _, part: part,
    more: dict[str, bytes] | None = None,
) -> bytes:
    """A good file of torch.save with other parts."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(good("pth"))) as source,
        zipfile.ZipFile(buffer, "w", compression) as target,
    ):
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                target.writestr(name, content)
        for name, content in (more or {}).items():
            target.writestr(name, content)
    return buffer.getvalue()


def with_pickle(index: bytes) -> bytes:
    return rezipped(change=lambda name, part: index if name.endswith("data.pkl") else part)


class Call:
    """Calls something when it is unpickled."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.called = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.called


def scripted() -> bytes:
    """What matters of a TorchScript archive: it has constants."""
    return rezipped(more={"archive/constants.pkl": pickle.dumps((), 2)})


def swollen(content: bytes) -> bytes:
    """A pickle that states a storage of ten times as many numbers."""
    numbers = narrow_state()[HEAD].numel()
    assert content.count(pickle.BININT + struct.pack("<i", numbers)) >= 1
    return content.replace(
        pickle.BININT + struct.pack("<i", numbers), pickle.BININT + struct.pack("<i", 10 * numbers)
    )


def beyond_its_storage(content: bytes) -> bytes:
    """A pickle whose tensors begin behind their storages' first number."""
    good, bad = pickle.BINPERSID + pickle.BININT1 + b"\0", pickle.BINPERSID + pickle.BININT1 + b"\1"
    assert good in content
    return content.replace(good, bad)


INCOMPLETE = r"is incomplete: it ends after [\d,]+.* bytes, as when copying was interrupted"
ONLY_STATE_DICT = r"Save only the network's state dict under this name"
REFUSED = f"was refused, because .*{ONLY_STATE_DICT}"


@dataclass(frozen=True)
class Hostile:
    form: str
    content: Callable[[], bytes]
    sentence: str


def cut(form: str, part: float) -> Hostile:
    return Hostile(form, lambda: good(form)[: int(part * len(good(form)))], INCOMPLETE)


HOSTILE: dict[str, Hostile] = {
    **{
        f"{form}, {part:.4%} of it": cut(form, part)
        for form in WRITERS
        for part in (1e-5, 2e-3, 0.5, 0.99999)
    },
    **{f"{form}, empty": Hostile(form, lambda: b"", "is empty. Copy it again") for form in WRITERS},
    "noise": Hostile("safetensors", lambda: CONTENT, f"is no safetensors file. {ONLY_STATE_DICT}"),
    "noise as pth": Hostile(
        "pth", lambda: CONTENT, f"is no file that torch.save has written. {ONLY_STATE_DICT}"
    ),
    "a web page": Hostile("pth", lambda: b"<html>Please sign in</html>", "is no file that torch"),
    "a header of 20,000 entries": Hostile(
        "safetensors", lambda: many_entries(20_000), "has a header far longer than that of this"
    ),
    "a header that is no JSON": Hostile(
        "safetensors",
        lambda: with_header(good("safetensors"), lambda header: header.replace(":", ";", 1)),
        "is damaged: its header cannot be read. Copy it again",
    ),
    "a header of brackets": Hostile(
        "safetensors",
        lambda: with_header(good("safetensors"), lambda _: '{"a":' + "[" * 50_000),
        "is damaged: its header cannot be read",
    ),
    "a name twice": Hostile(
        "safetensors",
        lambda: with_header(
            good("safetensors"), lambda header: header.replace("bias", "weight", 1)
        ),
        "is damaged: its header cannot be read",
    ),
    "tensors that overlap": Hostile(
        "safetensors",
        lambda: with_header(
            good("safetensors"), lambda header: header.replace('_offsets":[', '_offsets":[1', 1)
        ),
        "is damaged: its tensors cannot be read",
    ),
    "bytes behind the last tensor": Hostile(
        "pth before 1.6",
        lambda: good("pth before 1.6") + b"more",
        "is damaged: 4 bytes follow its last tensor",
    ),
    "another zip file": Hostile(
        "pth",
        lambda: rezipped(change=lambda name, part: None if "data.pkl" in name else part),
        "is a zip file, but none of torch.save",
    ),
    "a part too few": Hostile(
        "pth",
        lambda: rezipped(change=lambda name, part: None if "data/3" in name else part),
        "is damaged: values of a tensor are missing",
    ),
    "two parts of one name": Hostile(
        "pth",
        lambda: rezipped(more={"archive/DATA.PKL": b"."}),
        "is damaged: two of its parts have one name",
    ),
    "a part too short": Hostile(
        "pth",
        lambda: rezipped(change=lambda name, part: part[:-4] if "data/3" in name else part),
        "is damaged: values of a tensor are missing",
    ),
    "more parts than tensors": Hostile(
        "pth",
        lambda: rezipped(more={f"archive/{i}": b"" for i in range(4000)}),
        "has a list of parts far longer",
    ),
    "compressed": Hostile(
        "pth", lambda: rezipped(zipfile.ZIP_DEFLATED), "is compressed, which torch.save never does"
    ),
    "a program": Hostile("pth", scripted, REFUSED),
    "a larger storage than there is": Hostile(
        "pth", lambda: with_pickle(swollen(index_of(good("pth")))), "values of a tensor are missing"
    ),
    "the same before 1.6": Hostile(
        "pth before 1.6", lambda: swollen(good("pth before 1.6")), INCOMPLETE
    ),
    "a view beyond its storage": Hostile(
        "pth",
        lambda: with_pickle(beyond_its_storage(index_of(good("pth")))),
        "is damaged: its index cannot be read",
    ),
    "a pickle alone": Hostile(
        "pth", lambda: pickle.dumps({STEM: 1}, 2), "is no file that torch.save has written"
    ),
    "a long pickle": Hostile(
        "pth", lambda: saved({"x" * 400_000: torch.ones(1)}), "has an index far longer"
    ),
    "a long pickle before 1.6": Hostile(
        "pth before 1.6", lambda: legacy({"x" * 400_000: torch.ones(1)}), "has an index far longer"
    ),
    "a checkpoint of a training": Hostile(
        "pth",
        lambda: saved({"state_dict": narrow_state(), "epoch": 3}),
        f"named tensors only, but `state_dict`, `epoch`, so it is no state dict. {ONLY_STATE_DICT}",
    ),
    "nothing": Hostile("pth", lambda: saved({}), "named tensors only, but nothing"),
    "a number as name": Hostile("pth", lambda: saved({1: torch.ones(1)}), "tensors only, but `1`"),
    "a list": Hostile("pth", lambda: saved([torch.ones(1)]), "holds no state dict"),
    "a set": Hostile("pth", lambda: saved({STEM: {1}}), REFUSED),
    "memory for the asking": Hostile(
        "pth", lambda: with_pickle(pickle.dumps({STEM: Call(bytearray, 4 * 10**9)}, 2)), REFUSED
    ),
    "another protocol": Hostile("pth", lambda: with_pickle(pickle.dumps({STEM: 1}, 5)), REFUSED),
    "a memo of 64 GB": Hostile(
        "pth",
        lambda: with_pickle(b"\x80\x02}r" + struct.pack("<I", 2**32 - 2) + b"."),
        "named tensors only, but nothing",
    ),
    "a tuple in 150,000 tuples as name": Hostile(
        "pth",
        lambda: with_pickle(b"\x80\x02})" + b"\x85" * 150_000 + b"K\1s."),
        "is damaged: its index cannot be read",
    ),
    "other attributes for a function of ours": Hostile(
        "pth",
        lambda: with_pickle(
            b"\x80\x02ctorch._utils\n_rebuild_parameter\n}X\4\0\0\0evilK\1s" + pickle.BUILD + b"."
        ),
        "is damaged: its index cannot be read",
    ),
}  # fmt: skip
"""Every kind of file, and what has to stand in the sentence."""


def index_of(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("archive/data.pkl")


GIGANTIC = 3584 * 1024**2


def deflated_bomb() -> bytes:
    """A tensor of 3.5 GB in 4 MB."""
    zeros = bytes(1024**2)
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    # After a full flush nothing refers to what came before, so that one part can be repeated.
    part, end = compress.compress(zeros) + compress.flush(zlib.Z_FULL_FLUSH), compress.flush()
    assert zlib.decompress(2 * part + end, -15) == 2 * zeros
    index = index_of(saved({"x": torch.zeros(999)}))
    small, large = b"M" + struct.pack("<H", 999), b"J" + struct.pack("<i", GIGANTIC // 4)
    assert index.count(small) == 2  # of the storage and of the shape
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", index.replace(small, large))
        archive.writestr("archive/version", "3")
        archive.writestr("archive/data/0", part * (GIGANTIC // len(zeros)) + end)
        values = archive.getinfo("archive/data/0")
        values.compress_type, values.file_size = zipfile.ZIP_DEFLATED, GIGANTIC
    return buffer.getvalue()


def lying_storage() -> bytes:
    """Before 1.6 the memory was taken before the values were there."""
    content = legacy({"x": torch.zeros(999)})
    return content.replace(b"M" + struct.pack("<H", 999), b"J" + struct.pack("<i", 2**30 - 1))
