"""The learner's tests run through the grader's plugin: its fixtures, verdicts and failure text."""

pytest_plugins = ["grader.plugin"]
