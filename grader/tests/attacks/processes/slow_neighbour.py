"""
exercise: ex03_backward
tries: delays its worker before each test, so that what judges it is late for whoever comes next
earns: nothing
"""

import time

import grader.boundary.worker as worker

begin = worker.Worker.do_begin


def slow(self, *args):
    time.sleep(0.8)
    return begin(self, *args)


worker.Worker.do_begin = slow
