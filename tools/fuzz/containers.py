"""Writers of file structures that no image library would write: any count, any size, any value."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# TIFF and EXIF --------------------------------------------------------------------------------

Tag = tuple[int, int, int, int | bytes]
"""Number, type, count and value: a number that fits into the entry, or bytes of any length."""

SHORT, LONG, RATIONAL = 3, 4, 5


def tiff(tags: Sequence[Tag], *, big: bool = False, following: int = 0) -> bytes:
    """A little-endian TIFF (or the block of an EXIF segment) of one directory, values behind it."""
    word, head = (8, b"II\x2b\0\x08\0\0\0") if big else (4, b"II\x2a\0")
    form, count_form = ("<Q", "<Q") if big else ("<L", "<H")
    head += struct.pack(form, len(head) + word)
    entry = 4 + 2 * word
    behind = len(head) + struct.calcsize(count_form) + entry * len(tags) + word
    entries, values = [struct.pack(count_form, len(tags))], b""
    pieces: list[bytes] = []
    for number, kind, count, value in tags:
        if isinstance(value, int):
            value = value.to_bytes(word, "little")
        elif len(value) > word:
            pieces.append(value)
            value = struct.pack(form, behind)
            behind += len(pieces[-1])
        entries.append(struct.pack("<HH", number, kind) + struct.pack(form, count))
        entries.append(value.ljust(word, b"\0"))
    values = b"".join(pieces)
    return head + b"".join(entries) + struct.pack(form, following) + values


def grey_tags(width: int, height: int, **changes: Tag) -> list[Tag]:
    """The tags of an uncompressed 8-bit grey TIFF in one strip whose pixels begin at byte 8.

    `changes` replace or add tags; their names are only for the reader.
    """
    tags: dict[int, Tag] = {
        256: (256, LONG, 1, width),
        257: (257, LONG, 1, height),
        258: (258, SHORT, 1, 8),
        259: (259, SHORT, 1, 1),
        262: (262, SHORT, 1, 1),
        273: (273, LONG, 1, 8),
        277: (277, SHORT, 1, 1),
        278: (278, LONG, 1, height),
        279: (279, LONG, 1, min(width * height, 2**32 - 1)),
    }
    tags |= {tag[0]: tag for tag in changes.values()}
    return [tags[number] for number in sorted(tags)]


# PNG ------------------------------------------------------------------------------------------


def png_chunk(name: bytes, content: bytes = b"") -> bytes:
    check = struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))
    return struct.pack(">I", len(content)) + name + content + check


def png(
    size: tuple[int, int],
    kind: int,
    *chunks: bytes,
    depth: int = 8,
    signature: bytes = PNG_SIGNATURE,
) -> bytes:
    """Header, chunks, end; `kind` is PNG's colour type (0 grey, 2 RGB)."""
    header = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0)
    return signature + png_chunk(b"IHDR", header) + b"".join(chunks) + png_chunk(b"IEND")


def idat(rows: bytes) -> bytes:
    return png_chunk(b"IDAT", zlib.compress(rows))


# JPEG, WebP -----------------------------------------------------------------------------------


def jpeg_segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def after_soi(jpeg: bytes, inserted: bytes) -> bytes:
    return jpeg[:2] + inserted + jpeg[2:]


def with_repeated_scan(jpeg: bytes, times: int) -> bytes:
    """The last scan of a progressive JPEG that often: every one walks over all coefficients."""
    last = jpeg.rindex(b"\xff\xda")
    return jpeg[:last] + jpeg[last:-2] * times + jpeg[-2:]


def riff(*chunks: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    """A WebP of these chunks, named and filled, and of others as they are."""
    body = b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
        for name, content in chunks
    )
    body += behind
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


# AVIF and HEIC --------------------------------------------------------------------------------

_NESTED = (b"meta", b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf", b"stbl")


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def full_box(kind: bytes, content: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags) + content)


def replace_boxes(content: bytes, changes: Mapping[bytes, Callable[[bytes], bytes]]) -> bytes:
    """The same boxes, but the content of those named goes through its function. Offsets stay."""
    pieces, position = [], 0
    while position + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, position)
        body = content[position + 8 : position + size]
        if kind in changes:
            body = changes[kind](body)
        elif kind in _NESTED:
            head = body[:4] if kind == b"meta" else b""
            body = head + replace_boxes(body[len(head) :], changes)
        pieces.append(box(kind, body))
        position += max(8, size)
    return b"".join(pieces)


