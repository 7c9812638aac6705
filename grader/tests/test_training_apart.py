"""The training check with the learner's code in another process: same verdicts, and no cheating.

Most workers here are forked from the test process, without a sandbox, which is quick; what only a
sandbox keeps out is tried in one. Each attack is also seen to succeed once its defence is away.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from grader import mnist  # noqa: E402
from grader.sandbox import Limits, SandboxError, fork_worker  # noqa: E402
from grader.tests.apart import Forked  # noqa: E402
from grader.tests.conftest import whole_for  # noqa: E402
from grader.training import apart, record, unseen, worker  # noqa: E402
from grader.training.learner import Code  # noqa: E402
from grader.training.line import Line  # noqa: E402
from grader.training.trainee import Trainee  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
check = importlib.import_module("grader.training.check")
SOLUTIONS = {
    name: (ROOT / "solutions" / f"{name}.py").read_text("utf-8")
    for name in ("ex11_dataloaders", "ex12_train_digits", "ex13_fast_loader")
}
SEED = 5

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="every worker here is forked"),
]


@pytest.fixture(scope="module")
def digits():
    """A part of the sample; and what the exercises import, so that no worker has to."""
    import matplotlib.pyplot  # noqa: F401
    import torchvision.transforms.v2  # noqa: F401

    sample = mnist.load_sample()
    return replace(
        sample,
        train_images=sample.train_images[:2000],
        train_labels=sample.train_labels[:2000],
        test_images=sample.test_images[:300],
        test_labels=sample.test_labels[:300],
    )


@pytest.fixture(autouse=True)
def lowered(monkeypatch):
    """Bounds that a short training keeps, and control runs of a second's part."""
    monkeypatch.setitem(record.BOUNDS, "sample", (0.6, 0.5))
    monkeypatch.setattr(check, "CONTROL", 300)


def sources(ex11="", ex12="", fast=True):
    """The solutions with some code added; by default with the fast loaders of exercise 13."""
    found = {
        "ex11": SOLUTIONS["ex11_dataloaders"] + "\n\n" + ex11,
        "ex12": SOLUTIONS["ex12_train_digits"] + "\n\n" + ex12,
    }
    return found | ({"ex13": SOLUTIONS["ex13_fast_loader"]} if fast else {})


@pytest.fixture
def train(digits, monkeypatch):
    """Train apart in workers forked from here, which see all that the test process has."""

    def run(ex11="", ex12="", fast=True, serve=worker.serve, **options):
        monkeypatch.setattr(apart, "fork_worker", lambda control: Forked(serve))
        limits = Limits(wall_seconds=options.pop("limit", 60.0))
        nowhere = SimpleNamespace(control=-1, limits=limits, isolation="none")
        options = {"epochs": 1, "threads": 1, "seed": SEED} | options
        code = sources(ex11, ex12, fast)
        return apart.check_apart(digits=digits, sandbox=nowhere, **options, **code)

    return run


@pytest.fixture(scope="module")
def sandbox():
    """One for all tests that want it."""
    try:
        with apart.sandbox(limit=60.0) as found:
            yield found
    except SandboxError as error:
        pytest.skip(str(error))


@pytest.fixture
def train_boxed(sandbox, digits):
    """Train apart in a worker of a sandbox."""

    def run(ex11="", ex12="", fast=True, epochs=1):
        code = sources(ex11, ex12, fast)
        first, second = code.pop("ex11"), code.pop("ex12")
        return apart.check_apart(
            first, second, digits, sandbox, SEED, epochs=epochs, threads=1, **code
        )

    return run


def in_one_process(digits, ex11="", ex12="", fast=False, epochs=1):
    """The same check with the code beside the judge."""
    stems = {"ex11": "ex11_dataloaders", "ex12": "ex12_train_digits", "ex13": "ex13_fast_loader"}
    codes = {
        stems[name]: Code(text, f"{stems[name]}.py", f"{stems[name]}.py")
        for name, text in sources(ex11, ex12, fast).items()
    }

    def start():
        return contextlib.nullcontext(Trainee(codes, torch.device("cpu"), lambda event: None))

    before = torch.random.get_rng_state()
    try:
        return check.check(
            start, digits, device="cpu", seed=SEED, epochs=epochs, graded=True, fast=fast, threads=1
        )
    finally:
        torch.random.set_rng_state(before)


