"""What changes for a caller who moves from one api-version to another. Pure: it compares data and sends nothing."""
