"""What students write, as HTML that runs nothing in the page of whoever reads it.

nbgrader's pages show a student's Markdown as the HTML that it holds, scripts included, to whoever
marks it: so the last filter of every Markdown text is this one.
"""

from __future__ import annotations

import re

from bleach import clean
from nbconvert.filters import strip_files_prefix

try:
    from bleach.css_sanitizer import CSSSanitizer

    _STYLES = CSSSanitizer()
except ImportError:  # of bleach's parts that one is optional: then no style is kept
    _STYLES = None

_TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr acronym b blockquote br caption code dd del details div dl dt em h1 h2 h3 h4 h5 h6 "
        "hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody "
        "td tfoot th thead tr tt u ul var",
    )
)
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
_PLAIN = {"class", "id", "title", "style", "align", "colspan", "rowspan", "alt", "width", "height"}


def harmless(text: object) -> str:
    """Markdown that has become HTML, without scripts, frames, handlers and addresses that run."""
    return clean(
        strip_files_prefix(str(text)),
        tags=_TAGS,
        attributes=_allowed,
        protocols=("http", "https", "mailto", "data"),
        css_sanitizer=_STYLES,
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    if name in _PLAIN:
        return name != "style" or _STYLES is not None
    if (tag, name) == ("img", "src"):  # one of another server's would tell who reads this
        return bool(_PICTURE.fullmatch(value.strip()))
    return (tag, name) == ("a", "href") and not value.strip().casefold().startswith("data:")