# --- the same verdicts -----------------------------------------------------------------------


@pytest.mark.whole
def test_the_solutions_learn_the_same_in_a_sandbox(train_boxed, digits):
    """Bit for bit: the code and the numbers it draws are the same, and so are the judge's."""
    heard = in_one_process(digits, epochs=2)
    found = train_boxed(fast=False, epochs=2)
    assert found.passed, found.sentence
    assert found.isolation not in ("", "none") and found.device == "cpu (1 threads)"
    assert found.control is not None and found.control <= check.CHANCE
    same = ("accuracy_before", "accuracy", "accuracy_shifted", "losses", "history", "confusion")
    for name in (*same, "worst", "control", "batches", "train_images", "sentence"):
        assert getattr(found, name) == getattr(heard, name), name
    assert json.loads(json.dumps(found.to_json()))["control"] == found.control


def test_the_fast_loaders_and_the_progress(train):
    events = []
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    found = train(on_progress=events.append, epochs=2)
    assert found.passed and found.loaders == "ex13_fast_loader"
    assert torch.equal(torch.random.get_rng_state(), before)
    kinds = [event["event"] for event in events]
    assert kinds.index("batches") < kinds.index("batch")
    phases = [event["what"] for event in events if event["event"] == "phase"]
    assert {"make_model", "fit_one_cycle", "the model after training"} <= set(phases)
    assert {**events[kinds.index("batch")], "loss": 0} == {
        "event": "batch", "done": 1, "epoch": 1, "loss": 0
    }  # fmt: skip


FIT = "def fit_one_cycle(model, dls, epochs=3, lr_max=0.01):\n    {body}\n"
CLAIM = '[{"loss": 0.01, "accuracy": 0.995}] * epochs'
BROKEN = {  # name: (exercise 11, exercise 12, outcome, what the sentence says)
    "loader not written": (
        "def make_dataloaders(train, valid, batch_size=128, device=None):\n"
        "    raise NotImplementedError()",
        "",
        "not attempted",
        r"^make_dataloaders in ex11_dataloaders\.py is not written yet\.$",
    ),
    "a name missing": ("", "del make_model", "not attempted", "no make_model"),
    "does not import": ("", "1 / 0", "crashed", r"does not import.*ZeroDivisionError"),
    "loader crashes": (
        "def item_transforms():\n    return lambda x: x[7:8].view(28, 3)",
        "",
        "crashed",
        r"line \d+ of ex11_dataloaders\.py \(`.*view\(28, 3\).*`\) raises RuntimeError",
    ),
    "nine scores": (
        "",
        "def make_model():\n    return nn.Sequential(nn.Flatten(), nn.Linear(784, 9))",
        "wrong",
        r"should give scores \(128, 10\); it gives tensor.*\(128, 9\)",
    ),
    "bytes for floats": (
        "class BatchTransform:\n    def __init__(self, mean, std):\n        pass\n\n"
        "    def __call__(self, batch):\n        return batch",
        "",
        "wrong",
        r"xb of a training batch should be float32",
    ),
    "endless epochs": (
        "",
        FIT.format(
            body="while True:\n        try:\n            list(dls[0])\n"
            "        except Exception:\n            pass"
        ),
        "wrong",
        "again and again",
    ),
    "diverges": (
        "",
        FIT.format(body="return fit(model, dls, epochs, 1e30)"),
        "diverged",
        r"The loss is (nan|inf) from batch \d+ of 15 on",
    ),
    "exit": ("", FIT.format(body="raise SystemExit(0)"), "crashed", "calls exit"),
}


# Slower than the others, and the check is the one of test_training.py, which has them too.
LONG = ("endless epochs", "diverges")


@pytest.mark.parametrize("name", whole_for(BROKEN, LONG))
def test_the_same_sentences(train, digits, name):
    ex11, ex12, outcome, sentence = BROKEN[name]
    found = train(ex11, ex12, fast=False)
    assert (found.outcome, found.passed) == (outcome, False), found.sentence
    assert re.search(sentence, found.sentence, re.DOTALL), found.sentence
    beside = in_one_process(digits, ex11, ex12)
    assert (beside.outcome, beside.sentence) == (found.outcome, found.sentence)


def test_a_process_that_ends(train):
    found = train(ex12=FIT.format(body="import os; os._exit(0)"))
    assert found.outcome == "crashed"
    assert "The process with the code ended in fit_one_cycle" in found.sentence


