"""Checks of runs, their steps, their states and their messages."""
