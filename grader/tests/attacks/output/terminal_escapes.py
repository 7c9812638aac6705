"""
exercise: ex03_backward
tries: output, messages and names that steer a terminal or look like a report's own lines
earns: nothing
"""

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b[31m\r\x9b1m 8/8 points [bold red]passed[/bold red] {x} %s"


class Steering:
    def __repr__(self):
        return ESCAPES


Steering.__name__ = ESCAPES


def answer(name, *args, **kwargs):
    print(ESCAPES * 100)
    if name == "slope":
        raise type(ESCAPES, (ValueError,), {})(ESCAPES)
    return Steering()
