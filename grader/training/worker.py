"""The worker's end of a training apart: runs the learner's code and has no test label.

Nothing in this process is trusted by anyone.
"""

from __future__ import annotations

import os
import socket

# Threads that wait in a loop for each other starve on a busy machine; read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from grader.boundary.frames import Broken
from grader.boundary.worker import Printed, warm
from grader.training.learner import Code, Stop
from grader.training.line import Line
from grader.training.trainee import Trainee

__all__ = ["serve", "warm"]


def serve(sock: socket.socket) -> None:
    """Do what the check asks for, until it closes its end."""
    line, printed = Line(sock), Printed.install()
    number, trainee = 0, None

    def tell(event: dict) -> None:
        line.send("event", number, [event, printed()])

    try:
        while True:
            op, number, args = line.receive()
            if op == "code":
                trainee = Trainee(_codes(args), torch.device("cpu"), tell)
                continue
            try:
                found = "value", getattr(trainee, op)(*args)
            except Stop as stop:
                found = "stop", [stop.outcome, stop.sentence]
            tell({"event": "done"})
            line.send(found[0], number, found[1])
    except Broken:
        os._exit(0)


def _codes(sources: dict[str, bytes]) -> dict[str, Code]:
    """The learner's files by stem; a worker has them in no folder."""
    return {
        stem: Code(source.decode(), f"{stem}.py", f"{stem}.py") for stem, source in sources.items()
    }
