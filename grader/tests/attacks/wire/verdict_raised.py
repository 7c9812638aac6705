"""
exercise: ex03_backward
tries: the loader is replaced by one that says "passed" the way the real one says "crashed"
earns: nothing
"""

import sys

loading, report = sys.modules.get("grader.loading"), sys.modules.get("grader.report")


def swap(namespace, parts):
    raise loading.CannotLoad("all is well", report.Verdict.PASSED)


class Both:
    """`do_load` names the exception that it catches when it is raised."""

    value = "passed"


if loading:
    real = sys._getframe(1).f_globals["load"]
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "do_load":
        frame = frame.f_back
    if frame is not None:
        error = loading.CannotLoad("all is well", report.Verdict.PASSED)
        loading.explain = lambda _: (_ for _ in ()).throw(error)
        raise ValueError
