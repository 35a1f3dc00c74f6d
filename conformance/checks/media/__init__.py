"""Checks of images, sound and video."""
