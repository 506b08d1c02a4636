"""The call path, from a request to its data; each module is one stage of it."""
