"""Files that cost far more than their pixels, known by their bytes before anything is decoded.

Every format has counts that nothing ties to the number of pixels: scans of a JPEG, strips of a
TIFF, chunks of a PNG. Decoders walk them one by one, some in Python and some in quadratic time, so
that a few kilobytes keep one busy for minutes. Each limit here is several times what any encoder
writes, and each count is read without decoding a pixel. What remains (honest structure, hostile
content) is for a limit of processor time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from PIL import Image

from effnet_viz.images.photograph import ImageError

_TIFFS = (b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b", b"II\0\x2a", b"MM\x2a\0")
_PPMS = tuple(b"P" + bytes((kind,)) for kind in b"0123456fy")
"""First bytes that Pillow takes for these formats."""

MAX_JPEG_SCANS = 100
"""libtiff's limit for a JPEG; encoders write 10 to 20."""
MAX_JPEG_SEGMENTS = 2000
"""A colour profile has at most 255 of them, 20 MB of XMP 320."""
MAX_JPEG_PADDING = 2**16

MAX_TIFF_PIECES = 2**16
"""Strips or tiles; one a row is common in scans."""
MAX_TAGS = 10_000
MAX_TAG_NUMBERS = 200_000
"""The longest of use are colour maps, 3 × 65,536 numbers."""

MAX_PNG_CHUNKS = 100_000
"""Encoders write chunks of 8 KB, hence 2,560 in 20 MB."""
MAX_GIF_BLOCKS = 300_000
"""Encoders fill their blocks of 255 bytes, hence 82,000 in 20 MB."""
MAX_RLE_PIXELS = 10_000_000
MAX_PPM_HEADER = 2**16
MAX_PPM_COMMENTS = 1000
MAX_BOXES = 10_000
MAX_BOX_TABLES = 2**17
"""Bytes of all tables of items and samples: 48 megapixels in 763 tiles take 40 KB of them."""


def refuse_bombs(content: bytes) -> None:
    """Raises ImageError for a file whose structure takes far longer to read than its pixels."""
    if content.startswith(b"\xff\xd8\xff"):
        _refuse_jpeg(content)
    elif content.startswith(_TIFFS):
        _refuse_directories(content, "header")
    elif content.startswith(b"\x89PNG\r\n\x1a\n"):
        _refuse_png(content)
    elif content.startswith((b"GIF87a", b"GIF89a")):
        _refuse_gif(content)
    elif content.startswith(b"BM"):
        _refuse_bmp(content)
    elif content.startswith(_PPMS):
        _refuse_ppm(content)
    elif content[4:8] == b"ftyp":
        _refuse_boxes(content)


def refuse_metadata(image: Image.Image) -> None:
    """Raises ImageError for an opened picture whose EXIF block takes far too long to read."""
    exif = image.info.get("exif")
    if isinstance(exif, bytes):
        _refuse_directories(exif.removeprefix(b"Exif\0\0"), "camera data (EXIF)")


def _bomb(finding: str) -> ImageError:
    return ImageError(
        f"This file takes too long to read, because {finding}; open it in another program, save "
        "it again as JPEG or PNG, and choose that file."
    )


# JPEG -----------------------------------------------------------------------------------------

# A marker, but for those inside the entropy-coded data of a scan: stuffing and restarts.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))


