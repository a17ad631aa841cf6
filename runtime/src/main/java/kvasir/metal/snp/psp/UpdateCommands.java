package kvasir.metal.snp.psp;

import java.util.Optional;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.registry.Bytes;

/** Commands by which the vendor changes the platform: DOWNLOAD_FIRMWARE_EX and VLEK_LOAD. */
final class UpdateCommands {
    private static final int DOWNLOAD_BYTES = 24;
    private static final int VLEK_BYTES = 16;

    private final Platform platform;
    private final PhysicalMemory memory;

    UpdateCommands(Platform platform) {
        this.platform = platform;
        this.memory = platform.memory;
    }

    /**
     * SNP_DOWNLOAD_FIRMWARE_EX: u32 length (24), u32 0, u64 image, u32 its length, u32 bit 0 commit. The guests go on; versions
     * and TCB are those of the image at once. An image older than what was committed is refused.
     */
    FirmwareStatus download(long buffer) {
        long image = memory.read64(buffer + 8);
        int length = memory.read32(buffer + 16);
        int bits = memory.read32(buffer + 20);
        if (memory.read32(buffer) != DOWNLOAD_BYTES && !platform.asPublished()) {
            return FirmwareStatus.INVALID_LENGTH;
        }
        if (memory.read32(buffer + 4) != 0 || (bits & ~1) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if ((image & 31) != 0 || !readable(image, Integer.toUnsignedLong(length))) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        if (length != FirmwareImage.BYTES) {
            return FirmwareStatus.INVALID_LENGTH;
        }
        Optional<FirmwareImage> opened = FirmwareImage.open(read(image, length));
        if (opened.isEmpty()) {
            return FirmwareStatus.BAD_SIGNATURE;
        }
        FirmwareImage next = opened.get();
        if (next.svn() < Tcb.of(platform.committedTcb()).snp()) {
            return FirmwareStatus.BAD_SVN;
        }
        if (next.version() < platform.committedVersion()) {
            return FirmwareStatus.BAD_VERSION;
        }
        Tcb before = Tcb.of(platform.currentTcb());
        platform.currentTcb(new Tcb(before.bootLoader(), before.tee(), next.svn(), before.microcode()).version());
        platform.currentVersion(next.version());
        if ((bits & 1) != 0) {
            platform.commit();
        }
        return FirmwareStatus.SUCCESS;
    }

    /**
     * SNP_VLEK_LOAD: u32 length (16), u8 version (0), 3 bytes 0, u64 wrapped key (checks in the order of AMD's published
     * firmware, {@code snp_mcmd_vlek_load}). Reports are signed with the key from then on, unless the guest wants the VCEK.
     */
    FirmwareStatus loadVlek(long buffer) {
        long at = memory.read64(buffer + 8);
        if (memory.read32(buffer) != VLEK_BYTES || memory.read32(buffer + 4) != 0) {
            return FirmwareStatus.INVALID_PARAM;
        }
        if (!readable(at, Vlek.WRAPPED_BYTES)) {
            return FirmwareStatus.INVALID_ADDRESS;
        }
        Bytes wrapped = read(at, Vlek.WRAPPED_BYTES);
        if (Vlek.tcb(wrapped) != platform.reportedTcb()) {
            return FirmwareStatus.BAD_SVN;
        }
        Optional<Bytes> key = Vlek.unwrap(platform.config.seed(), wrapped);
        key.ifPresent(platform::vlek);
        return key.isPresent() ? FirmwareStatus.SUCCESS : FirmwareStatus.BAD_MEASUREMENT;
    }

    private boolean readable(long spa, long bytes) {
        return spa >= 0
                && spa <= memory.size() - bytes
                && platform.addressable(spa & -4096L)
                && platform.addressable(spa + Math.max(bytes, 1) - 1 & -4096L);
    }

    private Bytes read(long spa, int bytes) {
        var content = new byte[bytes];
        memory.read(spa, content, 0, bytes);
        return Bytes.of(content);
    }
}
