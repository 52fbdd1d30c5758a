"""Teams: make one, invite people, change what they may do, read how it stands."""
