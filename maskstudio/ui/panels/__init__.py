"""The lists and sliders beside the canvas."""
