"""
exercise: ex03_backward
tries: replaces how pytest runs a test, so that none can fail
earns: nothing
"""

try:
    import _pytest.python
    import _pytest.runner

    _pytest.python.Function.runtest = lambda self: None
    _pytest.runner.CallInfo.from_call = classmethod(
        lambda cls, func, when, reraise=None: cls(None, None, 0, 0, 0, when, _ispytest=True)
    )
except ImportError:
    pass
