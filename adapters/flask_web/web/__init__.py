"""What every feature of the web shares; it knows none of them."""
