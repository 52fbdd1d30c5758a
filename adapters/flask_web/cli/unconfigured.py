"""What there is without settings: the help of every command, and what is wrong."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import FlaskGroup

from adapters.flask_web import cli
from adapters.flask_web.settings import SettingsError


def unconfigured(error: SettingsError) -> Flask:
    """Return an application for the command line, whose commands say what is wrong.

    Raises:
        SettingsError: It would be served.
        ClickException: ``flask run`` would serve it.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        raise error
    # The group loads an application to see its commands. Those of Flask itself want to use it.
    if not isinstance(context.command, FlaskGroup):
        raise click.ClickException(str(error))
    app = Flask(__name__)
    cli.register(app, fault=error)
    return app
