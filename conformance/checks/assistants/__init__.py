"""Checks of runs, their steps and their states."""
