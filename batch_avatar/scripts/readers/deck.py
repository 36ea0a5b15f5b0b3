"""A deck (`.pptx`): the notes of each slide are a script, in the order of the presentation."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from batch_avatar.scripts.findings import Place
from batch_avatar.scripts.readers.draft import script_of
from batch_avatar.scripts.readers.office import Package, first, local, related_id
from batch_avatar.scripts.readers.omitted import Omitted
from batch_avatar.scripts.reading import NotRead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.readers.draft import Draft, Named

WITHOUT_NOTES, HIDDEN, BESIDE = "slides without notes", "hidden slides", "text boxes beside the notes"


def read_deck(file: IO[bytes], named: Named, _choice: SourceChoice) -> Iterator[Draft | Finding]:
    omitted, drafts = Omitted("slide"), []
    for number, (slide, notes) in enumerate(_slides(Package(file)), start=1):
        spoken, beside = _words(notes) if notes is not None else ("", False)
        if slide.get("show") in ("0", "false"):
            omitted.note(HIDDEN, number)
            continue
        if beside:
            omitted.note(BESIDE, number)
        if spoken:
            place = Place(f"{named.source}, slide {number}")
            drafts.append(script_of(f"{named.script_id}/slide-{number}", None, spoken, place))
        else:
            omitted.note(WITHOUT_NOTES, number)
    yield from (finding.at(Place(named.source)) for finding in omitted.findings())
    yield from drafts


def _slides(package: Package) -> Iterator[tuple[Element, Element | None]]:
    """Yield each slide and the page with its notes, in the order of the presentation."""
    part, presentation = package.main("presentation")
    relations = package.relations(part)
    for entry in first(presentation, "sldIdLst") or ():
        slide = relations.get(related_id(entry))
        if slide is None:
            raise NotRead("names a slide that is not in it; open it in the program that made it, and save it again")
        notes = package.related(slide.part, "notesSlide")
        yield package.tree(slide.part), package.tree(notes[0]) if notes else None


def _words(page: Element) -> tuple[str, bool]:
    """Return the notes on their page, and whether other text stands beside them that somebody has put there."""
    notes: list[str] = []
    beside = False
    for shape in (each for each in page.iter() if local(each.tag) == "sp"):
        text = _text(shape)
        role = first(shape, "nvSpPr", "nvPr", "ph")
        if role is not None and role.get("type") == "body":
            notes.append(text)
        elif role is None and text:
            beside = True
    return "\n\n".join(filter(None, notes)), beside


def _text(shape: Element) -> str:
    """Return the paragraphs of a shape, each on its own (ECMA-376, part 1, 21.1.2)."""
    paragraphs = ("".join(map(_mark, each.iter())) for each in shape.iter() if local(each.tag) == "p")
    lines = ("\n".join(" ".join(line.split()) for line in each.split("\n")).strip() for each in paragraphs)
    return "\n\n".join(filter(None, lines))


def _mark(element: Element) -> str:
    match local(element.tag):
        case "t":
            return element.text or ""
        case "br":
            return "\n"
        case "tab":
            return " "
        case _:
            return ""
