"""The items that pytest runs, and the file where it finds them. They ship with the wheel."""
