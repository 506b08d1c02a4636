"""How the API's words and options are written on a command line."""

from cyclopts import Parameter

WORD: Parameter = Parameter(name_transform=str.lower)
"""An enum's words as the API writes them, with its underscores."""
FLAG: Parameter = Parameter(negative=())
"""An option that is there or not, and has no opposite."""
