"""What the core wishes from the outside world, in its own words."""
