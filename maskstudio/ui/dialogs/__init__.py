"""Windows that open for one task."""
