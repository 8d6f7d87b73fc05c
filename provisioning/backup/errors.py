"""Surprises of back-up, restore and wipe."""

from __future__ import annotations

from device.errors import HirobaError


class RecipientMissing(HirobaError):
    """Nobody is named for whom to encrypt. facts: file."""

    code = "backup.recipient_missing"


class KeyInvalid(HirobaError):
    """A text is no age key of the kind asked for. facts: file or "-", wanted ("recipient", "identity")."""

    code = "backup.key_invalid"


class KeyWrong(HirobaError):
    """The archive was encrypted to another key. facts: file."""

    code = "backup.key_wrong"


class ArchiveDamaged(HirobaError):
    """The archive is cut off or was changed; nothing of it was used. facts: file, reason."""

    code = "backup.damaged"


class StateNotBlank(HirobaError):
    """A restore would overwrite what is there. facts: folder."""

    code = "backup.state_not_blank"


class StateMissing(HirobaError):
    """There is no state to keep. facts: folder."""

    code = "backup.state_missing"


class FileExists(HirobaError):
    """A file that must not be overwritten is there already. facts: file."""

    code = "backup.file_exists"


class CanNotWrite(HirobaError):
    """A file or folder cannot be written or read. facts: file, reason."""

    code = "backup.can_not_write"


class StillInUse(HirobaError):
    """Processes have files of the state folder open. facts: folder, processes (names)."""

    code = "state.still_in_use"


class WipeRefused(HirobaError):
    """The folder is none that Hiroba keeps its state in. facts: folder."""

    code = "wipe.refused"


class WipeIncomplete(HirobaError):
    """Something of the state is still there. facts: folder, left (number of files)."""

    code = "wipe.incomplete"
