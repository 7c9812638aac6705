"""Does a Dask scheduler answer at an address? Asked before a `Client` is made, which may wait for
ever at something else: a web server, or a socket that never says anything.
"""

from __future__ import annotations

import asyncio
import threading


class NoScheduler(Exception):
    """Nothing at the address is a scheduler; the text says what was met."""


def check(address: str, seconds: float) -> None:
    """Shake hands as a Dask client does, for so many seconds at most; `NoScheduler`."""
    met: list[BaseException] = []

    def ask() -> None:
        try:
            asyncio.run(asyncio.wait_for(_ask(address, seconds), seconds))
        except BaseException as error:  # what garbage does to its protocol is no fixed kind
            met.append(error)

    # In a thread, since what is sent may keep its protocol busy where no time-out reaches.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds + 1)
    if thread.is_alive() or (met and isinstance(met[0], TimeoutError)):
        raise NoScheduler(f"nothing that Dask understands within {seconds:g} s")
    if met:
        lines = str(met[0]).splitlines() or [type(met[0]).__name__]
        raise NoScheduler(lines[0][:200].rstrip("."))


async def _ask(address: str, seconds: float) -> None:
    from distributed.comm import connect
    from distributed.security import Security

    arguments = Security().get_connection_args("client")
    comm = await connect(address, timeout=seconds, **arguments)
    try:
        await comm.write({"op": "identity", "reply": True})
        answer = await comm.read()
    finally:
        comm.abort()
    if not isinstance(answer, dict) or answer.get("type") != "Scheduler":
        raise NoScheduler("what answers is no scheduler")
