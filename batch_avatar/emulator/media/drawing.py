"""Draws the presenter: the head, with four mouth shapes and a blink, above a figure."""

from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from batch_avatar.emulator.media.appearance import Appearance, derive_appearance, mix
from batch_avatar.emulator.media.figure import REACH, draw_chair, draw_collar, draw_figure
from batch_avatar.emulator.media.model import Box
from batch_avatar.emulator.media.pen import Pen, mirror

CLOSED, SMALL, HALF, WIDE, BLINK = FACES = range(5)

_WHITE = (255, 255, 255)
_DARK = (38, 28, 30)
_MOUTH = (112, 30, 40)
_TONGUE = (208, 96, 100)
_ROSE = (226, 92, 92)
# Half the width and half the height of the open mouth, in units of the pen.
_OPENINGS = {SMALL: (0.029, 0.009), HALF: (0.036, 0.018), WIDE: (0.040, 0.029)}
_SUPERSAMPLING = 2
_FACE_TOP, _FACE_BOTTOM, _FACE_HALF_WIDTH = 0.30, 0.60, 0.14  # the part in which the five pictures differ


@dataclass(frozen=True)
class Portrait:
    """A presenter without a face, and for each face the part of the picture that it fills."""

    body: Image.Image
    corner: tuple[int, int]
    faces: tuple[Image.Image, ...]

    def picture(self, face: int) -> Image.Image:
        """Return a new RGBA image, which the caller may draw on."""
        image = self.body.copy()
        image.paste(self.faces[face], self.corner)
        return image


