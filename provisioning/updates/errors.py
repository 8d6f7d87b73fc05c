"""Why a bundle was refused, could not be made or did not stay."""

from __future__ import annotations

from device.errors import HirobaError


class BundleError(HirobaError):
    """Parent of everything that goes wrong with a bundle."""

    code = "bundle.error"


class BundleUnsigned(BundleError):
    """Not signed by keys this box trusts. facts: source."""

    code = "bundle.unsigned"


class BundleOlder(BundleError):
    """Older than what this box has seen, or pieces of two publications. facts: source, reason."""

    code = "bundle.older"


class BundleExpired(BundleError):
    """The signature's time is over: a frozen mirror, an old USB stick or a wrong clock. facts: source."""

    code = "bundle.expired"


class BundleDamaged(BundleError):
    """Not the bytes that were signed. facts: source, reason."""

    code = "bundle.damaged"


class SourceUnreachable(BundleError):
    """The repository gave no answer or lacks a file. facts: source, reason."""

    code = "bundle.unreachable"


class NoneForThisBox(BundleError):
    """Nothing is published for this platform. facts: source, platform."""

    code = "bundle.none_for_this_box"


class ClockBehind(BundleError):
    """The clock is behind a moment this box has already seen, so no expiry date can be judged. facts: seen."""

    code = "bundle.clock_behind"


class TrustMissing(BundleError):
    """The pinned root metadata cannot be read. facts: file, reason."""

    code = "bundle.trust_missing"


class NoSpace(BundleError):
    """facts: folder, needed_mb, free_mb."""

    code = "bundle.no_space"


class SlotsMissing(BundleError):
    """This is no box that was laid out in slots. facts: folder, reason."""

    code = "bundle.slots_missing"


class InstallerBusy(BundleError):
    """Another installation runs. facts: folder."""

    code = "bundle.busy"


class TrialFailed(BundleError):
    """The new release was not healthy in time; the box runs the former one again. facts: release, slot, reason."""

    code = "bundle.trial_failed"


class ActivationFailed(BundleError):
    """A command that lays or starts a slot failed. facts: reason (the program and its exit code)."""

    code = "bundle.activation_failed"


class NothingToRollBackTo(BundleError):
    """The other slot holds no whole release. facts: slot."""

    code = "bundle.nothing_to_return_to"


class WrongPlatform(BundleError):
    """The bundle is signed as for this box but says otherwise of itself. facts: platform, here."""

    code = "bundle.wrong_platform"


class BuildFailed(BundleError):
    """facts: step, reason."""

    code = "bundle.build_failed"


class KeyUnusable(BundleError):
    """A signing key cannot be read or made. facts: file, reason."""

    code = "bundle.key"


class RepositoryUnusable(BundleError):
    """The folder to publish in is no repository, or one that may not be changed so. facts: folder, reason."""

    code = "bundle.repository"


class LicenceNotAllowed(HirobaError):
    """A component is linked under a licence that is not allowed. facts: component, licence."""

    code = "bundle.licence"


class CommandsFileUnsafe(BundleError):
    """The file of programs that root runs could have been written by others, or is not understood. facts: file,
    reason.
    """

    code = "bundle.commands_unsafe"


class TrustMisplaced(BundleError):
    """The site file names a root of trust outside /etc/hiroba, such as on a stick. facts: file."""

    code = "bundle.trust_misplaced"
