"""Bytes on disk: the project database, images, caches, settings. No Qt, no torch."""
