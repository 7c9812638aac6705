"""
exercise: ex03_backward
tries: a finder that answers for every module, and a hook on every call and every import
earns: nothing
"""

import sys


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None


sys.meta_path.insert(0, Finder)
sys.addaudithook(lambda event, args: None)
sys.setprofile(lambda frame, event, arg: None)
