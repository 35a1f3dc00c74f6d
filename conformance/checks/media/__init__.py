"""Checks of images, speech, transcripts and video."""
