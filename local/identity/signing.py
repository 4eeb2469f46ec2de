"""The issuer's RS256 key pair, made at the first start and kept, so that tokens outlive a restart."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from local.stack.private_file import write_private


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA key and the id under which the JSON Web Key Set names it."""

    private: rsa.RSAPrivateKey
    key_id: str

    @classmethod
    def kept_in(cls, state: Path) -> "SigningKey":
        """The key in `state/signing.pem`, made now if there is none."""
        file = state / "signing.pem"
        if not file.exists():
            fresh = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            write_private(
                file,
                fresh.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ),
            )
        private = serialization.load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise TypeError(f"{file} does not hold an RSA key")
        public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cls(private, hashlib.sha256(public).hexdigest()[:32])

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact JSON Web Token with these claims."""
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.key_id})

    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set with the public half."""
        public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {"keys": [public | {"kid": self.key_id, "use": "sig", "alg": "RS256"}]}
