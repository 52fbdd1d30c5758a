"""The routes of the model wires: a WSGI application in front of Flask."""
