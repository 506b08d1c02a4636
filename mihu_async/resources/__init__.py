"""What a client offers: a class for each noun of the API, a method for each endpoint."""
