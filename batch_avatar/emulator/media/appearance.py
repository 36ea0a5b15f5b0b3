"""Colours and haircut of a character: fixed for the standard characters, derived from the name for all others."""

import hashlib
from dataclasses import dataclass

Colour = tuple[int, int, int]

_SKINS: tuple[Colour, ...] = (
    (255, 224, 200),
    (244, 204, 172),
    (228, 180, 142),
    (196, 142, 104),
    (156, 106, 76),
    (118, 78, 58),
)
_HAIRS: tuple[Colour, ...] = (
    (44, 36, 36),
    (78, 52, 40),
    (122, 78, 48),
    (168, 112, 62),
    (214, 172, 106),
    (150, 66, 40),
)
_CLOTHES: tuple[Colour, ...] = (
    (44, 76, 124),
    (36, 110, 116),
    (122, 52, 78),
    (70, 74, 92),
    (88, 66, 128),
    (46, 104, 76),
)
_CUTS = ("long", "bob", "bun", "short", "short", "crop")


@dataclass(frozen=True)
class Appearance:
    skin: Colour
    hair: Colour
    clothes: Colour
    cut: str  # long | bob | bun | short | crop
    outfit: str  # jacket | blouse | tee

    @property
    def is_soft(self) -> bool:
        """Whether the face has lashes, redder lips and finer brows; true for the longer cuts."""
        return self.cut in {"long", "bob", "bun"}


# Indexes of skin, hair and clothes, and the cut, for the service's standard characters.
_STANDARD = {
    "harry": (1, 3, 0, "short"),
    "jeff": (4, 0, 1, "crop"),
    "lisa": (1, 1, 0, "long"),
    "lori": (0, 4, 2, "bob"),
    "max": (2, 0, 3, "short"),
    "meg": (3, 0, 4, "bun"),
}
_OUTFITS = {"formal": "jacket", "business": "jacket", "graceful": "blouse", "technical": "blouse"}


def derive_appearance(character: str, style: str | None) -> Appearance:
    name = character.lower()
    if name in _STANDARD:
        skin, hair, clothes, cut = _STANDARD[name]
    else:
        digest = hashlib.sha256(name.encode()).digest()
        skin, hair, clothes = digest[0] % 6, digest[1] % 6, digest[2] % 6
        cut = _CUTS[digest[3] % 6]
    outfit = _OUTFITS.get((style or "").lower().split("-")[0], "tee")
    return Appearance(_SKINS[skin], _HAIRS[hair], _CLOTHES[clothes], cut, outfit)


def mix(colour: Colour, other: Colour, part: float) -> Colour:
    """Return `colour` mixed with a share of `other`; `part` is that share, 0 to 1."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(colour, other, strict=True))
    return red, green, blue
