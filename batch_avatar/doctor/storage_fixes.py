"""What to paste where the storage refuses something. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch_avatar.archive.access import explanations
from batch_avatar.archive.storage_answers import WRITE_ONCE

if TYPE_CHECKING:
    from batch_avatar.errors import ArchiveError

ACCOUNTS = 'az storage account list --query "[].{name:name, address:primaryEndpoints.blob}"'
CLOCK = "sudo timedatectl set-ntp true"
NOT_TAKEN = ("AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation")
NOT_ALLOWED = ("AuthorizationPermissionMismatch", "InsufficientAccountPermissions")


@dataclass(frozen=True, slots=True)
class Fixes:
    """Commands with the names that are known. `keyed`: the account's key is used, and not a sign-in."""

    account: str
    container: str
    assignee: str
    keyed: bool

    def of(self, error: ArchiveError, *, otherwise: str = "") -> str:
        """Return the commands for a refusal, by the storage's own code."""
        code = error.code
        if code in NOT_TAKEN and explanations.CLOCK in error.message:
            return CLOCK
        by_code = {
            **dict.fromkeys(NOT_TAKEN, self.key if self.keyed else "az login --tenant <tenant of the account>"),
            **dict.fromkeys(NOT_ALLOWED, self.key if self.keyed else self.role),
            **dict.fromkeys(WRITE_ONCE, self.other),
            "AuthorizationFailure": self.firewall,
            "KeyBasedAuthenticationNotPermitted": self.without_key,
            "ContainerBeingDeleted": self.other,
        }
        otherwise = otherwise or f"az storage account show --name {self.account} --query statusOfPrimary"
        return by_code.get(code, otherwise)

    @property
    def key(self) -> str:
        name = "BATCH_AVATAR_STORAGE_CONNECTION_STRING"
        return (
            f"(umask 077; az storage account show-connection-string --name {self.account} --query connectionString "
            "-o tsv > ~/storage-connection)\n"
            f"unset {name}; export {name}_FILE=~/storage-connection"
        )

    @property
    def without_key(self) -> str:
        return f"unset BATCH_AVATAR_STORAGE_CONNECTION_STRING\n{self.direct}"

    @property
    def role(self) -> str:
        return (
            f'az role assignment create --assignee {self.assignee} --role "Storage Blob Data Contributor" '
            f'--scope "$(az storage account show --name {self.account} --query id -o tsv)"'
        )

    @property
    def firewall(self) -> str:
        rule = (
            f"az storage account network-rule add --account-name {self.account} --ip-address <address of this machine>"
        )
        return f"{rule}\n# or, if no network rules are set:\n{self.key if self.keyed else self.role}"

    @property
    def other(self) -> str:
        return f"export BATCH_AVATAR_CONTAINER={self.container}-2"

    @property
    def direct(self) -> str:
        """Without what stands between: the account's own address is the only one that is sure to heed conditions."""
        return f"export BATCH_AVATAR_STORAGE_ACCOUNT_URL=https://{self.account}.blob.core.windows.net"

    @property
    def keep(self) -> str:
        return (
            f"az storage account blob-service-properties update --account-name {self.account} "
            "--enable-delete-retention true --delete-retention-days 14"
        )

    @property
    def soft_delete(self) -> str:
        return (
            f"az storage account blob-service-properties show --account-name {self.account} "
            "--query deleteRetentionPolicy"
        )

    def make(self, container: str) -> str:
        return self._on_container("create", container)

    def drop(self, container: str) -> str:
        return self._on_container("delete", container)

    def _on_container(self, verb: str, container: str) -> str:
        login = "" if self.keyed else " --auth-mode login"
        return f"az storage container {verb} --name {container} --account-name {self.account}{login}"
