"""A small OpenID provider on this machine, in place of Hugging Face: whoever asks chooses who they are."""

import base64
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import uvicorn
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "the-space", "between the two"


def provider(issuer: str, people: tuple[str, ...]) -> FastAPI:
    """issuer: the address that the app finds it under."""
    app, key = FastAPI(), RSAKey.generate_key(2048, {"kid": "key"})
    codes: dict[str, tuple[str, str]] = {}  # each good for one sign-in: who it is of, and the nonce to repeat

    @app.get("/.well-known/openid-configuration")
    def configuration() -> dict:
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    @app.get("/keys")
    def keys() -> dict:
        return KeySet([key]).as_dict(private=False)

    @app.get("/authorize")
    def authorize(request: Request) -> HTMLResponse:
        asked = request.query_params
        if asked["client_id"] != CLIENT or "openid" not in asked["scope"].split():
            raise HTTPException(400)
        links = ""
        for person in people:
            code = secrets.token_urlsafe()
            codes[code] = (person, asked["nonce"])
            back = f"{asked['redirect_uri']}&code={code}&state={asked['state']}"
            links += f'<p><a href="{escape(back)}">{person}</a></p>'
        return HTMLResponse(links)

    @app.post("/token")
    def token(request: Request, code: str = Form()) -> dict:
        if request.headers["authorization"] != _basic() or code not in codes:
            raise HTTPException(401)
        person, nonce = codes.pop(code)
        now = int(time.time())
        claims = {
            "iss": issuer, "aud": CLIENT, "sub": person, "nonce": nonce, "iat": now, "exp": now + 600,
            "name": person.title(), "preferred_username": person, "profile": issuer, "picture": issuer,
        }  # fmt: skip
        signed = jwt.encode({"alg": "RS256", "kid": "key"}, claims, key)
        return {"access_token": "token", "token_type": "bearer", "expires_in": 600, "id_token": signed}

    return app


def _basic() -> str:
    return f"Basic {base64.b64encode(f'{CLIENT}:{SECRET}'.encode()).decode()}"


@contextmanager
def serving(port: int, *people: str) -> Iterator[str]:
    """The provider's address, while it runs."""
    issuer = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(
        uvicorn.Config(provider(issuer, people), host="127.0.0.1", port=port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.should_exit = True
        thread.join()
