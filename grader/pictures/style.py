"""One look for all pictures: Okabe and Ito's palette, which colour-blind eyes tell apart.

M. Okabe and K. Ito, "Color Universal Design" (2008), https://jfly.uni-koeln.de/color/. No picture
leans on colour alone: lines differ in style or carry their name.
"""

from __future__ import annotations

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#6B6B6B"
CARD = "#FCFCFA"  # the figure's own ground, so that text is dark on light on any page


def figure(width: float = 9.0, height: float = 4.5):
    """An empty figure in inches, without pyplot: no window, no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor=CARD)


def plain(axes) -> None:
    """Axes of a curve: no frame above and to the right."""
    axes.set_facecolor(CARD)
    axes.spines[["top", "right"]].set_visible(False)


def image(axes, pixels, title: str = "", **options) -> None:
    """One picture of pixels, dark on light, without ticks."""
    axes.imshow(pixels, **({"cmap": "gray_r"} | options))
    axes.set_axis_off()
    axes.set_title(title, fontsize=11)
