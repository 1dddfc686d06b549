"""Where the pages about an account's programs lie: below /programs, the same for every kind of account."""

from flask import Blueprint

programs = Blueprint("programs", __name__, url_prefix="/programs")
