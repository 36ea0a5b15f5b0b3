"""Draws the presenter: head and shoulders, with four mouth shapes and a blink."""

from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from batch_avatar.emulator.media.appearance import Appearance, derive_appearance, mix
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
    character: str, style: str | None, background: tuple[int, int, int, int], width: int, height: int
) -> Portrait:
    """Draw at twice the size and shrink the result, for smooth edges."""
    look = derive_appearance(character, style)
    large = Image.new("RGBA", (width * _SUPERSAMPLING, height * _SUPERSAMPLING), background)
    unit = float(min(large.height, large.width * 1.2))
    top = large.height - unit  # so that the shoulders end at the lower edge of tall frames too
    pen = Pen(large, unit, top)
    _draw_body(pen, look)
    step = 2 * _SUPERSAMPLING  # the parts begin and end at even pixels, as chroma does
    left, upper = (int(value) // step * step for value in pen.place((-_FACE_HALF_WIDTH, _FACE_TOP)))
    right, lower = (int(value) // step * step for value in pen.place((_FACE_HALF_WIDTH, _FACE_BOTTOM)))
    faces = []
    for face in FACES:
        canvas = large.copy()
        _draw_face(Pen(canvas, unit, top), look, face)
        faces.append(canvas.crop((left, upper, right, lower)).reduce(_SUPERSAMPLING))
    corner = (left // _SUPERSAMPLING, upper // _SUPERSAMPLING)
    return Portrait(large.reduce(_SUPERSAMPLING), corner, tuple(faces))


def _draw_body(pen: Pen, look: Appearance) -> None:
    shade = mix(look.skin, (150, 70, 40), 0.22)
    _draw_back_hair(pen, look)
    _draw_torso(pen, look)
    pen.shape(mirror([(0.056, 0.50), (0.055, 0.62), (0.088, 0.685), (0.0, 0.75)]), look.skin)
    pen.shape(mirror([(0.057, 0.54), (0.053, 0.585), (0.0, 0.622)]), shade)
    _draw_collar(pen, look)
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


def _draw_torso(pen: Pen, look: Appearance) -> None:
    half = [(0.06, 0.672), (0.15, 0.705), (0.255, 0.75), (0.315, 0.83), (0.345, 1.02), (0.0, 1.02)]
    pen.polygon(mirror([*half[:1], *half[-2:]]), look.clothes)
    pen.shape(mirror(half), look.clothes)
    fold = mix(look.clothes, _DARK, 0.25)
    for side in (-1, 1):
        pen.stroke([(0.235 * side, 0.87), (0.228 * side, 0.94), (0.232 * side, 1.03)], 0.006, fold)


def _draw_collar(pen: Pen, look: Appearance) -> None:
    light, dark = mix(look.clothes, _WHITE, 0.22), mix(look.clothes, _DARK, 0.3)
    if look.outfit == "jacket":
        pen.polygon([(-0.068, 0.672), (-0.05, 0.70), (0.0, 0.76), (0.05, 0.70), (0.068, 0.672), (0.0, 1.0)], _WHITE)
        pen.polygon([(0.0, 0.735), (0.026, 0.765), (0.0, 0.80), (-0.026, 0.765)], look.clothes)
        pen.polygon([(0.0, 0.78), (0.03, 0.95), (0.0, 1.0), (-0.03, 0.95)], look.clothes)
        for side in (-1, 1):
            pen.polygon(
                [(0.066 * side, 0.665), (0.0, 0.742), (0.038 * side, 0.79), (0.082 * side, 0.70)], (238, 240, 244)
            )
            lapel = [(0.07, 0.668), (0.135, 0.70), (0.118, 0.79), (0.138, 0.80), (0.0, 1.02), (0.072, 0.76)]
            pen.polygon([(x * side, y) for x, y in lapel], light if side < 0 else mix(light, _DARK, 0.06))
            pen.stroke([(0.118 * side, 0.79), (0.06 * side, 0.91), (0.0, 1.02)], 0.004, dark)
    elif look.outfit == "blouse":
        pen.polygon([(-0.07, 0.672), (0.0, 0.845), (0.07, 0.672), (0.0, 0.70)], look.skin)
        for side in (-1, 1):
            pen.polygon([(0.058 * side, 0.655), (0.098 * side, 0.682), (0.07 * side, 0.775), (0.0, 0.85)], light)
        for y in (0.89, 0.95):
            pen.ellipse((0.0, y), (0.007, 0.007), dark)
    else:
        pen.stroke([(-0.086, 0.688), (-0.052, 0.738), (0.0, 0.756), (0.052, 0.738), (0.086, 0.688)], 0.016, light)


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
