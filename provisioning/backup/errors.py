"""Surprises of back-up, restore and wipe."""

from __future__ import annotations

from device.errors import HirobaError


class RecipientMissing(HirobaError):
    """No recipient to encrypt for. facts: file."""

    code = "backup.recipient_missing"


class KeyInvalid(HirobaError):
    """Not an age key of the wanted kind. facts: file or "-", wanted ("recipient", "identity")."""

    code = "backup.key_invalid"


class KeyWrong(HirobaError):
    """The archive was encrypted to another key. facts: file."""

    code = "backup.key_wrong"


class ArchiveDamaged(HirobaError):
    """The archive is truncated or changed; nothing of it was used. facts: file, reason."""

    code = "backup.damaged"


class ArchiveUnsigned(HirobaError):
    """An archive of an earlier release: nobody can tell who made it. facts: file."""

    code = "backup.unsigned"


class SignatureInvalid(HirobaError):
    """The signature does not belong to these bytes or this box; nothing was used. facts: reason."""

    code = "backup.signature_invalid"


class SignerUnknown(HirobaError):
    """Signed by a key that neither the city's CA nor a given fingerprint vouches for. facts: box, fingerprint."""

    code = "backup.signer_unknown"


class OtherBoxesArchive(HirobaError):
    """Made by another box than the one it should be laid onto. facts: box, own."""

    code = "backup.other_box"


class StateNotBlank(HirobaError):
    """A restore would overwrite existing files. facts: folder."""

    code = "backup.state_not_blank"


class StateMissing(HirobaError):
    """There is no state to back up. facts: folder."""

    code = "backup.state_missing"


class FileExists(HirobaError):
    """A file that must not be overwritten exists already. facts: file."""

    code = "backup.file_exists"


class CannotWrite(HirobaError):
    """A file or folder cannot be written or read. facts: file, reason."""

    code = "backup.can_not_write"


class StillInUse(HirobaError):
    """Processes have files of the state folder open. facts: folder, processes (names)."""

    code = "state.still_in_use"


class WipeRefused(HirobaError):
    """The folder is not a state folder of Hiroba. facts: folder."""

    code = "wipe.refused"


class WipeIncomplete(HirobaError):
    """Files of the state are left. facts: folder, left (number of files)."""

    code = "wipe.incomplete"
