"""What people and machines do here, one verb phrase each."""
