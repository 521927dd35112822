"""The domain: what an annotation is and what may be done to it. No Qt, no torch, no files."""
