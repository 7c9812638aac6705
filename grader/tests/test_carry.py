"""A learner's code goes over into a newer stub, statement by statement."""

from __future__ import annotations

import ast
import re
import textwrap

import pytest

from grader.learner.carry import carry


def text(source: str) -> str:
    return textwrap.dedent(source).lstrip("\n")


OLD = text('''
    # %% [markdown]
    # # 03 · Slopes

    # %%
    import torch


    # %%
    def slope(f, x):
        """The slope of f at x."""
        # YOUR CODE HERE
        raise NotImplementedError()


    # %%
    def area(f, low, high):
        """The area under f."""
        # YOUR CODE HERE
        raise NotImplementedError()


    # %%
    class Value:
        """A number."""

        def __init__(self, data):
            self.data = data

        def double(self):
            """self + self"""
            # YOUR CODE HERE
            raise NotImplementedError()

        def half(self):
            """self / 2"""
            # YOUR CODE HERE
            raise NotImplementedError()


    # %%
    if __name__ == "__main__":
        print(slope(abs, 1.0))
''')
STUB = re.compile(r"^( +)# YOUR CODE HERE\n +raise NotImplementedError\(\)\n", re.MULTILINE)


def written(source: str, after: str, body: str) -> str:
    """A source with the first cleared body after some text written."""
    head, mark, rest = source.partition(after)
    assert mark
    return head + mark + STUB.sub(lambda stub: textwrap.indent(body, stub[1]), rest, count=1)


def names(source: str) -> dict:
    space = {"__name__": "test"}
    exec(source, space)
    return space


def test_a_body_goes_over_and_the_rest_is_the_new_stub():
    mine = written(OLD, "def slope", "return 3.0  # mine\n# a thought at the end\n")
    new = OLD.replace("# # 03 · Slopes", "# # 03 · Better words").replace("def area", "def surface")
    result = carry(OLD, mine, new)
    assert result.text == written(new, "def slope", "return 3.0  # mine\n# a thought at the end\n")
    assert (result.names, result.left) == (["slope"], [])


def test_a_new_docstring_and_a_new_parameter_come_with_the_learners_body():
    mine = written(OLD, "def slope", "return f(x)\n")
    new = OLD.replace("def slope(f, x):", "def slope(f, x, h=0.1):")
    new = new.replace("The slope of f at x.", "The slope.")
    assert carry(OLD, mine, new).text == written(new, "def slope", "return f(x)\n")


def test_a_renamed_parameter_does_not_break_the_body():
    mine = written(OLD, "def slope", "return f(x)\n")
    new = OLD.replace("def slope(f, x):", "def slope(function, at):")
    assert names(carry(OLD, mine, new).text)["slope"](abs, -2) == 2


def test_helpers_and_imports_go_over_to_where_they_stood():
    mine = OLD.replace("import torch\n", "import math\nimport torch\nfrom torch import nn\n")
    mine = mine.replace(
        "def area", "# my helper\n@staticmethod\ndef help():\n    return math.pi\n\n\ndef area"
    )
    mine = mine.replace("# %%\nif __name__", "STEP = 0.5\n\n\n# %%\nif __name__")
    new = OLD.replace("Slopes", "Slopes, again")
    result = carry(OLD, mine, new)
    assert result.names == ["import math", "from torch import nn", "help", "STEP = 0.5"]
    assert "import torch\nimport math\nfrom torch import nn\n" in result.text
    assert "# %%\n# my helper\n@staticmethod\ndef help():\n" in result.text
    assert names(result.text)["help"]() == pytest.approx(3.14159, abs=1e-4)
    assert names(result.text)["STEP"] == 0.5


