"""The window. It decides nothing about data: it reads the session and calls operations."""
