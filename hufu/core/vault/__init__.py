"""What lies sealed on the disk, and the keys that open it.

    sealed = vault.seal(vault.FIELD, b"138 0000 0000", bound_to=b"crm_customer.phone")
    plain = vault.unseal(vault.FIELD, sealed, bound_to=b"crm_customer.phone")
    found_by = vault.blind_index(vault.INDEX, b"phone:+8613800000000")

Envelope: a master key (`master`: a file of the secrets folder, the environment, or a command) wraps data keys
(`data_keys`: one row each in `hufu.data_key`, by purpose and version), and these seal values. Nothing readable is
stored beside them. A key that is missing or wrong is Unavailable; none is ever replaced in silence.
"""

from hufu.core.vault.cipher import AES_256_GCM, CIPHERS, Cipher
from hufu.core.vault.data_keys import (
    FIELD,
    INDEX,
    PURPOSES,
    check,
    is_empty,
    prepare,
    sealing_version,
    stored,
)
from hufu.core.vault.master import (
    MASTER_KEY,
    MasterKeys,
    forget_master_keys,
    is_kept_elsewhere,
    master_keys,
    require_master_key,
)
from hufu.core.vault.streams import Damaged, seal_stream, unseal_stream
from hufu.core.vault.values import Unreadable, blind_index, blind_indexes, seal, unseal, version_of

__all__ = [
    "AES_256_GCM",
    "CIPHERS",
    "FIELD",
    "INDEX",
    "MASTER_KEY",
    "PURPOSES",
    "Cipher",
    "Damaged",
    "MasterKeys",
    "Unreadable",
    "blind_index",
    "blind_indexes",
    "check",
    "forget_master_keys",
    "is_empty",
    "is_kept_elsewhere",
    "master_keys",
    "prepare",
    "require_master_key",
    "seal",
    "seal_stream",
    "sealing_version",
    "stored",
    "unseal",
    "unseal_stream",
    "version_of",
]
