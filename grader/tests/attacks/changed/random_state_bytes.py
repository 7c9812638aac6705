"""
exercise: ex07_seven_steps
tries: hands over a random state whose inner counters point beyond its numbers
earns: nothing
with: wire
"""


def skewed(head, blobs):
    state = bytearray(torch.default_generator.get_state().numpy().tobytes())
    state[8:24] = (624).to_bytes(8, "little") + (624).to_bytes(8, "little")
    return head | {"random": len(blobs)}, [*blobs, bytes(state)]


wire_hook(skewed)
