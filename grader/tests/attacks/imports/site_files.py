"""
exercise: ex03_backward
tries: leaves a .pth file, a sitecustomize and a conftest for the next interpreter
earns: nothing
"""

import os
import site
import sys
import sysconfig

CODE = "import sys; sys.modules['ex03_backward'] = None\n"
FOLDERS = [*site.getsitepackages(), sysconfig.get_paths()["purelib"], ".", "/tmp", *sys.path]
for folder in FOLDERS:
    for name in ("kata.pth", "sitecustomize.py", "conftest.py", "pytest.ini"):
        try:
            with open(os.path.join(folder or ".", f"attack-{name}"), "x") as file:
                file.write(CODE)
            os.remove(file.name)
        except OSError:
            continue
