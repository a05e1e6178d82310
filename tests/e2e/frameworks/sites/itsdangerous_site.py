"""Werkzeug with a cookie that a serializer of itsdangerous signs."""

import os

from itsdangerous import BadSignature, URLSafeTimedSerializer
from serve import wsgi
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

SERIALIZER = URLSafeTimedSerializer(os.environ["ORIGIN_KEY"])
LIFETIME = int(os.environ.get("LIFETIME", 0)) or None


@Request.application
def site(request):
    if request.path == "/login":
        response = redirect("/")
        token = SERIALIZER.dumps(request.args["user"])
        response.set_cookie("token", token, max_age=LIFETIME, secure=True, httponly=True)
        return response
    if request.path == "/logout":
        response = redirect("/")
        response.delete_cookie("token")
        return response
    return Response(user_of(request.cookies.get("token", "")))


def user_of(token):
    try:
        return SERIALIZER.loads(token)
    except BadSignature:
        return "nobody"


wsgi("itsdangerous", site)
