"""Every check, one subject per file. ``checks/catalogue.py`` finds them by walking this folder."""
