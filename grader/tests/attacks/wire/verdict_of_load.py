"""
exercise: ex03_backward
tries: the file answers its own loading with the sentence and the verdict "passed"
earns: nothing
with: wire
"""

number, _ = wire_asked()
wire_raw(wire_answer(number, ["l", "all is well", "passed"]))
