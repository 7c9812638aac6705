"""Pages that hold everything they show: one look, one policy, and nothing is ever fetched.

All that goes into a template is escaped; the policy in `frame.html` forbids scripts and requests.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass


@dataclass
class Inlined:
    """A picture as a page holds it."""

    source: str
    alt: str


def inlined(png: bytes, alt: str) -> Inlined:
    """A picture as data in the page."""
    data = base64.b64encode(png).decode("ascii")
    return Inlined(f"data:image/png;base64,{data}", alt)


def render(template: str, **values) -> str:
    """The text of a page; `template` is a path in this package, such as learner/page.html."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("grader", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template).render(**values)
