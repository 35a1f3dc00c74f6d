"""What the user chose: the configuration file, the options, the waivers."""
