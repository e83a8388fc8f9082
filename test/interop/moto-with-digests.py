"""moto's server, with what its KMS has not yet: signatures over digests (MessageType DIGEST), and salts as long as them, as AWS has it."""

import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from moto.kms import responses
from moto.kms import utils as kms
from moto.kms.models import KmsBackend
from moto.server import main

sign_message = responses.KmsResponse.sign


def sign(self):
    self.kms_backend.signs_digests = self._get_param("MessageType") == "DIGEST"
    return sign_message(self)


sign_whole = KmsBackend.sign


def sign_given(self, key_id, message, signing_algorithm):
    if not self.signs_digests:
        return sign_whole(self, key_id, message, signing_algorithm)
    key = self.describe_key(key_id)
    if signing_algorithm not in key.signing_algorithms:
        raise kms.ValidationException(f"{signing_algorithm} is not for this key")
    hash_algorithm = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}[signing_algorithm[-3:]]()
    digest = utils.Prehashed(hash_algorithm)
    native = key.private_key.private_key
    if signing_algorithm.startswith("ECDSA"):
        return key.arn, native.sign(message, ec.ECDSA(digest)), signing_algorithm
    scheme = padding.PKCS1v15()
    if "PSS" in signing_algorithm:
        scheme = padding.PSS(mgf=padding.MGF1(hash_algorithm), salt_length=padding.PSS.DIGEST_LENGTH)
    return key.arn, native.sign(message, scheme, digest), signing_algorithm


responses.KmsResponse.sign = sign
KmsBackend.sign = sign_given
main(sys.argv[1:])
