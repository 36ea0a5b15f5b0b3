"""The identity of a virtual machine: the endpoint that gives it tokens, on this machine."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

from tests.support.tiny_server import Answer, TinyServer

TOKEN_SECONDS = 86_400
NOT_FOUND = Answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
UPDATING = Answer(410, {"error": "gone"})
AWAY = Answer(drop=True)


class IdentityEndpoint(TinyServer):
    """Gives tokens as the page "How to use managed identities on a VM to acquire an access token" describes it.

    `token` is what it gives; `instead` are answers that it gives first, the last of them for as long as it is there.
    """

    def __init__(self):
        super().__init__()
        self.token = "identity-token"
        self.seconds = TOKEN_SECONDS
        self.instead = []
        self.answers = [self._answered]

    def use(self, monkeypatch):
        """Have the identity library of this process find it, and nothing else to sign in with."""
        for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", self.url)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")

    def _answered(self, path):
        if self.instead:
            return self.instead.pop(0)
        query = parse_qs(urlsplit(path).query)
        if urlsplit(path).path != "/metadata/identity/oauth2/token" or "resource" not in query:
            return Answer(400, {"error": "bad_request"})
        given = {"access_token": self.token, "token_type": "Bearer", "resource": query["resource"][0]}
        times = {"expires_in": str(self.seconds), "expires_on": str(int(time.time()) + self.seconds)}
        return Answer(200, {**given, **times})
