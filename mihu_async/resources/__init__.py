"""The resources of a client: a class for each noun of the API, a method for each endpoint."""
