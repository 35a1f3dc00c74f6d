"""What the user decides: the configuration file, the options of a run, the waivers."""
