"""MaskStudio: label images with editable Mask R-CNN outlines and export exact COCO JSON."""

__version__ = "0.1.0"
