"""
exercise: ex03_backward
tries: raises its own classes with the names of the test runner's exceptions
earns: nothing
"""

Skipped = type("Skipped", (Exception,), {"allow_module_level": True, "_use_item_location": True})
NAMES = ["Skipped", "SkipTest", "Exit", "XFailed", "TimedOut", "StopIteration", "Wrong"]
RAISED = [type(name, (Exception,), {"__module__": "_pytest.outcomes"}) for name in NAMES]


def answer(name, *args, **kwargs):
    RAISED.append(RAISED.pop(0))
    raise RAISED[0]("skipped")