def avif_grid(cell: bytes, side: int, columns: int) -> bytes:
    """An AVIF of columns × columns cells, all of them the one of a given AVIF of side × side.

    Photographs of phones are stored like this (ISO 23008-12, 6.6.2.3.2), each cell once.
    """
    properties: list[bytes] = []

    def collect(content: bytes) -> bytes:
        position = 0
        while position < len(content):
            size = int.from_bytes(content[position : position + 4])
            properties.append(content[position : position + size])
            position += size
        return content

    replace_boxes(cell, {b"ipco": collect})
    pixels = cell[cell.index(b"mdat") + 4 :]
    cells, whole = columns * columns, side * columns
    kinds = [held[4:8] for held in properties]
    shared = [n for n, kind in enumerate(kinds, 1) if kind not in (b"ispe", b"av1C")]
    of_grid = bytes([0x80 | len(kinds) + 1, *shared])  # 0x80: essential
    of_cell = bytes(n | (0x80 if kind == b"av1C" else 0) for n, kind in enumerate(kinds, 1))
    associations = struct.pack(">HB", 1, len(of_grid)) + of_grid
    associations += b"".join(
        struct.pack(">HB", 2 + n, len(of_cell)) + of_cell for n in range(cells)
    )
    items = full_box(b"infe", struct.pack(">HH4sB", 1, 0, b"grid", 0), version=2) + b"".join(
        full_box(b"infe", struct.pack(">HH4sB", 2 + n, 0, b"av01", 0), version=2, flags=1)
        for n in range(cells)
    )
    layout = struct.pack(">BBBBHH", 0, 0, columns - 1, columns - 1, whole, whole)

    def head(start: int) -> bytes:
        places = struct.pack(">HHHHII", 1, 1, 0, 1, 0, len(layout)) + b"".join(
            struct.pack(">HHHHII", 2 + n, 0, 0, 1, start, len(pixels)) for n in range(cells)
        )
        return box(b"ftyp", b"avif" + bytes(4) + b"mif1avifmiaf") + full_box(
            b"meta",
            full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
            + full_box(b"pitm", struct.pack(">H", 1))
            + full_box(b"iloc", struct.pack(">BBH", 0x44, 0, cells + 1) + places, version=1)
            + full_box(b"iinf", struct.pack(">H", cells + 1) + items)
            + full_box(
                b"iref",
                box(b"dimg", struct.pack(f">HH{cells}H", 1, cells, *range(2, 2 + cells))),
            )
            + box(
                b"iprp",
                box(
                    b"ipco",
                    b"".join(properties) + full_box(b"ispe", struct.pack(">II", whole, whole)),
                )
                + full_box(b"ipma", struct.pack(">I", cells + 1) + associations),
            )
            + box(b"idat", layout),
        )

    return head(len(head(0)) + 8) + box(b"mdat", pixels)


# Colour profiles ------------------------------------------------------------------------------


def icc_of_steps(steps: int) -> bytes:
    """An RGB profile that sends colours through so many matrices (ICC.1:2010, 10.14)."""
    step = b"matf" + struct.pack(">4xHH", 3, 3)
    step += struct.pack(">12f", 0.99, 0.01, 0, 0, 0.99, 0.01, 0.01, 0, 0.99, 0.001, 0.001, 0.001)
    place = struct.pack(">II", 16 + 8 * steps, len(step))  # all of them the same bytes
    elements = b"mpet" + struct.pack(">4xHHI", 3, 3, steps) + place * steps + step

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in values))

    tags = {
        b"wtpt": xyz(0.9642, 1, 0.8249),
        b"rXYZ": xyz(0.436, 0.222, 0.014),
        b"gXYZ": xyz(0.385, 0.717, 0.097),
        b"bXYZ": xyz(0.143, 0.061, 0.714),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv" + bytes(8)),
        b"D2B0": elements,
    }
    table, content = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(content), len(value))
        content += value
    head = struct.pack(
        ">I4xI4s4s4s12x4s24xI3i48x",
        *(132 + 12 * len(tags) + len(content), 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp", 0),
        *(round(65536 * value) for value in (0.9642, 1, 0.8249)),
    )
    return head + table + content
