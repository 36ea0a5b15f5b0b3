"""Draw the house: the picture in docs/architecture.md, made from the import contracts of pyproject.toml.

python -m tests.repo.house        writes it anew; a test holds it against the contracts
"""

from __future__ import annotations

import ast
import re
import tomllib
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- the house: python -m tests.repo.house -->\n", "<!-- the house ends -->\n"
MOST_ROOMS = 6  # of one layer; a layer of more modules is the ground, drawn as one room


def draw() -> str:
    """The picture as Mermaid, in the fences that GitHub draws. Rooms that know Prefect are blue."""
    contracts = {one["id"]: one for one in _configuration()["contracts"]}
    core = _layers(contracts["layers"]["layers"])
    emulator = _layers(contracts["emulator-layers"]["layers"], "batch_avatar.emulator.")
    starts_it = sorted({line.split(" -> ")[0] for line in contracts["client-apart"]["ignore_imports"]})
    without_prefect = tuple(contracts["no-prefect"]["source_modules"])
    know_prefect = [_node(name) for layer in core for name in layer if not name.startswith(without_prefect)]
    return "\n".join(
        [
            "```mermaid",
            "flowchart TD",
            *_rooms(core),
            *_arrows(core),
            '  subgraph emulator["<b>emulator</b>: the service on this machine"]',
            *_rooms(emulator),
            *_arrows(emulator),
            "  end",
            f"  commands -. {', '.join(name.rpartition('.')[2] for name in starts_it)} .-> {_node(emulator[0][0])}",
            "  classDef prefect fill:#dbeafe,stroke:#1d4ed8,color:#111",
            f"  class {','.join(know_prefect)} prefect",
            "```\n",
        ]
    )


def page_with(picture: str) -> str:
    """The page with this picture in its place."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{picture}{END}{after}"


def _configuration() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def _layers(layers: list[str], base: str = "") -> list[list[str]]:
    """The modules of each layer, from the top."""
    return [[base + name.strip() for name in re.split("[|:]", layer)] for layer in layers]


def _node(module: str) -> str:
    """The module's name in the picture."""
    return module.removeprefix("batch_avatar.").replace(".", "_")


def _nodes(layer: list[str]) -> str:
    """A layer's names in the picture: `a & b` where rooms stand side by side."""
    if len(layer) > MOST_ROOMS:
        return _node(layer[0].rpartition(".")[0] + ".ground")
    return " & ".join(map(_node, layer))


def _arrows(layers: list[list[str]]) -> list[str]:
    return [f"  {_nodes(above)} --> {_nodes(below)}" for above, below in pairwise(layers)]


def _rooms(layers: list[list[str]]) -> list[str]:
    lines = []
    for layer in layers:
        if len(layer) > MOST_ROOMS:
            modules = ", ".join(name.rpartition(".")[2] for name in layer)
            lines.append(f'  {_nodes(layer)}["{_label("the ground", modules)}"]')
        else:
            lines += [f'  {_node(name)}["{_label(name.rpartition(".")[2], _first_line(name))}"]' for name in layer]
    return lines


def _label(name: str, text: str) -> str:
    return f"<b>{name}</b><br/>{text}"


def _first_line(module: str) -> str:
    """What the room says of itself first."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0].rstrip(".").replace('"', "'").replace("`", "")


if __name__ == "__main__":
    PAGE.write_text(page_with(draw()), encoding="utf-8")
