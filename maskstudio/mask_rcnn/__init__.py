"""Mask R-CNN: build, load, run, train, evaluate. The only package that imports torch."""