def _refuse_jpeg(content: bytes) -> None:
    """Walks the segments as libjpeg does (T.81, B.1.1), so none can be hidden from the count."""
    position = 2
    segments = scans = padding = components = 0
    progressive = False
    exif: list[bytes] = []
    while (found := _MARKER.search(content, position)) is not None:
        marker = content[found.end() - 1]
        if scans == 0:  # Pillow skips these one by one
            padding += found.start() - position
        if padding > MAX_JPEG_PADDING:
            raise _bomb(f"{MAX_JPEG_PADDING // 1024} KB of nothing stand before its picture")
        position = found.end()
        if marker == _EOI:
            return
        if marker < 0xC0 or marker == _SOI:  # alone, without a length
            continue
        segments += 1
        if segments > MAX_JPEG_SEGMENTS:
            raise _bomb(f"it is cut into more than {MAX_JPEG_SEGMENTS:,} segments")
        if marker in _FRAMES:
            progressive = marker in _PROGRESSIVE
            components = int.from_bytes(content[position + 7 : position + 8])
        length = max(2, int.from_bytes(content[position : position + 2]))
        if marker == _APP1 and content[position + 2 : position + 8] == b"Exif\0\0":
            exif.append(content[position + 8 : position + length])
        if marker == _SOS:
            scans += 1
            if scans == 1:
                _refuse_directories(b"".join(exif), "camera data (EXIF)")
                _refuse_fill(content, position)
                in_scan = int.from_bytes(content[position + 2 : position + 3])
                if not progressive and in_scan == components:
                    return  # all of it in one scan: libjpeg accepts no other
            if scans > MAX_JPEG_SCANS:
                raise _bomb(f"it draws its picture in more than {MAX_JPEG_SCANS} passes")
        position += length


def _refuse_fill(content: bytes, position: int) -> None:
    """Fill bytes within a picture: libjpeg reads them from their beginning again and again."""
    fill = content.find(b"\xff" * MAX_JPEG_PADDING, position)
    if fill >= 0 and content.find(b"\xff\xd9", position, fill) < 0:
        raise _bomb(f"{MAX_JPEG_PADDING // 1024} KB of nothing stand within its picture")


# TIFF and EXIF --------------------------------------------------------------------------------

