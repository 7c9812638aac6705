"""The boundary: what a test sees of code in another process is what it would see of its own."""

import builtins
import math
import random
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from grader.boundary import frames
from grader.boundary.faults import Ended
from grader.boundary.judge import RemoteObject
from grader.loading import CannotLoad
from grader.report import Verdict
from grader.tests.apart import GOOD, Forked, frame, remote

SOURCE = """
import builtins, os, sys
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

def same(x): return x
def apply(f, *args, **kwargs): return f(*args, **kwargs)
def view(t): return t.detach()
def copy(t): return t.detach().clone()
def leaf(value): return torch.tensor(value, requires_grad=True)
def square(x): return (x ** 2).sum()
def is_leaf(t): return t.is_leaf
def sort(items): items.sort()
def empty(items): items.clear()
def add_key(record): record["new"] = 1
def step(params, lr):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad
def step_data(params, lr):
    for p in params:
        p.data -= lr * p.grad
def freeze(t): t.requires_grad_(False)
def zero(t): t.grad.zero_()
def clear(t): t.grad = None
def replace(t): t.grad = torch.ones_like(t)
def slope(f, x):
    x = torch.tensor(float(x), requires_grad=True)
    f(x).backward()
    return x.grad.item()
def grad_of(f, x): return torch.autograd.grad(f(x), x)[0]
def by_func(f, x): return torch.func.grad(f)(x)
def train(model, opt, batches, loss_func):
    model.train()
    for xb, yb in batches:
        opt.zero_grad()
        loss_func(model(xb), yb).backward()
        opt.step()
def twice(f, x):
    x = x.clone().requires_grad_()
    y = f(x)
    y.backward()
    y.backward()
def retained(f, x):
    y = f(x)
    y.retain_grad()
    (3 * y).sum().backward()
    return y.grad
def no_grad(f, x):
    with torch.no_grad():
        return f(x)
def switch_off(): torch.set_grad_enabled(False)
def draw(): return torch.randn(3)
def keep_one(batches): return [len(batch) for batch in batches], len(batches)
def swallow(f):
    try:
        f()
    except Exception:
        return "swallowed"
def fail(kind, *args): raise getattr(builtins, kind)(*args)
class Odd(KeyError): pass
def fail_oddly(): raise Odd("a")
def leave(): sys.exit(3)
def die(): os._exit(3)
def shout(): print("hello" * 3)
def huge(n): return torch.zeros(n)
def deep(n):
    found = []
    for _ in range(n): found = [found]
    return found
def read(path): return path.read_text()
def write(folder):
    (folder / "out").mkdir()
    (folder / "out" / "a.txt").write_text("made there")
    (folder / "link").symlink_to("/etc/passwd")
    return sorted(folder.rglob("*.txt"))

class Number:
    def __init__(self, data): self.data, self.grad = data, 0.0
    def __add__(self, other): return Number(self.data + getattr(other, "data", other))
    __radd__ = __add__
    def double(self, times=1): return Number(self.data * 2 ** times)
    def __eq__(self, other): return True
    def __float__(self): return 1.0

class Squares(Dataset):
    def __init__(self, n): self.n = n
    def __len__(self): return self.n
    def __getitem__(self, i):
        if not -self.n <= i < self.n: raise IndexError("no such item")
        return torch.tensor(i * i), i

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
    def forward(self, x): return self.layer(x)

class Lookup(dict):
    def label(self, i): return list(self)[i]
"""


@pytest.fixture
def ex():
    found = remote(SOURCE)
    yield found
    found.close()


def call(ex, name, *args, **kwargs):
    return ex.find(name)(*args, **kwargs)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.sampled_from([torch.float32, torch.Size([2, 3]), torch.device("meta"), ..., slice(1, 2)])
    | st.builds(Path, st.sampled_from(["a/b.png", "/etc/x"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=4)
    ),
    max_leaves=10,
)


