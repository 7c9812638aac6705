"""The training check as a part of a class's grade: exercise 12's model on exercise 11's loaders.

One training at a time on a machine: two would be slower together than one after the other, and
the check has limits of time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from grader.classroom.store import Graded, Store
from grader.classroom.submitted import Submission
from grader.classroom.terms import Terms, content_hash, grader_version
from grader.course import CourseError

LOADERS, MODEL = "ex11_dataloaders", "ex12_train_digits"
KEPT = (
    "passed",
    "outcome",
    "sentence",
    "accuracy",
    "accuracy_shifted",
    "data",
    "device",
    "seconds",
)


def refuse_apart(train: bool, require_isolation: bool) -> None:
    """The seam for a training that runs in a sandbox: until there is one, both can't be had."""
    if train and require_isolation:
        raise CourseError(
            "--train and --require-isolation: the training check does not run in the sandbox yet, "
            "so grade without --train, or without --require-isolation."
        )


def complete(
    store: Store, graded: Sequence[Graded], handed_in, terms: Terms, tick, say, scheduler: str = ""
) -> None:
    """Give each graded submission of exercise 12 its `training`, running what is missing.

    Each is kept the moment it is there. With a `scheduler` that has workers with a GPU resource
    they train, one on each resource; else this machine does.
    """
    models = [one for one in graded if one.submission.exercise == MODEL and one.result.tasks]
    loaders = {one.student: one for one in handed_in if one.exercise == LOADERS and not one.problem}
    if not models:
        return
    data = _digits(say)
    left = []
    for one in models:
        key = _key(one.submission, loaders.get(one.submission.student), terms, data)
        one.training = store.find_training(one.submission.student, key)
        if one.training is None:
            left.append((one, key))
    tick(0, len(left))
    orders = [
        _order(one.submission, loaders.get(one.submission.student), terms, data) for one, _ in left
    ]
    for done, (place, record) in enumerate(_trained(orders, scheduler, say), 1):
        one, key = left[place]
        one.training = record
        store.put_training(one.submission.student, record, key)
        tick(done, len(left))


def train(order: dict) -> dict:
    """Train one student's model on their loaders, in a child process; the record's main entries."""
    from grader import mnist
    from grader.target import Target
    from grader.training import Plan, supervise

    if order["loaders"] is None or order["model"] is None:
        return without(f"{LOADERS} was not handed in, or not readably: its loaders are needed.")
    with tempfile.TemporaryDirectory(prefix="kata-") as folder:
        for name in ("loaders", "model"):
            path = Path(folder) / f"{LOADERS if name == 'loaders' else MODEL}.py"
            path.write_bytes(order[name])
        digits = mnist.load(order["data"], progress=False)
        plan = Plan(Target(Path(folder)), order["data"], order["seed"])
        record = supervise(plan, digits).to_json()
        found = {name: record[name] for name in KEPT}
        found["sentence"] = found["sentence"].replace(f"{folder}/", "")
    return found


def _trained(orders: list[dict], scheduler: str, say):
    """Each order's place and record, as they come."""
    if scheduler and orders:
        from grader.classroom import cluster

        if cluster.has_gpus(scheduler):
            yield from cluster.train_each(orders, scheduler)
            return
        say("No worker of the cluster has a GPU resource: the training runs on this machine.")
    for place, order in enumerate(orders):
        yield place, train(order)


def _order(model: Submission, loaders: Submission | None, terms: Terms, data: str) -> dict:
    """What travels to whoever trains: the code as Python files."""
    return {
        "model": _code(model, terms),
        "loaders": _code(loaders, terms) if loaders else None,
        "seed": terms.seed,
        "data": data,
        "version": grader_version(),
    }


def _code(handed_in: Submission, terms: Terms) -> bytes | None:
    from grader.classroom.cases import HOSTILE, code_of
    from grader.classroom.submission import NotGraded

    try:
        return code_of(handed_in, terms.course.find(handed_in.exercise))
    except (NotGraded, *HOSTILE):
        return None


def _key(model: Submission, loaders: Submission | None, terms: Terms, data: str) -> dict:
    return {
        "submission": content_hash(model),
        "loaders": content_hash(loaders) if loaders else "",
        "grader": grader_version(),
        "seed": terms.seed,
        "data": data,
    }


def _digits(say) -> str:
    """Which digits there are to train on."""
    from grader import mnist

    try:
        mnist.load("full", progress=False)
    except mnist.DataError:
        say("The full MNIST cannot be had here: the training check uses the sample.")
        return "sample"
    return "full"


def without(sentence: str) -> dict:
    """The record of a training that was not done."""
    return dict.fromkeys(KEPT) | {"passed": False, "outcome": "not done", "sentence": sentence}
