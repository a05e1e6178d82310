"""Makes a key and a certificate for the host names of its arguments, signed by itself, and prints both as PEM in JSON."""

import datetime
import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

YEARS_AROUND = datetime.timedelta(days=3650)  # so that no shifted clock is outside

key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests of countersign")])
now = datetime.datetime.now(datetime.timezone.utc)
certificate = (
    x509.CertificateBuilder()
    .subject_name(name)
    .issuer_name(name)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(now - YEARS_AROUND)
    .not_valid_after(now + YEARS_AROUND)
    .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in sys.argv[1:]]), critical=False)
    .sign(key, hashes.SHA256())
)
PEM = serialization.Encoding.PEM
written = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
print(json.dumps({"key": written.decode(), "cert": certificate.public_bytes(PEM).decode()}))