_NUMBER_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""By type; bytes and text stay as they are (TIFF 6.0, section 2, and BigTIFF)."""
_PIECES = (273, 279, 324, 325)  # offsets and lengths of strips and tiles
_POINTERS = (34665, 34853)  # EXIF and GPS


def _refuse_directories(block: bytes, name: str) -> None:
    """The first directory of a TIFF structure and the two that it points to."""
    order: Literal["little", "big"] = "little" if block[:2] == b"II" else "big"
    big = block[2:3] == b"\x2b"  # as Pillow tells a BigTIFF

    def number(position: int, size: int) -> int:
        return int.from_bytes(block[position : position + size], order)

    word, entry, head = (8, 20, 8) if big else (4, 12, 2)
    directories = [number(8 if big else 4, word)]
    numbers = 0
    for first in (True, False, False):
        if not directories:
            return
        start = directories.pop(0)
        tags = min(number(start, head), max(0, len(block) - start) // entry)
        if tags > MAX_TAGS:
            raise _bomb(f"its {name} has more than {MAX_TAGS:,} entries")
        for position in range(start + head, start + head + tags * entry, entry):
            tag, kind = number(position, 2), number(position + 2, 2)
            count = number(position + 4, word)
            if count * _NUMBER_BYTES.get(kind, 0) > len(block):
                continue  # more than there is, which Pillow skips
            if first and tag in _POINTERS:
                directories.append(number(position + 4 + word, word))
            if tag in _PIECES:
                if count > MAX_TIFF_PIECES:
                    raise _bomb(f"its picture is cut into more than {MAX_TIFF_PIECES:,} pieces")
            elif kind in _NUMBER_BYTES:
                numbers += count
            if numbers > MAX_TAG_NUMBERS:
                raise _bomb(f"its {name} holds more than {MAX_TAG_NUMBERS:,} numbers")


# PNG, GIF, BMP, PPM ---------------------------------------------------------------------------


def _refuse_png(content: bytes) -> None:
    position, chunks = 8, 0
    # What follows its last chunk is no part of a PNG, and nobody reads it.
    while position < len(content) and content[position + 4 : position + 8] != b"IEND":
        position += 12 + int.from_bytes(content[position : position + 4])
        chunks += 1
        if chunks > MAX_PNG_CHUNKS:
            raise _bomb(f"it is cut into more than {MAX_PNG_CHUNKS:,} pieces")


def _refuse_gif(content: bytes) -> None:
    """Pillow looks for a second frame, and walks the blocks of the first one by one."""
    blocks = frames = 0
    position = 13 + _palette_bytes(content, 10)
    while position < len(content) and content[position] != 0x3B:
        blocks += 1
        if blocks > MAX_GIF_BLOCKS:
            raise _bomb(f"it is cut into more than {MAX_GIF_BLOCKS:,} pieces")
        if content[position] == 0x2C:  # a frame
            frames += 1
            if frames == 2:
                return
            position += 11 + _palette_bytes(content, position + 9)
        elif content[position] == 0x21:  # an extension
            comment = content[position + 1 : position + 2] == b"\xfe"
            position += 2
            if not comment and content[position : position + 1] == b"\0":
                position += 1  # Pillow takes an empty first block for no end
        else:
            position += 1
            continue
        while position < len(content) and content[position] and blocks <= MAX_GIF_BLOCKS:
            position += 1 + content[position]
            blocks += 1
        position += 1


def _palette_bytes(content: bytes, position: int) -> int:
    flags = int.from_bytes(content[position : position + 1])
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _refuse_bmp(content: bytes) -> None:
    """Pillow unpacks run-length encoding in Python, 0.2 µs a pixel."""
    if int.from_bytes(content[14:18], "little") == 12:
        return  # OS/2's first header knows no compression
    width = int.from_bytes(content[18:22], "little", signed=True)
    height = int.from_bytes(content[22:26], "little", signed=True)
    packed = int.from_bytes(content[30:34], "little") in (1, 2)
    if packed and abs(width * height) > MAX_RLE_PIXELS:
        raise _bomb(
            "it is packed by an old method (RLE) and has more than "
            f"{MAX_RLE_PIXELS // 10**6} million pixels"
        )


def _refuse_ppm(content: bytes) -> None:
    """Pillow reads the header byte by byte, comments and blanks too."""
    if content[1:2] in b"123" and content.count(b"#") > MAX_PPM_COMMENTS:
        raise _bomb(f"it has more than {MAX_PPM_COMMENTS:,} comments")
    if len(content) <= MAX_PPM_HEADER:
        return
    words = 3 if content[1:2] in b"14" else 4  # magic number, width, height, maxval
    head = re.sub(rb"#[^\r\n]*", b"", content[:MAX_PPM_HEADER])
    if len(head.split(None, words)) < words:
        raise _bomb(f"its first lines go on for more than {MAX_PPM_HEADER // 1024} KB")


# AVIF and HEIC --------------------------------------------------------------------------------

_CONTAINERS = frozenset(b"meta iprp moov trak mdia minf stbl".split())
_TABLES = frozenset(b"iinf iloc iref ipma stts ctts stsc stsz stco co64 stss".split())


def _refuse_boxes(content: bytes) -> None:
    """libavif looks every item up among all the others."""
    tables = 0
    for number, (kind, size) in enumerate(_boxes(content, 0, len(content))):
        tables += size if kind in _TABLES else 0
        if number > MAX_BOXES or tables > MAX_BOX_TABLES:
            raise _bomb("it lists many more parts than a photograph has")


def _boxes(content: bytes, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Kind and size in bytes of each box, containers before what they hold (ISO 14496-12, 4.2)."""
    pending = [(start, end)]
    while pending:
        position, end = pending.pop()
        while position + 8 <= end:
            size = int.from_bytes(content[position : position + 4])
            body = position + 8
            kind = content[position + 4 : body]
            if size == 1:
                size, body = int.from_bytes(content[body : body + 8]), body + 8
            stop = min(end, position + size) if size else end
            if stop < body:  # no size that a box can have: decoders stop here
                break
            yield kind, stop - position
            if kind in _CONTAINERS:
                pending.append((body + (4 if kind == b"meta" else 0), stop))
            position = stop
