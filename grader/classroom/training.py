"""The training check as a part of a class's grade: exercise 12's model on exercise 11's loaders.

One training at a time on a machine: two would be slower together than one after the other, and
the check has limits of time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from grader import isolation
from grader.classroom.store import Graded, Store
from grader.classroom.submitted import Submission
from grader.classroom.terms import Terms, content_hash, grader_version
from grader.decoding import decoded
from grader.engine import EngineError
from grader.sandbox import SandboxError

LOADERS, MODEL = "ex11_dataloaders", "ex12_train_digits"
DATA = "full"
KEPT = (
    "passed",
    "outcome",
    "sentence",
    "accuracy",
    "accuracy_shifted",
    "data",
    "device",
    "seconds",
    "control",
    "isolation",
)


def complete(
    store: Store,
    graded: Sequence[Graded],
    handed_in,
    terms: Terms,
    tick,
    say,
    scheduler: str = "",
    apart: bool = False,
) -> None:
    """Give each graded submission of exercise 12 its `training`, running what is missing.

    Each is kept the moment it is there. With a `scheduler` that has workers with a GPU resource
    they train, one on each resource, unless all has to be `apart`; else this machine does.
    """
    models = [one for one in graded if one.submission.exercise == MODEL and one.result.tasks]
    loaders = {one.student: one for one in handed_in if one.exercise == LOADERS and not one.problem}
    if not models:
        return
    left = []
    for one in models:
        key = _key(one.submission, loaders.get(one.submission.student), terms)
        one.training = store.find_training(one.submission.student, key)
        if one.training is None or (apart and _is_open(one.training)):
            left.append((one, key))
    tick(0, len(left))
    orders = [
        _order(one.submission, loaders.get(one.submission.student), terms, apart) for one, _ in left
    ]
    for done, (place, record) in enumerate(_trained(orders, scheduler, say), 1):
        one, key = left[place]
        one.training = record
        store.put_training(one.submission.student, record, key)
        tick(done, len(left))


def _is_open(record: dict) -> bool:
    return isolation.is_open(record.get("isolation") or "")


def train(order: dict) -> dict:
    """Train one student's model on their loaders; the record's main entries.

    In a sandbox on the processor, or, on an accelerator or where there is no sandbox, in a child
    process that nothing keeps apart; `EngineError` where the order does not allow that.
    """
    if order["loaders"] is None or order["model"] is None:
        return without(f"{LOADERS} was not handed in, or not readably: its loaders are needed.")
    why = "a sandbox has no accelerator"
    if order["apart"] or not order["gpu"]:
        try:
            return _apart(order)
        except SandboxError as error:
            if order["apart"]:
                raise EngineError(str(error)) from None
            why = str(error)
    return _in_a_child(order) | {"isolation": isolation.none(why)}


def _apart(order: dict) -> dict:
    from grader import mnist
    from grader.training import apart

    digits = mnist.load(order["data"])
    loaders, model = (decoded(order[name]) for name in ("loaders", "model"))
    with apart.sandbox(require=order["apart"]) as box:
        record = apart.check_apart(loaders, model, digits, box, order["seed"]).to_json()
    return {name: record[name] for name in KEPT}


def _in_a_child(order: dict) -> dict:
    from grader import mnist
    from grader.target import Target
    from grader.training import Plan, supervise

    with tempfile.TemporaryDirectory(prefix="kata-") as folder:
        for name in ("loaders", "model"):
            path = Path(folder) / f"{LOADERS if name == 'loaders' else MODEL}.py"
            path.write_bytes(order[name])
        digits = mnist.load(order["data"])
        plan = Plan(Target(Path(folder)), order["data"], order["seed"])
        record = supervise(plan, digits).to_json()
        found = {name: record[name] for name in KEPT}
        found["sentence"] = found["sentence"].replace(f"{folder}/", "")
    return found


def _trained(orders: list[dict], scheduler: str, say):
    """Each order's place and record, as they come."""
    if scheduler and orders:
        from grader.classroom import cluster

        if cluster.has_gpus(scheduler) and not orders[0]["apart"]:
            yield from cluster.train_each([one | {"gpu": True} for one in orders], scheduler)
            return
        say(
            "The training runs on this machine: there is no worker with a GPU resource, or none "
            "that is isolated."
        )
    for place, order in enumerate(orders):
        yield place, train(order)


def _order(model: Submission, loaders: Submission | None, terms: Terms, apart: bool) -> dict:
    """What travels to whoever trains: the code as Python files."""
    return {
        "model": _code(model, terms),
        "loaders": _code(loaders, terms) if loaders else None,
        "seed": terms.seed,
        "data": DATA,
        "version": grader_version(),
        "gpu": False,
        "apart": apart,
    }


def _code(handed_in: Submission, terms: Terms) -> bytes | None:
    from grader.classroom.cases import HOSTILE, code_of
    from grader.classroom.submission import NotGraded

    try:
        return code_of(handed_in, terms.course.find(handed_in.exercise))
    except (NotGraded, *HOSTILE):
        return None


def _key(model: Submission, loaders: Submission | None, terms: Terms) -> dict:
    return {
        "submission": content_hash(model),
        "loaders": content_hash(loaders) if loaders else "",
        "grader": grader_version(),
        "seed": terms.seed,
        "data": DATA,
    }


def without(sentence: str) -> dict:
    """The record of a training that was not done."""
    return dict.fromkeys(KEPT) | {"passed": False, "outcome": "not done", "sentence": sentence}
