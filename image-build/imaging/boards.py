"""What each board needs: a name in, one frozen `Board` out. All boards have the same partitions and slots.

Partitions (MBR, so that a Pi 3's boot ROM reads it too; all sizes in MiB):
1 common FAT (loader, what it remembers, `gatehouse/operator.toml`), 2 and 3 FAT with kernel and initramfs of slot A and
B, 4 extended, 5 and 6 read-only root of slot A and B, 7 data, which grows to the card's end at first boot.
"""

from __future__ import annotations

from dataclasses import dataclass

SIGNATURE = 0x5CA1AB1E
"""MBR disk signature: with it, PARTUUID names a partition alike on a card, a USB disk and in a machine for tests.

It is no identity: every box has the same, and two of these cards are never in one board.
"""
COMMON, BOOT_A, BOOT_B, EXTENDED, ROOT_A, ROOT_B, DATA = range(1, 8)
SLOTS = {"A": (BOOT_A, ROOT_A), "B": (BOOT_B, ROOT_B)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One kind of image."""

    name: str
    architecture: str
    """Debian's word."""
    machine: str
    """What its kernel calls the processor (`uname -m`); Python packages ask for it."""
    platforms: tuple[str, ...]
    """Python wheel platforms that run on it, best first."""
    compatible: str
    """RAUC's word for what a bundle may be written to (`wire.release.Release.board`)."""
    hardware: str
    """For people."""
    modules: tuple[str, ...]
    """Kernel modules of the initramfs: what mounts the root, and the driver of the board's own socket."""
    cipher: str
    """Of the data partition."""
    common_mib: int = 128
    boot_mib: int = 128
    root_mib: int = 1024
    data_mib: int = 32
    """As it is in the file; on the card it grows."""


_SHARED = ("squashfs", "overlay")

BOARDS = {
    board.name: board
    for board in (
        Board(
            name="pi4",
            architecture="arm64",
            machine="aarch64",
            platforms=("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"),
            compatible="gatehouse-pi4",
            hardware="Raspberry Pi 3B+, 4, 400 and Compute Module 4",
            # The board's own socket (genet, lan78xx) is here although no root is mounted by it: the first to come is
            # eth0, the one for the internet, and drivers of adapters on USB are not here. Loaded together later, they
            # would come in any order, and a home could change places with the provider's side.
            # The last five are for QEMU's "virt" machine, in which this image can be started as well.
            modules=(
                *_SHARED, "sdhci_iproc", "bcm2835", "bcm2835_wdt", "mmc_block", "usb_storage", "uas", "sd_mod",
                "xhci_pci", "reset_raspberrypi", "pcie_brcmstb", "raspberrypi_hwmon", "dwc2",
                "mdio_bcm_unimac", "broadcom", "genet", "lan78xx",
                "virtio_blk", "virtio_pci", "virtio_mmio", "virtio_net", "virtio_rng",
            ),
            # The processors of Pi 3 and 4 have no AES instructions: Adiantum is the cipher for such.
            cipher="xchacha20,aes-adiantum-plain64",
        ),
        Board(
            name="qemu",
            architecture="amd64",
            machine="x86_64",
            platforms=("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
            compatible="gatehouse-qemu",
            hardware="a machine for tests in QEMU (amd64, BIOS)",
            modules=(*_SHARED, "virtio_blk", "virtio_pci", "virtio_scsi", "sd_mod", "ahci", "ata_piix", "i6300esb"),
            cipher="aes-xts-plain64",
        ),
    )
}  # fmt: skip


def partuuid(number: int) -> str:
    """How the kernel names partition `number`."""
    return f"{SIGNATURE:08x}-{number:02x}"


def command_line(slot: str, firmware: str) -> str:
    """The kernel's command line for a slot.

    Args:
        slot: A or B.
        firmware: What `firmware.machine` says for this slot's root: consoles, names of interfaces, and `panic`, by
            which a slot that does not come up starts anew, until the loader takes the other.
    """
    own = ("rootfstype=squashfs", f"rauc.slot={slot}", "quiet", "init_on_alloc=1", "slab_nomerge")
    return " ".join((*firmware.split(), *own))
