"""The API's vocabulary: frozen values with the API's own field names, and no behaviour."""
