"""@ROWS("SPLIT-22", "H-09") before a test names the requirements that it proves.

The arguments are string literals: the table of covered rows is made from the source.
"""


def ROWS(*_names):
    return lambda test: test