@lru_cache(maxsize=4)  # 8 MB each at 1920x1080
def draw_portrait(
    character: str,
    style: str | None,
    background: tuple[int, int, int, int],
    frame: tuple[int, int],
    box: Box,
    *,
    photo: bool,
) -> Portrait:
    """Draw the part `box` of the frame, at twice the size, and shrink the result, for smooth edges."""
    look = derive_appearance(character, style, photo=photo)
    large = Image.new("RGBA", (box.width * _SUPERSAMPLING, box.height * _SUPERSAMPLING), background)
    width, height = frame
    unit = min(height, width * 1.2) / REACH[look.pose]
    # The figure ends at the lower edge of tall frames too.
    origin = width / 2 - box.left, height - unit * REACH[look.pose] - box.top
    unit, origin = unit * _SUPERSAMPLING, (origin[0] * _SUPERSAMPLING, origin[1] * _SUPERSAMPLING)
    pen = Pen(large, unit, origin)
    _draw_body(pen, look)
    step = 2 * _SUPERSAMPLING  # the parts begin and end at even pixels, as chroma does
    left, upper = (int(value) // step * step for value in pen.place((-_FACE_HALF_WIDTH, _FACE_TOP)))
    right, lower = (int(value) // step * step for value in pen.place((_FACE_HALF_WIDTH, _FACE_BOTTOM)))
    left, right = (min(max(0, value), large.width) for value in (left, right))
    upper, lower = (min(max(0, value), large.height) for value in (upper, lower))
    faces: list[Image.Image] = []
    for face in FACES:
        canvas = large.copy()
        _draw_face(Pen(canvas, unit, origin), look, face)
        part = canvas.crop((left, upper, right, lower))
        faces.append(part.reduce(_SUPERSAMPLING) if part.width and part.height else part)
    corner = (left // _SUPERSAMPLING, upper // _SUPERSAMPLING)
    return Portrait(large.reduce(_SUPERSAMPLING), corner, tuple(faces))


def _draw_body(pen: Pen, look: Appearance) -> None:
    shade = mix(look.skin, (150, 70, 40), 0.22)
    draw_chair(pen, look)
    _draw_back_hair(pen, look)
    draw_figure(pen, look)
    pen.shape(mirror([(0.056, 0.50), (0.055, 0.62), (0.088, 0.685), (0.0, 0.75)]), look.skin)
    pen.shape(mirror([(0.057, 0.54), (0.053, 0.585), (0.0, 0.622)]), shade)
    draw_collar(pen, look)
    for side in (-1, 1):
        pen.ellipse((0.137 * side, 0.415), (0.022, 0.036), look.skin)
        pen.ellipse((0.139 * side, 0.415), (0.011, 0.021), shade)
    head = [(0.0, 0.215), (0.08, 0.232), (0.128, 0.30), (0.136, 0.40), (0.118, 0.49), (0.072, 0.558), (0.0, 0.583)]
    pen.shape(mirror(head), look.skin)
    for side in (-1, 1):
        pen.ellipse((0.082 * side, 0.462), (0.026, 0.017), mix(look.skin, _ROSE, 0.22))
    pen.stroke([(-0.014, 0.452), (0.0, 0.462), (0.014, 0.452)], 0.006, shade)
    _draw_front_hair(pen, look)
    brow = mix(look.hair, _DARK, 0.35)
    width = 0.009 if look.is_soft else 0.013
    for side in (-1, 1):
        pen.stroke(
            [(0.033 * side, 0.354), (0.048 * side, 0.348), (0.066 * side, 0.347), (0.085 * side, 0.355)], width, brow
        )


def _draw_back_hair(pen: Pen, look: Appearance) -> None:
    dark = mix(look.hair, _DARK, 0.3)
    if look.cut == "long":
        pen.shape(
            mirror([(0.0, 0.17), (0.12, 0.20), (0.182, 0.34), (0.186, 0.55), (0.20, 0.73), (0.12, 0.77), (0.0, 0.74)]),
            dark,
        )
    elif look.cut == "bob":
        pen.shape(mirror([(0.0, 0.17), (0.12, 0.20), (0.182, 0.34), (0.188, 0.52), (0.15, 0.61), (0.0, 0.60)]), dark)
    elif look.cut == "bun":
        pen.ellipse((0.0, 0.165), (0.072, 0.062), dark)


def _draw_front_hair(pen: Pen, look: Appearance) -> None:
    if look.cut == "crop":
        outer = [
            (-0.135, 0.36),
            (-0.132, 0.27),
            (-0.07, 0.205),
            (0.0, 0.192),
            (0.07, 0.205),
            (0.132, 0.27),
            (0.135, 0.36),
        ]
        inner = [(0.122, 0.345), (0.108, 0.285), (0.05, 0.262), (-0.05, 0.262), (-0.108, 0.285), (-0.122, 0.345)]
    elif look.cut == "short":
        outer = [
            (-0.142, 0.37),
            (-0.15, 0.26),
            (-0.085, 0.185),
            (0.01, 0.165),
            (0.105, 0.185),
            (0.155, 0.26),
            (0.142, 0.37),
        ]
        inner = [
            (0.124, 0.35),
            (0.112, 0.30),
            (0.05, 0.292),
            (-0.03, 0.27),
            (-0.095, 0.255),
            (-0.115, 0.30),
            (-0.124, 0.35),
        ]
    else:
        low = 0.41 if look.cut == "bun" else 0.53
        outer = [(-0.16, low), (-0.168, 0.32), (-0.10, 0.20), (0.0, 0.17), (0.10, 0.20), (0.168, 0.32), (0.16, low)]
        inner = [
            (0.128, low - 0.03),
            (0.124, 0.36),
            (0.08, 0.295),
            (-0.035, 0.238),
            (-0.10, 0.30),
            (-0.128, 0.37),
            (-0.130, low - 0.03),
        ]
    pen.shape([*outer, *inner], look.hair)
    shine = mix(look.hair, _WHITE, 0.16)
    pen.stroke([(0.03, 0.212), (0.075, 0.228), (0.108, 0.265)], 0.010, shine)


def _draw_face(pen: Pen, look: Appearance, face: int) -> None:
    lips = mix(look.skin, (190, 50, 66), 0.62 if look.is_soft else 0.36)
    for side in (-1, 1):
        _draw_eye(pen, look, side, shut=face == BLINK)
    if face not in _OPENINGS:
        pen.stroke([(-0.042, 0.502), (-0.020, 0.515), (0.0, 0.518), (0.020, 0.515), (0.042, 0.502)], 0.010, lips)
        return
    wide, high = _OPENINGS[face]
    centre = 0.514 + high / 3  # the jaw goes down, the upper lip stays
    pen.ellipse((0.0, centre), (wide + 0.008, high + 0.008), lips)
    pen.ellipse((0.0, centre), (wide, high), _MOUTH)
    if face != SMALL:
        pen.ellipse((0.0, centre + high * 0.55), (wide * 0.62, high * 0.38), _TONGUE)
        pen.shape(
            mirror(
                [
                    (0.0, centre - high * 0.9),
                    (wide * 0.7, centre - high * 0.6),
                    (wide * 0.55, centre - high * 0.3),
                    (0.0, centre - high * 0.22),
                ]
            ),
            _WHITE,
        )


def _draw_eye(pen: Pen, look: Appearance, side: int, *, shut: bool) -> None:
    x, y = 0.058 * side, 0.402
    if shut:
        pen.stroke([(x - 0.026, y + 0.002), (x, y + 0.010), (x + 0.026, y + 0.002)], 0.007, _DARK)
        return
    pen.shape(
        [
            (x - 0.028, y + 0.002),
            (x - 0.012, y - 0.014),
            (x + 0.012, y - 0.014),
            (x + 0.028, y + 0.002),
            (x + 0.012, y + 0.014),
            (x - 0.012, y + 0.014),
        ],
        _WHITE,
    )
    pen.ellipse((x, y), (0.0140, 0.0145), mix(look.hair, (70, 110, 120), 0.6))
    pen.ellipse((x, y), (0.0075, 0.0080), _DARK)
    pen.ellipse((x + 0.005, y - 0.006), (0.0040, 0.0040), _WHITE)
    pen.stroke([(x - 0.029, y), (x - 0.012, y - 0.015), (x + 0.012, y - 0.015), (x + 0.029, y)], 0.006, _DARK)
    if look.is_soft:
        pen.stroke([(x + 0.026 * side, y - 0.003), (x + 0.038 * side, y - 0.011)], 0.005, _DARK)
