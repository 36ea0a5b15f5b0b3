"""Draws what is below the head: dress and pose."""

from batch_avatar.emulator.media.appearance import Appearance, Colour, mix
from batch_avatar.emulator.media.pen import Pen, mirror

# How much of the figure the height of a frame shows, in units of the pen; shoulders end at 1.02, feet at 2.7.
REACH = {"portrait": 0.9, "bust": 1.0, "sitting": 1.15, "standing": 1.62, "full": 2.75}

_WHITE = (255, 255, 255)
_SHIRT = (238, 240, 244)
_DARK = (38, 28, 30)
_TROUSERS = (52, 56, 72)
_CHAIR = (150, 132, 116)


def draw_chair(pen: Pen, look: Appearance) -> None:
    if look.pose == "sitting":
        pen.rectangle((-0.44, 0.56), (0.44, 1.4), 0.08, _CHAIR)
        pen.rectangle((-0.38, 0.62), (0.38, 1.4), 0.05, mix(_CHAIR, _WHITE, 0.3))


def draw_figure(pen: Pen, look: Appearance) -> None:
    if look.pose in {"standing", "full"}:
        _draw_legs(pen)
        _draw_arms(pen, look)
        half = [(0.06, 0.672), (0.15, 0.705), (0.235, 0.745), (0.258, 0.85), (0.235, 1.05), (0.25, 1.30), (0.24, 1.40)]
        pen.polygon(mirror([half[0], half[-1], (0.0, 1.40)]), look.clothes)
        pen.shape(mirror([*half, (0.0, 1.41)]), look.clothes)
        return
    low = 1.3 if look.pose == "sitting" else 1.02
    half = [(0.06, 0.672), (0.15, 0.705), (0.255, 0.75), (0.315, 0.83), (0.345, 1.02), (0.36, low), (0.0, low)]
    pen.polygon(mirror([half[0], *half[-2:]]), look.clothes)
    pen.shape(mirror(half), look.clothes)
    fold = mix(look.clothes, _DARK, 0.25)
    for side in (-1, 1):
        pen.stroke([(0.235 * side, 0.87), (0.228 * side, 0.94), (0.232 * side, low + 0.01)], 0.006, fold)


def _draw_arms(pen: Pen, look: Appearance) -> None:
    sleeve = mix(look.clothes, _DARK, 0.14)
    outline = [(0.20, 0.725), (0.29, 0.80), (0.325, 1.05), (0.322, 1.30), (0.262, 1.30), (0.255, 1.05), (0.225, 0.86)]
    for side in (-1, 1):
        pen.ellipse((0.292 * side, 1.335), (0.030, 0.050), look.skin)
        pen.shape([(x * side, y) for x, y in outline], sleeve)


def _draw_legs(pen: Pen) -> None:
    for side in (-1, 1):
        pen.polygon([(0.0, 1.34), (0.242 * side, 1.34), (0.19 * side, 2.62), (0.05 * side, 2.62)], _TROUSERS)
        pen.ellipse((0.13 * side, 2.65), (0.095, 0.045), _DARK)
    pen.stroke([(0.0, 1.40), (0.0, 1.7), (0.0, 2.0)], 0.006, mix(_TROUSERS, _DARK, 0.6))


def draw_collar(pen: Pen, look: Appearance) -> None:
    light, dark = mix(look.clothes, _WHITE, 0.22), mix(look.clothes, _DARK, 0.3)
    match look.outfit:
        case "jacket":
            _draw_lapels(pen, light, dark)
            _draw_tie(pen, look.clothes)
        case "suit":
            _draw_lapels(pen, light, dark)
            _draw_bow_tie(pen)
        case "blouse":
            _draw_blouse(pen, look.skin, light, dark)
        case "polo":
            _draw_polo(pen, light, dark)
        case "hoodie":
            _draw_hood(pen, dark)
        case _:
            pen.stroke([(-0.086, 0.688), (-0.052, 0.738), (0.0, 0.756), (0.052, 0.738), (0.086, 0.688)], 0.016, light)


def _draw_blouse(pen: Pen, skin: Colour, light: Colour, dark: Colour) -> None:
    pen.polygon([(-0.07, 0.672), (0.0, 0.845), (0.07, 0.672), (0.0, 0.70)], skin)
    for side in (-1, 1):
        pen.polygon([(0.058 * side, 0.655), (0.098 * side, 0.682), (0.07 * side, 0.775), (0.0, 0.85)], light)
    for y in (0.89, 0.95):
        pen.ellipse((0.0, y), (0.007, 0.007), dark)


def _draw_polo(pen: Pen, light: Colour, dark: Colour) -> None:
    pen.polygon([(-0.022, 0.73), (0.022, 0.73), (0.022, 0.92), (-0.022, 0.92)], light)
    for side in (-1, 1):
        pen.polygon([(0.06 * side, 0.655), (0.10 * side, 0.69), (0.06 * side, 0.775), (0.0, 0.745)], light)
    for y in (0.80, 0.86):
        pen.ellipse((0.0, y), (0.007, 0.007), dark)
    pen.rectangle((0.10, 0.86), (0.17, 0.90), 0.006, _SHIRT)  # a badge


def _draw_hood(pen: Pen, dark: Colour) -> None:
    hood = [(-0.125, 0.70), (-0.09, 0.655), (-0.05, 0.74), (0.0, 0.77), (0.05, 0.74), (0.09, 0.655), (0.125, 0.70)]
    pen.shape([*hood, (0.06, 0.80), (0.0, 0.825), (-0.06, 0.80)], dark)
    for side in (-1, 1):
        pen.stroke([(0.035 * side, 0.79), (0.04 * side, 0.86), (0.036 * side, 0.93)], 0.008, _SHIRT)


def _draw_lapels(pen: Pen, light: Colour, dark: Colour) -> None:
    pen.polygon([(-0.068, 0.672), (-0.05, 0.70), (0.0, 0.76), (0.05, 0.70), (0.068, 0.672), (0.0, 1.0)], _WHITE)
    for side in (-1, 1):
        pen.polygon([(0.066 * side, 0.665), (0.0, 0.742), (0.038 * side, 0.79), (0.082 * side, 0.70)], _SHIRT)
        lapel = [(0.07, 0.668), (0.135, 0.70), (0.118, 0.79), (0.138, 0.80), (0.0, 1.02), (0.072, 0.76)]
        pen.polygon([(x * side, y) for x, y in lapel], light if side < 0 else mix(light, _DARK, 0.06))
        pen.stroke([(0.118 * side, 0.79), (0.06 * side, 0.91), (0.0, 1.02)], 0.004, dark)


def _draw_tie(pen: Pen, colour: Colour) -> None:
    pen.polygon([(0.0, 0.735), (0.026, 0.765), (0.0, 0.80), (-0.026, 0.765)], colour)
    pen.polygon([(0.0, 0.78), (0.026, 0.91), (0.0, 0.97), (-0.026, 0.91)], colour)


def _draw_bow_tie(pen: Pen) -> None:
    for side in (-1, 1):
        pen.polygon([(0.0, 0.755), (0.062 * side, 0.725), (0.062 * side, 0.79)], _DARK)
    pen.ellipse((0.0, 0.757), (0.014, 0.014), _DARK)
