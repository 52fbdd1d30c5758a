"""One module for each noun: the columns of its table, its mapping, its port."""
