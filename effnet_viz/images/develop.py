"""A decoded picture upright, opaque and in sRGB."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms

from effnet_viz.images.photograph import ImageError

# What has to be done to the stored picture to see it upright, by EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_TRANSPARENT = "Parts of this picture are transparent; they are filled with white."

_PROFILE_IGNORED = (
    "The colour profile in this file cannot be used and is ignored; "
    "if the colours look wrong, save the picture as sRGB and open it again."
)


def develop(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture upright, opaque, in sRGB, and the notes on what that took."""
    picture, opacity, notes = _developed(image)
    if opacity is not None:
        page = Image.new("RGB", picture.size, "white")
        page.paste(picture, mask=opacity)
        picture = page
        notes = (*notes, _TRANSPARENT)
    return _upright(picture, image), notes


def develop_layers(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The picture upright in sRGB, its colours not mixed with any ground, and its opacity in
    mode L; None for a picture that is opaque."""
    picture, opacity, _ = _developed(image)
    return _upright(picture, image), None if opacity is None else _upright(opacity, image)


def _developed(
    image: Image.Image,
) -> tuple[Image.Image, Image.Image | None, tuple[str, ...]]:
    """The picture as it is stored, in sRGB, its opacity if it is not opaque, and the notes."""
    notes: list[str] = []
    image.load()  # first, for a PNG may tell its orientation after its pixels
    picture, opacity = _separate(image)
    # The profile speaks of the stored colours: it comes before white is mixed in.
    picture = _to_srgb(picture, image.info, notes)
    if opacity is not None and opacity.getextrema() == (255, 255):
        opacity = None
    return picture, opacity, tuple(notes)


def _upright(picture: Image.Image, image: Image.Image) -> Image.Image:
    """What was made of an image, as its EXIF data say."""
    # Not ImageOps.exif_transpose: it writes the whole EXIF block anew, which can fail.
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    return picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture


def _separate(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The stored colours in mode L, RGB or CMYK, and the opacity in mode L if there is one."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _separate_deep_grey(image)
    if image.has_transparency_data:
        grey = image.mode in ("1", "L", "LA", "La")
        with_opacity = "LA" if grey else "RGBA"
        both = image if image.mode == with_opacity else image.convert(with_opacity)
        return both.convert("L" if grey else "RGB"), both.getchannel("A")
    if image.mode in ("L", "RGB", "CMYK"):
        return image, None
    return image.convert("L" if image.mode == "1" else "RGB"), None


def _separate_deep_grey(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Grey levels 0 to 65535 scaled to 0 to 255; Pillow's own conversion would clip them."""
    values = np.asarray(image)  # (H, W) int32, float32 or uint16
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ImageError(
            "This picture stores its brightness with more than 16 bits; save it as an 8-bit or "
            "16-bit picture, for example as PNG, and choose that file."
        )
    levels = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)  # (H, W), rounded
    transparent = image.info.get("transparency")
    if transparent is None:
        return Image.fromarray(levels), None
    opaque = np.where(values == transparent, 0, 255).astype(np.uint8)  # (H, W)
    return Image.fromarray(levels), Image.fromarray(opaque)


def _to_srgb(
    colours: Image.Image, info: dict[str | tuple[int, int], Any], notes: list[str]
) -> Image.Image:
    """Mode L, RGB or CMYK to RGB by the embedded profile, perceptually, or plainly without one."""
    transform = None
    if "icc_profile" in info:
        try:
            # A profile that Pillow could not unpack is None here: no bytes, hence an OSError.
            profile = ImageCms.ImageCmsProfile(io.BytesIO(info["icc_profile"]))
            if colours.mode == "L" and profile.profile.xcolor_space == "RGB ":
                colours = colours.convert("RGB")  # a photo made grey often keeps its RGB profile
            transform = ImageCms.buildTransform(
                profile,
                ImageCms.createProfile("sRGB"),
                colours.mode,
                "RGB",
                ImageCms.Intent.PERCEPTUAL,
            )
        except (OSError, ImageCms.PyCMSError):  # unreadable, or made for other colours than these
            notes.append(_PROFILE_IGNORED)
    if transform is not None and not (colours.mode == "RGB" and _changes_nothing(transform)):
        return transform.apply(colours)
    # convert() would copy a picture that is RGB already, 200 MB for the largest.
    return colours if colours.mode == "RGB" else colours.convert("RGB")


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether an RGB to RGB transform is the identity but for rounding: the profile is sRGB.

    Asked of colours instead of the profile's name, since sRGB has many names and anyone may use it.
    """
    levels = np.arange(0, 256, 17, dtype=np.uint8)  # (16,)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)  # (64, 64, 3)
    after = np.asarray(transform.apply(Image.fromarray(grid)))  # (64, 64, 3)
    return bool(np.abs(after.astype(np.int16) - grid).max() <= 1)
