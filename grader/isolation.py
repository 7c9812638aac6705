"""What is said of how far a learner's code was kept apart from what judges it.

A line on isolation begins with its notice where something stays open: "not isolated: …".
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

KINDS = ("files", "network", "processes", "sockets")  # what a worker must not reach
_OPEN = "not isolated: "
_END = "; "  # of the notice
_CLOSE = (
    "on Linux, install bubblewrap (pip install 'gradkata[sandbox]', or apt install bubblewrap) "
    "where user namespaces are allowed"
)
_GO_ON = 'say --isolation open, or to nbgrader c.KataExecute.isolation = "open"'


class Isolation(StrEnum):
    """What an instructor asks for."""

    CLOSED = "closed"  # nothing is graded where anything stays open
    OPEN = "open"  # it is graded all the same, and every report says so


def notice(openings: Iterable[str]) -> str:
    """What stays open, in a sentence without its full stop; empty where nothing does."""
    kinds = [kind for kind in KINDS if kind in set(openings)]
    if not kinds:
        return ""
    listed = " and ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
    return f"{_OPEN}{listed} stay{'s' if kinds == ['network'] else ''} open"


def refusal(line: str) -> str:
    """Why nothing is graded with this line on isolation, and what to do; empty where it is."""
    return (
        f"{line}. To close it, {_CLOSE}. To grade all the same, {_GO_ON}." if is_open(line) else ""
    )


def none(reason: str) -> str:
    """The line where there is no sandbox at all."""
    return f"{notice(KINDS)}{_END}none ({reason})"


def is_open(line: str) -> bool:
    """Whether a line on isolation says that something stayed open, or says nothing."""
    return not line or line.startswith((_OPEN, "none"))


def notice_of(line: str) -> str:
    """The notice that a line begins with; empty where everything was closed."""
    if not is_open(line):
        return ""
    return line.partition(_END)[0] if line.startswith(_OPEN) else notice(KINDS)