def alike(one, other):
    """Equal in type and value all the way down; nan is nan."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return alike(list(one.items()), list(other.items()))
    if isinstance(one, list | tuple) and not isinstance(one, torch.Size):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return one == other


# A few drawn cases in the quick run, many in the whole one.
drawn = pytest.mark.parametrize("examples", [20, pytest.param(120, marks=pytest.mark.whole)])


@drawn
def test_plain_values_come_back_as_they_are(examples):
    ex = remote(SOURCE)
    same = ex.find("same")

    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(PLAIN)
    def check(value):
        assert alike(same(value), value)

    check()
    ex.close()


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(3.5),
        torch.zeros(0, 4),
        torch.arange(6).reshape(2, 3).T,
        torch.tensor([True, False]),
        torch.tensor([math.nan, math.inf]),
        torch.randn(2, 3, dtype=torch.float64),
        torch.randn(4).bfloat16(),
        torch.zeros(3, 2, device="meta"),
        torch.zeros(3, requires_grad=True),
        nn.Parameter(torch.ones(2)),
    ],
    ids=lambda t: f"{t.dtype} {tuple(t.shape)} {t.device}",
)
def test_a_tensor_is_the_same_object_when_it_comes_back(ex, tensor):
    assert call(ex, "same", tensor) is tensor
    assert call(ex, "same", [tensor, 1])[0] is tensor
    other = call(ex, "copy", tensor)
    assert (other.dtype, other.shape, other.device) == (tensor.dtype, tensor.shape, tensor.device)
    if not tensor.is_meta:
        assert torch.equal(other.nan_to_num(1), tensor.detach().nan_to_num(1))


def test_a_view_shares_memory_and_a_copy_does_not(ex):
    t = torch.arange(6.0).requires_grad_()
    seen, own = call(ex, "view", t), call(ex, "copy", t)
    with torch.no_grad():
        t.zero_()
    assert not seen.any() and own.any()
    seen += 1
    assert t.detach().sum() == 6


def test_leaves_and_results(ex):
    w = torch.ones(3, requires_grad=True)
    assert call(ex, "is_leaf", w) is True
    assert call(ex, "is_leaf", w * 2) is False
    made = call(ex, "leaf", 8.0)
    assert made.is_leaf and made.requires_grad and made.item() == 8.0
    made.backward()
    assert call(ex, "same", made) is made


@pytest.mark.parametrize("step", ["step", "step_data"])
def test_changes_in_place_come_back(ex, step):
    p = torch.tensor([1.0, 2.0], requires_grad=True)
    p.grad = torch.tensor([10.0, 20.0])
    grad, params = p.grad, [p]
    call(ex, step, params, 0.1)
    assert params[0] is p and p.tolist() == [0.0, 0.0] and p.is_leaf
    assert p.grad is grad and p.grad.tolist() == [10.0, 20.0]


def test_the_state_of_a_gradient_comes_back(ex):
    p = torch.tensor([1.0, 2.0], requires_grad=True)
    grad = p.grad = torch.tensor([10.0, 20.0])
    call(ex, "zero", p)
    assert p.grad is grad and not grad.any()
    call(ex, "replace", p)
    assert p.grad is not grad and p.grad.tolist() == [1.0, 1.0]
    call(ex, "clear", p)
    assert p.grad is None
    call(ex, "freeze", p)
    assert not p.requires_grad


def test_lists_and_dicts_come_back_changed(ex):
    items, record = [3, 1, 2], {"old": 0}
    call(ex, "sort", items)
    call(ex, "add_key", record)
    assert items == [1, 2, 3] and record == {"old": 0, "new": 1}
    call(ex, "empty", items)
    assert items == []


def test_a_backward_pass_reaches_through_a_result(ex):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = call(ex, "square", x)
    assert y.requires_grad and not y.is_leaf
    (3 * y).backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_a_backward_pass_reaches_through_a_function_of_the_test(ex):
    seen = []

    def cube(x):
        seen.append(x.requires_grad)
        return x**3

    assert call(ex, "slope", cube, 2.0) == 12.0
    assert seen == [True]
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    assert call(ex, "grad_of", lambda x: (x**2).sum(), x).tolist() == [2.0, 4.0]
    assert x.grad is None
    assert call(ex, "by_func", lambda x: (x**2).sum(), x.detach()).tolist() == [2.0, 4.0]


def test_gradients_of_what_only_the_test_knows(ex):
    w = torch.tensor([2.0], requires_grad=True)
    assert call(ex, "slope", lambda x: (w * x).sum(), 5.0) == 2.0
    assert w.grad.tolist() == [5.0]
    assert call(ex, "retained", lambda x: w * x, torch.tensor([4.0])).tolist() == [3.0]
    assert w.grad.tolist() == [5.0 + 12.0]


def test_a_graph_is_walked_back_once(ex):
    with pytest.raises(RuntimeError, match="second time"):
        call(ex, "twice", lambda x: (x**2).sum(), torch.ones(2))


def test_models_and_optimisers_of_the_test(ex):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval()
    twin = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    twin.load_state_dict(model.state_dict())
    batches = [(torch.randn(4, 3), torch.randn(4, 2)) for _ in range(3)]
    losses = []

    def loss_func(predictions, targets):
        losses.append(((predictions - targets) ** 2).mean())
        return losses[-1]

    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    call(ex, "train", model, opt, batches, loss_func)
    assert len(losses) == 3 and model.training
    own = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    for xb, yb in batches:
        own.zero_grad()
        ((twin(xb) - yb) ** 2).mean().backward()
        own.step()
    for one, other in zip(model.state_dict().values(), twin.state_dict().values(), strict=True):
        assert torch.allclose(one, other)


def test_whether_gradients_are_recorded_is_known_on_both_sides(ex):
    w, seen = torch.ones(2, requires_grad=True), []

    def model(x):
        seen.append((w * x).requires_grad)
        return w * x

    assert not call(ex, "no_grad", model, torch.ones(2)).requires_grad
    assert seen == [False] and torch.is_grad_enabled()
    try:
        call(ex, "switch_off")
        assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)


def test_the_random_state_travels(ex):
    torch.manual_seed(5)
    want = torch.randn(3), torch.randn(3)
    torch.manual_seed(5)
    assert torch.equal(call(ex, "draw"), want[0])
    assert torch.equal(torch.randn(3), want[1])


def test_loaders_of_the_test(ex):
    assert call(ex, "keep_one", [[1, 2], [3]]) == ([2, 1], 2)
    walked = []

    class Loader:
        def __len__(self):
            return 2

        def __iter__(self):
            for k in range(2):
                walked.append(k)
                yield [k] * k

    assert call(ex, "keep_one", Loader()) == ([0, 1], 2)
    assert walked == [0, 1]
    with pytest.raises(TypeError, match="len"):
        call(ex, "keep_one", ([k] for k in range(2)))


def test_objects_of_the_learner(ex):
    one = call(ex, "Number", 2.0)
    assert isinstance(one, RemoteObject) and one.data == 2.0 and one.double(times=3).data == 16.0
    assert (one + 1).data == 3.0 and (1 + one).data == 3.0 and not hasattr(one, "nothing")
    assert one != call(ex, "Number", 2.0)
    with pytest.raises(TypeError):
        float(one)
    one.data = 5.0
    assert (one + one).data == 10.0


def test_datasets_loaders_and_models_of_the_learner(ex):
    squares = call(ex, "Squares", 4)
    assert isinstance(squares, torch.utils.data.Dataset) and len(squares) == 4
    assert squares[-1][0].item() == 1 and squares[3] == (torch.tensor(9), 3)
    with pytest.raises(IndexError, match="no such item"):
        squares[4]
    loader = ex.make(torch.utils.data.DataLoader)(squares, batch_size=3, num_workers=1)
    assert [len(xb) for xb, _ in loader] == [3, 1]
    net = call(ex, "Net")
    assert isinstance(net, nn.Module) and not isinstance(net, dict)
    params = list(net.parameters())
    assert [type(p) for p in params] == [nn.Parameter, nn.Parameter]
    net(torch.ones(1, 2)).sum().backward()
    assert params[0].grad.tolist() == [[1.0, 1.0]]
    with pytest.raises(TypeError):
        iter(net)
    lookup = call(ex, "Lookup", a=1)
    assert lookup["a"] == 1 and lookup.label(0) == "a"


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("ValueError", ["x"]),
        ("KeyError", ["k"]),
        ("NotImplementedError", []),
        ("OSError", [2, "n"]),
    ],
)
def test_exceptions_keep_their_type_and_text(ex, kind, args):
    want = getattr(builtins, kind)(*args)
    with pytest.raises(type(want)) as caught:
        call(ex, "fail", kind, *args)
    assert str(caught.value) == str(want)
    assert caught.value.origin.raiser == "fail" and caught.value.origin.line[1].endswith("(*args)")


def test_exceptions_of_other_kinds(ex):
    with pytest.raises(KeyError) as caught:
        call(ex, "fail_oddly")
    assert type(caught.value).__name__ == "Odd"
    with pytest.raises(SystemExit):
        call(ex, "leave")

    class Own(Exception):
        pass

    error = Own("the test's")

    def raising():
        raise error

    with pytest.raises(Own) as caught:
        call(ex, "apply", raising)
    assert caught.value is error
    assert call(ex, "swallow", raising) == "swallowed"


def test_a_process_that_ends_is_replaced_at_the_next_test(ex):
    with pytest.raises(Ended):
        call(ex, "die")
    with pytest.raises(Ended):
        call(ex, "same", 1)
    ex.begin(2, lambda: None)
    assert call(ex, "same", 1) == 1


def test_what_is_too_large_or_too_deep_is_said(ex):
    for name, size in (("huge", 20_000_000), ("deep", 60)):
        with pytest.raises(TypeError, match="cannot be graded"):
            call(ex, name, size)
    assert call(ex, "same", 1) == 1


def test_what_is_printed_arrives(ex, capsys):
    call(ex, "shout")
    assert capsys.readouterr().out == "hello" * 3 + "\n"


def test_files_are_on_both_sides_but_links_are_not(tmp_path):
    ex = remote(SOURCE, folder=tmp_path)
    (tmp_path / "in.txt").write_text("from the test")
    assert call(ex, "read", tmp_path / "in.txt") == "from the test"
    found = call(ex, "write", tmp_path)
    assert found == [tmp_path / "in.txt", tmp_path / "out" / "a.txt"]
    assert (tmp_path / "out" / "a.txt").read_text() == "made there"
    assert not (tmp_path / "link").exists()
    (tmp_path / "in.txt").unlink()
    with pytest.raises(FileNotFoundError):
        call(ex, "read", tmp_path / "in.txt")
    ex.close()


def test_a_file_that_does_not_load_is_said():
    with pytest.raises(CannotLoad, match=r"SyntaxError in line 1") as caught:
        remote("def f(:\n")
    assert caught.value.verdict is Verdict.CRASHED
    ex = remote("def slop(f, x): pass\n")
    with pytest.raises(CannotLoad, match=r"answer.py has no slope.*Is slop meant"):
        ex.find("slope")
    ex.close()


def test_a_reference_is_good_for_one_test(ex):
    source = "kept = []\ndef keep(f): kept.append(f)\ndef use(): return kept[0](1)\n"
    other = remote(source)
    calls = []
    call(other, "keep", calls.append)
    call(other, "use")
    other.begin(2, lambda: None)
    with pytest.raises(Ended):
        call(other, "use")
    assert calls == [1]
    other.close()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**60)
    | st.floats(allow_nan=False)
    | st.sampled_from(["T", "n", "o", "O", "M", "l", "d", "v", "leaf", "node", "float32", "pull"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(
                ["i", "v", "r", "k", "w", "p", "s", "g", "type", "class", "name", "text"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
FIELDS = ("body", "sync", "gone", "loose", "grad", "out", "random", "raised", "lists", "op", "q")


def hostile(mutate):
    """A worker that answers its first requests as it should, and then as `mutate` says."""

    def serve(sock):
        for answer in (None, ["d"]):  # to load and to begin
            head, *_ = frames.receive(sock)
            sock.sendall(frame(GOOD | {"a": head["q"], "body": answer}))
        head, *_ = frames.receive(sock)
        sock.sendall(mutate(head["q"]))

    return lambda: Forked(serve)


@drawn
def test_nonsense_from_a_worker_ends_it_and_nothing_else(examples):
    state = torch.get_rng_state()

    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1, max_size=4), st.binary())
    def check(fields, blob):
        worker = hostile(lambda number: frame(GOOD | {"a": number} | fields, [blob]))
        ex = remote("", worker)
        try:
            ex.ask("name", "f")
        except Ended:
            pass
        except Exception as error:  # data that says of itself that the code raised
            assert hasattr(error, "origin")
        finally:
            ex.close()
            torch.set_grad_enabled(True)
            torch.set_rng_state(state)

    check()


@drawn
def test_bytes_that_are_no_message(examples):
    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(st.binary(max_size=200))
    def check(content):
        ex = remote("", hostile(lambda number: content))
        with pytest.raises(Ended):
            ex.ask("name", "f")

    check()


def test_lengths_are_not_believed():
    for head, count in ((2**32 - 1, 0), (10, 2**32 - 1), (10, 4096)):
        content = struct.pack("!II", head, count) + struct.pack("!I", 2**32 - 1) * min(count, 4096)
        ex = remote("", hostile(lambda number, content=content: content))
        with pytest.raises(Ended, match="too large|ended"):
            ex.ask("name", "f")


def test_drawn_seeds_reach_pythons_own_generators():
    found = remote("import random\ndef draw(): return random.random()\n")
    random.seed(1)
    assert found.find("draw")() == random.random()
    found.close()
