"""What several tests need: pictures, stand-ins for a model."""
