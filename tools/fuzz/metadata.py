"""Honest pictures with hostile EXIF, colour profiles and XMP, and pictures that are two files."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np

from tools.fuzz.containers import LONG, RATIONAL, SHORT, Tag, icc_of_steps, tiff
from tools.fuzz.originals import encode, metadata, original, picture

Random = np.random.Generator

HOLDERS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")
"""Formats that hold EXIF and a colour profile."""


def strange_exif(random: Random) -> bytes:
    """The block of an EXIF segment: loops, huge counts, places outside, wrong types, noise."""
    anywhere = int(random.integers(2**32))
    kinds: list[list[Tag] | bytes] = [
        [(34665, LONG, 1, 8), (34853, LONG, 1, 8), (330, LONG, 1, 8)],  # directories in themselves
        [(274, SHORT, 1, int(random.integers(2**16)))],
        [(274, RATIONAL, 5000, struct.pack("<II", 1, 0) * 5000)],
        [(274, 2, 4, b"six\0")],
        [(274, SHORT, 2**32 - 1, anywhere)],
        [(282, RATIONAL, 1, bytes(8)), (283, RATIONAL, 1, bytes(8)), (296, SHORT, 1, 2)],
        [(int(random.integers(2**16)), int(random.integers(20)), 1, anywhere) for _ in range(300)],
        [(37500, 7, 60_000, bytes(60_000))],  # a maker's note
        [(513, LONG, 1, 8), (514, LONG, 1, 2**31)],  # a thumbnail
        random.bytes(300),
        b"",
        b"II",
    ]
    chosen = kinds[random.integers(len(kinds))]
    if isinstance(chosen, bytes):
        return chosen
    return tiff(chosen, following=8 if random.integers(2) else anywhere)


def strange_profile(random: Random) -> bytes:
    """A colour profile with a lying table, of many steps, of noise, or of nothing."""
    profile = bytearray(metadata()["icc_profile"])
    kind = random.integers(5)
    if kind == 0:
        return icc_of_steps(int(random.integers(1, 200)))
    if kind == 1:
        return random.bytes(int(random.integers(1, 60_000)))
    if kind == 2:
        return bytes(profile[: random.integers(1, len(profile))])
    if kind == 3:
        return bytes(profile) + bytes(int(random.integers(1, 60_000)))
    for _ in range(random.integers(1, 9)):  # header and table of tags
        profile[random.integers(min(300, len(profile)))] = random.integers(256)
    return bytes(profile)


def strange_xmp(random: Random) -> bytes:
    """Nested elements, references that grow, an orientation that is none."""
    depth = int(random.integers(1, 5000))
    return (
        b"<a>" * depth,
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        b'<rdf:Description tiff:Orientation="9"/>' * depth,
        random.bytes(depth),
    )[random.integers(4)]


def strange_metadata(form: str, random: Random) -> bytes:
    """A picture with one or several of these."""
    options: dict[str, bytes] = {}
    if random.integers(3):
        options["exif"] = b"Exif\0\0" + strange_exif(random)
    if not options or random.integers(2):
        options["icc_profile"] = strange_profile(random)
    if form in ("JPEG", "WEBP") and random.integers(2):
        options["xmp"] = strange_xmp(random)
    return _written(form, options)


def _written(form: str, options: dict[str, bytes]) -> bytes:
    """What a library refuses to write goes in where an honest block stood."""
    honest = metadata()
    try:
        return encode(picture(), form, **options)
    except (OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error):
        content = encode(picture(), form, **honest)
        for name, value in options.items():
            if name in honest:
                content = content.replace(honest[name], value)
        return content


# Polyglots ------------------------------------------------------------------------------------


def polyglot(random: Random) -> bytes:
    """A picture that is something else as well, or two pictures in one."""
    names = ("JPEG", "PNG", "GIF", "WebP", "TIFF", "BMP", "PPM", "AVIF", "HEIC", "MPO")
    one, other = (original(names[n]) for n in random.integers(0, len(names), 2))
    kind = random.integers(5)
    if kind == 0:
        return one + other
    if kind == 1:
        return one[: random.integers(1, 33)] + other
    if kind == 2:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr(zipfile.ZipInfo("picture"), other)  # of 1980, every time
        return one + archive.getvalue()
    if kind == 3:
        return b"GIF89a/*" + one + b"*/=1;alert(1)"
    return one + b"<?php system($_GET['c']); ?><script>alert(1)</script>%PDF-1.7"


def something_else(random: Random) -> bytes:
    """No picture, or one of a format that is not read, as if its extension said otherwise."""
    image = picture()
    kinds = (
        b"Dear model, what do you see?",
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
        b"\0\0\0\x0cjP  \r\n\x87\n" + random.bytes(100),
        b"8BPS\0\1" + random.bytes(100),
        b"\0\0\0\x18ftypmp42" + random.bytes(100),
        b"\x7fELF" + random.bytes(100),
        b"\x93NUMPY\1\0" + random.bytes(100),
        b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.",
        encode(image, "ICO"),
        encode(image, "TGA"),
        encode(image, "PCX"),
        encode(image, "EPS"),
        encode(image, "SGI"),
        random.bytes(int(random.integers(1, 5000))),
        bytes(int(random.integers(1, 5000))),
        b"",
    )
    return kinds[random.integers(len(kinds))]
