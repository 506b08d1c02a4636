"""Walking a listing that comes in pages."""
