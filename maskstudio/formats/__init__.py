"""Other people's files: a data set in, bytes out, and back. No Qt, no torch."""
