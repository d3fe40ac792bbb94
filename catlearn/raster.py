"""Pictures as PNG or PDF, drawn by matplotlib from the same points as the SVG.

>>> from catlearn.svg import document, text
>>> image(document(20.0, 10.0, [text(1, 2, "x")], "small"), "png", scale=2.0)[1:4]
b'PNG'
"""

from __future__ import annotations

import io
from typing import Any

from catlearn.errors import missing_extra
from catlearn.scene import Path, Words, scene

__all__ = ["image"]

INCH = 96.0  # pixels of the SVG


def image(svg: str, form: str, scale: float = 2.0) -> bytes:
    """The bytes of a picture's SVG text as "png" or "pdf"; a PNG has `scale` pixels for each of the SVG's.

    Raises `MissingExtraError` where matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("matplotlib", "plot", f"a picture as {form.upper()}") from error
    drawn = scene(svg)
    figure = Figure(figsize=(drawn.width / INCH, drawn.height / INCH), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, drawn.width), ylim=(drawn.height, 0))
    axes.set_axis_off()
    for k, item in enumerate(drawn.items):
        if isinstance(item, Path):
            axes.add_patch(_patch(item, k))
        else:
            axes.text(*item.at, item.words, **_style(item, k))
    buffer = io.BytesIO()
    with mpl.rc_context({"pdf.fonttype": 42}):
        date = {"CreationDate": None} if form == "pdf" else {}
        figure.savefig(buffer, format=form, dpi=scale * INCH, metadata={"Title": drawn.title, **date})
    return buffer.getvalue()


def _patch(item: Path, order: int) -> Any:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    codes = {"M": [Outline.MOVETO], "L": [Outline.LINETO], "C": [Outline.CURVE4] * 3, "Z": [Outline.CLOSEPOLY]}
    points = [p for kind, some in item.segments for p in (some or ((0.0, 0.0),))]
    outline = Outline(points, [code for kind, _ in item.segments for code in codes[kind]])
    width = item.width * 72 / INCH
    dashes = (0, tuple(long * 72 / INCH / width for long in item.dashes)) if item.dashes else "solid"
    return PathPatch(
        outline, facecolor=item.fill or "none", edgecolor=item.stroke or "none", linewidth=width, linestyle=dashes,
        zorder=order, clip_on=False, snap=False,
    )  # fmt: skip


def _style(item: Words, order: int) -> dict[str, Any]:
    anchor = {"start": "left", "middle": "center", "end": "right"}[item.anchor]
    return {
        "fontsize": item.size * 72 / INCH, "family": "sans-serif", "color": item.colour, "ha": anchor,
        "va": "baseline", "zorder": order, "parse_math": False,
    }  # fmt: skip
