"""Decks and documents written by hand, with what people leave in them."""

import zipfile
from html import escape

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
STYLES = """
<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="berschrift2"><w:name w:val="Heading 2"/></w:style>
<w:style w:styleId="Eigen"><w:name w:val="Own"/><w:basedOn w:val="berschrift1"/></w:style>
<w:style w:styleId="Kreis"><w:name w:val="Circle"/><w:basedOn w:val="Kreis"/></w:style>
<w:style w:styleId="Kapitel"><w:name w:val="Chapter"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>
<w:style w:styleId="Verzeichnis1"><w:name w:val="toc 1"/></w:style>
"""


def relations(links, kind=OFFICE):
    """A part that names others: by id, what for and which."""
    lines = (f'<Relationship Id="{own}" Type="{kind}/{what}" Target="{to}"/>' for own, what, to in links)
    return f'<Relationships xmlns="{PACKAGE}">{"".join(lines)}</Relationships>'


def write_zip(path, parts, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def docx_parts(body, *, w=W, kind=OFFICE):
    return {
        "_rels/.rels": relations([("r1", "officeDocument", "word/document.xml")], kind),
        "word/_rels/document.xml.rels": relations([("r1", "styles", "styles.xml")], kind),
        "word/styles.xml": f'<w:styles xmlns:w="{w}">{STYLES}</w:styles>',
        "word/document.xml": f'<w:document xmlns:w="{w}" xmlns:m="m" xmlns:mc="c"><w:body>{body}</w:body></w:document>',
    }


def write_docx(path, *paragraphs, **spaces):
    """Each paragraph is its text, or the XML of a block."""
    blocks = (each if each.startswith("<") else para(each) for each in paragraphs)
    return write_zip(path, docx_parts("".join(blocks), **spaces))


def para(text, style="", inner=""):
    own = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{own}{run(text)}{inner}</w:p>"


def run(text, marks="", rest=""):
    return f"<w:r><w:rPr>{marks}</w:rPr><w:t>{escape(text)}</w:t>{rest}</w:r>"


def shape(text, role='<p:ph type="body"/>'):
    """A shape of a page; `text` has lines of paragraphs, or is the XML of them."""
    lines = text if text.startswith("<") else "".join(f"<a:p>{a_run(line)}</a:p>" for line in text.split("\n"))
    return f"<p:sp><p:nvSpPr><p:nvPr>{role}</p:nvPr></p:nvSpPr><p:txBody>{lines}</p:txBody></p:sp>"


def a_run(text):
    return f"<a:r><a:t>{escape(text)}</a:t></a:r>"


def pptx_parts(slides, *, hidden=(), kind=OFFICE):
    """Slides in the order of the presentation: shapes of their pages of notes, or None. Files are named backwards."""
    spaces = f'xmlns:p="{P}" xmlns:a="{A}" xmlns:r="{kind}"'
    names = [f"slide{len(slides) - number}.xml" for number in range(len(slides))]
    entries = "".join(f'<p:sldId id="{256 + n}" r:id="s{n}"/>' for n in range(len(slides)))
    parts = {
        "_rels/.rels": relations([("r1", "officeDocument", "/ppt/presentation.xml")], kind),
        "ppt/_rels/presentation.xml.rels": relations(
            [(f"s{n}", "slide", f"slides/{name}") for n, name in enumerate(names)], kind
        ),
        "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>{entries}</p:sldIdLst></p:presentation>",
    }
    for number, (name, notes) in enumerate(zip(names, slides, strict=True), start=1):
        show = ' show="0"' if number in hidden else ""
        parts[f"ppt/slides/{name}"] = f"<p:sld {spaces}{show}>{shape('Not the notes.')}</p:sld>"
        if notes is not None:
            parts[f"ppt/slides/_rels/{name}.rels"] = relations([("r", "notesSlide", f"../notes/{name}")], kind)
            parts[f"ppt/notes/{name}"] = f"<p:notes {spaces}><p:spTree>{notes}</p:spTree></p:notes>"
    return parts


def write_pptx(path, *slides, **how):
    return write_zip(path, pptx_parts(slides, **how))