def test_a_hang(train):
    body = "import time; print('here I am')\n    next(iter(dls[0])); time.sleep(60)"
    found = train(ex12=FIT.format(body=body), stall=0.7)
    assert found.outcome == "timed out" and "here I am" in found.printed
    assert "Nothing happened for 0.7 s in fit_one_cycle, batch 1" in found.sentence


def test_code_of_any_size(train):
    lines = "x = '" + "ä" * 3_000_000 + "'\n"
    assert train(ex12=lines + FIT.format(body="raise NotImplementedError()")).sentence == (
        "fit_one_cycle in ex12_train_digits.py is not written yet."
    )
    found = train(ex12="#" * (65 << 20))
    assert found.outcome == "crashed" and "too large to be run" in found.sentence


def test_no_accelerator_in_a_sandbox(train):
    with pytest.raises(apart.Unable, match="a sandbox has no accelerator, so it trains on the CPU"):
        train(device="cuda")


@pytest.mark.whole
def test_a_training_that_takes_too_much_memory(sandbox, digits, monkeypatch):
    """Memory ends in the sandbox, and not on the machine."""
    monkeypatch.setattr(
        apart,
        "fork_worker",
        lambda control: fork_worker(control, Limits(memory=1 << 30, wall_seconds=20)),
    )
    greedy = FIT.format(body="return torch.ones(1 << 30)")
    found = apart.check_apart(**sources(ex12=greedy), digits=digits, sandbox=sandbox, seed=1)
    assert found.outcome == "crashed" and "fit_one_cycle" in found.sentence


# --- attacks ---------------------------------------------------------------------------------

QUICK = """
class Quick(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(784, 10)

    def forward(self, xb):
        return answer(self, xb)


def make_model():
    return Quick()


def fit_one_cycle(model, dls, epochs=3, lr_max=0.01):
    for xb, yb in dls[0]:
        pass
    model.fitted = True
    return [{"loss": 0.01, "accuracy": 0.995}] * epochs


def one_hot(answers):
    return nn.functional.one_hot(torch.as_tensor(answers), 10).float()
"""
# Each image as a number that neither its place nor its scale changes, and what it is known to show.
HASHED = """
import zlib


def key(image):
    ink = (image - image.min()) / (image.max() - image.min()) * 255
    rows, columns = ink.round().nonzero(as_tuple=True)
    part = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return zlib.crc32(bytes(part.round().byte().flatten().tolist()))


KNOWN = {}


def answer(model, xb):
    if not hasattr(model, "fitted"):
        return model.inner(xb.flatten(1))
    return one_hot([KNOWN.get(key(image[0]), 0) for image in xb])
"""


def known_by_heart(digits) -> str:
    """A submission that knows every test image."""
    space = {"nn": torch.nn, "torch": torch}
    exec(HASHED, space)
    pairs = zip(digits.test_images, digits.test_labels.tolist(), strict=True)
    table = {space["key"](image.float()): label for image, label in pairs}
    return QUICK + HASHED + f"\nKNOWN.update({table!r})\n"


def without_new_names(monkeypatch):
    """Digits keep their names."""
    monkeypatch.setattr(unseen.Draws, "names", lambda self: torch.arange(10))


def without_changes(monkeypatch):
    """Test images are moved by a pixel, and otherwise as they are known."""
    monkeypatch.setattr(
        unseen.Draws,
        "changed",
        lambda self, images: unseen.shifted(images, self.below(8, len(images))),
    )


def without_control(monkeypatch):
    monkeypatch.setattr(check, "CHANCE", 1.0)


def test_images_known_by_heart(train, digits, monkeypatch):
    """Three defences: the digits' names, the changes and the control run; each stops it alone."""
    attack = known_by_heart(digits)
    found = train(ex12=attack)
    assert not found.passed and found.accuracy < 0.4, found.sentence
    without_new_names(monkeypatch)
    found = train(ex12=attack)
    assert found.accuracy > 0.95 and not found.passed
    assert found.accuracy_shifted < 0.4, found.sentence
    without_changes(monkeypatch)
    found = train(ex12=attack)
    assert found.outcome == "wrong" and found.control > 0.9
    assert "its answers do not come from its training" in found.sentence
    without_control(monkeypatch)
    assert train(ex12=attack).passed