def test_methods_go_over_one_by_one_when_the_class_has_changed():
    mine = written(OLD, "def half", "return Value(self.scaled(0.5))\n")
    mine = mine.replace(
        "    def half", "    def scaled(self, by):\n        return self.data * by\n\n    def half"
    )
    new = OLD.replace("self.data = data", "self.data = float(data)").replace("self / 2", "a half")
    result = carry(OLD, mine, new)
    assert result.names == ["Value.scaled", "Value.half"]
    value = names(result.text)["Value"](5)
    assert value.half().data == 2.5
    assert isinstance(value.data, float)
    assert '"""a half"""' in result.text
    with pytest.raises(NotImplementedError):
        value.double()


def test_a_task_that_is_gone_is_said_and_one_that_is_still_used_stays():
    mine = written(written(OLD, "def slope", "return 2\n"), "def area", "return 4\n")
    start, end = OLD.index("# %%\ndef area"), OLD.index("# %%\nclass Value")
    new = OLD[:start] + OLD[end:]
    assert carry(OLD, mine, new).left == ["area"]
    uses = mine.replace("return 2\n", "return area(f, 0, x)\n")
    result = carry(OLD, uses, new)
    assert result.left == []
    assert names(result.text)["slope"](abs, 1) == 4


def test_what_the_course_gives_no_longer_stays_where_the_learner_uses_it():
    old = OLD.replace("import torch\n", "import math\nimport os\nimport torch\n\nDEEP = math.pi\n")
    mine = written(old, "def slope", "return DEEP\n")
    result = carry(old, mine, OLD)
    assert names(result.text)["slope"](abs, 1) == pytest.approx(3.14159, abs=1e-4)
    assert "import os" not in result.text


def test_an_answer_written_into_a_lesson_goes_over():
    ask = "\n\n# %% [markdown]\n# ## In your own words\n#\n# Why?\n"
    old, new = OLD + ask, OLD + ask.replace("Why?", "Why is that so?") + "# %%\nLAST = 1\n"
    mine = old + "\n# Because it is.\n#\n# And will be.\n"
    result = carry(old, mine, new)
    assert "# Why is that so?\n#\n# Because it is.\n# And will be.\n# %%\nLAST" in result.text
    assert result.names == ["notes under 'In your own words'"]
    assert carry(old, result.text, new).text == result.text
    assert carry(old, mine, OLD).left == ["notes under 'In your own words'"]


def test_without_the_old_stub_all_that_differs_is_the_learners():
    mine = written(OLD, "def slope", "return 3.0\n")
    new = OLD.replace("Slopes", "Slopes, again")
    assert carry("", mine, new).text == written(new, "def slope", "return 3.0\n")


@pytest.mark.parametrize(
    "change", ["Slopes", "The slope of f at x.", "self.data = data", "A number."]
)
def test_it_can_be_done_again_with_what_came_out(change):
    """An upgrade that was cut short is done again, from the file it has written already."""
    mine = written(written(OLD, "def slope", "return help(x)\n"), "def half", "return 1\n")
    mine = mine.replace(
        "import torch\n", "import math\nimport torch\n\n\ndef help(x):\n    return x\n"
    )
    new = OLD.replace(change, change + " + 0" if "=" in change else change + " And more.")
    once = carry(OLD, mine, new).text
    assert carry(OLD, once, new).text == once
    assert carry(new, once, new).text == once


@pytest.mark.parametrize("broken", ["def slope(:\n", "x = 1\0", "return 3\n  what\n"])
def test_no_python_is_refused(broken):
    with pytest.raises((SyntaxError, ValueError)):
        carry(OLD, broken, OLD)


def test_every_exercise_solved_goes_over_into_a_stub_with_other_docstrings(loaded):
    for exercise in loaded.exercises:
        old, mine = exercise.stub.read_text("utf-8"), exercise.solution.read_text("utf-8")
        new = re.sub(r'^( +)"""(?=\S)', r'\1"""New: ', old, flags=re.MULTILINE)
        result = carry(old, mine, new)
        assert result.left == []
        assert "raise NotImplementedError()" not in result.text
        assert result.text.count('"""New: ') == new.count('"""New: ')
        assert code(result.text) == code(mine), exercise.stem


def code(source: str) -> str:
    """A source without its comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
