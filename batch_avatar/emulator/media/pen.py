"""Draws round shapes in the coordinates of a presenter, which do not depend on the size of the frame."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from batch_avatar.emulator.media.appearance import Colour

Point = tuple[float, float]
_STEPS = 14  # straight pieces between two points of a curve


class Pen:
    """Draws on an RGBA image. x and y count from `origin`, a point of the image, in units of `unit` pixels."""

    def __init__(self, image: Image.Image, unit: float, origin: Point) -> None:
        self._draw = ImageDraw.Draw(image)
        self._unit = unit
        self._origin = origin

    def place(self, point: Point) -> Point:
        return self._origin[0] + point[0] * self._unit, self._origin[1] + point[1] * self._unit

    def ellipse(self, centre: Point, radii: Point, colour: Colour) -> None:
        (x, y), unit = self.place(centre), self._unit
        box = (x - radii[0] * unit, y - radii[1] * unit, x + radii[0] * unit, y + radii[1] * unit)
        self._draw.ellipse(box, fill=(*colour, 255))

    def rectangle(self, corner: Point, opposite: Point, radius: float, colour: Colour) -> None:
        box = (*self.place(corner), *self.place(opposite))
        self._draw.rounded_rectangle(box, radius=radius * self._unit, fill=(*colour, 255))

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self._draw.polygon([self.place(point) for point in points], fill=(*colour, 255))

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a closed, smooth curve through the points."""
        ring = [points[-1], *points, points[0], points[1]]
        self.polygon(_smooth(ring), colour)

    def stroke(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw an open, smooth curve through the points, with round ends."""
        curve = [self.place(point) for point in _smooth([points[0], *points, points[-1]])]
        thick = max(1, round(width * self._unit))
        self._draw.line(curve, fill=(*colour, 255), width=thick, joint="curve")
        for x, y in (curve[0], curve[-1]):
            half = thick / 2
            self._draw.ellipse((x - half, y - half, x + half, y + half), fill=(*colour, 255))


def mirror(points: Sequence[Point]) -> list[Point]:
    """Complete the right-hand half of an outline, given from top to bottom, by its mirror image going up."""
    return [*points, *((-x, y) for x, y in reversed(points) if x)]


def _smooth(points: Sequence[Point]) -> list[Point]:
    """Return a Catmull-Rom curve through all points except the first and the last, which set the end directions."""
    curve = []
    for index in range(1, len(points) - 2):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[index - 1 : index + 3]
        for step in range(_STEPS):
            t = step / _STEPS
            curve.append((_spline(ax, bx, cx, dx, t), _spline(ay, by, cy, dy, t)))
    curve.append(points[-2])
    return curve


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
