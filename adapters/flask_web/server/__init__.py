"""How gunicorn serves us. Only here is gunicorn imported."""
