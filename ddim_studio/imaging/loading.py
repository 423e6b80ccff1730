"""Reading images that come from anywhere, and fitting them to a model, honestly."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ddim_studio.imaging.errors import ImageError
from ddim_studio.imaging.files import opened

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

Fit = Literal["crop", "pad", "stretch"]

MAX_IMAGE_PIXELS = 64_000_000

# A list of our own: some of Pillow's other readers start programs (EPS) or accept any bytes (TGA).
_FORMATS = (
    *("PNG", "JPEG", "MPO", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "ICO", "JPEG2000", "AVIF"),
)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_WORDS = {
    "1": "black-and-white",
    "L": "grey",
    "LA": "grey with alpha",
    "P": "palette",
    "I": "32-bit grey",
    "F": "float grey",
}


@dataclass(frozen=True)
class FittedImage:
    """An image as a model takes it.

    Attributes:
        pixels: Shape (size, size, channels).
        note: In a few words, what was done to get there.
    """

    pixels: NDArray[np.uint8]
    note: str


def open_image(source: str | PathLike[str] | bytes) -> Image.Image:
    """Read an image file, or the bytes of one, as it is meant to be seen.

    The size is checked before anything is decoded, the rotation noted by the camera is applied,
    and of an animation the first frame is taken. The image is independent of the file.

    Raises:
        ImageError: The file is missing, a folder, empty, not an image, damaged, or larger than
            64 megapixels.
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), "The image")
    path = Path(source)
    with opened(path, "an image") as stream:
        return _read(stream, path.name)


def fit_image(
    image: Image.Image,
    channels: int,
    size: int,
    fit: Fit = "crop",
    background: tuple[int, int, int] = (0, 0, 0),
) -> FittedImage:
    """Bring an image of any kind and shape to the square that a model takes.

    16-bit greys are scaled by 255/65535; wider integers and floats that fill none of the usual
    ranges are stretched from their lowest to their highest value. Transparent parts show the
    background. Reduction is by Lanczos' filter and enlargement bicubic; an image that has the
    size already keeps its pixels.

    Args:
        image: Any Pillow image.
        channels: 1 for grey, 3 for colour.
        size: Side of the result in pixels.
        fit: What to do with an image that is not square: "crop" its centre, "pad" it with the
            background, or "stretch" it.
        background: Red, green and blue, 0 … 255.

    Raises:
        ValueError: ``channels`` is not 1 or 3, ``size`` is below 1, or ``fit`` is unknown.
        ImageError: The image has no pixels.
    """
    if channels not in (1, 3) or size < 1 or fit not in ("crop", "pad", "stretch"):
        raise ValueError(f"Cannot fit to {channels} channels, size {size}, by {fit!r}.")
    if 0 in image.size:
        raise ImageError("The image has no pixels: choose another one.")
    mode = "L" if channels == 1 else "RGB"
    target = f"{size}×{size} {'grey' if channels == 1 else 'colour'}"
    described = f"{image.width}×{image.height} {_WORDS.get(image.mode, image.mode)}"
    shades, scaled = _eight_bit(image)
    framed, cut = _framed(shades, fit)
    solid, composed = _solid(framed, mode, background)
    padded = fit == "pad" and solid.width != solid.height
    resized = _padded(solid, size, background) if padded else _resized(solid, size, size)
    steps = [step for step in (described, scaled, cut) if step]
    if composed or padded:
        steps.append(f"on {_colour_name(background)}")
    return FittedImage(
        np.array(resized).reshape(size, size, channels), ", ".join([*steps, f"to {target}"])
    )


