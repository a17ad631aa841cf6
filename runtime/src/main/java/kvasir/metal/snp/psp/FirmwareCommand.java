package kvasir.metal.snp.psp;

import java.util.Arrays;
import java.util.Optional;

/** The SNP commands by their numbers (Linux {@code psp-sev.h}). */
public enum FirmwareCommand {
    SNP_INIT(0x081),
    SNP_SHUTDOWN(0x082),
    SNP_PLATFORM_STATUS(0x083),
    SNP_DF_FLUSH(0x084),
    SNP_INIT_EX(0x085),
    SNP_SHUTDOWN_EX(0x086),
    SNP_DECOMMISSION(0x090),
    SNP_ACTIVATE(0x091),
    SNP_GUEST_STATUS(0x092),
    SNP_GCTX_CREATE(0x093),
    SNP_GUEST_REQUEST(0x094),
    SNP_ACTIVATE_EX(0x095),
    SNP_LAUNCH_START(0x0a0),
    SNP_LAUNCH_UPDATE(0x0a1),
    SNP_LAUNCH_FINISH(0x0a2),
    SNP_DBG_DECRYPT(0x0b0),
    SNP_DBG_ENCRYPT(0x0b1),
    SNP_PAGE_SWAP_OUT(0x0c0),
    SNP_PAGE_SWAP_IN(0x0c1),
    SNP_PAGE_MOVE(0x0c2),
    SNP_PAGE_MD_INIT(0x0c3),
    SNP_PAGE_SET_STATE(0x0c6),
    SNP_PAGE_RECLAIM(0x0c7),
    SNP_PAGE_UNSMASH(0x0c8),
    SNP_CONFIG(0x0c9),
    SNP_DOWNLOAD_FIRMWARE_EX(0x0ca),
    SNP_COMMIT(0x0cb),
    SNP_VLEK_LOAD(0x0cd),
    SNP_FEATURE_INFO(0x0ce);

    private final int id;

    FirmwareCommand(int id) {
        this.id = id;
    }

    /** The number. */
    public int id() {
        return id;
    }

    /** The command with this number. */
    static Optional<FirmwareCommand> of(int id) {
        return Arrays.stream(values()).filter(c -> c.id == id).findFirst();
    }
}
