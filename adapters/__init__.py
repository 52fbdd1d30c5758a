"""How the outside world speaks: one folder for each neighbour, none of which knows another."""
