"""Messages between processes: JSON lines over file descriptors."""

from __future__ import annotations

import json
import os


class Lines:
    """What arrives at one descriptor, a whole line at a time."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor
        self.open = True  # until the other side has closed its end
        self._rest = b""

    def fileno(self) -> int:
        return self.descriptor

    def read(self) -> list[dict]:
        """The messages that are there now; waits for at least one piece of one."""
        data = os.read(self.descriptor, 1 << 16)
        self.open = bool(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        os.close(self.descriptor)


def send(descriptor: int, message: dict) -> None:
    """Write one message, however long it is."""
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(descriptor, data) :]
