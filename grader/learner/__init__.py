"""What a learner's own commands do: hints, progress, reset."""
