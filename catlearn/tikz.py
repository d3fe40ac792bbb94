r"""Pictures as TikZ: every path a \path, every text a node, in a document that compiles alone or a part of another.

Letters that TeX does not have by themselves are written as its symbols; those that it has not at all become question
marks. One unit is one pixel, 0.75 points.

>>> from catlearn.svg import document, text
>>> drawing = tikz(document(20.0, 10.0, [text(1, 2, "50 % of x_0")], "small"))
>>> drawing.splitlines()[2].rpartition(" at ")[2]
'(1,6.68) {50 \\% of x\\_0};'
"""

from __future__ import annotations

import re
import unicodedata

from catlearn.scene import Path, Scene, Words, scene

__all__ = ["escaped", "standalone", "tikz"]

POINTS = 0.75
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{MINUS SIGN}": r"$-$",
    "\N{RIGHTWARDS ARROW}": r"$\to$",
    "\N{HORIZONTAL ELLIPSIS}": r"\dots{}",
    "\N{PRIME}": r"$'$",
    "\N{PARTIAL DIFFERENTIAL}": r"$\partial$",
    **{letter: f"\\{letter}" for letter in "#$%&_{}"},
}
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)$")
_UPRIGHT = ("GAMMA", "DELTA", "THETA", "LAMDA", "XI", "PI", "SIGMA", "UPSILON", "PHI", "PSI", "OMEGA")
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}


def escaped(words: str) -> str:
    """The text as TeX writes it.

    >>> escaped("3 × 4 & α…")  # noqa: RUF002
    '3 $\\\\times$ 4 \\\\& $\\\\alpha$\\\\dots{}'
    """
    return "".join(map(_letter, words))


def _letter(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if " " <= letter <= "~" or letter.isspace():
        return letter if letter > " " else " "
    found = _GREEK.match(unicodedata.name(letter, ""))
    if found and (found[1] == "SMALL" or found[2] in _UPRIGHT):
        name = found[2].replace("LAMDA", "LAMBDA")
        name = name.lower() if found[1] == "SMALL" else name.capitalize()
        return "o" if name == "omicron" else f"$\\{name}$"
    return (
        letter
        if "\N{LATIN CAPITAL LETTER A WITH GRAVE}" <= letter <= "\N{LATIN SMALL LETTER Y WITH DIAERESIS}"
        else "?"
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.005 else "0"


def tikz(svg: str) -> str:
    """The tikzpicture of a picture's SVG text, for a document that uses tikz."""
    drawn = scene(svg)
    colours = _colours(drawn)
    lines = [
        *(f"\\definecolor{{{name}}}{{HTML}}{{{colour[1:].upper()}}}" for colour, name in colours.items()),
        f"\\begin{{tikzpicture}}[x={POINTS}pt, y=-{POINTS}pt, line width={POINTS}pt]",
        *(_path(item, colours) if isinstance(item, Path) else _words(item, colours) for item in drawn.items),
        "\\end{tikzpicture}",
    ]
    return "\n".join(lines) + "\n"


def standalone(svg: str) -> str:
    """The LaTeX document of one picture."""
    title = scene(svg).title.replace("\n", " ")
    head = f"% {title}\n\\documentclass[tikz, border=2pt]{{standalone}}\n\\usepackage[T1]{{fontenc}}\n"
    return f"{head}\\begin{{document}}\n{tikz(svg)}\\end{{document}}\n"


def _colours(drawn: Scene) -> dict[str, str]:
    """A name for each colour, in the order in which they come."""
    used = [
        colour
        for item in drawn.items
        for colour in ((item.fill, item.stroke) if isinstance(item, Path) else (item.colour,))
        if colour
    ]
    return {colour: f"catlearn{chr(97 + k)}" for k, colour in enumerate(dict.fromkeys(used))}


def _path(item: Path, colours: dict[str, str]) -> str:
    options = [f"{what}={colours[c]}" for what, c in (("draw", item.stroke), ("fill", item.fill)) if c]
    if item.width != 1:
        options.append(f"line width={_number(item.width * POINTS)}pt")
    if item.dashes:
        pairs = zip(("on", "off") * len(item.dashes), item.dashes, strict=False)
        options.append("dash pattern=" + " ".join(f"{what} {_number(long * POINTS)}pt" for what, long in pairs))
    steps = []
    for order, points in item.segments:
        at = [f"({_number(x)},{_number(y)})" for x, y in points]
        steps.append(
            {"M": "{0}", "L": "-- {0}", "C": ".. controls {0} and {1} .. {2}", "Z": "-- cycle"}[order].format(*at)
        )
    return f"\\path[{', '.join(options)}] {' '.join(steps)};"


def _words(item: Words, colours: dict[str, str]) -> str:
    size = item.size * POINTS
    font = f"\\sffamily\\fontsize{{{_number(size)}}}{{{_number(1.2 * size)}}}\\selectfont"
    (x, y), colour = item.at, colours[item.colour]
    return (
        f"\\node[anchor={_ANCHORS[item.anchor]}, inner sep=0, text={colour}, font={font}] "
        f"at ({_number(x)},{_number(y)}) {{{escaped(item.words)}}};"
    )
