"""The demo plant: a simulated MES database and its manuals, invented, with stories planted for people and tests to find."""
