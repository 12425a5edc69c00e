"""What happens to files on their way, and what headers may claim."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np

Random = np.random.Generator
Mutation = Callable[[bytes, Random], bytes]


def truncated(content: bytes, random: Random) -> bytes:
    return content[: random.integers(1, len(content))]


def bits_flipped(content: bytes, random: Random) -> bytes:
    changed = np.frombuffer(content, np.uint8).copy()
    for _ in range(random.integers(1, 33)):
        changed[random.integers(len(changed))] ^= 1 << random.integers(8)
    return changed.tobytes()


def overwritten(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.integers(1, 6)):
        start = int(random.integers(len(changed)))
        piece = _filling(random)[: len(changed) - start]
        changed[start : start + len(piece)] = piece
    return bytes(changed)


def inserted(content: bytes, random: Random) -> bytes:
    start = int(random.integers(len(content) + 1))
    return content[:start] + _filling(random) + content[start:]


def deleted(content: bytes, random: Random) -> bytes:
    start = int(random.integers(len(content)))
    return content[:start] + content[start + int(random.integers(1, 65)) :]


def duplicated(content: bytes, random: Random) -> bytes:
    """A stretch of the file stands there several times."""
    start, stop = sorted(int(place) for place in random.integers(0, len(content) + 1, 2))
    return content[:stop] + content[start:stop] * int(random.integers(1, 20)) + content[stop:]


def _filling(random: Random) -> bytes:
    """1 to 64 bytes: of noise, zeros, or ones."""
    length = int(random.integers(1, 65))
    return (random.bytes(length), bytes(length), b"\xff" * length)[random.integers(3)]


# Lying headers --------------------------------------------------------------------------------


class Field(NamedTuple):
    """A number in a header."""

    start: int
    size: int
    order: Literal["little", "big"]


def lying(content: bytes, random: Random) -> bytes:
    """1 to 3 dimensions, lengths, counts, kinds or places say something else; checksums agree."""
    if content.startswith(b"P"):
        return _lying_text(content, random)
    found = list(fields(content))
    changed = bytearray(content)
    for _ in range(random.integers(1, 4)):
        start, size, order = found[random.integers(len(found))]
        old = int.from_bytes(changed[start : start + size], order)
        changed[start : start + size] = _claim(old, size, random).to_bytes(size, order)
    if content.startswith(b"\x89PNG"):
        _correct_checksums(changed, content)
    return bytes(changed)


def _claim(old: int, size: int, random: Random) -> int:
    most = (1 << 8 * size) - 1
    near = (0, 1, 2, old + 1, old - 1, 2 * old, 256 * old)
    far = (most, most // 2, most // 2 + 1, int(random.integers(1000)))
    claims = (*near, *far, int.from_bytes(random.bytes(size)))
    return claims[random.integers(len(claims))] % (most + 1)


def _lying_text(content: bytes, random: Random) -> bytes:
    """The header of a PPM: words between blanks."""
    words = content.split(None, 4)
    which = int(random.integers(1, len(words) - 1))
    claims = (
        b"0",
        b"1",
        b"-1",
        b"256",
        b"65535",
        b"65536",
        b"7000",
        b"50000000",
        b"9" * 30,
        b"1e9",
    )
    words[which] = claims[random.integers(len(claims))]
    return b" ".join(words)


def _correct_checksums(changed: bytearray, content: bytes) -> None:
    """For chunks whose lengths did not change."""
    for start, length in _png_chunks(content):
        if start + 8 + length + 4 <= len(content):
            check = zlib.crc32(changed[start + 4 : start + 8 + length])
            struct.pack_into(">I", changed, start + 8 + length, check)


def fields(content: bytes) -> Iterator[Field]:
    """The numbers in the headers of an honest file of any format but PPM."""
    if content.startswith(b"\xff\xd8"):
        yield from _jpeg_fields(content)
    elif content.startswith(b"\x89PNG"):
        for start, length in _png_chunks(content):
            yield Field(start, 4, "big")
            yield from _words(start + 8, min(length, 26), 4, "big")
            yield from _words(start + 8, min(length, 26), 1, "big")
    elif content.startswith(b"GIF"):
        yield from _words(6, 4, 2, "little")
        yield from _words(10, 3, 1, "little")
        frame = content.index(b",", 13)
        yield from _words(frame + 1, 8, 2, "little")
        yield from _words(frame + 9, 3, 1, "little")
    elif content.startswith(b"RIFF"):
        yield Field(4, 4, "little")
        yield from _riff_fields(content, 12, len(content))
    elif content.startswith((b"II", b"MM")):
        yield from _tiff_fields(content)
    elif content.startswith(b"BM"):
        yield from _words(2, 24, 4, "little")
        yield from _words(26, 4, 2, "little")
        yield from _words(30, 24, 4, "little")
    else:
        yield from _box_fields(content, 0, len(content))


def _words(start: int, length: int, size: int, order: Literal["little", "big"]) -> Iterator[Field]:
    for place in range(start, start + length - size + 1, size):
        yield Field(place, size, order)


def _jpeg_fields(content: bytes) -> Iterator[Field]:
    position = 2
    while content[position + 1] != 0xDA:  # start of scan
        length = int.from_bytes(content[position + 2 : position + 4])
        yield Field(position + 1, 1, "big")
        yield Field(position + 2, 2, "big")
        yield from _words(position + 4, min(length - 2, 15), 1, "big")
        yield from _words(position + 5, min(length - 3, 4), 2, "big")  # height, width
        position += 2 + length
    yield from _words(position + 2, 12, 1, "big")


def _png_chunks(content: bytes) -> Iterator[tuple[int, int]]:
    """Start and length of content of each chunk."""
    position = 8
    while position + 8 <= len(content):
        length = int.from_bytes(content[position : position + 4])
        yield position, length
        position += 12 + length


def _riff_fields(content: bytes, start: int, stop: int) -> Iterator[Field]:
    while start + 8 <= stop:
        name, length = content[start : start + 4], content[start + 4 : start + 8]
        size = int.from_bytes(length, "little")
        yield Field(start + 4, 4, "little")
        yield from _words(start + 8, min(size, 10), 1, "little")
        yield from _words(start + 12, min(size, 6), 3, "little")  # size of the canvas
        if name == b"ANMF":  # a frame: 16 bytes and chunks
            yield from _words(start + 8, 15, 3, "little")
            yield from _riff_fields(content, start + 24, start + 8 + size)
        start += 8 + size + size % 2


def _tiff_fields(content: bytes) -> Iterator[Field]:
    order: Literal["little", "big"] = "little" if content.startswith(b"II") else "big"
    big = content[2] == 43
    word, head, first = (8, 8, 8) if big else (4, 2, 4)
    yield Field(first, word, order)
    start = int.from_bytes(content[first : first + word], order)
    yield Field(start, head, order)
    entry = start + head
    for _ in range(int.from_bytes(content[start:entry], order)):
        yield Field(entry, 2, order)
        yield Field(entry + 2, 2, order)
        yield Field(entry + 4, word, order)
        yield Field(entry + 4 + word, word, order)
        yield Field(entry + 4 + word, 2, order)
        entry += 4 + 2 * word
    yield Field(entry, word, order)


def _box_fields(content: bytes, start: int, stop: int) -> Iterator[Field]:
    while start + 8 <= stop:
        size, kind = struct.unpack_from(">I4s", content, start)
        yield Field(start, 4, "big")
        body = start + (12 if kind == b"meta" else 8)
        if kind in (b"meta", b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            yield from _box_fields(content, body, start + size)
        elif kind != b"mdat":
            for width in (1, 2, 4):
                yield from _words(body, min(size - 8, 40), width, "big")
        start += max(8, size)


MUTATIONS: dict[str, Mutation] = {
    "cut off": truncated,
    "bits flipped": bits_flipped,
    "bytes overwritten": overwritten,
    "bytes inserted": inserted,
    "bytes deleted": deleted,
    "a stretch repeated": duplicated,
    "lying header": lying,
}
