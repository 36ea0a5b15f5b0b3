"""How a character looks: fixed for the standard characters, derived from the name for all others.

A style decides dress and pose, so that the styles of one character can be told apart.
"""

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
    (44, 76, 124),  # navy
    (28, 136, 140),  # teal
    (136, 44, 80),  # wine
    (186, 122, 44),  # amber
    (104, 80, 156),  # violet
    (62, 118, 66),  # green
)
_CUTS = ("long", "bob", "bun", "short", "short", "crop")


@dataclass(frozen=True)
class Appearance:
    skin: Colour
    hair: Colour
    clothes: Colour
    cut: str  # long | bob | bun | short | crop
    outfit: str  # suit | jacket | blouse | polo | hoodie | tee
    pose: str  # portrait | bust | sitting | standing | full

    @property
    def is_soft(self) -> bool:
        """Whether the face has lashes, redder lips and finer brows; true for the longer cuts."""
        return self.cut in {"long", "bob", "bun"}


# Indexes of skin, hair and clothes, and the cut, for the service's standard characters.
_STANDARD = {
    "celine": (1, 4, 1, "long"),
    "harry": (1, 3, 0, "short"),
    "jeff": (4, 0, 1, "crop"),
    "lisa": (1, 1, 0, "long"),
    "lori": (0, 4, 2, "bob"),
    "malik": (5, 0, 3, "crop"),
    "max": (2, 0, 3, "short"),
    "meg": (3, 0, 4, "bun"),
    "nia": (4, 0, 2, "bun"),
    "rowan": (0, 5, 5, "short"),
}
_FULL_BODY = {"celine", "malik", "nia", "rowan"}  # standard-avatars.md of MicrosoftDocs/azure-ai-docs, 09/2026
# For the first word of a style: the outfit, and how many places further in _CLOTHES its colour stands.
_OUTFITS = {
    "business": ("jacket", 0),
    "casual": ("tee", 1),
    "formal": ("suit", 2),
    "graceful": ("blouse", 3),
    "technical": ("polo", 4),
    "youthful": ("hoodie", 5),
}


def derive_appearance(character: str, style: str | None, *, photo: bool = False) -> Appearance:
    name = character.lower()
    if name in _STANDARD and not photo:
        skin, hair, clothes, cut = _STANDARD[name]
    else:
        digest = hashlib.sha256(name.encode()).digest()
        skin, hair, clothes = digest[0] % 6, digest[1] % 6, digest[2] % 6
        cut = _CUTS[digest[3] % 6]
    words = (style or "").lower().split("-")
    outfit, shift = _OUTFITS.get(words[0], ("tee", 0))
    if photo:
        pose = "portrait"
    elif name in _FULL_BODY and not style:
        pose = "full"
    else:
        pose = next((word for word in words if word in {"sitting", "standing"}), "bust")
    return Appearance(_SKINS[skin], _HAIRS[hair], _CLOTHES[(clothes + shift) % 6], cut, outfit, pose)


def mix(colour: Colour, other: Colour, part: float) -> Colour:
    """Return `colour` mixed with a share of `other`; `part` is that share, 0 to 1."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(colour, other, strict=True))
    return red, green, blue
