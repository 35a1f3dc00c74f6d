"""Checks of single answers of models: chat, completions, embeddings, usage."""
