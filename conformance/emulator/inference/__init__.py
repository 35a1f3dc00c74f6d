"""Handlers of the model operations: chat, completions, embeddings, images, audio. One resource per file."""