def _read(stream: IO[bytes], name: str) -> Image.Image:
    with warnings.catch_warnings():
        # What Pillow warns of is either a bomb, or an oddity that it has coped with.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(stream, formats=_formats())
            _check_size(image.size, name)
            # Of an unrotated image this is a copy, which does not need the file any more.
            upright = ImageOps.exif_transpose(image)
        except ImageError:
            raise
        except _BOMBS:
            raise ImageError(_too_large(name, "too many pixels")) from None
        except UnidentifiedImageError:
            raise ImageError(_unknown(stream, name)) from None
        except Exception as error:  # Pillow's readers raise a dozen kinds for damaged files
            raise ImageError(
                f"{name} is damaged or incomplete: get the file again, or choose another one."
            ) from error
    # In this format Pillow has scaled all depths over 8 bits to 0 … 65535 in 32-bit integers.
    deep = image.format == "PPM" and upright.mode == "I"
    return upright.convert("I;16") if deep else upright


def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_IMAGE_PIXELS:
        raise ImageError(_too_large(name, f"{width}×{height} pixels"))
    if width < 1 or height < 1:
        raise ImageError(f"{name} has no pixels: choose another image.")


def _too_large(name: str, size: str) -> str:
    return f"{name} has {size} and the limit is 64 megapixels: make it smaller first."


def _unknown(stream: IO[bytes], name: str) -> str:
    stream.seek(0)
    if not stream.read(1):
        return f"{name} is empty: get the file again, or choose another one."
    return f"{name} is not an image that can be read: choose a PNG, JPEG, GIF, WebP, BMP or TIFF."


def _eight_bit(image: Image.Image) -> tuple[Image.Image, str]:
    """Greys of more than 8 bits as 8-bit ones, and in words how, where that is not plain."""
    if image.mode.startswith("I;16"):
        return _grey(np.asarray(image).astype(np.float64) / 65535.0), ""
    if image.mode not in ("I", "F"):
        return image, ""
    values = np.asarray(image).astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    tops = (255.0, 65535.0) if image.mode == "I" else (1.0, 255.0)
    for top in tops:
        if low >= 0.0 and high <= top:
            return _grey(values / top), f"of 0 to {top:g}"
    span = high - low or 1.0
    return _grey((values - low) / span), f"stretched from {low:.3g} to {high:.3g}"


def _grey(unit: NDArray[np.float64]) -> Image.Image:
    """Values in [0, 1] as 8-bit greys; NaN becomes black."""
    levels = np.nan_to_num(unit * 255.0, nan=0.0)
    return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))


def _framed(image: Image.Image, fit: Fit) -> tuple[Image.Image, str]:
    width, height = image.size
    if width == height:
        return image, ""
    if fit != "crop":
        return image, {"pad": "padded", "stretch": "stretched"}[fit]
    # Whole pixels: half a pixel off the centre is better than a blur.
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side)), "centre crop"


def _solid(
    image: Image.Image, mode: str, background: tuple[int, int, int]
) -> tuple[Image.Image, bool]:
    """The image as "L" or "RGB", and whether some of the background shows through."""
    plain = image.convert("LA") if image.mode == "La" else image
    if plain.mode == "RGBa" or plain.has_transparency_data:
        alpha = plain.convert("RGBA")
        canvas = Image.new("RGBA", image.size, (*background, 255))
        lowest = alpha.getchannel("A").getextrema()[0]
        return Image.alpha_composite(canvas, alpha).convert("RGB").convert(mode), lowest != 255
    return plain.convert("RGB").convert(mode), False


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    if image.size == (width, height):
        return image
    smaller = width < image.width or height < image.height
    kind = Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC
    return image.resize((width, height), kind)


def _padded(image: Image.Image, size: int, background: tuple[int, int, int]) -> Image.Image:
    ratio = size / max(image.size)
    width, height = (max(1, round(side * ratio)) for side in image.size)
    canvas = Image.new("RGB", (size, size), background).convert(image.mode)
    canvas.paste(_resized(image, width, height), ((size - width) // 2, (size - height) // 2))
    return canvas


def _colour_name(colour: tuple[int, int, int]) -> str:
    names = {(0, 0, 0): "black", (255, 255, 255): "white"}
    return names.get(colour, "#{:02x}{:02x}{:02x}".format(*colour))
