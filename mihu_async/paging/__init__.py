"""Walks over listings that come in pages."""
