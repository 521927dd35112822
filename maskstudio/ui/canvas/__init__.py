"""The image and its annotations, as they are seen and touched."""
