"""What the mouse does on the canvas: one tool at a time, without widgets of its own."""