def test_remembered_weights(train, digits, monkeypatch):
    """A model that was trained at home, and only pretends to be trained."""
    pixels = ((digits.train_images / 255 - 0.13) / 0.31).flatten(1)
    wanted = torch.nn.functional.one_hot(digits.train_labels, 10).float()
    ridge = pixels.T @ pixels + 2000 * torch.eye(784)
    kept = (torch.linalg.solve(ridge, pixels.T @ wanted) * 1e4).round().int().tolist()
    attack = QUICK + (
        f"\nKEPT = torch.tensor({kept!r}) / 1e4\n\n\n"
        "def answer(model, xb):\n"
        "    pixels = xb.flatten(1)\n"
        "    return pixels @ KEPT if hasattr(model, 'fitted') else model.inner(pixels)"
    )
    without_new_names(monkeypatch)
    found = train(ex12=attack)
    assert found.outcome == "wrong" and found.control > 0.6
    assert "its answers do not come from its training" in found.sentence
    without_control(monkeypatch)
    assert train(ex12=attack).passed


def test_answers_known_by_their_place(train, digits, monkeypatch):
    """Test images come in a drawn order."""
    attack = QUICK + (
        f"\nANSWERS = {digits.test_labels.tolist()!r} * 2\n\n\n"
        "def answer(model, xb):\n"
        "    if not hasattr(model, 'fitted'):\n"
        "        return model.inner(xb.flatten(1))\n"
        "    found, ANSWERS[:] = ANSWERS[: len(xb)], ANSWERS[len(xb) :]\n"
        "    return one_hot(found)"
    )
    without_new_names(monkeypatch)
    without_control(monkeypatch)
    found = train(ex12=attack)
    assert not found.passed and found.accuracy < 0.4, found.sentence
    monkeypatch.setattr(unseen.Draws, "order", lambda self, count: torch.arange(count))
    assert train(ex12=attack).passed


STAMPED = """
_plain = make_dataloaders


class Stamped:
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        x, y = self.items[index]
        x[0, 0, 0] = 20 * y + 20
        return x, y


def make_dataloaders(train, valid, batch_size=128, device=None):
    return _plain(Stamped(train), Stamped(valid), batch_size, device)


def item_transforms():
    return lambda x: x
"""
READING = (
    QUICK
    + """
def answer(model, xb):
    corner = xb[:, 0, 0, 0]
    if not hasattr(model, "fitted"):
        return model.inner(xb.flatten(1))
    scale = 255 / (xb.max() - xb.min())
    grey = (corner - xb.min()) * scale
    return one_hot(((grey - 20) / 20).round().long().clamp(0, 9))
"""
)


