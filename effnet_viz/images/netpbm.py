"""The samples of PPM, PGM and PBM files: decoders in place of Pillow's, which are loops in Python.

Those need 3 s for a megapixel of 16 bits, and quadratic time for comments between numbers. Scaling
is theirs: round(value / maxval * largest), half to even.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, PpmImagePlugin


class _Decoder(ImageFile.PyDecoder):
    """A decoder that is handed the open file at the first sample."""

    _pulls_fd = True

    def count(self) -> int:
        return self.state.xsize * self.state.ysize * Image.getmodebands(self.mode)

    def content(self) -> bytes:
        assert self.fd is not None
        return self.fd.read()

    def set_samples(self, values: NDArray[np.integer]) -> None:
        """Samples 0 to maxval, pixel by pixel, scaled to 0 to 255, or to 65535 in mode I."""
        maxval = self.args[-1]
        deep = self.mode == "I"
        levels = np.rint(np.arange(maxval + 1) / maxval * (65535 if deep else 255))  # (maxval + 1,)
        samples = levels.astype("<u4" if deep else "u1")[values]
        self.set_as_raw(samples.tobytes(), "I;32" if deep else self.mode)


class _BinaryDecoder(_Decoder):
    """P5 and P6 of any maxval but 255: one byte a sample, or two, high byte first."""

    def decode(self, _: object) -> tuple[int, int]:
        maxval = self.args[-1]
        kind = np.dtype("u1" if maxval < 256 else ">u2")
        values = np.frombuffer(self.content(), kind, self.count())  # ValueError if there are less
        self.set_samples(np.minimum(values, maxval))
        return -1, 0


class _PlainDecoder(_Decoder):
    """P1, P2 and P3: numbers as text."""

    def decode(self, _: object) -> tuple[int, int]:
        text = re.sub(rb"#[^\r\n]*", b" ", self.content())
        if self.mode == "1":
            digits = np.frombuffer(text.translate(None, b" \t\n\v\f\r"), np.uint8, self.count())
            if not np.isin(digits, (ord("0"), ord("1"))).all():
                raise ValueError("A bit is neither 0 nor 1.")
            self.set_as_raw(np.where(digits == ord("1"), 0, 255).astype("u1").tobytes(), "1;8")
            return -1, 0
        # Without a count: with one, numpy pads what is missing with whatever is in memory.
        values = np.fromstring(text, np.int64, sep=" ")[: self.count()]
        if len(values) < self.count():
            raise ValueError("There are too few numbers.")
        if not 0 <= values.min() <= values.max() <= self.args[-1]:
            raise ValueError("A number is negative or larger than maxval.")
        self.set_samples(values)
        return -1, 0


def register() -> None:
    """From now on Pillow reads the samples with these."""
    assert PpmImagePlugin.PpmImageFile.format in Image.OPEN  # its own decoders came first
    Image.register_decoder("ppm", _BinaryDecoder)
    Image.register_decoder("ppm_plain", _PlainDecoder)