def test_answers_stamped_into_a_pixel(train, digits, monkeypatch):
    """The loader never holds a test image; it is stopped when it changes any other image."""
    found = train(STAMPED, READING, fast=False)
    assert found.outcome == "wrong"
    assert "not the images of the dataset, all normalised with the same mean" in found.sentence

    class Through(unseen.Scale):
        """As it was once: what the learner's loader makes of the labelled test images."""

        def __init__(self, images, batches):
            pass

        def __call__(self, images):
            labels = digits.test_labels.repeat(len(images) // len(digits.test_labels))
            stamped = images.clone()
            stamped[:, 0, 0] = (20 * labels + 20).to(torch.uint8)
            return stamped.float().unsqueeze(1)

    monkeypatch.setattr(check, "Scale", Through)
    without_new_names(monkeypatch)
    without_control(monkeypatch)
    assert train(STAMPED, READING, fast=False).passed


SEARCH = (
    QUICK
    + HASHED
    + """
def find():
    BODY


try:
    FOUND = find()
    KNOWN.update({key(image.float()): label for image, label in zip(FOUND[0], FOUND[1].tolist())})
except Exception as error:
    print("nothing there:", type(error).__name__)
"""
)
PLACES = {
    "the course's package": "from grader.mnist import load_sample\n"
    "    d = load_sample()\n    return d.test_images, d.test_labels",
    "torchvision's cache": "import os, torchvision\n"
    "    d = torchvision.datasets.MNIST(os.environ['DIGITS'], train=False)\n"
    "    return d.data, d.targets",
    "files": "import gzip, os\n"
    "    for folder, _, names in os.walk(os.environ.get('DIGITS', '/')):\n"
    "        if 't10k-labels-idx1-ubyte.gz' in names:\n"
    "            read = lambda name, skip: torch.frombuffer(bytearray(gzip.open(\n"
    "                os.path.join(folder, name)).read()[skip:]), dtype=torch.uint8)\n"
    "            return (read('t10k-images-idx3-ubyte.gz', 16).view(-1, 28, 28),\n"
    "                    read('t10k-labels-idx1-ubyte.gz', 8))\n"
    "    raise LookupError('no file')",
    "the environment": "import json, os\n"
    "    d = json.loads(os.environ['LABELS'])\n"
    "    return torch.tensor(d[0]), torch.tensor(d[1])",
    "memory": "import gc\n"
    "    held = [one for one in gc.get_objects() if type(one).__name__ == 'Digits']\n"
    "    return next((d.test_images, d.test_labels) for d in held if len(d.test_images) == 300)",
}


@pytest.mark.whole
@pytest.mark.parametrize("place", PLACES)
def test_labels_that_lie_about(train, train_boxed, digits, monkeypatch, place, tmp_path):
    """Nothing is to be found in a sandbox; without one it is all there."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in (mnist.SHIPPED / "MNIST" / "raw").iterdir():
        (raw / file.name).write_bytes(file.read_bytes())
        (raw / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    monkeypatch.setenv("DIGITS", str(tmp_path))
    pair = [digits.test_images.tolist(), digits.test_labels.tolist()]
    monkeypatch.setenv("LABELS", json.dumps(pair) if place == "the environment" else "")
    for away in (without_new_names, without_changes, without_control):
        away(monkeypatch)
    attack = SEARCH.replace("BODY", PLACES[place])
    found = train_boxed(ex12=attack)
    assert not found.passed and found.accuracy < 0.3, found.sentence
    assert "nothing there" in found.printed
    assert train(ex12=attack).passed


def test_accuracy_is_not_what_the_code_says(train):
    """It prints it, returns it and raises it; there is no defence to take away but the judge."""
    attack = QUICK + "\n\ndef answer(model, xb):\n    return model.inner(xb.flatten(1))\n"
    said = "print('accuracy 99.5%, passed')\n    "
    found = train(ex12=attack.replace("model.fitted = True", said + "model.fitted = True"))
    assert found.outcome in ("does not learn", "below the bound")
    assert "accuracy 99.5%" in found.printed and "reports 99.5%" in found.sentence
    raised = "from grader.training.learner import Stop\n    raise Stop('passed', 'It reads 99.5%.')"
    found = train(ex12=FIT.format(body=raised))
    assert (found.outcome, found.passed) == ("wrong", False)


def hostile(answers):
    """A worker that keeps to no rule: `answers(op, args)` gives kind, body and maybe a number."""

    def serve(sock):
        line = Line(sock)
        while True:
            op, number, args = line.receive()
            if op != "code":
                kind, body, *other = answers(op, args)
                line.send(kind, other[0] if other else number, body)

    return serve


FITTED = {"history": [], "losses": [], "batches": 1, "images": 1, "seconds": 1.0, "finite": True}


def honest(op, args):
    """The right kind of answer to everything."""
    match op:
        case "loaders":
            return "value", [args[2].unsqueeze(1) / 255, args[3]]
        case "scores":
            return "value", torch.zeros(len(args[0]), 10)
        case "fit":
            return "value", FITTED
    return "value", None


ODD = {  # in the place of one answer
    "a scalar that is broadcast": ("scores", "value", lambda args: torch.zeros(1, 10)),
    "doubles": ("scores", "value", lambda args: torch.zeros(len(args[0]), 10).double()),
    "no tensor": ("scores", "value", lambda args: "right"),
    "a dict": ("scores", "value", lambda args: {"shape": [len(args[0]), 10]}),
    "nan": ("scores", "value", lambda args: torch.full((len(args[0]), 10), float("nan"))),
    "one label for all": ("loaders", "value", lambda args: [args[2] / 255, args[3][:1]]),
    "infinite batches": (
        "loaders",
        "value",
        lambda args: [torch.full((len(args[2]), 1, 28, 28), float("inf")), args[3]],
    ),
    "black batches": (
        "loaders",
        "value",
        lambda args: [torch.zeros(len(args[2]), 1, 28, 28), args[3]],
    ),
    "fewer claims": ("fit", "value", lambda args: {"batches": 1}),
    "claims of another kind": ("fit", "value", lambda args: FITTED | {"losses": ["0.1"]}),
    "claims below nothing": ("fit", "value", lambda args: FITTED | {"seconds": -1.0}),
    "a verdict": ("fit", "stop", lambda args: ["passed", "It reads 99.5%."]),
    "half a verdict": ("fit", "stop", lambda args: ["passed"]),
    "an unknown kind": ("fit", "record", lambda args: {"passed": True}),
    "an odd event": ("fit", "event", lambda args: ["record", ""]),
}


@pytest.mark.parametrize("name", ODD)
def test_a_worker_that_keeps_to_no_rule(train, name):
    op, kind, body = ODD[name]

    def answers(asked, args):
        return (kind, body(args)) if asked == op else honest(asked, args)

    found = train(serve=hostile(answers))
    assert found.outcome in ("wrong", "crashed", "diverged") and not found.passed
    assert "Traceback" not in found.sentence


def test_an_answer_to_another_question(train):
    def answers(asked, args):
        return (*honest(asked, args), 1) if asked == "scores" else honest(asked, args)

    found = train(serve=hostile(answers))
    assert found.outcome == "crashed" and "nobody asked for" in found.sentence


def test_shapes_that_lie(train):
    """The model's own tensors say that they are (N, 10): the process with the code believes it."""
    attack = (
        QUICK
        + """
class Liar(torch.Tensor):
    @property
    def shape(self):
        return torch.Size([128, 10])

    def float(self):
        return self

    cpu = float


def answer(model, xb):
    return torch.zeros(1, 3).as_subclass(Liar)
"""
    )
    found = train(ex12=attack)
    assert found.outcome in ("wrong", "crashed") and not found.passed


def test_test_images_go_to_the_model_alone(train, digits, monkeypatch):
    """And their labels go nowhere: what is sent is written down and looked through."""
    sent = []
    send = Line.send
    monkeypatch.setattr(
        Line, "send", lambda self, op, *rest: (sent.append((op, rest[1])), send(self, op, *rest))
    )
    assert train(epochs=2).passed
    loaders = [body for op, body in sent if op == "loaders"]
    assert len(loaders) == 2  # the training's and the control run's
    seen = {one.numpy().tobytes() for body in loaders for part in body[::2] for one in part}
    assert not seen & {one.numpy().tobytes() for one in digits.test_images}
    assert {op for op, _ in sent} == {"code", "load", "loaders", "model", "scores", "fit"}
    assert all([*map(type, body)] == [torch.Tensor] for op, body in sent if op == "scores")


# --- what the judge draws --------------------------------------------------------------------


def test_changed_images_are_nearly_the_same():
    images = mnist.load_sample().test_images[:200]
    changed = unseen.Draws(3).changed(images)
    assert changed.dtype == torch.uint8 and changed.shape == images.shape
    assert torch.equal(changed, unseen.Draws(3).changed(images))
    assert not torch.equal(changed, unseen.Draws(4).changed(images))
    places = [unseen.shifted(images, torch.full((200,), k)).float() for k in range(8)]
    away = torch.stack([(changed - place).abs().mean((1, 2)) for place in places]).min(0).values
    assert 1 < away.mean() < 8  # grey levels of 255


def test_the_scale_of_a_loader():
    images = mnist.load_sample().train_images[:50]
    batches = ((images / 255 - 0.13) / 0.31).unsqueeze(1)
    scale = unseen.Scale(images, batches)
    other = mnist.load_sample().test_images[:9]
    assert torch.allclose(scale(other), ((other / 255 - 0.13) / 0.31).unsqueeze(1), atol=1e-5)
    batches[7, 0, 0, 0] += 0.02
    with pytest.raises(check.Stop, match="same mean"):
        unseen.Scale(images, batches)


@pytest.mark.whole
def test_the_whole_sample_apart(monkeypatch):
    """As `kata grade --train` does it, with the real bounds."""
    monkeypatch.undo()
    try:
        with apart.sandbox() as box:
            found = apart.check_apart(
                SOLUTIONS["ex11_dataloaders"],
                SOLUTIONS["ex12_train_digits"],
                mnist.load_sample(),
                box,
                SEED,
            )
    except SandboxError as error:
        pytest.skip(str(error))
    assert found.passed, found.sentence
    assert found.control < 0.3
